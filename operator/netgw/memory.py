"""How the process takes memory from the system: what is large goes back the moment it is freed.

glibc maps each block of 128 KiB and more by itself and unmaps it when it is freed. But the first of them that is freed
raises that limit to its own size (mallopt(3), M_MMAP_THRESHOLD), and from then on whole answers lie on the heap: the
LISTs of everything, MiB of text, every ten minutes. Small objects that outlive them settle where they were, the next
LIST does not fit there and the heap grows by half a MiB. A limit that was set stays where it is.
"""

from __future__ import annotations

import ctypes

_M_MMAP_THRESHOLD = -3
_LARGE = 128 * 1024
"""Bytes, glibc's own limit at its start."""


def keep_large_blocks_apart() -> bool:
    """For the whole process. Whether the C library has such a limit: glibc does, that of other systems may not."""
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    return set_option is not None and set_option(_M_MMAP_THRESHOLD, _LARGE) == 1
