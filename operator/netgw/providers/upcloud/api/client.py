"""The UpCloud client: one method per call, verb and noun, keyword arguments, each answering a `Reply`.

    async with UpCloud(Credentials.from_env(os.environ), base_url=base_url_from_env(os.environ)) as cloud:
        for gateway in (await cloud.list_gateways()).value:
            print(gateway.name, gateway.operational_state)

Every method raises `UpCloudError` (see `errors`). None waits for what the cloud does in the background: a gateway that
was just created is `pending`, one that was just deleted is still there for a while. Identifiers are uuids.
Source: developers.upcloud.com/1.3/19-network-gateways; recorded exchanges where they say more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter

from .core import Account, AccountEnvelope, Router, RouterEnvelope, RoutersEnvelope, Zone, ZonesEnvelope
from .credentials import DEFAULT_BASE_URL, Credentials
from .errors import Malformed
from .limiter import Timing, TokenBucket
from .metrics import Metrics
from .models import Connection, Gateway, Label, Plan, Tunnel
from .query import Call, Query, Reply, Timeouts
from .requests import (
    ConnectionCreate,
    ConnectionModify,
    GatewayCreate,
    GatewayModify,
    GatewayReplace,
    LabelModify,
    RouterCreate,
    RouterCreateEnvelope,
    TunnelCreate,
    TunnelModify,
)
from .transport import Transport

T = TypeVar("T")

PAGE_SIZE = 100  # the API's greatest; its default is 10

_GATEWAY = "/gateway/{gateway}"
_LABELS = _GATEWAY + "/labels"
_LABEL = _LABELS + "/{key}"
_CONNECTIONS = _GATEWAY + "/connections"
_CONNECTION = _CONNECTIONS + "/{connection}"
_TUNNELS = _CONNECTION + "/tunnels"
_TUNNEL = _TUNNELS + "/{tunnel}"

_read_plan = TypeAdapter(Plan).validate_json
_read_plans = TypeAdapter(tuple[Plan, ...]).validate_json
_read_gateway = TypeAdapter(Gateway).validate_json
_read_gateways = TypeAdapter(tuple[Gateway, ...]).validate_json
_read_label = TypeAdapter(Label).validate_json
_read_labels = TypeAdapter(tuple[Label, ...]).validate_json
_read_connection = TypeAdapter(Connection).validate_json
_read_connections = TypeAdapter(tuple[Connection, ...]).validate_json
_read_tunnel = TypeAdapter(Tunnel).validate_json
_read_tunnels = TypeAdapter(tuple[Tunnel, ...]).validate_json
_read_metrics = TypeAdapter(Metrics).validate_json
_read_account = TypeAdapter(AccountEnvelope).validate_json
_read_router = TypeAdapter(RouterEnvelope).validate_json
_read_routers = TypeAdapter(RoutersEnvelope).validate_json
_read_zones = TypeAdapter(ZonesEnvelope).validate_json


def _read_nothing(_content: bytes) -> None:
    return None


class UpCloud:
    """A client for one credential. Close it, or use it with `async with`.

    `transport` replaces the network (a simulator in process), `timing` the clock and the dice; `limiter` may be shared
    by clients of one credential. `on_call` hears of every request that was sent; it must be quick and must not raise.
    """

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

    # Account, zones, plans

    async def get_account(self) -> Reply[Account]:
        """The account of the credential: the cheapest proof that it is good."""
        return (await self._get("/account", _read_account)).map(lambda envelope: envelope.account)

    async def list_zones(self) -> Reply[tuple[Zone, ...]]:
        """Every zone, also those that are not public."""
        return (await self._get("/zone", _read_zones)).map(lambda envelope: envelope.zones.zone)

    async def list_plans(self) -> Reply[tuple[Plan, ...]]:
        """Every gateway plan."""
        return await self._get("/gateway/plans", _read_plans)

    async def get_plan(self, *, name: str) -> Reply[Plan]:
        """One gateway plan."""
        return await self._get("/gateway/plans/{name}", _read_plan, name=name)

    # Gateways

    async def list_gateways(self, *, labels: Mapping[str, str | None] | None = None) -> Reply[tuple[Gateway, ...]]:
        """Every gateway with all below it, or those that carry all `labels` (None: any value of that key).

        Reads pages of 100 until one is not full: floor(gateways / 100) + 1 requests. `began` and `date`: of the first.
        A gateway that vanishes between two pages can hide another one: absence from a list is no proof.
        """
        first: Reply[tuple[Gateway, ...]] | None = None
        found: dict[str, Gateway] = {}
        while True:
            page = await self._gateway_page(offset=len(found), labels=labels or {})
            first = first or page
            known = len(found)
            found.update((gateway.uuid, gateway) for gateway in page.value)
            if len(page.value) < PAGE_SIZE:
                return first.map(lambda _: tuple(found.values()))
            if len(found) == known:
                raise Malformed(
                    "GET /1.3/gateway: the same page again", method="GET", path="/1.3/gateway", date=page.date
                )

    async def _gateway_page(self, *, offset: int, labels: Mapping[str, str | None]) -> Reply[tuple[Gateway, ...]]:
        wanted = [("label", key if value is None else f"{key}={value}") for key, value in labels.items()]
        params = [("limit", str(PAGE_SIZE)), ("offset", str(offset)), *wanted]
        return await self._transport.send(Query("GET", "/gateway", _read_gateways, params=params))

    async def get_gateway(self, *, gateway: str) -> Reply[Gateway]:
        """One gateway with its connections and tunnels."""
        return await self._get(_GATEWAY, _read_gateway, gateway=gateway)

    async def create_gateway(self, *, body: GatewayCreate) -> Reply[Gateway]:
        """Create a gateway, with its connections and tunnels if given; it answers at once, in state `pending`."""
        return await self._send("POST", "/gateway", _read_gateway, body)

    async def replace_gateway(self, *, gateway: str, body: GatewayReplace) -> Reply[Gateway]:
        """Replace a gateway (PUT)."""
        return await self._send("PUT", _GATEWAY, _read_gateway, body, gateway=gateway)

    async def modify_gateway(self, *, gateway: str, body: GatewayModify) -> Reply[Gateway]:
        """Change what is given and leave the rest."""
        return await self._send("PATCH", _GATEWAY, _read_gateway, body, gateway=gateway)

    async def delete_gateway(self, *, gateway: str) -> Reply[None]:
        """Delete a gateway. Its connections and tunnels go with it, without a question."""
        return await self._send("DELETE", _GATEWAY, _read_nothing, gateway=gateway)

    async def get_metrics(self, *, gateway: str) -> Reply[Metrics]:
        """NAT counters and IPsec security associations. Sent once: a sample that is missed is no harm."""
        query = Query("GET", _GATEWAY + "/metrics", _read_metrics, path={"gateway": gateway}, once=True)
        return await self._transport.send(query)

    # Labels of a gateway. The answer to a change of one is not recorded for gateways, so it is not read.

    async def list_labels(self, *, gateway: str) -> Reply[tuple[Label, ...]]:
        """Every label of a gateway."""
        return await self._get(_LABELS, _read_labels, gateway=gateway)

    async def get_label(self, *, gateway: str, key: str) -> Reply[Label]:
        """One label."""
        return await self._get(_LABEL, _read_label, gateway=gateway, key=key)

    async def create_label(self, *, gateway: str, body: Label) -> Reply[None]:
        """Add a label."""
        return await self._send("POST", _LABELS, _read_nothing, body, gateway=gateway)

    async def modify_label(self, *, gateway: str, key: str, body: LabelModify) -> Reply[None]:
        """Change a label's value or key."""
        return await self._send("PATCH", _LABEL, _read_nothing, body, gateway=gateway, key=key)

    async def delete_label(self, *, gateway: str, key: str) -> Reply[None]:
        """Remove a label."""
        return await self._send("DELETE", _LABEL, _read_nothing, gateway=gateway, key=key)

    # Connections

    async def list_connections(self, *, gateway: str) -> Reply[tuple[Connection, ...]]:
        """Every connection of a gateway, with its tunnels."""
        return await self._get(_CONNECTIONS, _read_connections, gateway=gateway)

    async def get_connection(self, *, gateway: str, connection: str) -> Reply[Connection]:
        """One connection with its tunnels."""
        return await self._get(_CONNECTION, _read_connection, gateway=gateway, connection=connection)

    async def create_connection(self, *, gateway: str, body: ConnectionCreate) -> Reply[Connection]:
        """Add a connection."""
        # The recorded path ends with a slash, the documented one does not: the recorded one is known to work.
        return await self._send("POST", _CONNECTIONS + "/", _read_connection, body, gateway=gateway)

    async def modify_connection(self, *, gateway: str, connection: str, body: ConnectionModify) -> Reply[Connection]:
        """Replace the lists that are given."""
        return await self._send("PATCH", _CONNECTION, _read_connection, body, gateway=gateway, connection=connection)

    async def delete_connection(self, *, gateway: str, connection: str) -> Reply[None]:
        """Delete a connection. Its tunnels go with it, without a question."""
        return await self._send("DELETE", _CONNECTION, _read_nothing, gateway=gateway, connection=connection)

    # Tunnels

    async def list_tunnels(self, *, gateway: str, connection: str) -> Reply[tuple[Tunnel, ...]]:
        """Every tunnel of a connection."""
        return await self._get(_TUNNELS, _read_tunnels, gateway=gateway, connection=connection)

    async def get_tunnel(self, *, gateway: str, connection: str, tunnel: str) -> Reply[Tunnel]:
        """One tunnel."""
        return await self._get(_TUNNEL, _read_tunnel, gateway=gateway, connection=connection, tunnel=tunnel)

    async def create_tunnel(self, *, gateway: str, connection: str, body: TunnelCreate) -> Reply[Tunnel]:
        """Add a tunnel."""
        return await self._send("POST", _TUNNELS, _read_tunnel, body, gateway=gateway, connection=connection)

    async def modify_tunnel(self, *, gateway: str, connection: str, tunnel: str, body: TunnelModify) -> Reply[Tunnel]:
        """Change what is given; a key in it is rotated in place, under the same uuid."""
        path = {"gateway": gateway, "connection": connection, "tunnel": tunnel}
        return await self._send("PATCH", _TUNNEL, _read_tunnel, body, **path)

    async def delete_tunnel(self, *, gateway: str, connection: str, tunnel: str) -> Reply[None]:
        """Delete a tunnel."""
        return await self._send("DELETE", _TUNNEL, _read_nothing, gateway=gateway, connection=connection, tunnel=tunnel)

    # Routers

    async def list_routers(self) -> Reply[tuple[Router, ...]]:
        """Every router, also those of type `service`."""
        return (await self._get("/router", _read_routers)).map(lambda envelope: envelope.routers.router)

    async def get_router(self, *, router: str) -> Reply[Router]:
        """One router."""
        return (await self._get("/router/{router}", _read_router, router=router)).map(lambda envelope: envelope.router)

    async def create_router(self, *, body: RouterCreate) -> Reply[Router]:
        """Create a router."""
        reply = await self._send("POST", "/router", _read_router, RouterCreateEnvelope(router=body))
        return reply.map(lambda envelope: envelope.router)

    async def delete_router(self, *, router: str) -> Reply[None]:
        """Delete a router; `Conflict` while a gateway is attached."""
        return await self._send("DELETE", "/router/{router}", _read_nothing, router=router)

    async def _get(self, route: str, read: Callable[[bytes], T], **path: str) -> Reply[T]:
        return await self._transport.send(Query("GET", route, read, path=path))

    async def _send(
        self, method: str, route: str, read: Callable[[bytes], T], body: BaseModel | None = None, **path: str
    ) -> Reply[T]:
        return await self._transport.send(Query(method, route, read, path=path, body=body))
