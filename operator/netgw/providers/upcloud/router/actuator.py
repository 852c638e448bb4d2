"""Router: how a router is found, made, changed, deleted and described."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

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
)
from netgw.engine.objects import Json, Object
from netgw.engine.outcome import CallFailed, Hold, Stalled, Waiting
from netgw.engine.ownership import MARK, MARK_PATH, mark
from netgw.engine.plan import Change, Interrupts, Values
from netgw.kube.kind import parse_spec
from netgw.providers.upcloud.advice.gateways import advise
from netgw.providers.upcloud.base import Base, links, managed_name, validated
from netgw.providers.upcloud.labels import recorded_keys
from netgw.providers.upcloud.router import plan
from netgw.providers.upcloud.router.describe import attached, describe
from netgw.providers.upcloud.router.model import KIND, RouterSpec
from netgw.providers.upcloud.router.view import RouterEntry, Routers

SERVICE = "service"
"""The type of routers that services of UpCloud keep for themselves."""


class RouterActuator(Base):
    """A router is known by our mark, one label. UpCloud deletes none that something is attached to."""

    kind = KIND.kind
    word = "router"
    fields = plan.FIELDS
    recreate = False
    marked = True
    cascades = False
    anew = "networks and gateways are not attached to a new one"

    @staticmethod
    def links(obj: Object) -> Links:
        return links(obj, "", "")

    def validate(self, obj: Object) -> None:
        validated(parse_spec(RouterSpec, obj.spec))

    def hold(self, obj: Object) -> Hold | None:
        return super().hold(obj) or self._routers(obj).hold()

    def blind(self, obj: Object) -> str | None:
        return super().blind(obj) or self._routers(obj).blind(self._last_seen(obj))

    def _routers(self, obj: Object) -> Routers:
        return self._account(obj).routers

    def _root(self, obj: Object, parent: str | None = None) -> str:
        return obj.uuid or "routers"

    def _last_seen(self, obj: Object) -> str | None:
        networks = obj.status.get("networks")
        return None if networks is None else f"networks attached: {networks}"

    def circumstances(self, obj: Object) -> Values:
        return {"account": self.account(obj)}

    # ---- finding it

    async def owns(self, obj: Object) -> bool:
        return obj.uuid is not None and await self._routers(obj).get(obj.uuid) is not None

    async def observe(self, obj: Object, *, fresh: bool) -> Look:
        uuid = str(obj.uuid)
        entry = await self._routers(obj).get(uuid, fresh=fresh)
        return Absent(f"Router {uuid} does not exist any more in UpCloud.") if entry is None else external(entry)

    async def search(self, obj: Object, name: str, parent: str | None) -> Search:
        entries, began, date = await self._routers(obj).list_now()
        found = _normal(entries)
        return Search(
            began=began,
            date=date,
            named=tuple(router for router in found if router.name == name),
            mine=tuple(router for router in found if self._is_mine(obj, router)),
        )

    def seen(self, obj: Object) -> Sequence[External] | None:
        entries = self._routers(obj).entries()
        return None if entries is None else _normal(entries)

    def equal(self, external: External, desired: Desired) -> bool:
        return False  # the mark decides, never the likeness

    # ---- what is wanted

    async def resolve(self, obj: Object, external: External | None, *, may_write: bool = False) -> Resolution:
        spec = parse_spec(RouterSpec, obj.spec)
        effective = self.effective_name(obj)
        owner = mark(self._context.cluster, obj)
        values: Values = plan.desired(spec, name=managed_name(spec, spec.name, effective), owner=owner)
        if external is None:
            return Resolution(Desired(effective, None, values))
        entry: RouterEntry = external.wire
        own, replace = obj.status.get("ownLabelKeys") or (), spec.label_policy == "Replace"
        values = plan.settled(values, entry.router, own, replace=replace)
        advice = advise(f"{self.kind} {obj.name}", len(entry.router.networks))
        return Resolution(Desired(effective, None, values), warnings=advice)

    def moved(self, obj: Object, external: External) -> Stalled | None:
        return None  # it has no parent

    def prepare(self, obj: Object, external: External, changes: Sequence[Change]) -> Hold | Mapping[str, Json]:
        return {}

    # ---- calls

    async def create(self, obj: Object, desired: Desired) -> Created:
        account = self._account(obj)
        async with account.routers.writing(""):
            body = plan.creation(desired.name, {**desired.defaults, **desired.values})
            return Created((await account.api.create_router(body=body)).value.uuid)

    async def update(self, obj: Object, external: External, desired: Desired, changes: Sequence[Change]) -> None:
        """Labels are sent as a whole, so those of others are read right before."""
        account = self._account(obj)
        entry: RouterEntry | None = external.wire
        if plan.relabels(changes):
            entry = await account.routers.get(external.uuid, fresh=True)
        if entry is None:
            return  # gone meanwhile, which the next pass tells
        async with account.routers.writing(external.uuid):
            body = plan.modification(changes, entry.router.labels)
            await account.api.modify_router(router=external.uuid, body=body)

    async def unmark(self, obj: Object, external: External) -> None:
        if external.owner is not None and self._is_mine(obj, external):
            change = Change(MARK_PATH, external.owner, None, Interrupts.NO)
            await self.update(obj, external, Desired(external.name, None, {}), (change,))

    async def children(self, obj: Object, external: External) -> Sequence[str]:
        entry = await self._routers(obj).get(external.uuid, fresh=True)
        if entry is None:
            return []
        gateways = attached(entry.router, self._gateways(obj).at_router(external.uuid))
        named = [f"gateway {name} ({uuid})" if name else f"gateway {uuid}" for uuid, name in gateways.items()]
        return [*named, *(f"network {uuid}" for uuid in entry.router.networks)]

    async def delete(self, obj: Object, external: External) -> None:
        """UpCloud lets go of a router some seconds after its gateway is gone: until then it says 409."""
        account = self._account(obj)
        try:
            async with account.routers.writing(external.uuid):
                await account.api.delete_router(router=external.uuid)
        except CallFailed as failure:
            if failure.status != 409:
                raise
            said = f"Router {external.uuid} is not let go of yet. UpCloud says: {failure.words} Tried again soon."
            raise CallFailed(Waiting("ChildrenExist", said), status=409, backoff=True) from None

    def identity(self, external: External) -> Mapping[str, Json]:
        return {}

    def describe(self, obj: Object, external: External, resolution: Resolution | None) -> Observation:
        entry: RouterEntry = external.wire
        known = describe(entry.router, self._gateways(obj).at_router(external.uuid))
        return dataclasses.replace(known, notes={"ownLabelKeys": recorded_keys(obj, entry.router.labels)})


def _normal(entries: Iterable[RouterEntry]) -> list[External]:
    """Without those that are not for users."""
    return [external(entry) for entry in entries if entry.router.type != SERVICE]


def external(entry: RouterEntry) -> External:
    """A router in the engine's words."""
    router = entry.router
    return External(
        uuid=router.uuid,
        name=router.name,
        parent=None,
        created_at=None,
        values=plan.observed(router),
        began=entry.began,
        owner=next((label.value for label in router.labels if label.key == MARK), None),
        wire=entry,
    )
