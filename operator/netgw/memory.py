"""How the process takes memory from the system: what is large goes back the moment it is freed.

glibc maps each block of 128 KiB and more by itself and unmaps it when it is freed. But the first of them that is freed
raises that limit to its own size (mallopt(3), M_MMAP_THRESHOLD). From then on whole answers lie on the heap, and the
text of a scrape in an arena of each thread that ever made one: with 200 trees 14 MiB that nothing needs. A limit that
was set stays where it is. What else would make the heap grow are connections that come and go: `kube/transport.py`.
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
