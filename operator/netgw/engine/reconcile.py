"""The pass: one function, level-triggered, the same for create, update, delete, resume, resync and every wake-up.

    finalizer → observe → resolve → plan → at most one mutating call → describe → status

A crash anywhere leaves a state from which the next pass goes on: what is about to be made is recorded before the POST,
the uuid is recorded right after it, and the finalizer goes only when absence is proven.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

from netgw.engine.act import act
from netgw.engine.actuator import Absent, Actuator, External, InvalidSpec, Look, Resolution, Unseen
from netgw.engine.adopt import bind_import
from netgw.engine.create import create, create_if_approved
from netgw.engine.drift import note_drift
from netgw.engine.finalize import finalize
from netgw.engine.memo import Memo
from netgw.engine.objects import LOST_REASONS, Key, Object
from netgw.engine.outcome import CallFailed, Hold, Outcome, Settled, Stalled, Waiting
from netgw.engine.ownership import MARK_PATH, imports, owned_by_other, takes_over
from netgw.engine.plan import Change, diff
from netgw.engine.ports import ObjectGone, WriteConflict
from netgw.engine.progress import Environment, Pass, Stopping
from netgw.engine.release import Kept, keep
from netgw.engine.update import update, would_update
from netgw.engine.verdict import pick

log = logging.getLogger(__name__)

CONFLICT_FIRST, CONFLICT_STEPS = 0.1, 8
LOST_PARENT_AGAIN = 60.0


class Reconciler:
    """Runs passes. `actuators` by kind; `env` is what every pass works with."""

    def __init__(self, actuators: Mapping[str, Actuator], env: Environment) -> None:
        self._actuators = actuators
        self._memos: dict[Key, Memo] = {}
        self._env = env

    async def work(self, key: Key) -> float | None:
        """One pass. Returns after how many seconds the key is due again by itself."""
        obj = self._env.store.get(key)
        if obj is None:
            self._memos.pop(key, None)
            return None
        memo = self._memos.setdefault(key, Memo())
        tally, began = self._env.tally, self._env.clock.now()
        try:
            after = await self._pass(obj, memo)
        except WriteConflict:
            tally.cut(obj.kind, "conflict")
            return await self._refresh(obj, memo)
        except ObjectGone:
            tally.cut(obj.kind, "gone")
            self._env.wake(self._env.store.remove(key, certain=False))
            return None
        except Stopping:
            tally.cut(obj.kind, "stopping")
            return None
        except Exception as error:
            tally.cut(obj.kind, "failed", type(error).__name__)
            raise
        finally:
            tally.lasted(obj.kind, self._env.clock.now() - began)
        memo.conflicts = 0
        return after

    def stop(self) -> None:
        """Passes under way finish and record what they began, and begin no call that changes the cloud any more."""
        self._env.stopping = True

    async def release(self, obj: Object) -> Kept:
        """Hands off: the cloud keeps what the object has there, without our mark. Nothing is written to Kubernetes."""
        return await keep(Pass(obj, self._actuators[obj.kind], Memo(), self._env))

    def forgive(self, keys: Iterable[Key], reasons: frozenset[str]) -> None:
        """Their account answers again: what failed for these reasons may be tried at once."""
        for key in keys:
            if (memo := self._memos.get(key)) is not None:
                memo.forgive(reasons)

    async def _refresh(self, obj: Object, memo: Memo) -> float | None:
        """The object moved while it was decided on: decide again on what it is now, without waiting for the watch."""
        memo.conflicts = min(memo.conflicts + 1, CONFLICT_STEPS)
        fresh = await self._env.kubernetes.read(obj.ref)
        if fresh is None or fresh.uid != obj.uid:
            self._env.wake(self._env.store.remove(obj.key, certain=False))
            return None
        self._env.wake(self._env.store.apply(fresh) - {obj.key})
        return CONFLICT_FIRST * 2.0 ** (memo.conflicts - 1) * self._env.rng.uniform(0.75, 1.25)

    async def _pass(self, obj: Object, memo: Memo) -> float | None:
        if not obj.guarded:
            if obj.deleting:
                return None
            obj = await self._env.kubernetes.add_finalizer(obj)
            memo.fresh = memo.awaited = not obj.status
            self._env.wake(self._env.store.apply(obj, own_write=True))
        p = Pass(obj, self._actuators[obj.kind], memo, self._env)
        p.note_requests()
        try:
            outcome = await (finalize(p) if obj.deleting else _sync(p))
        except CallFailed as failure:
            outcome = p.failed(failure)
        if outcome is None:
            await self._let_go(p)
            self._env.tally.cut(obj.kind, "released")
            return None
        self._env.tally.ended(obj.kind, outcome)
        # Conditions without uuid say that nothing was ever made, but for these reasons.
        if not p.lost or obj.deleting or outcome.reason in LOST_REASONS:
            await p.save(outcome)
        return p.due(outcome)

    async def _let_go(self, p: Pass) -> None:
        left = await self._env.kubernetes.remove_finalizer(p.obj)
        log.info("the finalizer is off")
        store = self._env.store
        self._env.wake(store.remove(p.obj.key) if left is None else store.apply(left, own_write=True))


async def _sync(p: Pass) -> Outcome:
    """A pass of an object that is to exist. `blocked` is what stops every write, as far as it is known."""
    gate, invalid = p.gate(), _invalid(p)
    hold, look = await _look(p)
    p.look = look
    blocked = [held for held in (gate, hold, invalid) if held is not None]
    match look:
        case External():
            return await _converge(p, look, blocked, invalid)
        case Absent() if hold is None and invalid is None:
            return await _vanished(p, look, gate)
        case Unseen() if p.obj.uuid is None and hold is None and invalid is None:
            return await _begin(p, gate)
        case Unseen(message=message) if not blocked:
            return Waiting("ParentNotFound", message or "Waiting for a look at the cloud.", LOST_PARENT_AGAIN)
        case _:
            p.lost = p.lost and invalid is None
            return pick(blocked)


def _invalid(p: Pass) -> Stalled | None:
    try:
        p.actuator.validate(p.obj)
    except InvalidSpec as error:
        return Stalled("InvalidSpec", str(error))
    return None


async def _look(p: Pass) -> tuple[Hold | None, Look]:
    """Whether this credential may be used for this object, and what is seen of it. Missing things stop no look."""
    hold = None
    try:
        hold = await p.account_hold()
        if p.obj.uuid is None or (hold is not None and hold.reason == "AccountMismatch"):
            return hold, Unseen()
        return hold, await p.actuator.observe(p.obj, fresh=p.fresh)
    except CallFailed as failure:
        return hold or p.failed(failure), Unseen()


async def _begin(p: Pass, gate: Hold | None) -> Outcome:
    """Nothing is recorded: find what is to be imported, or make it."""
    if imports(p.obj) is not None and not p.obj.creating:
        return await bind_import(p)
    if p.policies.observes and not p.obj.creating:
        p.lost = False
        return Stalled(
            "InvalidSpec",
            f"managementPolicy Observe makes nothing, and spec.import does not say which {p.actuator.word} to observe. "
            f"Set spec.import with its uuid or name.",
        )
    return await create(p, gate)


async def _vanished(p: Pass, absent: Absent, gate: Hold | None) -> Outcome:
    """Rule 7: what vanished is not made again unasked. While an ancestor is gone, children wait."""
    if p.policies.observes:
        return Waiting("ExternallyDeleted", f"{absent.message} It was only observed, so it is not made again.")
    if imports(p.obj) is not None:
        what = "It was imported, so netgw does not make it again: for that make an object without spec.import."
        return Waiting("ExternallyDeleted", f"{absent.message} {what}")
    if not p.policies.recreates:
        return await create_if_approved(p, absent, gate)
    return await create(p, gate)


async def _converge(p: Pass, external: External, blocked: Sequence[Hold], invalid: Stalled | None) -> Outcome:
    resolution = None if invalid else await _resolve(p, external, may_write=not blocked and not p.policies.observes)
    p.saw(external, p.actuator.describe(p.current, external, resolution))
    if not p.memo.attempts:
        p.memo.failures = 0
    if resolution is None:
        return pick(blocked)
    if external.deleting:
        message = f"{p.actuator.word} {external.uuid} is being deleted in the cloud, not by netgw."
        return Waiting("ExternallyDeleted", message)
    p.warnings = resolution.warnings
    desired = resolution.desired
    changes = () if desired is None else diff(p.actuator.fields, desired.values, external.values)
    if p.policies.observes:
        changes = tuple(change for change in changes if change.path != MARK_PATH)  # what is only observed has none
    drifted = note_drift(p, changes)
    if p.policies.observes:
        seen = f"{p.actuator.word.capitalize()} {external.uuid} is only observed: nothing is changed."
        return pick(blocked) if blocked else Settled(seen, "ObserveOnly")
    p.remember(resolution.remember)
    stuck = [*blocked, *_immovable(p, external, changes)]
    if stuck or desired is None:
        return pick((*stuck, *resolution.holds, *would_update(p, changes, drifted)))
    if (asked := await act(p, external)) is not None:
        return asked
    return pick((await update(p, external, desired, changes, drifted), *resolution.holds))


async def _resolve(p: Pass, external: External, *, may_write: bool) -> Resolution:
    try:
        return await p.actuator.resolve(p.obj, external, may_write=may_write and not external.deleting)
    except CallFailed as failure:
        return Resolution(None, (p.failed(failure),))


def _immovable(p: Pass, external: External, changes: Sequence[Change]) -> list[Hold]:
    """What cannot be changed in place: nothing is ever deleted to be made anew. And what is another's by its mark."""
    moved = p.actuator.moved(p.obj, external)
    fixed = "; ".join(str(change) for change in changes if not change.mutable)
    held: list[Hold] = [] if moved is None else [moved]
    if fixed:
        advice = f"Set it back, or delete this object and make a new {p.actuator.word}."
        held.append(Stalled("ImmutableField", f"Cannot be changed in place ({fixed}). {advice}"))
    owner = p.actuator.owned_by(p.obj, external)
    if owner is not None and not takes_over(p.obj):
        theirs = owned_by_other(external, owner)
        held.append(Stalled(theirs.reason, theirs.message))
    return held
