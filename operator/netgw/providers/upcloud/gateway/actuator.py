"""NetworkGateway: how a gateway is found, made, changed, deleted and described."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from netgw.engine.actuator import (
    Absent,
    Action,
    Created,
    Desired,
    External,
    Links,
    Look,
    Observation,
    Resolution,
    Search,
)
from netgw.engine.objects import Json, Object
from netgw.engine.outcome import CallFailed, Hold, Stalled, Waiting
from netgw.engine.ownership import MARK, mark
from netgw.engine.plan import Change, Values, interrupting, targets
from netgw.kube.kind import parse_spec
from netgw.providers.upcloud.account import Account
from netgw.providers.upcloud.advice.gateways import advise
from netgw.providers.upcloud.api import AddressModify, Label, LabelModify
from netgw.providers.upcloud.base import Base, Context, links, managed_name, validated
from netgw.providers.upcloud.gateway import limits, plan
from netgw.providers.upcloud.gateway.describe import describe
from netgw.providers.upcloud.gateway.model import KIND, GatewaySpec
from netgw.providers.upcloud.gateway.snapshot import Entry
from netgw.providers.upcloud.gateway.state import STABLE, carries_traffic, is_ending
from netgw.providers.upcloud.labels import is_label, label_key, out_of_reach, recorded_keys
from netgw.providers.upcloud.rollout import Rollout

ROUTER, ROUTER_FIELD = "Router", "routerRef"
GONE_AGAIN = 60.0


class GatewayActuator(Base):
    """A gateway is known by our mark, one label."""

    kind = KIND.kind
    word = "gateway"
    fields = plan.FIELDS
    recreate = False
    marked = True
    anew = "a new one has a new address"
    actions: Sequence[Action] = (
        Action(
            "flush-nat-requested-at", "lastHandledFlushNatAt", "NatFlushed", "NatNotFlushed", "NAT connections dropped"
        ),
    )

    def __init__(self, context: Context, rollout: Rollout) -> None:
        super().__init__(context)
        self._rollout = rollout

    @staticmethod
    def links(obj: Object) -> Links:
        return links(obj, ROUTER, ROUTER_FIELD)

    def validate(self, obj: Object) -> None:
        validated(parse_spec(GatewaySpec, obj.spec))

    def _root(self, obj: Object, parent: str | None = None) -> str:
        return obj.uuid or ""

    def _last_seen(self, obj: Object) -> str | None:
        state = obj.status.get("operationalState")
        return None if state is None else str(state)

    # ---- the router, which is no parent: a gateway is found without it

    def parent_hold(self, obj: Object) -> Hold | None:
        if obj.spec.get(ROUTER_FIELD) is None:
            return None
        router, uuid = self._store.parent(obj), self._router(obj)
        if router is not None and router.deleting:
            return Waiting("ParentDeleting", f"Router {router.name} is being deleted.")
        if uuid is not None and self._account(obj).routers.is_gone(uuid):
            called = f"Router {router.name}" if router is not None else f"Router {uuid}"
            return Waiting("ParentNotCreated", f"{called} does not exist in UpCloud any more.", GONE_AGAIN)
        if uuid is not None:
            return None
        name = obj.spec[ROUTER_FIELD].get("name")
        if router is None:
            return Waiting("ParentNotFound", f"There is no Router {name} in this namespace yet.")
        return Waiting("ParentNotCreated", f"Router {name} does not exist in UpCloud yet.")

    def parent_uuid(self, obj: Object) -> str | None:
        return None

    def _router(self, obj: Object) -> str | None:
        """The uuid that `routerRef` means now."""
        ref = obj.spec.get(ROUTER_FIELD) or {}
        if (uuid := ref.get("uuid")) is not None:
            return str(uuid)
        router = self._store.parent(obj)
        return None if router is None else router.uuid

    # ---- finding it

    async def owns(self, obj: Object) -> bool:
        return obj.uuid is not None and await self._gateways(obj).get(obj.uuid) is not None

    async def observe(self, obj: Object, *, fresh: bool) -> Look:
        uuid = str(obj.uuid)
        entry = await self._gateways(obj).get(uuid, fresh=fresh)
        return Absent(f"Gateway {uuid} does not exist any more in UpCloud.") if entry is None else external(entry)

    async def search(self, obj: Object, name: str, parent: str | None) -> Search:
        entries, began, date = await self._gateways(obj).list_now()
        found = [external(entry) for entry in entries]
        return Search(
            began=began,
            date=date,
            named=tuple(gateway for gateway in found if gateway.name == name),
            mine=tuple(gateway for gateway in found if self._is_mine(obj, gateway)),
        )

    def seen(self, obj: Object) -> Sequence[External] | None:
        entries = self._gateways(obj).entries()
        return None if entries is None else [external(entry) for entry in entries]

    def equal(self, external: External, desired: Desired) -> bool:
        return False  # the mark decides, never the likeness

    # ---- what is wanted

    async def resolve(self, obj: Object, external: External | None, *, may_write: bool = False) -> Resolution:
        spec = parse_spec(GatewaySpec, obj.spec)
        effective = self.effective_name(obj)
        name = managed_name(spec, spec.name, effective)
        owner = mark(self._context.cluster, obj)
        values: Values = plan.desired(spec, name=name, owner=owner, router=self._router(obj))
        holds: tuple[Hold, ...] = ()
        if external is not None:
            entry: Entry = external.wire
            own, replace = obj.status.get("ownLabelKeys") or (), spec.label_policy == "Replace"
            values = plan.settled(values, entry.gateway, own, replace=replace)
            missing = self.parent_hold(obj) if self._router(obj) is None else None
            holds = () if missing is None else (missing,)
        elif (held := await self._no_such_plan(obj, values)) is not None:
            holds = (held,)
        desired = Desired(effective, None, values, defaults={"configuredStatus": "started"})
        return Resolution(desired, holds, warnings=self._advice(obj, external))

    def _advice(self, obj: Object, external: External | None) -> tuple[str, ...]:
        """On its router, where no object stands for that which would say so itself."""
        routers = () if external is None else external.wire.routers
        seen = (self._account(obj).routers.known(uuid) for uuid in sorted(routers) if self._store.holder(uuid) is None)
        return tuple(
            said
            for entry in seen
            if entry is not None
            for said in advise(f"router {entry.uuid}", len(entry.router.networks))
        )

    async def _no_such_plan(self, obj: Object, values: Values) -> Hold | None:
        try:
            plans = await self._account(obj).plans_with(str(values.get("plan")))
        except CallFailed as failure:
            return failure.outcome
        return limits.unknown_plan(plans, values) or limits.plan_without_feature(plans, values)

    def moved(self, obj: Object, external: External) -> Stalled | None:
        return None  # another router is a field that cannot change

    def batches(self, changes: Sequence[Change]) -> Sequence[tuple[Change, ...]]:
        return plan.batches(changes)

    def prepare(self, obj: Object, external: External, changes: Sequence[Change]) -> Hold | Mapping[str, Json]:
        if is_label(changes[0].path):
            return out_of_reach(changes[0]) or {}
        entry, account = external.wire, self._account(obj)
        if (held := limits.refused_change(account.plans, entry, external.values, targets(changes))) is not None:
            return held
        if not interrupting(changes) or not carries_traffic(entry.gateway):
            return {}
        others = [other for other in self._store if other.kind == self.kind and self._account(other) is account]
        return self._rollout.begin(obj, others)

    # ---- calls

    async def create(self, obj: Object, desired: Desired) -> Created:
        account = self._account(obj)
        try:
            async with account.gateways.writing(""):
                body = plan.creation(desired.name, {**desired.defaults, **desired.values})
                return Created((await account.api.create_gateway(body=body)).value.uuid)
        except CallFailed as failure:
            if failure.status != 409:
                raise
            raise CallFailed(await self._in_the_way(account, desired) or failure.outcome, status=409) from None

    async def _in_the_way(self, account: Account, desired: Desired) -> Waiting | None:
        """A router has one gateway: name it. Another gateway of the name is found by whoever asked."""
        router = desired.values["routerRef.uuid"]
        try:
            entries, _, _ = await account.gateways.list_now()
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
        account, gateway, first = self._account(obj), external.uuid, changes[0]
        async with account.gateways.writing(gateway):
            if is_label(first.path):
                await self._put_label(account, gateway, first)
            elif (name := plan.address_name(first.path)) is None:
                with limits.counting_downgrade(account.plans, external.wire, targets(changes)):
                    await account.api.modify_gateway(gateway=gateway, body=plan.modification(changes))
            elif first.target:
                body = AddressModify(address=first.target)
                await account.api.modify_address(gateway=gateway, name=name, body=body)
            else:
                await account.api.release_address(gateway=gateway, name=name)

    async def _put_label(self, account: Account, gateway: str, change: Change) -> None:
        """By the label endpoints: a PATCH of the service sends it through pending and could lose labels of others."""
        key = label_key(change.path)
        if change.target is None:
            await account.api.delete_label(gateway=gateway, key=key)
        elif change.current is None:
            await account.api.create_label(gateway=gateway, body=Label(key=key, value=change.target))
        else:
            await account.api.modify_label(gateway=gateway, key=key, body=LabelModify(value=change.target))

    async def act(self, obj: Object, external: External, action: Action) -> None:
        async with self._gateways(obj).writing(external.uuid):
            await self._account(obj).api.flush_nat(gateway=external.uuid)

    async def children(self, obj: Object, external: External) -> Sequence[str]:
        entry = await self._gateways(obj).get(external.uuid, fresh=True)
        return [] if entry is None else [f"connection {c.name} ({c.uuid})" for c in entry.connections]

    async def unmark(self, obj: Object, external: External) -> None:
        if external.owner is not None and self._is_mine(obj, external):
            async with self._gateways(obj).writing(external.uuid):
                await self._account(obj).api.delete_label(gateway=external.uuid, key=MARK)

    async def delete(self, obj: Object, external: External) -> None:
        async with self._gateways(obj).writing(external.uuid):
            await self._account(obj).api.delete_gateway(gateway=external.uuid)

    def identity(self, external: External) -> Mapping[str, Json]:
        return {}

    def describe(self, obj: Object, external: External, resolution: Resolution | None) -> Observation:
        entry: Entry = external.wire
        runs = entry.gateway.operational_state in STABLE
        interrupted, after = self._rollout.interrupted(obj, up=runs, began=external.began)
        known = describe(obj, entry, self._account(obj).plans, self._context.clock.wall())
        fields = {**known.fields, "interruptedAt": interrupted}
        notes = {"ownLabelKeys": recorded_keys(obj, entry.gateway.labels)}
        soonest = min((seconds for seconds in (known.after, after) if seconds is not None), default=None)
        return dataclasses.replace(known, fields=fields, notes=notes, after=soonest)


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
        owner=next((label.value for label in gateway.labels if label.key == MARK), None),
        deleting=is_ending(gateway),
        wire=entry,
    )
