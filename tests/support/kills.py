"""A process that is killed at one step of the event loop after the other, in the middle of something, and started again.

A step is a round of the loop: every await of every pass is between two of them. By default each fifth step is tried;
`NETGW_HISTORIES` of 100 or more every one.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable

from support.audit import SECRETS, Audit
from support.history import History, play

Act = Callable[[History], None]

STRIDE = 1 if int(os.environ.get("NETGW_HISTORIES") or 0) >= 100 else 5


async def everything(h: History) -> None:
    """The usual objects are there and in sync."""
    await h.start()
    h.apply_all()
    await h.settle()


class Killed:
    """One history: `before`, `act`, death so many steps later (None: no death), a new process, until `done`."""

    def __init__(
        self,
        act: Act,
        done: Callable[[History], bool],
        step: int | None,
        seed: int = 0,
        before: Callable[[History], Awaitable[None]] | None = everything,
    ) -> None:
        self.before = before
        self.act = act
        self.done = done
        self.step = step
        self.steps = 0
        self.died = False
        self.audit: Audit
        self.history = play(self._story, seed=seed, latency=0.05)
        assert self.audit.violations == []

    async def _story(self, h: History) -> None:
        h.witness = self.audit = Audit(h, SECRETS)
        if self.before is not None:
            await self.before(h)
            h.world.calls.clear()
        begun = h.loop.steps
        if self.step is not None:
            h.loop.at_step(begun + self.step, lambda: None if self.steps else h.die())
        self.act(h)
        if h.app is None:
            await h.start_or_die()
        await h.until(lambda: h.life.over or self.done(h))
        self.steps = h.loop.steps - begun
        self.died = h.life.over
        await h.kill()
        await h.start()
        await h.until(lambda: self.done(h))
        await asyncio.sleep(30)
        assert self.done(h), h.picture()


def sweep(
    act: Act,
    done: Callable[[History], bool],
    check: Callable[[Killed], None],
    before: Callable[[History], Awaitable[None]] | None = everything,
    stride: int = STRIDE,
) -> None:
    """Every step of it, `stride` at a time."""
    steps = Killed(act, done, None, before=before).steps
    died = 0
    for step in range(1, steps, stride):
        killed = Killed(act, done, step, seed=step, before=before)
        died += killed.died
        check(killed)
    assert died > 0.7 * steps / stride
