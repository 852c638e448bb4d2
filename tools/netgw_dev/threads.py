"""Connections for clients that several threads share."""

from __future__ import annotations

import ssl
import threading
import weakref

import httpx

IDLE_SECONDS = 2.0
"""After these a connection is not used again. Servers of uvicorn close one after five, as httpx would by itself: then a
request may go out just when its connection ends."""


class PerThread(httpx.BaseTransport):
    """Connections of its own for each thread, so that one `httpx.Client` may be used by many of them.

    In one pool that threads share, httpcore 1.0 may close a connection as expired that it has just given to another
    thread and that is not marked as busy yet; that thread's request then fails with "Bad file descriptor".
    """

    def __init__(self, verify: ssl.SSLContext | bool = True) -> None:
        """`verify` as httpx takes it."""
        self._verify = verify
        self._mine = threading.local()
        self._all: weakref.WeakSet[_Connections] = weakref.WeakSet()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Over the connections of the thread that asks."""
        if (connections := getattr(self._mine, "connections", None)) is None:
            limits = httpx.Limits(keepalive_expiry=IDLE_SECONDS)
            connections = self._mine.connections = _Connections(verify=self._verify, limits=limits, trust_env=False)
            self._all.add(connections)
        return connections.handle_request(request)

    def close(self) -> None:
        """Those of all threads; none may be asking any more."""
        for connections in list(self._all):
            connections.close()


class _Connections(httpx.HTTPTransport):
    def __del__(self) -> None:
        """Its thread has ended."""
        self.close()
