"""The client's ground floor: how a call is made, and the older part of the API around gateways.

Account, zones and routers are here, gateways and what is below them in `client`. It knows no URL of theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter

from .core import Account, AccountEnvelope, Router, RouterEnvelope, RoutersEnvelope, Zone, ZonesEnvelope
from .credentials import DEFAULT_BASE_URL, Credentials
from .limiter import Timing, TokenBucket
from .query import Call, Query, Reply, Timeouts
from .requests import RouterCreate, RouterCreateEnvelope, RouterModify, RouterModifyEnvelope
from .transport import Transport

T = TypeVar("T")

_ROUTER = "/router/{router}"

_read_account = TypeAdapter(AccountEnvelope).validate_json
_read_router = TypeAdapter(RouterEnvelope).validate_json
_read_routers = TypeAdapter(RoutersEnvelope).validate_json
_read_zones = TypeAdapter(ZonesEnvelope).validate_json


def read_nothing(_content: bytes) -> None:
    """For answers without a body, and for those whose body is documented nowhere."""


class CoreClient:
    """Everything of `UpCloud` that is not a gateway's; see there."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        base_url: str = DEFAULT_BASE_URL,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: Timeouts | None = None,
        limiter: TokenBucket | None = None,
        timing: Timing | None = None,
        on_call: Callable[[Call], None] | None = None,
        may_change: Callable[[], bool] | None = None,
    ) -> None:
        timing = timing or Timing()
        self._transport = Transport(
            credentials,
            base_url=base_url,
            transport=transport,
            timeout=timeout or Timeouts(),
            limiter=limiter or TokenBucket(timing=timing),
            timing=timing,
            on_call=on_call,
            may_change=may_change,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    def listen(self, on_call: Callable[[Call], None]) -> None:
        """Tell one more of every request that is sent from now on; as `on_call` of the constructor."""
        self._transport.listen(on_call)

    def budget(self) -> tuple[int, int]:
        """How many requests could go out now without waiting, and how many were held back so far."""
        return self._transport.budget()

    # Account and zones

    async def get_account(self) -> Reply[Account]:
        """The account of the credential: the cheapest proof that it is good."""
        return (await self._get("/account", _read_account)).map(lambda envelope: envelope.account)

    async def list_zones(self) -> Reply[tuple[Zone, ...]]:
        """Every zone, also those that are not public."""
        return (await self._get("/zone", _read_zones)).map(lambda envelope: envelope.zones.zone)

    # Routers

    async def list_routers(self) -> Reply[tuple[Router, ...]]:
        """Every router, also those of type `service`."""
        return (await self._get("/router", _read_routers)).map(lambda envelope: envelope.routers.router)

    async def get_router(self, *, router: str) -> Reply[Router]:
        """One router."""
        return (await self._get(_ROUTER, _read_router, router=router)).map(lambda envelope: envelope.router)

    async def create_router(self, *, body: RouterCreate) -> Reply[Router]:
        """Create a router."""
        reply = await self._send("POST", "/router", _read_router, RouterCreateEnvelope(router=body))
        return reply.map(lambda envelope: envelope.router)

    async def modify_router(self, *, router: str, body: RouterModify) -> Reply[Router]:
        """Change what is given. `labels`, and `static_routes` of type user, replace the whole set."""
        reply = await self._send("PATCH", _ROUTER, _read_router, RouterModifyEnvelope(router=body), router=router)
        return reply.map(lambda envelope: envelope.router)

    async def delete_router(self, *, router: str) -> Reply[None]:
        """Delete a router; `Conflict` while a gateway or a network is attached."""
        return await self._send("DELETE", _ROUTER, read_nothing, router=router)

    async def _get(self, route: str, read: Callable[[bytes], T], **path: str) -> Reply[T]:
        return await self._transport.send(Query("GET", route, read, path=path))

    async def _send(
        self, method: str, route: str, read: Callable[[bytes], T], body: BaseModel | None = None, **path: str
    ) -> Reply[T]:
        return await self._transport.send(Query(method, route, read, path=path, body=body))
