"""The simulator behind a socket, for users' own CI, the demo and tests of whole processes."""

from __future__ import annotations

import asyncio
import signal
import socket
import struct
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from .api import DROP, app
from .state import load, save
from .states import Dial
from .world import World

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 seconds: the kernel sends RST instead of FIN


def serve(
    *,
    listen: str = "127.0.0.1:0",
    delay: float = 0.0,
    tokens: Mapping[str, str] | None = None,
    routers: Iterable[str] = (),
    tunnels: Dial = "up",
    floating_ips: Iterable[str] = (),
    state: Path | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT, then returns. Blocks.

    `listen` is host:port, port 0 takes a free one. The first line on standard output is
    `listening on http://HOST:PORT`, written when requests are taken. `tokens` is which account each token opens;
    without any, every credential is accepted. `state` is a file in which the world is kept: one that is there is gone
    on from, whatever `routers` and `floating_ips` say; a StateError says that it cannot be. An OSError says that the
    address cannot be had, an AddressValueError that one of `floating_ips` is no IPv4 address.
    """
    world = World(delay=delay, tunnels=tunnels, tokens=tokens, routers=routers, floating_ips=floating_ips)
    if state is not None:
        _keep(world, state)
    serve_world(world, listen=listen)


def _keep(world: World, state: Path) -> None:
    """Before the first request too, so that a file which cannot be written is no surprise later."""
    if (kept := load(state)) is not None:
        world.restore(kept)
    world.on_change = lambda: save(state, world.kept())
    world.on_change()


def serve_world(world: World, *, listen: str = "127.0.0.1:0") -> None:
    """As `serve`, for a world of your own."""
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, int(port)), family=family) as listener, _quiet_signals():
        config = uvicorn.Config(
            app(world),
            http=_Protocol,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=1,
        )
        shown = f"[{host}]" if ":" in host else host
        _Server(config, f"listening on http://{shown}:{listener.getsockname()[1]}").run(sockets=[listener])


class _Server(uvicorn.Server):
    """Says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: str) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(self._ready + "\n")
        sys.stdout.flush()


class _Protocol(H11Protocol):
    """Gives the app the means to break the connection, which ASGI has no word for."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app = _with_drop(self.app, transport)


def _with_drop(inner: Any, transport: asyncio.Transport) -> ASGIApp:
    def drop() -> None:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.abort()

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[DROP] = drop
        await inner(scope, receive, send)

    return outer


@contextmanager
def _quiet_signals() -> Iterator[None]:
    """The signal that ended uvicorn is raised once more for the handlers of before: let these do nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
