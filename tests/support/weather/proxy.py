"""A bad line to the API server: plain HTTP on loopback in front of it, which relays, fails, cuts and says 410.

Each request gets a connection of its own to the API server, so that an answer ends where its connection ends and is
relayed as it comes, a watch too. What befalls a request is drawn anew each time, from a seed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

WAYS = ("500", "429 with Retry-After", "time-out", "reset", "lost answer")
HOLD = 2.0
"""Seconds that a call hangs before its connection breaks: a client's own limit would take half a minute."""
EXPIRED = {
    "kind": "Status",
    "apiVersion": "v1",
    "status": "Failure",
    "code": 410,
    "reason": "Expired",
    "message": "too old",
}


@dataclass(frozen=True)
class Request:
    """The head as it came, and the body."""

    head: bytes
    body: bytes

    @property
    def line(self) -> str:
        return self.head.partition(b"\r\n")[0].decode()

    @property
    def watches(self) -> bool:
        return "watch=1" in self.line or "watch=true" in self.line

    @property
    def writes_status(self) -> bool:
        return re.match(r"(PUT|PATCH) \S+/status[? ]", self.line) is not None


class Proxy:
    """`rate` of the calls fail, `expired` answers each watch with 410. `failed` counts what was done."""

    def __init__(self, server: str, tls: ssl.SSLContext, seed: int) -> None:
        self._server = urlsplit(server)
        self._tls = tls
        self._rng = random.Random(seed)
        self.rate = 0.0
        self.expired = False
        self.seen = 0
        self.failed: Counter[str] = Counter()
        self.before_status: Callable[[str], None] | None = None
        """Hears the path of each write of a status, before it goes on."""
        self._watches: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._calls: set[asyncio.Task[None]] = set()
        self.url = ""

    @contextlib.contextmanager
    def listening(self) -> Iterator[str]:
        """In a thread of its own; where to ask."""
        listener = self._loop.run_until_complete(asyncio.start_server(self._take, "127.0.0.1", 0, limit=2**20))
        self.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        thread = threading.Thread(target=self._loop.run_forever, name="proxy")
        thread.start()
        try:
            yield self.url
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.run_until_complete(self._end(listener))
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    async def _end(self, listener: asyncio.Server) -> None:
        listener.close()
        calls = list(self._calls)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await asyncio.sleep(0.05)  # an aborted transport closes its socket in the next round of the loop

    def clear(self) -> None:
        """Everything is relayed again as it comes."""
        self.rate, self.expired, self.before_status = 0.0, False, None

    def cut(self) -> None:
        """Every watch that is open now breaks."""
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        for writer in self._watches:
            self.failed["watch cut"] += 1
            writer.transport.abort()

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = self._loop.create_task(self._answer(reader, writer))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            request = Request(head, await reader.readexactly(int(length[1]) if length else 0))
            self.seen += 1
            await self._befall(request, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # either end went away
        finally:
            writer.transport.abort()

    async def _befall(self, request: Request, writer: asyncio.StreamWriter) -> None:
        if request.watches and self.expired:
            self.failed["410 Gone"] += 1
            return await _say(writer, 200, json.dumps({"type": "ERROR", "object": EXPIRED}) + "\n")
        if request.writes_status and self.before_status is not None:
            path = request.line.split(" ")[1].partition("?")[0].removesuffix("/status")
            await self._loop.run_in_executor(None, self.before_status, path)
        if self._rng.random() >= self.rate:
            return await self._relay(request, writer)
        way = self._rng.choice(WAYS)
        self.failed[way] += 1
        match way:
            case "500":
                await _say(writer, 500, '{"kind": "Status", "code": 500, "message": "bad weather"}')
            case "429 with Retry-After":
                await _say(
                    writer, 429, '{"kind": "Status", "code": 429, "message": "bad weather"}', "Retry-After: 1\r\n"
                )
            case "time-out":
                await asyncio.sleep(HOLD)
            case "lost answer":
                await self._relay(request, None)
            case _:
                pass  # a reset: the connection just ends
        return None

    async def _relay(self, request: Request, writer: asyncio.StreamWriter | None) -> None:
        head = re.sub(rb"(?i)\r\nconnection: [^\r]*", b"", request.head)
        head = head.removesuffix(b"\r\n") + b"Connection: close\r\n\r\n"
        if writer is None and request.watches:
            return
        reader, onward = await asyncio.open_connection(self._server.hostname, self._server.port, ssl=self._tls)
        if request.watches and writer is not None:
            self._watches.add(writer)
        try:
            onward.write(head + request.body)
            while data := await reader.read(65536):
                if writer is not None:
                    writer.write(data)
                    await writer.drain()
            if writer is not None:
                writer.close()
                await writer.wait_closed()
        finally:
            self._watches.discard(writer) if writer is not None else None
            onward.transport.abort()


async def _say(writer: asyncio.StreamWriter, status: int, body: str, headers: str = "") -> None:
    head = f"HTTP/1.1 {status} Bad Weather\r\nContent-Type: application/json\r\n{headers}"
    writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
