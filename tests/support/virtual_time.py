"""An event loop whose time is virtual: a sleep costs nothing, hours pass in milliseconds, and every run is the same."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

STANDING_MOST = 200_000
BEGIN = datetime(2026, 11, 22, 3, 0, 0, tzinfo=UTC)


class _JumpingSelector(selectors.SelectSelector):
    """Instead of waiting for the time-out, moves the clock there."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.steps = 0
        self.standing = 0
        self.agenda: dict[int, Callable[[], None]] = {}

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise AssertionError("nothing is due any more: everything waits for everything else")
        self.now += max(timeout, 0.0)
        self.steps += 1
        self.standing = 0 if timeout > 0 else self.standing + 1
        if self.standing > STANDING_MOST:
            raise AssertionError(f"round and round at {self.now}: tasks wake each other, and no time passes")
        if self.steps in self.agenda:
            self.agenda.pop(self.steps)()
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A step is one round of the loop: everything that is due at once, up to where it waits again."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    @property
    def steps(self) -> int:
        return self._jumping.steps

    def at_step(self, step: int, action: Callable[[], None]) -> None:
        """Do this between two steps, when so many were taken."""
        self._jumping.agenda[step] = action


class VirtualClock:
    """The engine's clock on the running loop; `wall` is also the simulator's clock."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now(self) -> float:
        return self._loop.time()

    def wall(self) -> datetime:
        return BEGIN + timedelta(seconds=self._loop.time())


def run(main: Coroutine[Any, Any, T], loop: VirtualLoop) -> T:
    """Run to the end and leave nothing behind."""
    try:
        return loop.run_until_complete(main)
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
