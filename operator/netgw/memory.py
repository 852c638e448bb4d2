"""How the process takes memory, so that it stays what it needs.

glibc maps each block of 128 KiB and more by itself and unmaps it when it is freed. But the first of them that is freed
raises that limit to its own size (mallopt(3), M_MMAP_THRESHOLD). From then on whole answers lie on the heap, and the
text of a scrape in an arena of each thread that ever made one: with 200 trees 14 MiB that nothing needs. A limit that
was set stays where it is.

asyncio reads 256 KiB from a TLS connection at a time, and holds as much for each, zeroed; OpenSSL's own buffer stays as
large as what once came at a time. Of 15 to 20 connections those are 4 to 7 MiB. They move into whatever gap of the heap
is large enough and drive what is small to its end, so that with connections that come and go it grows by 1 to 3 MiB an
hour. A record of TLS is 16 KiB at most, so nothing is gained by more than two.
"""

from __future__ import annotations

import ctypes
from asyncio.sslproto import SSLProtocol

_M_MMAP_THRESHOLD = -3
_LARGE = 128 * 1024
"""Bytes, glibc's own limit at its start."""

_TLS_READ = 32 * 1024
"""Bytes."""


def keep_large_blocks_apart() -> bool:
    """For the whole process. Whether the C library has such a limit: glibc does, that of other systems may not."""
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    return set_option is not None and set_option(_M_MMAP_THRESHOLD, _LARGE) == 1


def keep_tls_buffers_small() -> None:
    """Of connections that are made from now on. asyncio has no other place to say that."""
    SSLProtocol.max_size = _TLS_READ
