"""Connections of its own for each thread: kept while it lives and asks, given back when it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from netgw_dev.threads import IDLE_SECONDS, PerThread
from support.eventually import eventually
from support.served import served


class Server(ThreadingHTTPServer):
    """Answers with the port that asks, and knows which connections are open."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.open: set[Any] = set()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        self.open.add(client_address)
        super().process_request_thread(request, client_address)
        self.open.remove(client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = str(self.client_address[1]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with served(Server()) as server:
        yield server


def test_each_thread_has_its_own_and_gives_it_back(server: Server) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}", transport=PerThread()) as client:
        ports: list[set[str]] = []

        def ask() -> None:
            ports.append({client.get("/").text for _ in range(3)})

        ask()
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        ask()
        assert [len(of) for of in ports] == [1, 1, 1], "a connection is used again"
        assert ports[0] == ports[2] != ports[1]
        eventually(lambda: len(server.open) == 1)
    eventually(lambda: not server.open)


def test_one_that_a_server_may_be_about_to_close_is_not_used_again(server: Server) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}", transport=PerThread()) as client:
        first = client.get("/").text
        time.sleep(1.1 * IDLE_SECONDS)
        assert client.get("/").text != first
