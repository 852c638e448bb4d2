"""VpnTunnel: how a tunnel is found, made, changed, deleted and described; how its key is rotated without a cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import SecretStr

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
from netgw.engine.plan import Change, diff, interrupting
from netgw.engine.ports import Reporter
from netgw.engine.recall import Recall
from netgw.kube.kind import parse_spec
from netgw.providers.upcloud.advice.gateways import parent
from netgw.providers.upcloud.advice.tunnels import internal_ip_hold
from netgw.providers.upcloud.api import Connection, Tunnel
from netgw.providers.upcloud.base import Base, Context, contradiction, links, managed_name, validated
from netgw.providers.upcloud.gateway.snapshot import Entry
from netgw.providers.upcloud.rollout import Rollout
from netgw.providers.upcloud.room import UNSEEN, Room
from netgw.providers.upcloud.tunnel import plan
from netgw.providers.upcloud.tunnel.describe import Known, describe
from netgw.providers.upcloud.tunnel.key import Keys, KeyState, accepted_key, push_requested
from netgw.providers.upcloud.tunnel.model import KIND, TunnelSpec
from netgw.providers.upcloud.tunnel.rotation import Rotation, Turn
from netgw.providers.upcloud.tunnel.sharers import secret_key
from netgw.providers.upcloud.tunnel.state import is_up

PARENT = "VpnConnection"


@dataclass(frozen=True)
class Payload:
    """For the length of one pass: the key, where it was read, and how far its rotation is."""

    key: SecretStr | None
    turn: Turn


class TunnelActuator(Base):
    """A tunnel is known by its name under its connection; names are unique per gateway."""

    kind = KIND.kind
    word = "tunnel"
    fields = plan.FIELDS
    recreate = True
    marked = False
    parent_kind: str | None = PARENT
    parent_field = "connectionRef"

    def __init__(self, context: Context, keys: Keys, rotation: Rotation, rollout: Rollout, reporter: Reporter) -> None:
        super().__init__(context)
        self._keys = keys
        self._rotation = rotation
        self._rollout = rollout
        self._reporter = reporter
        self._seen_up: Recall[str, datetime] = Recall(lambda uuid: self._store.holder(uuid) is not None)

    @staticmethod
    def links(obj: Object) -> Links:
        used = secret_key(obj)
        return links(obj, PARENT, TunnelActuator.parent_field, () if used is None else (used[0],))

    def validate(self, obj: Object) -> None:
        validated(parse_spec(TunnelSpec, obj.spec))

    def _root(self, obj: Object, parent: str | None = None) -> str:
        if parent is not None:
            return self._gateway_uuid(obj, parent) or ""
        return obj.status.get("gatewayUuid") or self._gateway_uuid(obj, self.parent_uuid(obj)) or ""

    def _last_seen(self, obj: Object) -> str | None:
        state, healthy = obj.status.get("operationalState"), obj.status.get("healthy")
        if state is None or healthy is None:
            return state
        return f"{state}, {'healthy' if healthy else 'not healthy'}"

    def _gateway_uuid(self, obj: Object, connection: str | None) -> str | None:
        """The gateway of a connection: as its object recorded it, or from the snapshot."""
        parent = self._store.parent(obj)
        if parent is not None and parent.uuid == connection and parent.status.get("gatewayUuid"):
            return str(parent.status["gatewayUuid"])
        found = None if connection is None else self._gateways(obj).find_connection(connection)
        if found is not None:
            return found[0].gateway.uuid
        recorded = obj.status.get("gatewayUuid")
        return str(recorded) if recorded else None

    def _unmanaged_hold(self, obj: Object, uuid: str) -> Waiting | None:
        if self._gateways(obj).find_connection(uuid) is not None:
            return None
        return Waiting("ParentNotFound", f"The account has no connection {uuid} (connectionRef.uuid).", 60.0)

    async def owns(self, obj: Object) -> bool:
        return isinstance(await self.observe(obj, fresh=False), External)

    async def observe(self, obj: Object, *, fresh: bool) -> Look:
        uuid, connection = str(obj.uuid), obj.status.get("connectionUuid") or self.parent_uuid(obj)
        gateway = obj.status.get("gatewayUuid") or self._gateway_uuid(obj, connection)
        if gateway is None or connection is None:
            return Unseen("Its gateway is not known.")
        gateways = self._gateways(obj)
        entry = await gateways.get(gateway, fresh=fresh)
        if entry is None:
            return Absent(f"Gateway {gateway} does not exist any more in UpCloud.", parent_gone=True)
        if (found := in_entry(entry, uuid, obj)) is not None:
            return found
        listed = any(known.uuid == connection for known in entry.connections)
        if not listed and not await gateways.has_connection(gateway, connection):
            return Absent(f"Connection {connection} does not exist any more in UpCloud.", parent_gone=True)
        if not await gateways.has_tunnel(gateway, connection, uuid):
            return Absent(f"Tunnel {uuid} does not exist any more in UpCloud.")
        entry = await gateways.get(gateway, fresh=True)
        found = None if entry is None else in_entry(entry, uuid, obj)
        if found is None:
            raise contradiction(gateway, f"tunnel {uuid}")
        return found

    async def search(self, obj: Object, name: str, parent: str | None) -> Search:
        """Tunnel names are unique per gateway, so all its connections are searched."""
        now, wall = self._context.clock.now(), self._context.clock.wall()
        gateways, connection = self._gateways(obj), str(parent)
        gateway = self._gateway_uuid(obj, parent)
        if gateway is None:
            # Of a create that was cut, and its connection is another one by now: nobody recorded where that was.
            entries, began, date = await gateways.list_now()
            gateway = next((e.gateway.uuid for e in entries for c in e.connections if c.uuid == connection), None)
            if gateway is None:
                return Search(began, date, parent_unseen=True)
        entry = await gateways.get(gateway, fresh=True)
        if entry is None:
            return Search(now, wall, parent_gone=True)
        if all(known.uuid != connection for known in entry.connections):
            if not await gateways.has_connection(gateway, connection):
                return Search(now, wall, parent_gone=True)
            raise contradiction(gateway, f"connection {connection}")
        named = tuple(external(entry, c, tunnel, obj) for c, tunnel in entry.tunnels() if tunnel.name == name)
        return Search(entry.began, entry.date, named)

    def seen(self, obj: Object) -> Sequence[External] | None:
        connection = str(self.parent_uuid(obj))
        found = self._gateways(obj).find_connection(connection)
        return None if found is None else [external(*found, tunnel, obj) for tunnel in found[1].tunnels]

    def equal(self, external: External, desired: Desired) -> bool:
        """Only under a gateway that is ours. The key cannot be compared, so it is not."""
        if external.parent != desired.parent or not self._is_ours(external.wire[0].gateway):
            return False
        values = {path: value for path, value in desired.values.items() if path != plan.PSK}
        return not diff(self.fields, values, external.values)

    async def resolve(self, obj: Object, external: External | None, *, may_write: bool = False) -> Resolution:
        spec = parse_spec(TunnelSpec, obj.spec)
        effective, parent = self.effective_name(obj), self.parent_uuid(obj)
        state, turn = await self._key(obj, spec, new=external is None, may_write=may_write)
        values = plan.desired(spec, managed_name(spec, spec.name, effective))
        desired = Desired(effective, parent, values, psk=state.psk, payload=Payload(state.key, turn))
        if external is None:
            return self._resolve_new(obj, desired, state, turn)
        return self._resolve_existing(obj, external, desired, state, turn)

    async def _key(self, obj: Object, spec: TunnelSpec, *, new: bool, may_write: bool) -> tuple[KeyState, Turn]:
        """What is known of the key, after its rotation has had its turn. Without a reference the key is not managed."""
        ref, authentication = spec.psk_secret_ref, None if spec.ipsec is None else spec.ipsec.authentication
        turn = await self._rotation.turn(obj, authentication, here=not new, may_write=may_write)
        for notice in turn.events:
            self._reporter.event(obj, *notice)
        return (KeyState() if ref is None else await self._keys.state(obj, ref, new=new)), turn

    def _resolve_existing(
        self, obj: Object, external: External, desired: Desired, state: KeyState, turn: Turn
    ) -> Resolution:
        room, values = self._room(obj, external.wire[0]), dict(desired.values)
        remember = None
        if state.psk is not None:
            accepted = accepted_key(obj)
            if push_requested(obj) or not state.unknown:
                values[plan.PSK] = state.psk.fingerprint
            if state.unknown or accepted == state.psk.fingerprint:
                remember = state.psk
        address = room.no_address(values.get("localAddress.name"))
        inside = _inside_hold(room, values.get("tunnelInternalIp"), external.values["tunnelInternalIp"])
        for path, held in (("localAddress.name", address), ("tunnelInternalIp", inside)):
            if held is not None:
                values.pop(path)
        found: list[Hold | None] = [turn.hold, state.hold, address, inside, self._parent_missing(obj)]
        holds = tuple(hold for hold in found if hold)
        advice = self._advisor.tunnel(obj, {**external.values, **desired.values}, room.entry.gateway, room.called)
        warnings = (*state.warnings, *turn.warnings, *advice)
        if turn.wrote and diff(self.fields, values, external.values):
            # One write in a pass, and the Secret had it.
            later = Waiting("Updating", "The Secret was written; what differs is changed next.", 0.0)
            return Resolution(None, (*holds, later), warnings=warnings)
        return Resolution(replace(desired, values=values), holds, remember, warnings)

    def _resolve_new(self, obj: Object, desired: Desired, state: KeyState, turn: Turn) -> Resolution:
        gateway = self._gateway_uuid(obj, desired.parent)
        entry = None if gateway is None else self._gateways(obj).known(gateway)
        if entry is None:
            unseen = Waiting("ParentNotCreated", "The gateway has not been seen in UpCloud yet.", UNSEEN)
            holds = tuple(hold for hold in (turn.hold, state.hold, unseen) if hold)
            return Resolution(desired, holds, warnings=(*state.warnings, *turn.warnings))
        room = self._room(obj, entry)
        place = room.for_tunnel(desired.values.get("localAddress.name"))
        if isinstance(place, str):
            desired = replace(desired, defaults={"localAddress.name": place})
        inside = _inside_hold(room, desired.values.get("tunnelInternalIp"), None)
        place_hold = None if isinstance(place, str) else place
        holds = tuple(hold for hold in (turn.hold, state.hold, place_hold, inside) if hold)
        advice = self._advisor.tunnel(obj, {**desired.defaults, **desired.values}, entry.gateway, room.called)
        return Resolution(desired, holds, warnings=(*state.warnings, *turn.warnings, *advice))

    def moved(self, obj: Object, external: External) -> Stalled | None:
        return self._moved(obj, external, "connection")

    def prepare(self, obj: Object, external: External, changes: Sequence[Change]) -> Hold | Mapping[str, Json]:
        keys = [change.target for change in changes if change.secret]
        sending = {"psk": {**(obj.status.get("psk") or {}), "sending": keys[0]}} if keys else {}
        if is_up(external.wire[2]) is not True or not interrupting(changes):
            return sending
        begun = self._rollout.begin(obj, self._store.siblings(obj))
        return {**sending, **begun} if isinstance(begun, Mapping) else begun

    async def create(self, obj: Object, desired: Desired) -> Created:
        connection = str(desired.parent)
        gateway, account = str(self._gateway_uuid(obj, connection)), self._account(obj)
        local = str(desired.values.get("localAddress.name") or desired.defaults["localAddress.name"])
        body = plan.creation(desired.name, local, desired.values, desired.payload.key)
        with self._counting(obj, gateway):
            async with account.gateways.writing(gateway):
                reply = await account.api.create_tunnel(gateway=gateway, connection=connection, body=body)
        return Created(reply.value.uuid, {"gatewayUuid": gateway, "connectionUuid": connection})

    async def update(self, obj: Object, external: External, desired: Desired, changes: Sequence[Change]) -> None:
        entry, connection, tunnel = external.wire
        body = plan.modification(tunnel.name, changes, desired.payload.key)
        gateway, account = entry.gateway.uuid, self._account(obj)
        async with account.gateways.writing(gateway):
            await account.api.modify_tunnel(
                gateway=gateway, connection=connection.uuid, tunnel=external.uuid, body=body
            )

    async def children(self, obj: Object, external: External) -> Sequence[str]:
        return ()

    async def delete(self, obj: Object, external: External) -> None:
        entry, connection, _ = external.wire
        gateway, account = entry.gateway.uuid, self._account(obj)
        async with account.gateways.writing(gateway):
            await account.api.delete_tunnel(gateway=gateway, connection=connection.uuid, tunnel=external.uuid)

    def identity(self, external: External) -> Mapping[str, Json]:
        return {"gatewayUuid": external.wire[0].gateway.uuid, "connectionUuid": external.parent}

    def describe(self, obj: Object, external: External, resolution: Resolution | None) -> Observation:
        entry, _, tunnel = external.wire
        up = is_up(tunnel) is True
        if up:
            self._seen_up.keep(tunnel.uuid, entry.date)
        interrupted, after = self._rollout.interrupted(obj, up=up, began=external.began)
        known = Known(
            now=self._context.clock.wall(),
            message=self._account(obj).telemetry.message(tunnel.uuid),
            seen_up=self._seen_up.get(tunnel.uuid),
            interrupted=interrupted,
            after=after,
            turn=Turn() if resolution is None or resolution.desired is None else resolution.desired.payload.turn,
        )
        return describe(obj, entry.gateway, tunnel, resolution, known)


def _inside_hold(room: Room, wanted: str | None, observed: str | None) -> Stalled | None:
    return internal_ip_hold(wanted, observed, parent(room.entry.gateway, room.called))


def in_entry(entry: Entry, uuid: str, obj: Object) -> External | None:
    """The tunnel of this uuid in what was read of its gateway."""
    return next((external(entry, c, tunnel, obj) for c, tunnel in entry.tunnels() if tunnel.uuid == uuid), None)


def external(entry: Entry, connection: Connection, tunnel: Tunnel, obj: Object) -> External:
    """A tunnel in the engine's words; which key it has is what status remembers."""
    accepted = None if push_requested(obj) else accepted_key(obj)
    return External(
        uuid=tunnel.uuid,
        name=tunnel.name,
        parent=connection.uuid,
        created_at=tunnel.created_at,
        values=plan.observed(tunnel, accepted),
        began=entry.began,
        wire=(entry, connection, tunnel),
    )
