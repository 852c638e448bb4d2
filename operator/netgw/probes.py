"""Probes and metrics over HTTP, in the same event loop as everything else: a loop that is blocked does not answer.

`/livez` is 200 while the process does its work; it says nothing of the cloud, for a restart would not mend that.
`/readyz` is 200 when the process does what it is for, which a standby that waits for its Lease does too.
`/metrics` is what `metrics.py` makes of it; nothing here knows Prometheus.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from netgw.settings import Address

_GRACE_SECONDS = 1


class ProbesError(Exception):
    """The address cannot be listened on; the message is one line."""


Expose = Callable[[str], Awaitable[tuple[str, bytes]]]
"""From the Accept header to content type and body."""


def probes_app(live: Callable[[], bool], ready: Callable[[], tuple[bool, str]], expose: Expose) -> Starlette:
    """The ASGI application. `ready` says also why (not)."""

    async def livez(_: Request) -> PlainTextResponse:
        return PlainTextResponse("ok\n") if live() else PlainTextResponse("not alive\n", 503)

    async def readyz(_: Request) -> PlainTextResponse:
        is_ready, reason = ready()
        return PlainTextResponse(f"{reason}\n", 200 if is_ready else 503)

    async def metrics(request: Request) -> Response:
        content_type, body = await expose(request.headers.get("accept", ""))
        return Response(body, headers={"Content-Type": content_type})

    return Starlette(routes=[Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)])


class ProbeServer:
    """Serves an ASGI application from `start` to `stop`."""

    def __init__(self, app: Starlette, listen: Address):
        self._app = app
        self._listen = listen
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> Address:
        """Listen; the address that it became (port 0 is any free one). Raises `ProbesError`."""
        bound = _bound(self._listen)
        config = uvicorn.Config(
            self._app,
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve([bound]), name="probes")
        return Address(self._listen.host, bound.getsockname()[1])

    async def stop(self) -> None:
        if self._server and self._task:
            self._server.should_exit = True
            await self._task


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Signals belong to the process, not to its probes.
        yield


def _bound(listen: Address) -> socket.socket:
    try:
        infos = socket.getaddrinfo(*listen, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return socket.create_server(listen, family=infos[0][0], backlog=128)
    except OSError as error:
        cause = str(error.strerror).partition(" (while")[0]
        raise ProbesError(f"NETGW_LISTEN is {listen}, where nothing can listen: {cause}") from None
