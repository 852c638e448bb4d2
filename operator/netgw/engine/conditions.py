"""Conditions of one object from the outcome of a pass. Pure.

`Synced` and `Ready` are always there. `Reconciling` and `Stalled` exist only while true (kstatus). A transition time
moves only when the status flips. Ready, first row that fits (the rows below are the kinds'):

| what is seen                                   | Ready                                    |
|------------------------------------------------|------------------------------------------|
| no uuid yet                                    | False with Synced's reason               |
| under deletion                                 | False Deleting                           |
| no look for too long                           | Unknown CannotObserve                    |
| proven absent                                  | False with Synced's reason               |
| observed                                       | what the kind says                       |
| not seen in this pass                          | as before, Unknown CannotObserve if none |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from netgw.engine.actuator import Condition, Observation
from netgw.engine.objects import Json
from netgw.engine.outcome import Outcome, Settled, Stalled, Waiting
from netgw.engine.verdict import cut

PROGRESS = frozenset({"Creating", "Updating", "Deleting", "RolloutHeld"})
ORDER = ("Ready", "Synced", "Healthy", "PskInSync", "Redundant", "Warning", "Reconciling", "Stalled")


@dataclass(frozen=True)
class Seen:
    """What a pass learnt, as far as conditions need it."""

    outcome: Outcome
    observation: Observation | None
    known: bool
    """Whether a uuid is recorded."""
    absent: bool
    deleting: bool
    blind: str | None
    """The message of CannotObserve, when there was no look for too long."""
    warnings: tuple[str, ...] = ()


def synced(outcome: Outcome) -> Condition:
    """Whether the cloud has what the spec says: the outcome of the pass, and nothing else."""
    match outcome:
        case Settled(message=message, reason=reason):
            return Condition("Synced", "True", reason, message)
        case Waiting(reason=reason, message=message) | Stalled(reason=reason, message=message):
            return Condition("Synced", "False", reason, message)


def ready(seen: Seen, before: Mapping[str, Json] | None) -> Condition:
    """Traffic: the rows of the table above."""
    verdict = synced(seen.outcome)
    if not seen.known:
        return Condition("Ready", "False", not_ready_reason(verdict), verdict.message)
    if seen.deleting:
        return Condition("Ready", "False", "Deleting", verdict.message)
    if seen.blind is not None:
        return Condition("Ready", "Unknown", "CannotObserve", seen.blind)
    if seen.absent:
        return Condition("Ready", "False", not_ready_reason(verdict), verdict.message)
    if seen.observation is not None:
        return seen.observation.ready
    if before is None or before["reason"] == "CannotObserve":
        return Condition("Ready", "Unknown", "CannotObserve", "Not observed yet.")
    return _kept(before)


def not_ready_reason(verdict: Condition) -> str:
    """Synced's reason where it says what is missing; a settled object without uuid cannot be, but must not lie."""
    return verdict.reason if verdict.status == "False" else "Creating"


def summarise(
    seen: Seen, before: Sequence[Mapping[str, Json]], generation: int, now: str
) -> tuple[list[dict[str, Json]], str]:
    """The new list of conditions, and the word for the REASON column."""
    old = {c["type"]: c for c in before if {"type", "status", "reason"} <= c.keys()}  # a status can hold anything
    verdict, traffic = synced(seen.outcome), ready(seen, old.get("Ready"))
    wanted = [traffic, verdict]
    if seen.observation is not None and not seen.deleting:
        wanted += seen.observation.conditions
    else:
        wanted += [_kept(old[kind]) for kind in ("Healthy", "PskInSync", "Redundant") if kind in old and seen.known]
    if seen.warnings:
        wanted.append(Condition("Warning", "True", "Advice", cut(" ".join(seen.warnings))))
    elif seen.observation is None and "Warning" in old:
        wanted.append(_kept(old["Warning"]))
    if isinstance(seen.outcome, Stalled):
        wanted.append(Condition("Stalled", "True", verdict.reason, verdict.message))
    elif converging(seen):
        source = verdict if isinstance(seen.outcome, Waiting) else traffic
        wanted.append(Condition("Reconciling", "True", source.reason, source.message))
    conditions = [_dated(condition, old.get(condition.type), generation, now) for condition in _sorted(wanted)]
    return conditions, reason_word(traffic, verdict, seen.deleting)


def converging(seen: Seen) -> bool:
    """Whether something is under way that ends by itself."""
    if isinstance(seen.outcome, Waiting) and seen.outcome.reason in PROGRESS:
        return True
    return seen.observation is not None and seen.observation.converging


def reason_word(traffic: Condition, verdict: Condition, deleting: bool) -> str:
    """The reason of Ready; of Synced when Ready is True and Synced is not, or of a deletion that waits."""
    if deleting or (traffic.status == "True" and verdict.status != "True"):
        return verdict.reason
    return traffic.reason


def _kept(condition: Mapping[str, Json]) -> Condition:
    return Condition(condition["type"], condition["status"], condition["reason"], condition.get("message", ""))


def _sorted(conditions: Iterable[Condition]) -> list[Condition]:
    return sorted(conditions, key=lambda c: ORDER.index(c.type) if c.type in ORDER else len(ORDER))


def _dated(condition: Condition, old: Mapping[str, Json] | None, generation: int, now: str) -> dict[str, Json]:
    flipped = old is None or old.get("status") != condition.status
    return {
        "type": condition.type,
        "status": condition.status,
        "reason": condition.reason,
        "message": cut(condition.message),
        "lastTransitionTime": now if old is None or flipped else old.get("lastTransitionTime", now),
        "observedGeneration": generation,
    }
