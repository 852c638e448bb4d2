"""VpnConnection: how a connection is found, made, changed, deleted and described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from netgw.engine.actuator import (
    Absent,
    Condition,
    Created,
    Desired,
    External,
    Links,
    Look,
    Observation,
    Resolution,
    Search,
    Unseen,
)
from netgw.engine.objects import Json, Object
from netgw.engine.outcome import Hold, Stalled, Waiting
from netgw.engine.plan import Change, diff
from netgw.kube.kind import parse_spec
from netgw.providers.upcloud.api import Connection
from netgw.providers.upcloud.base import Base, links, up_of_all
from netgw.providers.upcloud.connection import plan
from netgw.providers.upcloud.connection.model import KIND, ConnectionSpec
from netgw.providers.upcloud.snapshot import Entry
from netgw.providers.upcloud.tunnel.state import is_up


class ConnectionActuator(Base):
    """A connection is known by its name under its gateway."""

    kind = KIND.kind
    word = "connection"
    fields = plan.FIELDS
    recreate = True
    marked = False
    parent_kind: str | None = "NetworkGateway"
    parent_field = "gatewayRef"

    @staticmethod
    def links(obj: Object) -> Links:
        return links(obj, ConnectionActuator.parent_kind, ConnectionActuator.parent_field)

    def validate(self, obj: Object) -> None:
        parse_spec(ConnectionSpec, obj.spec)

    def _tree(self, obj: Object) -> str:
        return obj.status.get("gatewayUuid") or self.parent_uuid(obj) or ""

    def _unmanaged_hold(self, uuid: str) -> Hold | None:
        if self._account.known(uuid) is not None:
            return None
        return Waiting("ParentNotFound", f"The account has no gateway {uuid}.", 60.0)

    async def owns(self, obj: Object) -> bool:
        return isinstance(await self.observe(obj, fresh=False), External)

    async def observe(self, obj: Object, *, fresh: bool) -> Look:
        uuid, gateway = str(obj.uuid), obj.status.get("gatewayUuid") or self.parent_uuid(obj)
        if gateway is None:
            return Unseen("Its gateway is not known.")
        entry = await self._account.gateway(gateway, fresh=fresh)
        if entry is None:
            return Absent(f"Gateway {gateway} does not exist any more in UpCloud.", parent_gone=True)
        found = in_entry(entry, uuid)
        if found is None and await self._account.has_connection(gateway, uuid):
            entry = await self._account.gateway(gateway, fresh=True)
            found = None if entry is None else in_entry(entry, uuid)
        return found or Absent(f"Connection {uuid} does not exist any more in UpCloud.")

    async def search(self, obj: Object, name: str, parent: str | None) -> Search:
        entry = await self._account.gateway(str(parent), fresh=True)
        if entry is None:
            return Search(self._context.clock.now(), self._context.clock.wall(), parent_gone=True)
        named = tuple(external(entry, c) for c in entry.connections if c.name == name)
        return Search(entry.began, entry.date, named)

    def equal(self, external: External, desired: Desired) -> bool:
        """Only under a gateway that is ours, and only when nothing would have to change."""
        if external.parent != desired.parent or self._store.holder(str(external.parent)) is None:
            return False
        return not diff(self.fields, desired.values, external.values)

    async def resolve(self, obj: Object, external: External | None) -> Resolution:
        spec = parse_spec(ConnectionSpec, obj.spec)
        name, parent = self.effective_name(obj), self.parent_uuid(obj)
        desired = Desired(name, parent, plan.desired(spec, name), defaults={"type": "ipsec"})
        holds: tuple[Hold, ...] = ()
        if external is None and parent is not None and (full := self._room(parent)) is not None:
            holds = (full,)
        return Resolution(desired, holds)

    def _room(self, gateway: str) -> Hold | None:
        """Judged from the snapshot, so that a refusal that is certain costs no call."""
        entry = self._account.known(gateway)
        if entry is None:
            return Waiting("ParentNotCreated", "The gateway has not been seen in UpCloud yet.")
        return feature_hold(entry) or self._quota_hold(entry)

    def _quota_hold(self, entry: Entry) -> Hold | None:
        known = self._account.plans.get(entry.gateway.plan or "")
        if known is None or len(entry.connections) < known.vpn_tunnel_amount:
            return None
        return Waiting(
            "QuotaReached",
            f"Not created: plan {known.name} can have up to {known.vpn_tunnel_amount} connections and gateway "
            f"{entry.gateway.name} has {len(entry.connections)}. Set a larger plan, or delete a connection.",
        )

    def moved(self, obj: Object, external: External) -> Stalled | None:
        return moved("gatewayRef", "gateway", "VpnConnection", self.parent_uuid(obj), external)

    def prepare(self, obj: Object, external: External, changes: Sequence[Change]) -> Hold | Mapping[str, Json]:
        return {}

    async def create(self, obj: Object, desired: Desired) -> Created:
        gateway = str(desired.parent)
        body = plan.creation(desired.name, {**desired.defaults, **desired.values})
        async with self._account.writing(gateway):
            reply = await self._account.api.create_connection(gateway=gateway, body=body)
        return Created(reply.value.uuid, {"gatewayUuid": gateway})

    async def update(self, obj: Object, external: External, desired: Desired, changes: Sequence[Change]) -> None:
        gateway = str(external.parent)
        async with self._account.writing(gateway):
            body = plan.modification(changes)
            await self._account.api.modify_connection(gateway=gateway, connection=external.uuid, body=body)

    async def children(self, external: External) -> Sequence[str]:
        entry = await self._account.gateway(str(external.parent), fresh=True)
        connections = () if entry is None else entry.connections
        return [f"tunnel {t.name} ({t.uuid})" for c in connections if c.uuid == external.uuid for t in c.tunnels]

    async def delete(self, obj: Object, external: External) -> None:
        gateway = str(external.parent)
        async with self._account.writing(gateway):
            await self._account.api.delete_connection(gateway=gateway, connection=external.uuid)

    def identity(self, external: External) -> Mapping[str, Json]:
        return {"gatewayUuid": external.parent}

    def describe(self, obj: Object, external: External, resolution: Resolution | None) -> Observation:
        entry, connection = external.wire
        ups = [is_up(tunnel) for tunnel in connection.tunnels]
        redundant = sum(up is True for up in ups) >= 2
        return Observation(
            ready=_ready(entry, connection, ups),
            conditions=(_redundant(redundant, ups),),
            fields={"tunnels": up_of_all(ups), "redundant": redundant},
        )


def in_entry(entry: Entry, uuid: str) -> External | None:
    """The connection of this uuid in what was read of its gateway."""
    return next((external(entry, connection) for connection in entry.connections if connection.uuid == uuid), None)


def external(entry: Entry, connection: Connection) -> External:
    """A connection in the engine's words."""
    return External(
        uuid=connection.uuid,
        name=connection.name,
        parent=entry.gateway.uuid,
        created_at=connection.created_at,
        values=plan.observed(connection),
        began=entry.began,
        wire=(entry, connection),
    )


def feature_hold(entry: Entry) -> Waiting | None:
    """No VPN without the feature; the API would refuse it."""
    if "vpn" in entry.gateway.features:
        return None
    name = entry.gateway.name
    return Waiting("FeatureMissing", f"Not created: gateway {name} has no feature vpn. Add vpn to its spec.features.")


def moved(field: str, word: str, kind: str, parent: str | None, external: External) -> Stalled | None:
    """A reference that now means another parent; one that only changed its form means the same uuid."""
    if parent is None or parent == external.parent:
        return None
    return Stalled(
        "ImmutableField",
        f"{field} now means {word} {parent}, but this is in {external.parent}, which still exists. Set it back, or "
        f"delete this object and make a new {kind}.",
    )


def _ready(entry: Entry, connection: Connection, ups: list[bool | None]) -> Condition:
    """The connection's rows of the Ready table."""
    if entry.gateway.configured_status == "stopped":
        return Condition("Ready", "False", "GatewayStopped", f"Gateway {entry.gateway.name} is stopped: no traffic.")
    if not ups:
        return Condition("Ready", "True", "NoTunnels", "It has no tunnel yet: no traffic goes through it.")
    if True in ups:
        return Condition("Ready", "True", "TunnelsUp", f"{up_of_all(ups)} tunnels are up.")
    names = ", ".join(tunnel.name for tunnel in connection.tunnels[:5])
    return Condition("Ready", "False", "NoTunnelUp", f"No tunnel is up ({names}): no traffic. See their conditions.")


def _redundant(redundant: bool, ups: list[bool | None]) -> Condition:
    if redundant:
        return Condition("Redundant", "True", "TunnelsUp", f"{up_of_all(ups)} tunnels are up: one may fail.")
    if len(ups) < 2:
        return Condition("Redundant", "False", "TooFewTunnels", "Fewer than two tunnels: add a second to another peer.")
    return Condition("Redundant", "False", "TooFewUp", f"{up_of_all(ups)} tunnels are up: no other may fail.")
