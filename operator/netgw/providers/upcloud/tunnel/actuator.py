"""VpnTunnel: how a tunnel is found, made, changed, deleted and described; how its key is rotated without a cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
from netgw.kube.errors import KubernetesError
from netgw.kube.kind import parse_spec
from netgw.providers.upcloud.api import Connection, Tunnel
from netgw.providers.upcloud.base import Base, Context, links
from netgw.providers.upcloud.connection.actuator import feature_hold, moved
from netgw.providers.upcloud.snapshot import Entry
from netgw.providers.upcloud.tunnel import plan
from netgw.providers.upcloud.tunnel.describe import describe
from netgw.providers.upcloud.tunnel.key import Keys, KeyState
from netgw.providers.upcloud.tunnel.model import KIND, TunnelSpec
from netgw.providers.upcloud.tunnel.rollout import Rollout
from netgw.providers.upcloud.tunnel.state import is_up


class TunnelActuator(Base):
    """A tunnel is known by its name under its connection; names are unique per gateway."""

    kind = KIND.kind
    word = "tunnel"
    fields = plan.FIELDS
    recreate = True
    marked = False
    parent_kind: str | None = "VpnConnection"
    parent_field = "connectionRef"

    def __init__(self, context: Context, keys: Keys, rollout: Rollout) -> None:
        super().__init__(context)
        self._keys = keys
        self._rollout = rollout

    @staticmethod
    def links(obj: Object) -> Links:
        ipsec: Any = obj.spec.get("ipsec")
        try:
            secret = str(ipsec["authentication"]["pskSecretRef"]["name"])
        except (KeyError, TypeError):
            return links(obj, TunnelActuator.parent_kind, TunnelActuator.parent_field)
        return links(obj, TunnelActuator.parent_kind, TunnelActuator.parent_field, (secret,))

    def validate(self, obj: Object) -> None:
        parse_spec(TunnelSpec, obj.spec)

    def _tree(self, obj: Object) -> str:
        return obj.status.get("gatewayUuid") or self._gateway_uuid(obj, self.parent_uuid(obj)) or ""

    def _gateway_uuid(self, obj: Object, connection: str | None) -> str | None:
        """The gateway of a connection: as its object recorded it, or from the snapshot."""
        parent = self._store.parent(obj)
        if parent is not None and parent.uuid == connection and parent.status.get("gatewayUuid"):
            return str(parent.status["gatewayUuid"])
        found = None if connection is None else self._account.find_connection(connection)
        if found is not None:
            return found[0].gateway.uuid
        recorded = obj.status.get("gatewayUuid")
        return str(recorded) if recorded else None

    def _unmanaged_hold(self, uuid: str) -> Hold | None:
        if self._account.find_connection(uuid) is not None:
            return None
        return Waiting("ParentNotFound", f"The account has no connection {uuid}.", 60.0)

    async def owns(self, obj: Object) -> bool:
        return isinstance(await self.observe(obj, fresh=False), External)

    async def observe(self, obj: Object, *, fresh: bool) -> Look:
        uuid, connection = str(obj.uuid), obj.status.get("connectionUuid") or self.parent_uuid(obj)
        gateway = obj.status.get("gatewayUuid") or self._gateway_uuid(obj, connection)
        if gateway is None or connection is None:
            return Unseen("Its gateway is not known.")
        entry = await self._account.gateway(gateway, fresh=fresh)
        if entry is None:
            return Absent(f"Gateway {gateway} does not exist any more in UpCloud.", parent_gone=True)
        if (found := in_entry(entry, uuid, obj)) is not None:
            return found
        if all(known.uuid != connection for known in entry.connections):
            if not await self._account.has_connection(gateway, connection):
                return Absent(f"Connection {connection} does not exist any more in UpCloud.", parent_gone=True)
        elif await self._account.has_tunnel(gateway, connection, uuid):
            entry = await self._account.gateway(gateway, fresh=True)
            if entry is not None and (found := in_entry(entry, uuid, obj)) is not None:
                return found
        return Absent(f"Tunnel {uuid} does not exist any more in UpCloud.")

    async def search(self, obj: Object, name: str, parent: str | None) -> Search:
        """Tunnel names are unique per gateway, so all its connections are searched."""
        gateway = self._gateway_uuid(obj, parent)
        entry = None if gateway is None else await self._account.gateway(gateway, fresh=True)
        if entry is None or all(connection.uuid != parent for connection in entry.connections):
            now, wall = self._context.clock.now(), self._context.clock.wall()
            gone = gateway is not None and (
                entry is None or not await self._account.has_connection(gateway, str(parent))
            )
            return Search(now, wall, parent_gone=gone)
        named = tuple(external(entry, c, tunnel, obj) for c, tunnel in entry.tunnels() if tunnel.name == name)
        return Search(entry.began, entry.date, named)

    def equal(self, external: External, desired: Desired) -> bool:
        """Only under a gateway that is ours. The key cannot be compared, so it is not."""
        if external.parent != desired.parent or self._store.holder(external.wire[0].gateway.uuid) is None:
            return False
        values = {path: value for path, value in desired.values.items() if path != plan.PSK}
        return not diff(self.fields, values, external.values)

    async def resolve(self, obj: Object, external: External | None) -> Resolution:
        spec = parse_spec(TunnelSpec, obj.spec)
        name, parent = self.effective_name(obj), self.parent_uuid(obj)
        values = dict(plan.desired(spec, name))
        asked = push_requested(obj)
        state = await self._key_state(obj, spec, needed=external is None or asked)
        if external is None:
            return self._resolve_new(obj, Desired(name, parent, values, psk=state.psk, payload=state.key), state)
        holds = [hold for hold in (state.hold, _address_hold(values, external.wire[0])) if hold is not None]
        remember = None
        if state.psk is not None:
            accepted = (obj.status.get("psk") or {}).get("fingerprint")
            if asked or not state.unknown:
                values[plan.PSK] = state.psk.fingerprint
            if state.unknown or accepted == state.psk.fingerprint:
                remember = state.psk
        if any(hold.reason == "AddressNotFound" for hold in holds):
            values.pop("localAddress.name")
        desired = Desired(name, parent, values, psk=state.psk, payload=state.key)
        return Resolution(desired, tuple(holds), remember, state.warning)

    async def _key_state(self, obj: Object, spec: TunnelSpec, *, needed: bool) -> KeyState:
        ref = spec.ipsec.authentication.psk_secret_ref
        try:
            return await self._keys.state(obj, ref, needed=needed)
        except KubernetesError as error:
            return KeyState(hold=Waiting("SecretNotFound", f"Secret {ref.name} cannot be read: {error}", 30.0))

    def _resolve_new(self, obj: Object, desired: Desired, state: KeyState) -> Resolution:
        holds = [state.hold] if state.hold is not None else []
        gateway = self._gateway_uuid(obj, desired.parent)
        entry = None if gateway is None else self._account.known(gateway)
        if entry is None:
            holds.append(Waiting("ParentNotCreated", "The gateway has not been seen in UpCloud yet."))
            return Resolution(desired, tuple(holds), warning=state.warning)
        place = self._place(desired, entry)
        if not isinstance(place, str):
            return Resolution(desired, (*holds, place), warning=state.warning)
        return Resolution(
            Desired(desired.name, desired.parent, desired.values, {"localAddress.name": place}, state.psk, state.key),
            tuple(holds),
            warning=state.warning,
        )

    def _place(self, desired: Desired, entry: Entry) -> str | Hold:
        """The address to end the tunnel at, or why there is no room for one: judged from the snapshot, without a call."""
        if (hold := feature_hold(entry) or self._quota_hold(entry) or _address_hold(desired.values, entry)) is not None:
            return hold
        if "localAddress.name" in desired.values:
            return str(desired.values["localAddress.name"])
        names = [address.name for address in entry.gateway.addresses]
        if not names:
            return Waiting("ParentNotCreated", f"Gateway {entry.gateway.name} lists no address yet.")
        if len(names) > 1:
            return Stalled(
                "AddressNotFound",
                f"Gateway {entry.gateway.name} has the addresses {', '.join(names)}: set localAddress.name to one of them.",
            )
        return names[0]

    def _quota_hold(self, entry: Entry) -> Hold | None:
        gateway, used = entry.gateway, len(list(entry.tunnels()))
        known = self._account.plans.get(gateway.plan or "")
        if known is None or used < known.vpn_tunnel_amount:
            return None
        larger = [p for p in self._account.plans.values() if p.vpn_tunnel_amount > known.vpn_tunnel_amount]
        advice = f"Set plan: {min(larger, key=lambda p: p.vpn_tunnel_amount).name}" if larger else "Set a larger plan"
        return Waiting(
            "QuotaReached",
            f"Not created: plan {known.name} has {known.vpn_tunnel_amount} tunnels and {gateway.name} uses {used}. "
            f"{advice} on NetworkGateway {gateway.name}, or delete a tunnel.",
        )

    def moved(self, obj: Object, external: External) -> Stalled | None:
        return moved("connectionRef", "connection", "VpnTunnel", self.parent_uuid(obj), external)

    def prepare(self, obj: Object, external: External, changes: Sequence[Change]) -> Hold | Mapping[str, Json]:
        if is_up(external.wire[2]) is not True or not interrupting(changes):
            return {}
        return self._rollout.begin(obj)

    async def create(self, obj: Object, desired: Desired) -> Created:
        connection = str(desired.parent)
        gateway = str(self._gateway_uuid(obj, connection))
        local = str(desired.values.get("localAddress.name") or desired.defaults["localAddress.name"])
        body = plan.creation(desired.name, local, desired.values, desired.payload)
        async with self._account.writing(gateway):
            reply = await self._account.api.create_tunnel(gateway=gateway, connection=connection, body=body)
        return Created(reply.value.uuid, {"gatewayUuid": gateway, "connectionUuid": connection})

    async def update(self, obj: Object, external: External, desired: Desired, changes: Sequence[Change]) -> None:
        entry, connection, tunnel = external.wire
        body = plan.modification(tunnel.name, changes, desired.payload)
        gateway = entry.gateway.uuid
        async with self._account.writing(gateway):
            await self._account.api.modify_tunnel(
                gateway=gateway, connection=connection.uuid, tunnel=external.uuid, body=body
            )

    async def children(self, external: External) -> Sequence[str]:
        return ()

    async def delete(self, obj: Object, external: External) -> None:
        entry, connection, _ = external.wire
        gateway = entry.gateway.uuid
        async with self._account.writing(gateway):
            await self._account.api.delete_tunnel(gateway=gateway, connection=connection.uuid, tunnel=external.uuid)

    def identity(self, external: External) -> Mapping[str, Json]:
        return {"gatewayUuid": external.wire[0].gateway.uuid, "connectionUuid": external.parent}

    def describe(self, obj: Object, external: External, resolution: Resolution | None) -> Observation:
        entry, _, tunnel = external.wire
        interrupted, after = self._rollout.interrupted(obj, up=is_up(tunnel) is True, began=external.began)
        return describe(
            obj,
            entry.gateway,
            tunnel,
            resolution,
            message=self._account.down_message(tunnel.uuid),
            now=self._context.clock.wall(),
            interrupted=interrupted,
            after=after,
        )


def push_requested(obj: Object) -> bool:
    """Whether a user asks to send the key although nothing says that it differs."""
    asked = obj.annotation("push-psk-requested-at")
    return asked is not None and asked != obj.status.get("lastHandledPushPskAt")


def in_entry(entry: Entry, uuid: str, obj: Object) -> External | None:
    """The tunnel of this uuid in what was read of its gateway."""
    return next((external(entry, c, tunnel, obj) for c, tunnel in entry.tunnels() if tunnel.uuid == uuid), None)


def external(entry: Entry, connection: Connection, tunnel: Tunnel, obj: Object) -> External:
    """A tunnel in the engine's words; which key it has is what status remembers."""
    accepted = None if push_requested(obj) else (obj.status.get("psk") or {}).get("fingerprint")
    return External(
        uuid=tunnel.uuid,
        name=tunnel.name,
        parent=connection.uuid,
        created_at=tunnel.created_at,
        values=plan.observed(tunnel, accepted),
        began=entry.began,
        wire=(entry, connection, tunnel),
    )


def _address_hold(values: Mapping[str, Any], entry: Entry) -> Stalled | None:
    wanted, names = values.get("localAddress.name"), [address.name for address in entry.gateway.addresses]
    if wanted is None or wanted in names or not names:
        return None
    return Stalled(
        "AddressNotFound",
        f"Gateway {entry.gateway.name} has no address {wanted}, it has {', '.join(names)}. Set localAddress.name to one.",
    )
