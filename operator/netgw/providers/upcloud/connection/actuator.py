"""VpnConnection: how a connection is found, made, changed, deleted and described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from netgw.engine.actuator import (
    Absent,
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
from netgw.providers.upcloud.api import Connection, Gateway
from netgw.providers.upcloud.base import Base, contradiction, links, managed_name, validated
from netgw.providers.upcloud.connection import plan
from netgw.providers.upcloud.connection.describe import describe
from netgw.providers.upcloud.connection.model import KIND, ConnectionSpec
from netgw.providers.upcloud.gateway.snapshot import Entry
from netgw.providers.upcloud.room import UNSEEN

PARENT = "NetworkGateway"


class ConnectionActuator(Base):
    """A connection is known by its name under its gateway."""

    kind = KIND.kind
    word = "connection"
    fields = plan.FIELDS
    recreate = True
    marked = False
    parent_kind: str | None = PARENT
    parent_field = "gatewayRef"

    @staticmethod
    def links(obj: Object) -> Links:
        return links(obj, PARENT, ConnectionActuator.parent_field)

    def validate(self, obj: Object) -> None:
        validated(parse_spec(ConnectionSpec, obj.spec))

    def _root(self, obj: Object, parent: str | None = None) -> str:
        return parent or obj.status.get("gatewayUuid") or self.parent_uuid(obj) or ""

    def _last_seen(self, obj: Object) -> str | None:
        tunnels = obj.status.get("tunnels")
        return None if tunnels is None else f"tunnels up {tunnels}"

    def _unmanaged_hold(self, obj: Object, uuid: str) -> Waiting | None:
        if self._gateways(obj).known(uuid) is not None:
            return None
        return Waiting("ParentNotFound", f"The account has no gateway {uuid} (gatewayRef.uuid).", 60.0)

    async def owns(self, obj: Object) -> bool:
        return isinstance(await self.observe(obj, fresh=False), External)

    async def observe(self, obj: Object, *, fresh: bool) -> Look:
        uuid, gateway = str(obj.uuid), obj.status.get("gatewayUuid") or self.parent_uuid(obj)
        if gateway is None:
            return Unseen("Its gateway is not known.")
        gateways = self._gateways(obj)
        entry = await gateways.get(gateway, fresh=fresh)
        if entry is None:
            return Absent(f"Gateway {gateway} does not exist any more in UpCloud.", parent_gone=True)
        if (found := in_entry(entry, uuid)) is not None:
            return found
        if not await gateways.has_connection(gateway, uuid):
            return Absent(f"Connection {uuid} does not exist any more in UpCloud.")
        entry = await gateways.get(gateway, fresh=True)
        found = None if entry is None else in_entry(entry, uuid)
        if found is None:
            raise contradiction(gateway, f"connection {uuid}")
        return found

    async def search(self, obj: Object, name: str, parent: str | None) -> Search:
        entry = await self._gateways(obj).get(str(parent), fresh=True)
        if entry is None:
            return Search(self._context.clock.now(), self._context.clock.wall(), parent_gone=True)
        named = tuple(external(entry, c) for c in entry.connections if c.name == name)
        return Search(entry.began, entry.date, named)

    def seen(self, obj: Object) -> Sequence[External] | None:
        entry = self._gateways(obj).known(str(self.parent_uuid(obj)))
        return None if entry is None else [external(entry, connection) for connection in entry.connections]

    def equal(self, external: External, desired: Desired) -> bool:
        """Only under a gateway that is ours, and only when nothing would have to change."""
        if external.parent != desired.parent or not self._is_ours(external.wire[0].gateway):
            return False
        return not diff(self.fields, desired.values, external.values)

    async def resolve(self, obj: Object, external: External | None, *, may_write: bool = False) -> Resolution:
        spec = parse_spec(ConnectionSpec, obj.spec)
        effective, parent = self.effective_name(obj), self.parent_uuid(obj)
        values = plan.desired(spec, managed_name(spec, spec.name, effective))
        desired = Desired(effective, parent, values, defaults={"type": "ipsec"})
        missing = self._no_room(obj, parent) if external is None else self._parent_missing(obj)
        gateway = external.wire[0].gateway if external is not None else self._known_gateway(obj, parent)
        has = {**({} if external is None else external.values), **desired.values}
        advice = self._advisor.connection(obj, has, gateway)
        return Resolution(desired, () if missing is None else (missing,), warnings=advice)

    def _known_gateway(self, obj: Object, uuid: str | None) -> Gateway | None:
        entry = None if uuid is None else self._gateways(obj).known(uuid)
        return None if entry is None else entry.gateway

    def _no_room(self, obj: Object, gateway: str | None) -> Hold | None:
        entry = None if gateway is None else self._gateways(obj).known(gateway)
        if entry is None:
            return Waiting("ParentNotCreated", "The gateway has not been seen in UpCloud yet.", UNSEEN)
        return self._room(obj, entry).for_connection()

    def moved(self, obj: Object, external: External) -> Stalled | None:
        return self._moved(obj, external, "gateway")

    def prepare(self, obj: Object, external: External, changes: Sequence[Change]) -> Hold | Mapping[str, Json]:
        return {}

    async def create(self, obj: Object, desired: Desired) -> Created:
        gateway, account = str(desired.parent), self._account(obj)
        body = plan.creation(desired.name, {**desired.defaults, **desired.values})
        with self._counting(obj, gateway):
            async with account.gateways.writing(gateway):
                reply = await account.api.create_connection(gateway=gateway, body=body)
        return Created(reply.value.uuid, {"gatewayUuid": gateway})

    async def update(self, obj: Object, external: External, desired: Desired, changes: Sequence[Change]) -> None:
        gateway, account = str(external.parent), self._account(obj)
        async with account.gateways.writing(gateway):
            body = plan.modification(changes)
            await account.api.modify_connection(gateway=gateway, connection=external.uuid, body=body)

    async def children(self, obj: Object, external: External) -> Sequence[str]:
        entry = await self._gateways(obj).get(str(external.parent), fresh=True)
        connections = () if entry is None else entry.connections
        return [f"tunnel {t.name} ({t.uuid})" for c in connections if c.uuid == external.uuid for t in c.tunnels]

    async def delete(self, obj: Object, external: External) -> None:
        gateway, account = str(external.parent), self._account(obj)
        async with account.gateways.writing(gateway):
            await account.api.delete_connection(gateway=gateway, connection=external.uuid)

    def identity(self, external: External) -> Mapping[str, Json]:
        return {"gatewayUuid": external.parent}

    def describe(self, obj: Object, external: External, resolution: Resolution | None) -> Observation:
        entry, connection = external.wire
        return describe(entry.gateway, connection)


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
