"""When the next look is due: soon while something moves or fails, else each interval, and not all accounts at once."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable

from netgw.engine.ports import Clock
from netgw.kube.provider import Intervals

RETRY_FIRST = 2.0
SPREAD, RETRY_SPREAD = 0.05, 0.25
"""How far a pause may be from its mean, as a part of it."""


class Pace:
    """Pauses between looks, in seconds. A `lot` from -1 to 1 says where in the spread a pause lies."""

    def __init__(self, clock: Clock, rng: random.Random, intervals: Intervals) -> None:
        self.slow, self.fast = intervals.slow, min(intervals.fast, intervals.slow)
        self._clock = clock
        self._rng = rng
        self._fast_until = clock.now()
        self._nudge = asyncio.Event()

    def expedite(self, seconds: float) -> None:
        """Look often for a while."""
        self._fast_until = max(self._fast_until, self._clock.now() + seconds)
        self.nudge()

    def nudge(self) -> None:
        """Whoever pauses asks anew how long."""
        self._nudge.set()

    async def pause(self, seconds: Callable[[float], float]) -> None:
        """Until so many have passed since now; with each nudge they are asked for again, with the same lot."""
        began, lot = self._clock.now(), self._rng.uniform(-1.0, 1.0)
        while (left := began + seconds(lot) - self._clock.now()) > 0:
            self._nudge.clear()
            # Not wait_for, which in Python 3.11 can swallow a cancellation.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._nudge.wait()

    def after_failure(self, failures: int, asked: float | None, lot: float) -> float:
        """Longer with each failure in a row; as long as the cloud asked for; never longer than an interval."""
        pause = min(RETRY_FIRST * 2.0 ** min(failures - 1, 10), self.slow)
        return max(pause * (1 + RETRY_SPREAD * lot), min(asked or 0.0, self.slow))

    def usual(self, lot: float, *, moving: Callable[[], bool]) -> float:
        """Short for a while after `expedite`, and while something moves."""
        if self._clock.now() < self._fast_until or moving():
            return self.fast
        return self.slow * (1 + SPREAD * lot)
