"""NetworkGateway: how a gateway is found, made, changed, deleted and described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netgw.engine.actuator import Absent, Created, Desired, External, Links, Look, Observation, Resolution, Search
from netgw.engine.objects import Json, Object
from netgw.engine.outcome import CallFailed, Hold, Stalled, Waiting
from netgw.engine.ownership import MARK, is_mine, mark
from netgw.engine.plan import Change
from netgw.kube.kind import parse_spec
from netgw.providers.upcloud.api import AddressCreate, GatewayCreate, Label, LabelModify, UuidRef
from netgw.providers.upcloud.base import Base
from netgw.providers.upcloud.gateway import plan
from netgw.providers.upcloud.gateway.describe import describe
from netgw.providers.upcloud.gateway.model import KIND, GatewaySpec
from netgw.providers.upcloud.gateway.state import is_ending
from netgw.providers.upcloud.room import AGAIN
from netgw.providers.upcloud.snapshot import Entry


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

    def _root(self, obj: Object, parent: str | None = None) -> str:
        return obj.uuid or ""

    def _last_seen(self, obj: Object) -> str | None:
        state = obj.status.get("operationalState")
        return None if state is None else str(state)

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

    async def resolve(self, obj: Object, external: External | None, *, may_write: bool = False) -> Resolution:
        spec = parse_spec(GatewaySpec, obj.spec)
        name = self.effective_name(obj)
        values = plan.desired(spec, name, mark(self._context.cluster, obj))
        return Resolution(Desired(name, None, values, defaults={"configuredStatus": "started"}))

    def moved(self, obj: Object, external: External) -> Stalled | None:
        return None

    def prepare(self, obj: Object, external: External, changes: Sequence[Change]) -> Hold | Mapping[str, Json]:
        """What UpCloud would refuse for sure is not asked for: judged from the snapshot."""
        entry: Entry = external.wire
        target = {change.path: change.target for change in changes}
        return self._vpn_needed(entry, target) or self._too_small(entry, target) or {}

    def _vpn_needed(self, entry: Entry, target: Mapping[str, Any]) -> Stalled | None:
        if "vpn" in target.get("features", ("vpn",)) or not entry.connections:
            return None
        names = _some([connection.name for connection in entry.connections])
        return Stalled(
            "Rejected",
            f"Not changed: feature vpn cannot go while gateway {entry.gateway.name} has connections ({names}). "
            f"Delete them first, or put vpn back into spec.features.",
        )

    def _too_small(self, entry: Entry, target: Mapping[str, Any]) -> Waiting | None:
        wanted = self._account.plans.get(target.get("plan", ""))
        if wanted is None:
            return None
        for what, used in (("tunnels", len(list(entry.tunnels()))), ("connections", len(entry.connections))):
            if used > wanted.vpn_tunnel_amount:
                return Waiting(
                    "QuotaReached",
                    f"Not changed: plan {wanted.name} has {wanted.vpn_tunnel_amount} {what} and {entry.gateway.name} "
                    f"uses {used}. Delete {what} first, or set a larger plan. Tried again every 15 min.",
                    AGAIN,
                )
        return None

    async def create(self, obj: Object, desired: Desired) -> Created:
        try:
            async with self._account.writing(""):
                return Created((await self._account.api.create_gateway(body=creation(desired))).value.uuid)
        except CallFailed as failure:
            if failure.status != 409:
                raise
            raise CallFailed(await self._in_the_way(desired) or failure.outcome, status=409) from None

    async def _in_the_way(self, desired: Desired) -> Waiting | None:
        """A router has one gateway: name it. Another gateway of the name is found by whoever asked."""
        router = desired.values["routerRef.uuid"]
        try:
            entries, _, _ = await self._account.list_now()
        except CallFailed:
            return None
        for gateway in (entry.gateway for entry in entries):
            if gateway.name != desired.name and any(known.uuid == router for known in gateway.routers):
                return Waiting(
                    "Conflict",
                    f"Not created: router {router} has gateway {gateway.name} ({gateway.uuid}) already, and can have "
                    f"only one. Delete that gateway, or set another routerRef. Tried again every 5 to 15 min.",
                )
        return None

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
        return describe(obj, external.wire, self._account.plans, self._context.clock.wall())


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
        deleting=is_ending(gateway),
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


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
