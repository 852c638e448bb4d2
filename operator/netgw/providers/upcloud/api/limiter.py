"""A token bucket: how many requests per second one credential sends.

UpCloud publishes no rate limit for this API and no recording shows a 429, so the default (5 per second, 20 at once) is
an assumption: far above what steady state needs, far below what a hot loop sends. A 429 with Retry-After closes it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

DEFAULT_RATE = 5.0
DEFAULT_BURST = 20


def loop_clock() -> float:
    """The running event loop's time: monotonic, and virtual where the loop is."""
    return asyncio.get_running_loop().time()


@dataclass(frozen=True)
class Timing:
    """Time and dice, in seconds: replaced together when time is virtual."""

    clock: Callable[[], float] = loop_clock
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    uniform: Callable[[float, float], float] = random.uniform


class TokenBucket:
    """Hands out turns in order of asking: `rate` per second, up to `burst` at once after a rest."""

    def __init__(self, *, rate: float = DEFAULT_RATE, burst: int = DEFAULT_BURST, timing: Timing | None = None) -> None:
        self._interval = 1 / rate
        self._burst = burst
        self._reach = (burst - 1) * self._interval
        self._timing = timing or Timing()
        self._full_at = float("-inf")  # the moment at which the bucket is full again: its whole content in one number
        self._paused_until = float("-inf")

    async def acquire(self, max_wait: float) -> float:
        """Wait for a turn and return 0; take none and return at once how far it is, when beyond `max_wait` seconds."""
        deadline = self._timing.clock() + max_wait
        while True:
            now = self._timing.clock()
            full_at = max(self._full_at, now)
            turn = max(now, full_at - self._reach, self._paused_until)
            if turn > deadline:
                return turn - now
            self._full_at = full_at + self._interval
            if turn > now:
                await self._timing.sleep(turn - now)
            if self._paused_until <= turn:  # else a 429 came in while this one waited: it queues again
                return 0.0

    def left(self) -> int:
        """How many turns could be taken now without waiting."""
        now = self._timing.clock()
        if now < self._paused_until:
            return 0
        left = self._burst - (self._full_at - now) / self._interval + 1e-6
        return int(min(max(left, 0.0), self._burst))  # all of it before the first turn, when left is inf

    def pause(self, seconds: float) -> None:
        """Hand out nothing for so long; after that one turn, and the usual rate."""
        until = self._timing.clock() + seconds
        self._paused_until = max(self._paused_until, until)
        self._full_at = max(self._full_at, until + self._reach)
