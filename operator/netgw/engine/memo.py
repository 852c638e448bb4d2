"""What the process remembers of one object between passes. Losing it costs a call, never correctness."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from netgw.engine.outcome import CallFailed, Hold, Stalled
from netgw.engine.plan import Change, digest

RETRY_FIRST, RETRY_MOST, RETRY_STEPS = 2.0, 120.0, 10
"""The longest pause, with its jitter, is shorter than three intervals: so soon all is in order again."""
SLOW_RETRY = (300.0, 900.0)
"""What a person has to mend, or another object to make room for: asked again every 5 to 15 minutes."""
FIGHT, FIGHT_SECONDS = 3, 3600.0
"""A value that was sent so often within so many seconds, and never stayed, is not sent again."""


@dataclass(frozen=True)
class Attempt:
    """A call that failed: it is not made again before `not_before`."""

    not_before: float
    outcome: Hold


@dataclass
class Memo:
    """Times are monotonic.

    `fresh`: this process put the finalizer on it, so nothing can have been made before. `looks`: when those began that
    found nothing of an unfinished create or of a lost status. `searched`: the name and parent that were looked for.
    `awaited`: it was new to us all, and has not been Ready yet.
    """

    fresh: bool = False
    awaited: bool = False
    attempts: dict[str, Attempt] = field(default_factory=dict)
    failures: int = 0
    conflicts: int = 0
    post_ended: float | None = None
    looks: list[float] = field(default_factory=list)
    searched: tuple[str, str | None] | None = None
    deleting_since: float | None = None
    deleted: float | None = None
    foreign_since: float | None = None
    generation: int | None = None
    pending: frozenset[str] = frozenset()
    sent: list[tuple[str, float]] = field(default_factory=list)

    def failed(self, failure: CallFailed, rng: random.Random) -> Hold:
        """The outcome of a failed call, with a back-off that grows where the cloud named no time."""
        self.failures = min(self.failures + 1, RETRY_STEPS)
        outcome = failure.outcome
        if isinstance(outcome, Stalled) or outcome.after is not None:
            return outcome
        if not failure.backoff:
            return replace(outcome, after=rng.uniform(*SLOW_RETRY))
        after = min(RETRY_FIRST * 2.0 ** (self.failures - 1), RETRY_MOST) * rng.uniform(0.75, 1.25)
        return replace(outcome, after=after)

    def refuse(self, key: str, outcome: Hold, now: float) -> Hold:
        """Remember that this call (by digest) was refused, for as long as the outcome says."""
        self.attempts = {known: attempt for known, attempt in self.attempts.items() if attempt.not_before > now}
        self.attempts[key] = Attempt(now + (outcome.after or 0.0), outcome)
        return outcome

    def refusal(self, key: str, now: float) -> Hold | None:
        """The outcome that still stands for the same call, with the time that is left."""
        attempt = self.attempts.get(key)
        if attempt is None or now >= attempt.not_before:
            return None
        return replace(attempt.outcome, after=attempt.not_before - now)

    def forgive(self, reasons: frozenset[str]) -> None:
        """What was refused for these reasons may be tried at once."""
        kept = {key: attempt for key, attempt in self.attempts.items() if attempt.outcome.reason not in reasons}
        self.attempts = kept

    def settled(self) -> None:
        """It is bound to a uuid: nothing that was remembered of how it came to be matters any more."""
        self.fresh, self.attempts, self.failures = False, {}, 0
        self.post_ended, self.looks, self.searched = None, [], None

    def sent_well(self, key: str) -> None:
        """The cloud took this call."""
        self.attempts.pop(key, None)
        self.failures = 0

    def see(self, generation: int, differing: Iterable[str]) -> None:
        """Which paths differ when a generation is first looked at: they wait to be changed, and are no drift."""
        if self.generation != generation:
            self.generation, self.pending, self.sent = generation, frozenset(differing), []

    def note_sent(self, changes: Iterable[Change], now: float) -> None:
        self.sent = [(key, at) for key, at in self.sent if at > now - FIGHT_SECONDS]
        self.sent += [(_key(change), now) for change in changes if not change.secret]  # nobody else can set a key

    def fought(self, change: Change, now: float) -> Stalled | None:
        """DriftFight: this value was sent again and again, and each time the cloud had another one afterwards."""
        times = [at for key, at in self.sent if key == _key(change) and at > now - FIGHT_SECONDS]
        if len(times) < FIGHT:
            return None
        return Stalled(
            "DriftFight",
            f"{change} was sent {len(times)} times within an hour and does not stay: something else sets it, or the "
            f"cloud keeps a value of its own. Find out what else changes it, or set the spec to what the cloud has. "
            f"Tried again when the spec changes, after an hour, or on netgw.dev/reconcile-requested-at.",
            times[0] + FIGHT_SECONDS - now,
        )


def _key(change: Change) -> str:
    return digest({change.path: change.target})
