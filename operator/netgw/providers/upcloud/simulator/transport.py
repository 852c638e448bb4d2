"""The way in without a socket: an httpx transport that turns dropped answers into what httpx raises for them."""

from __future__ import annotations

import asyncio

import httpx

from .api import Dropped, app
from .world import World


def transport(world: World) -> httpx.AsyncBaseTransport:
    """For `httpx.AsyncClient(transport=…)`; the host of the base URL does not matter."""
    return _Transport(world)


class _Transport(httpx.AsyncBaseTransport):
    def __init__(self, world: World) -> None:
        self._asgi = httpx.ASGITransport(app=app(world))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """`reset` is a ReadError; a held answer a ReadTimeout, at the client's own read time-out if that is earlier."""
        try:
            return await self._asgi.handle_async_request(request)
        except Dropped as dropped:
            if dropped.hold == 0:
                raise httpx.ReadError("Connection reset by the simulator", request=request) from None
            limit = request.extensions.get("timeout", {}).get("read")
            await asyncio.sleep(dropped.hold if limit is None else min(dropped.hold, limit))
            raise httpx.ReadTimeout("The simulator held the answer", request=request) from None
