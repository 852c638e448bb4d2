"""Changing what exists: which of the changes may go out now, and the one call that sends the first of them.

| a change waits                                   | with                          | until                             |
|--------------------------------------------------|-------------------------------|-----------------------------------|
| it came to differ by itself, and is to be told   | Drifted                       | the spec says so, or the policy   |
| it was sent again and again and does not stay    | DriftFight                    | an hour, another spec             |
| it interrupts, and has to be approved            | AwaitingApproval              | netgw.dev/approve has its hash    |
| it interrupts, and its window is later           | AwaitingApproval              | netgw.dev/apply-at                |
| the cloud refused it                             | what it was refused with      | its time, other circumstances     |
| it interrupts, and another one is interrupted    | RolloutHeld                   | that one is up again              |

What may go out goes out while the rest waits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence

from netgw.engine.actuator import Desired, External
from netgw.engine.objects import Json, parse_time
from netgw.engine.outcome import CallFailed, Hold, Outcome, Settled, Stalled, Waiting
from netgw.engine.ownership import MARK_PATH
from netgw.engine.plan import Change, approval, digest, targets
from netgw.engine.progress import Pass
from netgw.engine.verdict import pick

Changes = tuple[Change, ...]


async def update(
    p: Pass, external: External, desired: Desired, changes: Sequence[Change], drifted: frozenset[str]
) -> Outcome:
    """At most one call. `drifted`: paths that came to differ by themselves. Raises what the ports raise."""
    wanted, held = _unfought(p, changes)
    wanted, reported = _reported(p, wanted, drifted)
    held += reported
    wanted, asked = _approved(p, wanted)
    held += asked
    for batch in p.actuator.batches(wanted):
        key = digest({"update": targets(batch), "under": p.actuator.circumstances(p.obj)})
        refused = p.memo.refusal(key, p.env.clock.now())
        prepared = refused or p.actuator.prepare(p.obj, external, batch)
        if not isinstance(prepared, Waiting | Stalled):
            return pick((await _counted(p, drifted, batch, _send(p, external, desired, batch, key, prepared)), *held))
        held.append(prepared)
    return pick(held) if held else Settled()


def would_update(p: Pass, changes: Sequence[Change], drifted: frozenset[str]) -> list[Hold]:
    """What is told of the changes while something else lets none of them go out, such as a pause."""
    wanted, held = _reported(p, changes, drifted)
    mutable = [str(change) for change in wanted if change.mutable]
    return [*held, Waiting("Updating", "To be changed: " + "; ".join(mutable))] if mutable else held


async def _counted(p: Pass, drifted: frozenset[str], batch: Changes, sending: Awaitable[Outcome]) -> Outcome:
    """What becomes of drift. A change that was sent says Updating; anything else is a refusal."""
    outcome = await sending
    sent = outcome.reason == "Updating"
    fields = sum(change.path in drifted for change in batch)
    p.env.tally.drifted(p.obj.kind, "corrected" if sent else "refused", fields)
    return outcome


async def _send(
    p: Pass, external: External, desired: Desired, changes: Changes, key: str, prepared: Mapping[str, Json]
) -> Outcome:
    """`prepared`: status fields that stand before the call goes out, and not after it was surely refused."""
    p.about_to_write()
    before = {name: p.status.get(name) for name in prepared}
    p.status.update(prepared)
    await p.save()
    try:
        async with p.actuator.tree(p.obj):
            p.about_to_write()
            await p.actuator.update(p.obj, external, desired, changes)
    except CallFailed as failure:
        outcome = p.memo.refuse(key, p.failed(failure), p.env.clock.now())
        if not failure.ambiguous:
            p.put(before)
        p.event("Warning", outcome.reason, outcome.message)
        return outcome
    return await p.record_update(key, changes, desired)


def _unfought(p: Pass, changes: Sequence[Change]) -> tuple[Changes, list[Hold]]:
    fights = [(change, p.memo.fought(change, p.env.clock.now())) for change in changes]
    held: list[Hold] = [stalled for _, stalled in fights if stalled is not None]
    return tuple(change for change, stalled in fights if stalled is None), held


def _reported(p: Pass, changes: Sequence[Change], drifted: frozenset[str]) -> tuple[Changes, list[Hold]]:
    """With driftPolicy Report only what the spec newly says is sent. Our mark is no matter of the spec."""
    reported = drifted - {MARK_PATH} if p.policies.reports else frozenset()
    told = [change for change in changes if change.path in reported]
    if not told:
        return tuple(changes), []
    message = "Differs from the spec and is left so (driftPolicy Report): " + "; ".join(map(str, told)) + "."
    return tuple(change for change in changes if change not in told), [Waiting("Drifted", message)]


def _approved(p: Pass, changes: Changes) -> tuple[Changes, list[Hold]]:
    """What may interrupt waits for its approval, then for its window; what does not is never held."""
    loud = tuple(change for change in changes if not change.calm)
    held = _hold_loud(p, loud)
    if held is None:
        return changes, []
    return tuple(change for change in changes if change.calm), [held]


def _hold_loud(p: Pass, loud: Changes) -> Hold | None:
    asked = p.obj.annotation("approve")
    given: dict[str, Json] = dict(p.status.get("approval") or {})
    if asked is None or not p.policies.asks:
        p.status.pop("approval", None)
        given = {}
    if not loud:
        if given:  # it is done: the same words approve nothing a second time
            p.status["approval"] = {"hash": given.get("hash")}
        return None
    if p.policies.asks:
        key = approval(loud)
        if asked == key and given.get("hash") != key:
            given = {"hash": key, "changes": [approval((change,)) for change in loud]}
            p.status["approval"] = given
            p.event("Normal", "Approved", f"Approved: {_words(loud)}.")
        if not {approval((change,)) for change in loud} <= set(given.get("changes") or ()):
            again = " Take the annotation off first: it was used already." if given.get("hash") == key else ""
            return Waiting(
                "AwaitingApproval",
                f"Would interrupt traffic, or may, so it waits (disruptionPolicy Ask): {_words(loud)}. To approve: "
                f"annotate with netgw.dev/approve={key}{again}",
            )
    return _window(p, loud)


def _window(p: Pass, loud: Changes) -> Waiting | None:
    """`netgw.dev/apply-at`: what interrupts waits for this time."""
    text = p.obj.annotation("apply-at")
    if text is None:
        return None
    at = parse_time(text)
    if at is None:
        said = f"netgw.dev/apply-at is {text[:40]!r}, which is no time such as 2026-11-22T03:00:00Z."
        return Waiting("AwaitingApproval", f"{said} Until it is mended this waits: {_words(loud)}.")
    left = (at - p.env.clock.wall()).total_seconds()
    if left <= 0:
        return None
    return Waiting("AwaitingApproval", f"Waits for netgw.dev/apply-at={text}: {_words(loud)}.", left + 0.1)


def _words(changes: Changes) -> str:
    return "; ".join(f"{change} (interrupts: {change.interrupts})" for change in changes)
