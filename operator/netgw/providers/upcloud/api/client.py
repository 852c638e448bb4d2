"""The UpCloud client: one method per call, verb and noun, keyword arguments, each answering a `Reply`.

    async with UpCloud(Credentials.from_env(os.environ), base_url=base_url_from_env(os.environ)) as cloud:
        for gateway in (await cloud.list_gateways()).value:
            print(gateway.name, gateway.operational_state)

Every method raises `UpCloudError` (see `errors`). None waits for what the cloud does in the background: a gateway that
was just created is `pending`, one that was just deleted is still there for a while. Identifiers are uuids.
Source: developers.upcloud.com/1.3/19-network-gateways; recorded exchanges where they say more.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import TypeAdapter

from .core_client import CoreClient, read_nothing
from .errors import Malformed
from .metrics import Metrics
from .models import UNCACHED, Address, Connection, Gateway, Label, Plan, Tunnel
from .query import Query, Reply
from .requests import (
    AddressModify,
    ConnectionCreate,
    ConnectionModify,
    GatewayCreate,
    GatewayModify,
    GatewayReplace,
    LabelModify,
    TunnelCreate,
    TunnelModify,
)

PAGE_SIZE = 100  # the API's greatest; its default is 10

_GATEWAY = "/gateway/{gateway}"
_LABELS = _GATEWAY + "/labels"
_LABEL = _LABELS + "/{key}"
_ADDRESSES = _GATEWAY + "/addresses"
_ADDRESS = _ADDRESSES + "/{name}"
_CONNECTIONS = _GATEWAY + "/connections"
_CONNECTION = _CONNECTIONS + "/{connection}"
_TUNNELS = _CONNECTION + "/tunnels"
_TUNNEL = _TUNNELS + "/{tunnel}"

_read_plan = TypeAdapter(Plan).validate_json
_read_plans = TypeAdapter(tuple[Plan, ...], config=UNCACHED).validate_json
_read_gateway = TypeAdapter(Gateway).validate_json
_read_gateways = TypeAdapter(tuple[Gateway, ...], config=UNCACHED).validate_json
_read_address = TypeAdapter(Address).validate_json
_read_addresses = TypeAdapter(tuple[Address, ...], config=UNCACHED).validate_json
_read_label = TypeAdapter(Label).validate_json
_read_labels = TypeAdapter(tuple[Label, ...], config=UNCACHED).validate_json
_read_connection = TypeAdapter(Connection).validate_json
_read_connections = TypeAdapter(tuple[Connection, ...], config=UNCACHED).validate_json
_read_tunnel = TypeAdapter(Tunnel).validate_json
_read_tunnels = TypeAdapter(tuple[Tunnel, ...], config=UNCACHED).validate_json
_read_metrics = TypeAdapter(Metrics).validate_json


class UpCloud(CoreClient):
    """A client for one credential. Close it, or use it with `async with`.

    `transport` replaces the network (a simulator in process), `timing` the clock and the dice; `limiter` may be shared
    by clients of one credential. `on_call` hears of every request that was sent; it must be quick and must not raise.
    `may_change` is asked right before each changing request is sent; where it says no, that ends in `Withheld`.
    """

    # Plans

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
        """Replace a gateway (PUT).

        For others: the operator never does, nor does it write connections or tunnels inside of their parent. Both
        replace whole sets: what was added meanwhile is lost, and what is not recognised gets a new uuid, so goes down.
        """
        return await self._send("PUT", _GATEWAY, _read_gateway, body, gateway=gateway)

    async def modify_gateway(self, *, gateway: str, body: GatewayModify) -> Reply[Gateway]:
        """Change what is given and leave the rest."""
        return await self._send("PATCH", _GATEWAY, _read_gateway, body, gateway=gateway)

    async def delete_gateway(self, *, gateway: str) -> Reply[None]:
        """Delete a gateway. Its connections and tunnels go with it, without a question."""
        return await self._send("DELETE", _GATEWAY, read_nothing, gateway=gateway)

    async def get_metrics(self, *, gateway: str) -> Reply[Metrics]:
        """NAT counters and IPsec security associations. Sent once: a sample that is missed is no harm."""
        query = Query("GET", _GATEWAY + "/metrics", _read_metrics, path={"gateway": gateway}, once=True)
        return await self._transport.send(query)

    async def flush_nat(self, *, gateway: str) -> Reply[None]:
        """Drop every NAT connection. Only the OpenAPI preview has it, without a body in the answer: none is read."""
        return await self._send("PATCH", _GATEWAY + "/actions/nat-flush-connections", read_nothing, gateway=gateway)

    # Addresses of a gateway, of the OpenAPI preview alone. What a change answers is not described, so it is not read.

    async def list_addresses(self, *, gateway: str) -> Reply[tuple[Address, ...]]:
        """Every public address of a gateway."""
        return await self._get(_ADDRESSES, _read_addresses, gateway=gateway)

    async def get_address(self, *, gateway: str, name: str) -> Reply[Address]:
        """One address by its name."""
        return await self._get(_ADDRESS, _read_address, gateway=gateway, name=name)

    async def modify_address(self, *, gateway: str, name: str, body: AddressModify) -> Reply[None]:
        """Put a floating IP of the account in the place of the address that has this name."""
        return await self._send("PATCH", _ADDRESS, read_nothing, body, gateway=gateway, name=name)

    async def release_address(self, *, gateway: str, name: str) -> Reply[None]:
        """Give the floating IP back: 202, and the name gets an address of the cloud's choice."""
        return await self._send("POST", _ADDRESS + "/release", read_nothing, gateway=gateway, name=name)

    # Labels of a gateway. The answer to a change of one is not recorded for gateways, so it is not read.

    async def list_labels(self, *, gateway: str) -> Reply[tuple[Label, ...]]:
        """Every label of a gateway."""
        return await self._get(_LABELS, _read_labels, gateway=gateway)

    async def get_label(self, *, gateway: str, key: str) -> Reply[Label]:
        """One label."""
        return await self._get(_LABEL, _read_label, gateway=gateway, key=key)

    async def create_label(self, *, gateway: str, body: Label) -> Reply[None]:
        """Add a label."""
        return await self._send("POST", _LABELS, read_nothing, body, gateway=gateway)

    async def modify_label(self, *, gateway: str, key: str, body: LabelModify) -> Reply[None]:
        """Change a label's value or key."""
        return await self._send("PATCH", _LABEL, read_nothing, body, gateway=gateway, key=key)

    async def delete_label(self, *, gateway: str, key: str) -> Reply[None]:
        """Remove a label."""
        return await self._send("DELETE", _LABEL, read_nothing, gateway=gateway, key=key)

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
        return await self._send("DELETE", _CONNECTION, read_nothing, gateway=gateway, connection=connection)

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
        return await self._send("DELETE", _TUNNEL, read_nothing, gateway=gateway, connection=connection, tunnel=tunnel)
