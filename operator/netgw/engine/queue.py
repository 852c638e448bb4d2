"""One keyed queue with a single writer per key.

Invariants (tested): a key is worked on by at most one worker; a key that is added while it is worked on is worked on
once more afterwards; an add is never lost; work that fails is tried again, later each time; after `drain` begins
nothing new starts and what runs is finished.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from netgw.engine.ports import Unanswered

log = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)
BACKOFF_FIRST, BACKOFF_MOST, BACKOFF_STEPS = 1.0, 60.0, 10


class Queue(Generic[K]):
    """`work(key)` returns after how many seconds the key is due again by itself, None for never."""

    def __init__(self, work: Callable[[K], Awaitable[float | None]], *, workers: int, rng: random.Random) -> None:
        self._work = work
        self._workers = workers
        self._rng = rng
        self._ready: asyncio.Queue[K | None] = asyncio.Queue()
        self._queued: dict[K, float] = {}  # since when, the eldest first
        self._active: dict[K, float] = {}
        self._dirty: set[K] = set()
        self._timers: dict[K, asyncio.TimerHandle] = {}
        self._failures: dict[K, int] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self.worked = 0

    def __len__(self) -> int:
        return len(self._queued) + len(self._active)

    @property
    def waiting(self) -> int:
        """How many are due and wait for a worker."""
        return len(self._queued)

    @property
    def active(self) -> int:
        """How many are worked on."""
        return len(self._active)

    @property
    def oldest(self) -> float:
        """Seconds for which the first in the queue has waited, 0 when nothing waits."""
        return self._age(self._queued)

    @property
    def longest(self) -> float:
        """Seconds for which the longest pass has run, 0 when none runs."""
        return self._age(self._active)

    @staticmethod
    def _age(since: dict[K, float]) -> float:
        return max(0.0, _now() - min(since.values())) if since else 0.0

    @property
    def idle(self) -> bool:
        """Nothing is due now (timers may be pending)."""
        return not self._queued and not self._active

    def add(self, key: K) -> None:
        """Due now. Worked on once, however often it is added before a worker gets to it."""
        if self._stopping:
            return
        self._cancel_timer(key)
        if key in self._active:
            self._dirty.add(key)
        elif key not in self._queued:
            self._queued[key] = _now()
            self._ready.put_nowait(key)

    def add_after(self, key: K, seconds: float) -> None:
        """Due in `seconds`, or earlier where it is due earlier already."""
        if self._stopping or key in self._queued or key in self._dirty:
            return
        due = _now() + max(seconds, 0.0)
        timer = self._timers.get(key)
        if timer is not None and timer.when() <= due:
            return
        self._set_timer(key, seconds)

    def forget(self, key: K) -> None:
        """The object is gone: no timer, no memory of failures."""
        self._cancel_timer(key)
        self._failures.pop(key, None)

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._run(), name=f"worker-{n}") for n in range(self._workers)]

    async def drain(self, timeout: float) -> bool:
        """Start nothing new and wait for what runs. False when something was still running after `timeout`."""
        self._stopping = True
        for key in list(self._timers):
            self._cancel_timer(key)
        while not self._ready.empty():
            self._ready.get_nowait()
        self._queued.clear()
        for _ in self._tasks:
            self._ready.put_nowait(None)
        if not self._tasks:
            return True
        _, running = await asyncio.wait(self._tasks, timeout=timeout)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        return not running

    def alive(self) -> bool:
        return all(not task.done() for task in self._tasks)

    async def _run(self) -> None:
        while (key := await self._ready.get()) is not None:
            self._queued.pop(key, None)
            self._active[key] = _now()
            await self._turn(key)

    async def _turn(self, key: K) -> None:
        try:
            after = await self._work(key)
            self._failures.pop(key, None)
        except Unanswered as error:
            after = self._backoff(key)
            log.warning("pass failed, again in %.0f s: %s: %s", after, type(error).__name__, error)
        except Exception:
            after = self._backoff(key)
            log.exception("pass failed, again in %.0f s", after)
        finally:
            self.worked += 1
            self._active.pop(key, None)
        if key in self._dirty:
            self._dirty.discard(key)
            self.add(key)
        elif after is not None:
            self.add_after(key, after)

    def _backoff(self, key: K) -> float:
        failures = self._failures[key] = min(self._failures.get(key, 0) + 1, BACKOFF_STEPS)
        return float(min(BACKOFF_FIRST * 2.0 ** (failures - 1), BACKOFF_MOST)) * self._rng.uniform(0.75, 1.25)

    def _set_timer(self, key: K, seconds: float) -> None:
        self._cancel_timer(key)
        if not self._stopping:
            self._timers[key] = asyncio.get_running_loop().call_later(max(seconds, 0.0), self._due, key)

    def _due(self, key: K) -> None:
        self._timers.pop(key, None)
        self.add(key)

    def _cancel_timer(self, key: K) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()


def _now() -> float:
    return asyncio.get_running_loop().time()
