"""Between the operator and the cloud: answers to POSTs arrive late, as they do on a bad line."""

from __future__ import annotations

import contextlib
import select
import socket
import socketserver
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from support.served import served


@contextlib.contextmanager
def slow_answers(url: str, seconds: float | Callable[[], float]) -> Iterator[str]:
    """Where to ask instead of `url`: what is asked goes through at once, the answer to a POST takes so long to come."""
    lateness = seconds if callable(seconds) else lambda: seconds
    cloud = (urlsplit(url).hostname, urlsplit(url).port)

    class Line(socketserver.BaseRequestHandler):
        """One connection; requests on it follow one another, as httpx sends them."""

        def handle(self) -> None:
            with contextlib.suppress(ConnectionError), socket.create_connection(cloud) as server:
                late = 0.0
                while True:
                    for end in select.select([self.request, server], [], [])[0]:
                        if not (data := end.recv(65536)):
                            return
                        if end is self.request:
                            late = lateness() if data.startswith(b"POST ") else late
                            server.sendall(data)
                        else:
                            time.sleep(late)
                            late = 0.0
                            self.request.sendall(data)

    with served(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Line)) as listener:
        yield f"http://127.0.0.1:{listener.server_address[1]}"
