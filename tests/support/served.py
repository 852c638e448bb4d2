"""Small servers of tests."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from typing import TypeVar

S = TypeVar("S", bound=socketserver.BaseServer)


@contextlib.contextmanager
def served(server: S) -> Iterator[S]:
    """It answers, from a thread of its own, to the end of the block, and is closed then."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="served")
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
