"""Time that passes only when somebody sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class TimeIsUp(Exception):
    """Ends a loop that would run for ever."""


class FakeTime:
    """A clock and a sleep for one task under test; `at` lets things happen on the way."""

    def __init__(self, end: float = float("inf")) -> None:
        self.now = 0.0
        self.end = end
        self._agenda: list[tuple[float, Callable[[], None]]] = []

    def clock(self) -> float:
        return self.now

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Do this as soon as the clock stands at `when`."""
        self._agenda.append((when, action))

    async def sleep(self, seconds: float) -> None:
        """Let the clock move on; raises `TimeIsUp` past the end."""
        self.now += seconds
        for entry in [entry for entry in self._agenda if entry[0] <= self.now]:
            self._agenda.remove(entry)
            entry[1]()
        if self.now > self.end:
            raise TimeIsUp
        await asyncio.sleep(0)

    def run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run to its end, or until the time is up."""

        async def bounded() -> None:
            try:
                await coroutine
            except* TimeIsUp:
                pass

        asyncio.run(bounded())
