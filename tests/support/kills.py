"""An operator that is killed at any step of the event loop and started again; what must hold then, tests say.

A step is a round of the loop: every await of every pass is between two of them. `make test` tries each eleventh step,
the soak every one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from support.audit import SECRETS, Audit
from support.effort import effort
from support.history import History, play

Act = Callable[[History], None]
Before = Callable[[History], Awaitable[None]]

STRIDE = effort(test=11, soak=1)


def settled(h: History) -> bool:
    """Everything is in sync and Ready."""
    return all(h.ready(obj) for obj in h.objects())


def gone(h: History) -> bool:
    """No object is left."""
    return not h.kubernetes.objects


class Killed:
    """One history: `act`, death so many steps later (None: no death), a new process, until `done`.

    `create` is what is there before, where `act` is not just that; `before` is awaited instead of it, for a story.
    """

    def __init__(
        self,
        create: Act,
        act: Act,
        done: Callable[[History], bool],
        step: int | None,
        seed: int = 0,
        before: Before | None = None,
    ) -> None:
        self.create = create
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
        elif self.act is not self.create:
            await h.start()
            self.create(h)
            await h.settle()
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
    create: Act,
    act: Act,
    done: Callable[[History], bool],
    check: Callable[[Killed], None],
    before: Before | None = None,
    stride: int = STRIDE,
) -> None:
    """A death at each of the steps that `act` takes without one, `stride` apart."""
    steps = Killed(create, act, done, None, before=before).steps
    died = 0
    for step in range(1, steps, stride):
        killed = Killed(create, act, done, step, seed=step, before=before)
        died += killed.died
        check(killed)
    assert died > 0.7 * steps / stride


def in_cloud(h: History, **wanted: int) -> None:
    """How many there are that are not on their way out."""
    h.world.stamp()
    gateways = [gateway for gateway in h.world.gateways.values() if not gateway.deleting]
    connections = [connection for gateway in gateways for connection in gateway.connections]
    tunnels = [found for connection in connections for found in connection.tunnels]
    found = {"gateways": len(gateways), "connections": len(connections), "tunnels": len(tunnels)}
    assert found == wanted, h.picture()
