"""Deletion: child first, never cascading over what is not ours, and done only when absence is proven."""

from __future__ import annotations

import random

from netgw.engine.actuator import Absent, External, InvalidSpec, Unseen
from netgw.engine.create import Creation
from netgw.engine.outcome import CallFailed, Outcome, Waiting
from netgw.engine.ownership import Nobody, Ours, Record, Theirs, without_record
from netgw.engine.passing import Pass, call_outcome, overdue
from netgw.engine.ports import Clock, Kubernetes
from netgw.engine.store import Store

OVERDUE = 15 * 60.0
AGAIN = 60.0


class Finalization:
    """The passes of an object under deletion."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        rng: random.Random,
        kubernetes: Kubernetes,
        creation: Creation,
        read_only: bool,
    ) -> None:
        self._store = store
        self._clock = clock
        self._rng = rng
        self._kubernetes = kubernetes
        self._creation = creation
        self._read_only = read_only

    async def run(self, p: Pass) -> Outcome | None:
        """None: the finalizer may go."""
        if p.obj.annotation("force-orphan") == "true":
            p.event(
                "Warning", "Orphaned", f"netgw.dev/force-orphan: {p.actuator.word} {p.obj.uuid or '(none)'} is left."
            )
            return None
        try:
            if (held := await self._children_in_kubernetes(p)) is not None:
                return held
            if not p.obj.status.get("uuid") and not p.obj.status.get("create"):
                return await self._unrecorded(p)
            if (hold := p.actuator.hold()) is not None:
                return Waiting(hold.reason, f"To be deleted. {hold.message}", AGAIN)
            if (record := Record.from_status(p.obj.status)) is not None:
                return await self._settle(p, record)
            return await self._delete(p)
        except CallFailed as failure:
            return call_outcome(p, failure, self._rng)

    async def _children_in_kubernetes(self, p: Pass) -> Waiting | None:
        children = await self._kubernetes.children(p.obj)
        if not children:
            return None
        names = ", ".join(f"{child.kind} {child.name}" for child in sorted(children)[:5])
        more = f" and {len(children) - 5} more" if len(children) > 5 else ""
        return Waiting("ChildrenExist", f"Waits for {names}{more} to be deleted first.", AGAIN)

    async def _settle(self, p: Pass, record: Record) -> Outcome | None:
        outcome = await self._creation.settle(p, record)
        if p.obj.uuid is None and not p.obj.status.get("create"):
            return None
        return Waiting("Deleting", outcome.message, outcome.after)

    async def _unrecorded(self, p: Pass) -> Outcome | None:
        """Nothing was ever sent, or the status was wiped: then, and only then, it is looked for by name."""
        if p.obj.status.get("conditions"):
            return None
        if (hold := p.actuator.hold()) is not None:
            return Waiting(hold.reason, f"To be deleted. {hold.message}", AGAIN)
        try:
            p.actuator.validate(p.obj)
        except InvalidSpec:
            return None
        if p.actuator.parent_unknown(p.obj):
            return None
        resolution = await p.actuator.resolve(p.obj, None)
        desired = resolution.desired
        search = await p.actuator.search(p.obj, p.actuator.effective_name(p.obj), p.actuator.parent_uuid(p.obj))
        verdict = without_record(
            p.obj,
            search,
            self._store.holder,
            marked=p.actuator.marked,
            adoptable=lambda external: desired is not None and p.actuator.equal(external, desired),
        )
        match verdict:
            case Nobody():
                return None
            case Ours(external=external):
                p.bind(external.uuid, None, accepted=False)
                p.status.update(p.actuator.identity(external))
                return Waiting("Deleting", f"{p.actuator.word} {external.uuid} is found to be ours.", 0.0)
            case Theirs(reason="OwnedByOther"):
                return None
            case Theirs():
                return self._orphan(p, search.named[0])

    def _orphan(self, p: Pass, external: External) -> Outcome | None:
        if self._store.holder(external.uuid) is not None:
            return None
        return Waiting(
            "OrphanSuspected",
            f"{p.actuator.word} {external.name} (uuid {external.uuid}) exists and this object's status was lost: it "
            f'may be ours. Delete it in the cloud, or leave it with netgw.dev/force-orphan: "true".',
            AGAIN,
        )

    async def _delete(self, p: Pass) -> Outcome | None:
        mismatch, recorded, account = None, p.obj.status.get("account"), p.actuator.account()
        if recorded and account and recorded != account and not await p.actuator.owns(p.obj):
            mismatch = f"Made in account {recorded}; the credentials are of {account}. Nothing counts as gone."
            return Waiting("AccountMismatch", mismatch, AGAIN)
        look = await p.actuator.observe(p.obj, fresh=p.fresh)
        p.look = look
        match look:
            case Absent():
                p.event("Normal", "Deleted", f"{p.actuator.word} {p.obj.uuid} is gone.")
                return None
            case Unseen(message=message):
                return self._waiting(p, message or "Waiting for a look at the cloud.", 5.0)
            case External():
                p.saw(look, p.actuator.describe(p.obj, look, None))
                return await self._send(p, look)

    async def _send(self, p: Pass, external: External) -> Outcome:
        if external.deleting or p.memo.deleted == external.uuid:
            return self._waiting(p, f"{p.actuator.word} {external.uuid} is being deleted in the cloud.", AGAIN)
        if self._read_only:
            return Waiting(
                "ReadOnly", "The operator runs with NETGW_READ_ONLY: nothing is deleted in the cloud.", AGAIN
            )
        async with p.actuator.tree(p.obj):
            # Asked again under the lock: no child is made while parents are read and deleted.
            if (held := await self._children_in_kubernetes(p)) is not None:
                return held
            if (blocked := await self._cascade(p, external)) is not None:
                return blocked
            try:
                await p.actuator.delete(p.obj, external)
            except CallFailed as failure:
                if failure.status != 404:
                    raise
            p.memo.deleted = external.uuid
        return self._waiting(p, f"{p.actuator.word} {external.uuid}: deletion sent.", 0.0)

    async def _cascade(self, p: Pass, external: External) -> Waiting | None:
        """The API deletes what is below without a word. Our children are gone by now: what is left is not ours."""
        foreign = await p.actuator.children(external)
        if not foreign or p.obj.annotation("allow-cascade") == external.uuid:
            return None
        return Waiting(
            "CascadeBlocked",
            f"Deleting {p.actuator.word} {external.uuid} would delete what netgw did not make: "
            f"{', '.join(foreign[:5])}. Delete that in the cloud, or allow it with "
            f"netgw.dev/allow-cascade: {external.uuid}",
            AGAIN,
        )

    def _waiting(self, p: Pass, message: str, after: float) -> Waiting:
        if overdue(p.obj.deletion_time, self._clock.wall(), OVERDUE):
            return Waiting("DeletionOverdue", f"{message} Asked at {p.obj.metadata['deletionTimestamp']}.", AGAIN)
        return Waiting("Deleting", message, after)
