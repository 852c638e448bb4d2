"""What the passes of this process came to, counted. Data only: `metrics.py` renders it, and nobody decides by it.

Nothing that comes and goes is a key here, so it does not grow with objects: kinds, the words for how a pass ended, and
its reasons.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from netgw.engine.objects import Object, parse_time
from netgw.engine.outcome import Outcome

PASS_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
READY_SECONDS = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0)

DriftEvent = Literal["detected", "corrected", "refused", "fought"]


class Histogram:
    """How many were at most so large, each bucket for itself; the last counts those beyond."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


class Tally:
    """`passes` by kind, outcome and reason; the others by kind, drift also by what became of it."""

    def __init__(self) -> None:
        self.passes: Counter[tuple[str, str, str]] = Counter()
        self.drift: Counter[tuple[str, DriftEvent]] = Counter()
        self.keys: Counter[str] = Counter()
        self.took: dict[str, Histogram] = {}
        self.ready: dict[str, Histogram] = {}

    def ended(self, kind: str, outcome: Outcome) -> None:
        """A pass that came to a verdict."""
        self.passes[kind, type(outcome).__name__.lower(), outcome.reason] += 1

    def cut(self, kind: str, how: str, reason: str = "") -> None:
        """A pass that came to none."""
        self.passes[kind, how, reason] += 1

    def lasted(self, kind: str, seconds: float) -> None:
        """Any pass."""
        self.took.setdefault(kind, Histogram(PASS_SECONDS)).add(seconds)

    def drifted(self, kind: str, event: DriftEvent, fields: int = 1) -> None:
        if fields:
            self.drift[kind, event] += fields

    def became_ready(self, obj: Object, now: datetime) -> None:
        """For the first time since it was made."""
        made = parse_time(obj.metadata.get("creationTimestamp"))
        if made is not None:
            seconds = max(0.0, (now - made).total_seconds())
            self.ready.setdefault(obj.kind, Histogram(READY_SECONDS)).add(seconds)
