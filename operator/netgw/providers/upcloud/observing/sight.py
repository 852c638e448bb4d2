"""Whether the cloud can be seen: when it last was, why it is not now, and since when. No calls, no waiting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from netgw.engine.objects import format_time
from netgw.engine.outcome import Hold, Waiting
from netgw.engine.ports import Clock
from netgw.providers.upcloud.api import UpCloudError
from netgw.providers.upcloud.failures import TRAFFIC, Caller, failed

BLIND_AT_LEAST = 300.0

REFUSALS = frozenset({"CredentialsRefused", "PermissionDenied"})
"""An answer, and not silence that may pass: only a person helps, so it is told at once."""
NOT_ASKED = Waiting("CloudUnavailable", "UpCloud has not answered yet.", 1.0)


@dataclass(frozen=True)
class Failing:
    """There is no answer: since when, and what is told instead."""

    since: datetime
    outcome: Hold


class Sight:
    """Of one sort of thing with the credentials of `caller`. `interval`: seconds between two looks."""

    def __init__(self, clock: Clock, interval: float, caller: Caller) -> None:
        self.failing: Failing | None = None
        self.failures = 0
        self._clock = clock
        self._interval = interval
        self._caller = caller
        self._last_look: datetime | None = None
        self._last_look_at = clock.now()

    @property
    def ever(self) -> bool:
        """Whether there was a look at all."""
        return self._last_look is not None

    @property
    def last_look(self) -> datetime | None:
        """When something was seen last."""
        return self._last_look

    def looked(self) -> None:
        """Something was seen just now."""
        self._last_look, self._last_look_at = self._clock.wall(), self._clock.now()

    def answers(self) -> None:
        """It is not failing, or not any more."""
        self.failing, self.failures = None, 0

    def failed(self, error: UpCloudError) -> Hold | None:
        """A look failed. What to tell, where that is news: it went well before, or failed for another reason."""
        since = self.failing.since if self.failing is not None else self._clock.wall()
        outcome = failed(error, self._caller, since).outcome
        self.failures += 1
        if self.failing is not None and self.failing.outcome.reason == outcome.reason:
            return None
        self.failing = Failing(since, Waiting(outcome.reason, outcome.message, outcome.after))
        return outcome

    def is_blind(self) -> bool:
        """Whether there was no look for max(3 intervals, 5 min)."""
        return self._clock.now() - self._last_look_at > max(3 * self._interval, BLIND_AT_LEAST)

    def blind(self, last_seen: str | None, instead: Hold | None = None) -> str | None:
        """The message of CannotObserve.

        `last_seen`: the words for what the last look saw of one object. `instead`: a better reason than the failure.
        """
        if not self.is_blind():
            return None
        told = instead or (None if self.failing is None else self.failing.outcome)
        why = f"UpCloud does not answer. {TRAFFIC}" if told is None else told.message
        never = "No look with these credentials since netgw started"
        last = never if self._last_look is None else f"Last look {format_time(self._last_look)}"
        seen = f": {last_seen}" if last_seen else ""
        return f"{why} {last}{seen}."
