"""Who is around an object under its gateway, and so the advice on it. Reads the store and the snapshot, makes no call.

Others are known from two sides: as objects here and as what the cloud has. One that is both is one, with what its spec
sets before what the cloud has. One that is being deleted is no longer counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from ipaddress import IPv4Network
from typing import NamedTuple

from netgw.engine.actuator import InvalidSpec
from netgw.engine.objects import Object
from netgw.engine.plan import Values
from netgw.engine.store import Store
from netgw.kube.kind import parse_spec
from netgw.providers.upcloud.advice import gateways, routes, tunnels
from netgw.providers.upcloud.advice.who import Who, managed, unmanaged
from netgw.providers.upcloud.api import Connection, Gateway
from netgw.providers.upcloud.connection import plan as connection_plan
from netgw.providers.upcloud.connection.model import ConnectionSpec
from netgw.providers.upcloud.tunnel import plan as tunnel_plan
from netgw.providers.upcloud.tunnel.model import TunnelSpec

NameOf = Callable[[Object], str]


class Part(NamedTuple):
    """A connection or tunnel as the cloud has it."""

    uuid: str
    name: str
    values: Values


class Advisor:
    """`name_of`: the name in the cloud that an object asks for. `clusters`: usual networks of pods and services."""

    def __init__(self, store: Store, name_of: NameOf, clusters: Sequence[IPv4Network]) -> None:
        self._store = store
        self._name_of = name_of
        self._clusters = clusters

    def connection(self, obj: Object, values: Values, gateway: Gateway | None) -> tuple[str, ...]:
        """Advice on a VpnConnection. `values`: what it has, with what its spec sets. `gateway`: its own, if seen."""
        seen = [Part(c.uuid, c.name, connection_plan.observed(c)) for c in _connections(gateway)]
        others = self._others(obj, "connection", seen, self._store.siblings(obj), gateway)
        mine = routes.routes(managed(obj, obj), values)
        return routes.advise(mine, [routes.routes(who, has) for who, has in others], self._clusters)

    def tunnel(self, obj: Object, values: Values, gateway: Gateway | None, called: str) -> tuple[str, ...]:
        """Advice on a VpnTunnel; likewise. `called`: the gateway in the words of whoever has to change it."""
        seen = [Part(t.uuid, t.name, tunnel_plan.observed(t, None)) for c in _connections(gateway) for t in c.tunnels]
        only = gateways.only_address(gateway)
        others = self._others(obj, "tunnel", seen, self._tunnels_beside(obj), gateway)
        mine = tunnels.ends(managed(obj, obj), values, only)
        theirs = [tunnels.ends(who, has, only) for who, has in others]
        return tunnels.advise(mine, values, theirs, gateways.parent(gateway, called))

    def _tunnels_beside(self, obj: Object) -> list[Object]:
        """Objects for tunnels of the same gateway. Those below a connection without object are known once made."""
        connection = self._store.parent(obj)
        if connection is None:
            return []
        family = [connection, *self._store.siblings(connection)]
        return [tunnel for parent in family for tunnel in self._store.children(parent) if tunnel.key != obj.key]

    def _others(
        self, obj: Object, word: str, seen: Iterable[Part], kin: Sequence[Object], gateway: Gateway | None
    ) -> Iterator[tuple[Who, Values]]:
        own, met = self._name_of(obj), {obj.uid}
        for part in seen:
            holder = self._store.holder(part.uuid) or self._maker(part, kin)
            if part.uuid == obj.uuid or holder == obj or (holder is None and part.name == own):
                continue  # itself, or about to be: a name is unique below a gateway
            if holder is None:
                yield unmanaged(word, part.name, part.uuid), part.values
            elif not holder.deleting:
                yield managed(holder, obj), {**part.values, **self._wanted(holder)}
            met |= set() if holder is None else {holder.uid}
        for other in kin:
            if other.uid not in met and not other.deleting and not _elsewhere(other, obj, gateway):
                yield managed(other, obj), self._wanted(other)

    def _maker(self, part: Part, kin: Iterable[Object]) -> Object | None:
        """The object that is making it: its uuid is not recorded yet."""
        return next((other for other in kin if other.uuid is None and self._name_of(other) == part.name), None)

    def _wanted(self, obj: Object) -> Values:
        """What the spec of another sets; nothing where it does not parse, which its own status says."""
        name = self._name_of(obj)
        try:
            if obj.kind == "VpnConnection":
                return connection_plan.desired(parse_spec(ConnectionSpec, obj.spec), name)
            return tunnel_plan.desired(parse_spec(TunnelSpec, obj.spec), name)
        except InvalidSpec:
            return {}


def _connections(gateway: Gateway | None) -> Sequence[Connection]:
    return () if gateway is None else gateway.connections or ()


def _elsewhere(other: Object, obj: Object, gateway: Gateway | None) -> bool:
    """It stands for the same thing as `obj`, or its part is in another gateway, which its status says."""
    there = other.status.get("gatewayUuid")
    return (other.uuid is not None and other.uuid == obj.uuid) or (
        gateway is not None and there not in (None, gateway.uuid)
    )
