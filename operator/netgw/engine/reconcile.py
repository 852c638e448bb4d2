"""The pass: one function, level-triggered, the same for create, update, delete, resume, resync and every wake-up.

    finalizer → observe → resolve → plan → at most one mutating call → describe → status

A crash anywhere leaves a state from which the next pass goes on: what is about to be made is recorded before the POST,
the uuid is recorded right after it, and the finalizer goes only when absence is proven.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping

from netgw.engine.actuator import Absent, Actuator, Desired, External, InvalidSpec, Look, Resolution, Unseen
from netgw.engine.create import Creation
from netgw.engine.finalize import Finalization
from netgw.engine.objects import Key, Object
from netgw.engine.outcome import CallFailed, Hold, Outcome, Stalled, Waiting
from netgw.engine.passing import Attempt, Memo, Pass, call_outcome, pick
from netgw.engine.plan import Change, diff, digest, targets
from netgw.engine.ports import Clock, Kubernetes, ObjectGone, Reporter, WriteConflict
from netgw.engine.store import Store

log = logging.getLogger(__name__)


class Reconciler:
    """Runs passes. `read_only`: status stays live, nothing is written to the cloud."""

    def __init__(
        self,
        *,
        actuators: Mapping[str, Actuator],
        store: Store,
        kubernetes: Kubernetes,
        clock: Clock,
        rng: random.Random,
        reporter: Reporter,
        read_only: bool = False,
        wake: Callable[[set[Key]], None],
    ) -> None:
        self._actuators = actuators
        self._store = store
        self._kubernetes = kubernetes
        self._clock = clock
        self._rng = rng
        self._reporter = reporter
        self._read_only = read_only
        self._wake = wake
        self._memos: dict[Key, Memo] = {}
        self._started = clock.now()
        self._creation = Creation(store=store, clock=clock, rng=rng, started=self._started)
        self._finalization = Finalization(
            store=store, clock=clock, rng=rng, kubernetes=kubernetes, creation=self._creation, read_only=read_only
        )

    async def work(self, key: Key) -> float | None:
        """One pass. Returns after how many seconds the key is due again by itself."""
        obj = self._store.get(key)
        if obj is None:
            self._memos.pop(key, None)
            return None
        try:
            return await self._pass(obj)
        except WriteConflict:
            return 0.2  # the fresh object is on its way through the watch
        except ObjectGone:
            self._wake(self._store.remove(key))
            return None

    def forgive(self, reasons: frozenset[str]) -> None:
        """The account answers again: what failed for these reasons may be tried at once."""
        for memo in self._memos.values():
            if memo.attempt is not None and memo.attempt.outcome.reason in reasons:
                memo.attempt = None

    async def _pass(self, obj: Object) -> float | None:
        actuator = self._actuators[obj.kind]
        if obj.deleting and not obj.guarded:
            return None
        if not obj.deleting and not obj.guarded:
            obj = await self._kubernetes.add_finalizer(obj)
            self._wake(self._store.apply(obj, own_write=True))
        p = Pass(
            obj=obj,
            actuator=actuator,
            memo=self._memos.setdefault(obj.key, Memo()),
            clock=self._clock,
            kubernetes=self._kubernetes,
            store=self._store,
            reporter=self._reporter,
            wake=self._wake,
        )
        if obj.deleting:
            outcome = await self._finalization.run(p)
            if outcome is None:
                await self._let_go(p)
                return None
        else:
            outcome = await self._sync(p)
        await p.finish(outcome)
        return p.due(outcome)

    async def _let_go(self, p: Pass) -> None:
        log.info("the finalizer goes")
        left = await self._kubernetes.remove_finalizer(p.obj)
        if left is None:
            self._wake(self._store.remove(p.obj.key))
        else:
            self._wake(self._store.apply(left, own_write=True))

    async def _sync(self, p: Pass) -> Outcome:
        p.note_requests()
        invalid = self._invalid(p)
        hold = await self._account_hold(p)
        look = await self._observe(p, hold)
        external = look if isinstance(look, External) else None
        p.look = look
        if isinstance(look, Absent) and invalid is None and hold is None:
            return await self._vanished(p, look)
        if external is None:
            return invalid or hold or await self._unobserved(p)
        resolution = None if invalid else await self._resolve(p, external)
        p.saw(external, p.actuator.describe(p.obj, external, resolution))
        return invalid or await self._converge(p, external, resolution or Resolution(None), hold)

    def _invalid(self, p: Pass) -> Stalled | None:
        try:
            p.actuator.validate(p.obj)
        except InvalidSpec as error:
            return Stalled("InvalidSpec", str(error))
        return None

    async def _account_hold(self, p: Pass) -> Hold | None:
        """Whether this credential may be used for this object at all (rule 8: AccountMismatch)."""
        hold = p.actuator.hold()
        if hold is not None:
            return hold
        account, recorded = p.actuator.account(), p.status.get("account")
        if recorded and account and recorded != account:
            try:
                owned = await p.actuator.owns(p.obj)
            except CallFailed as failure:
                return call_outcome(p, failure, self._rng)
            if not owned:
                return Waiting(
                    "AccountMismatch",
                    f"Made in account {recorded}, but the credentials are of account {account}, which does not know "
                    f"it. Nothing is observed or changed. Give the operator credentials of {recorded}.",
                    self._rng.uniform(300, 900),
                )
        if account and p.obj.uuid is not None:
            p.status["account"] = account
        return None

    async def _observe(self, p: Pass, hold: Hold | None) -> Look:
        if p.obj.uuid is None or (hold is not None and hold.reason == "AccountMismatch"):
            return Unseen()
        try:
            return await p.actuator.observe(p.obj, fresh=p.fresh)
        except CallFailed as failure:
            return Unseen(failure.outcome.message)

    async def _unobserved(self, p: Pass) -> Outcome:
        """No uuid: make it. A uuid that could not be looked at: wait for a look."""
        if p.obj.uuid is not None:
            return p.actuator.hold() or p.standing()
        gate = self._gate(p)
        if gate is not None:
            return gate
        return await self._creation.run(p)

    async def _vanished(self, p: Pass, absent: Absent) -> Outcome:
        """Rule 7: what vanished is not made again unasked. While an ancestor is gone, children wait."""
        if p.actuator.recreate:
            parent_hold = p.actuator.parent_hold(p.obj)
            if parent_hold is not None:
                return parent_hold
            if gate := self._gate(p):
                return gate
            p.event("Warning", "ExternallyDeleted", f"{absent.message} It is made again.")
            return await self._creation.run(p)
        return await self._creation.approved(p, absent, self._gate(p))

    async def _resolve(self, p: Pass, external: External | None) -> Resolution:
        try:
            return await p.actuator.resolve(p.obj, external)
        except CallFailed as failure:
            return Resolution(None, (failure.outcome,))

    def _gate(self, p: Pass) -> Waiting | None:
        """What stops every write to the cloud, deletion apart."""
        if p.paused():
            return Waiting("Paused", "netgw.dev/paused is set: nothing is changed in the cloud.")
        if self._read_only:
            return Waiting("ReadOnly", "The operator runs with NETGW_READ_ONLY: nothing is changed in the cloud.")
        return None

    async def _converge(self, p: Pass, external: External, resolution: Resolution, hold: Hold | None) -> Outcome:
        gate = self._gate(p)
        if external.deleting:
            message = f"{p.actuator.word} {external.uuid} is being deleted in the cloud, not by netgw."
            return Waiting("ExternallyDeleted", message)
        if (moved := p.actuator.moved(p.obj, external)) is not None:
            return moved
        p.warning = resolution.warning
        p.remember(resolution.remember)
        desired = resolution.desired
        changes = () if desired is None else diff(p.actuator.fields, desired.values, external.values)
        fixed = [change for change in changes if not change.mutable]
        p.note_drift(changes)
        if fixed:
            return Stalled("ImmutableField", immutable_message(fixed, p.actuator.word))
        if changes and desired is not None and not (gate or hold):
            outcome = await self._update(p, external, desired, changes)
            return pick((outcome, *resolution.holds))
        pending = Waiting("Updating", "To be changed: " + "; ".join(map(str, changes))) if changes else None
        return pick(x for x in (gate, hold, *resolution.holds, pending) if x is not None)

    async def _update(self, p: Pass, external: External, desired: Desired, changes: tuple[Change, ...]) -> Outcome:
        key = digest({"update": targets(changes), "under": p.actuator.circumstances(p.obj)})
        if (refused := p.memo.refusal(key, self._clock.now())) is not None:
            return refused
        prepared = p.actuator.prepare(p.obj, external, changes)
        if isinstance(prepared, Waiting | Stalled):
            return prepared
        if prepared:
            p.status.update(prepared)
            await p.save()
        try:
            async with p.actuator.tree(p.obj):
                await p.actuator.update(p.obj, external, desired, changes)
        except CallFailed as failure:
            outcome = call_outcome(p, failure, self._rng)
            p.memo.attempt = Attempt(key, self._clock.now() + (outcome.after or 0), outcome)
            p.event("Warning", outcome.reason, outcome.message)
            return outcome
        p.memo.attempt = None
        p.memo.failures = 0
        await p.record_update(changes, desired)
        return Waiting("Updating", "Changed: " + "; ".join(map(str, changes)), 0.0)


def immutable_message(fixed: list[Change], word: str) -> str:
    """What cannot be changed, and what to do instead."""
    what = "; ".join(map(str, fixed))
    return f"Cannot be changed in place ({what}). Set it back, or delete this object and make a new {word}."
