"""NetworkGateway: how a gateway is found, made, changed, deleted and described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
)
from netgw.engine.objects import Json, Object, format_time
from netgw.engine.outcome import Hold, Stalled, Waiting
from netgw.engine.ownership import MARK, is_mine, mark
from netgw.engine.plan import Change
from netgw.kube.kind import parse_spec
from netgw.providers.upcloud.account import SETUP_OVERDUE, STABLE
from netgw.providers.upcloud.api import AddressCreate, Gateway, GatewayCreate, Label, LabelModify, UuidRef
from netgw.providers.upcloud.base import Base, up_of_all
from netgw.providers.upcloud.gateway import plan
from netgw.providers.upcloud.gateway.model import KIND, GatewaySpec
from netgw.providers.upcloud.snapshot import Entry
from netgw.providers.upcloud.tunnel.state import is_up

SETTING_UP = frozenset(
    {
        "pending",
        "setup-agent",
        "setup-link-network",
        "setup-server",
        "setup-service",
        "setup-network",
        "setup-gw",
        "setup-dns",
        "checkup",
    }
)
"""Documented words before `running`; `stopped` and unknown words are neither these nor an error."""


class GatewayActuator(Base):
    """A gateway is known by our mark, one label."""

    kind = KIND.kind
    word = "gateway"
    fields = plan.FIELDS
    recreate = False
    marked = True

    @staticmethod
    def links(_: Object) -> Links:
        return Links()

    def validate(self, obj: Object) -> None:
        parse_spec(GatewaySpec, obj.spec)

    def _tree(self, obj: Object) -> str:
        return obj.uuid or ""

    async def owns(self, obj: Object) -> bool:
        return obj.uuid is not None and await self._account.gateway(obj.uuid) is not None

    async def observe(self, obj: Object, *, fresh: bool) -> Look:
        uuid = str(obj.uuid)
        entry = await self._account.gateway(uuid, fresh=fresh)
        return Absent(f"Gateway {uuid} does not exist any more in UpCloud.") if entry is None else external(entry)

    async def search(self, obj: Object, name: str, parent: str | None) -> Search:
        entries, began, date = await self._account.list_now()
        found = [external(entry) for entry in entries]
        alive, cluster = self._store.alive, self._context.cluster
        return Search(
            began=began,
            date=date,
            named=tuple(gateway for gateway in found if gateway.name == name),
            mine=tuple(gateway for gateway in found if is_mine(gateway.owner, cluster, obj, alive)),
        )

    def equal(self, external: External, desired: Desired) -> bool:
        return False  # the mark decides, never the likeness

    async def resolve(self, obj: Object, external: External | None) -> Resolution:
        spec = parse_spec(GatewaySpec, obj.spec)
        name = self.effective_name(obj)
        values = plan.desired(spec, name, mark(self._context.cluster, obj))
        return Resolution(Desired(name, None, values, defaults={"configuredStatus": "started"}))

    def moved(self, obj: Object, external: External) -> Stalled | None:
        return None

    def prepare(self, obj: Object, external: External, changes: Sequence[Change]) -> Hold | Mapping[str, Json]:
        gateway: Gateway = external.wire.gateway
        target = {change.path: change.target for change in changes}
        tunnels = len(list(external.wire.tunnels()))
        if "vpn" in gateway.features and "vpn" not in target.get("features", gateway.features) and gateway.connections:
            names = ", ".join(connection.name for connection in gateway.connections[:5])
            return Stalled(
                "Rejected", f"Feature vpn cannot go while the gateway has connections ({names}). Delete them."
            )
        wanted = self._account.plans.get(target.get("plan", ""))
        if wanted is not None and wanted.vpn_tunnel_amount < tunnels:
            return Waiting(
                "QuotaReached",
                f"Plan {wanted.name} has {wanted.vpn_tunnel_amount} tunnels and the gateway has {tunnels}. "
                f"Delete tunnels first, or choose a larger plan.",
            )
        return {}

    async def create(self, obj: Object, desired: Desired) -> Created:
        async with self._account.writing(""):
            return Created((await self._account.api.create_gateway(body=creation(desired))).value.uuid)

    async def update(self, obj: Object, external: External, desired: Desired, changes: Sequence[Change]) -> None:
        async with self._account.writing(external.uuid):
            if len(changes) == 1 and changes[0].path == plan.OWNER:
                await self._put_mark(external, str(changes[0].target))
            else:
                body = plan.modification(changes)
                await self._account.api.modify_gateway(gateway=external.uuid, body=body)

    async def _put_mark(self, external: External, owner: str) -> None:
        """By the label endpoints: a PATCH of the service sends it through pending and could lose labels of others."""
        if external.owner is None:
            await self._account.api.create_label(gateway=external.uuid, body=Label(key=MARK, value=owner))
        else:
            await self._account.api.modify_label(gateway=external.uuid, key=MARK, body=LabelModify(value=owner))

    async def children(self, external: External) -> Sequence[str]:
        entry = await self._account.gateway(external.uuid, fresh=True)
        return [] if entry is None else [f"connection {c.name} ({c.uuid})" for c in entry.connections]

    async def delete(self, obj: Object, external: External) -> None:
        async with self._account.writing(external.uuid):
            await self._account.api.delete_gateway(gateway=external.uuid)

    def identity(self, external: External) -> Mapping[str, Json]:
        return {}

    def describe(self, obj: Object, external: External, resolution: Resolution | None) -> Observation:
        entry: Entry = external.wire
        gateway = entry.gateway
        tunnels = [is_up(tunnel) for _, tunnel in entry.tunnels()]
        amount = self._account.plans[gateway.plan].vpn_tunnel_amount if gateway.plan in self._account.plans else None
        vpn = "vpn" in gateway.features
        ready, after = self._ready(obj, gateway)
        return Observation(
            ready=ready,
            fields={
                "operationalState": gateway.operational_state,
                "configuredStatus": gateway.configured_status,
                "plan": gateway.plan,
                "addresses": [_address(a.name, a.address) for a in gateway.addresses],
                "connections": len(entry.connections),
                "tunnels": up_of_all(tunnels) if vpn else None,
                "tunnelQuota": f"{len(tunnels)}/{amount}" if vpn and amount is not None else None,
            },
            converging=gateway.operational_state not in STABLE and ready.reason != "SetupOverdue",
            after=after,
        )

    def _ready(self, obj: Object, gateway: Gateway) -> tuple[Condition, float | None]:
        """The gateway's rows of the Ready table, first that fits; and when time alone would change the answer."""
        state, before = gateway.operational_state, obj.condition("Ready") or {}
        address = next((a.address for a in gateway.addresses if a.address), None)
        if state.startswith(("delete-", "detach-")):
            return _ready("False", "DeletingInCloud", f"State {state}: it is being deleted in UpCloud."), None
        if gateway.configured_status == "stopped":
            return _ready("True", "Stopped", "Stopped as configured: it carries no traffic."), None
        if state == "running":
            return _ready("True", "Running", f"Running at {address}." if address else "Running."), None
        if before.get("status") == "True" and before.get("reason") == "Running":
            return _ready("True", "Running", f"State {state} after a change; it ran before."), None
        if state not in SETTING_UP:
            return _ready("Unknown", "StateUnknown", f"UpCloud says {state}, a state that netgw does not know."), None
        since = gateway.updated_at or gateway.created_at
        left = (since + SETUP_OVERDUE - self._context.clock.wall()).total_seconds()
        if left > 0:
            return _ready("False", "SettingUp", f"UpCloud sets it up since {format_time(since)}."), left
        message = f"In state {state} since {format_time(since)}, longer than {SETUP_OVERDUE.seconds // 60} minutes."
        return _ready("False", "SetupOverdue", f"{message} UpCloud has no failure state: ask its support."), None


def external(entry: Entry) -> External:
    """A gateway in the engine's words."""
    gateway = entry.gateway
    return External(
        uuid=gateway.uuid,
        name=gateway.name,
        parent=None,
        created_at=gateway.created_at,
        values=plan.observed(gateway),
        began=entry.began,
        owner=plan.owner_of(gateway),
        deleting=gateway.operational_state.startswith(("delete-", "detach-")),
        wire=entry,
    )


def creation(desired: Desired) -> GatewayCreate:
    """The body of the POST: what the spec sets, and our own defaults where the API demands a value."""
    values: Mapping[str, Any] = {**desired.defaults, **desired.values}
    body: dict[str, Any] = {
        "name": desired.name,
        "zone": values["zone"],
        "plan": values["plan"],
        "features": tuple(values["features"]),
        "routers": (UuidRef(uuid=values["routerRef.uuid"]),),
        "configured_status": values["configuredStatus"],
        "labels": (Label(key=MARK, value=values[plan.OWNER]),),
    }
    if "addresses" in values:
        body["addresses"] = tuple(AddressCreate(name=name) for name in values["addresses"])
    if "automaticTunnelInternalIpAllocation" in values:
        body["automatic_tunnel_internal_ip_allocation"] = values["automaticTunnelInternalIpAllocation"]
    return GatewayCreate.model_validate(body)


def _ready(status: str, reason: str, message: str) -> Condition:
    return Condition("Ready", status, reason, message)  # type: ignore[arg-type]


def _address(name: str, address: str | None) -> dict[str, Json]:
    return {"name": name} if address is None else {"name": name, "address": address}
