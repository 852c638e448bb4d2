"""Plays a history: `play` the one of a seed, `replay` one that is given, both in virtual time and always alike."""

from __future__ import annotations

import asyncio
import inspect
import sys
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from support.simulation import harm, people
from support.simulation.rest import check, heal, leave
from support.simulation.scene import Scene
from support.simulation.steps import KINDS_OF_STEPS, Step, written
from support.simulation.watch import Watch, log_watched
from support.virtual_time import VirtualLoop, run

# httpx looks for it at each request to an app in process, on disk where it is not installed: a sixth of all time.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]

Act = Callable[..., Awaitable[None] | None]
ACTS: dict[str, Act] = {what: getattr(people, what, None) or getattr(harm, what) for what in KINDS_OF_STEPS}


@dataclass(frozen=True)
class Outcome:
    """What became of a history. `failure` is None where everything held; `log` tells what happened when."""

    seed: int
    failure: str | None
    steps: tuple[Step, ...]
    calls: int
    kills: int
    seconds: float
    log: tuple[str, ...] = field(default=(), repr=False)


def play(seed: int) -> Outcome:
    """The history of this seed."""
    return replay(written(seed)[1], seed)


def replay(steps: Sequence[Step], seed: int) -> Outcome:
    """These steps with the cast, and the chances of time, of this seed."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    scene = Scene(loop, written(seed)[0], seed)
    failure: str | None = None
    try:
        run(_whole(scene, steps), loop)
    except Exception as error:  # noqa: BLE001  whatever went wrong is what is looked for
        failure = _told(error)
    finally:
        asyncio.set_event_loop(None)
    return Outcome(seed, failure, tuple(steps), len(scene.world.calls), scene.kills, scene.true.now(), tuple(scene.log))


async def _whole(s: Scene, steps: Sequence[Step]) -> None:
    s.witness = audit = Watch(s)
    with log_watched(audit.violations):
        try:
            people.rotate(s, who=0.0, key="madeup_psk_for_tests_1")
            await s.up()
            for step in steps:
                await _taken(s, step)
                assert not audit.violations, audit.violations[0]
            await heal(s, audit)
            await check(s, audit)
            await leave(s, audit)
        finally:
            await s.alone()
            await s.kill()


async def _taken(s: Scene, step: Step) -> None:
    """The step, and the time after it, in which the operator comes up again when it is down."""
    s.note(str(step))
    done: Any = ACTS[step.what](s, **step.args)
    if inspect.isawaitable(done):
        await done
    end = s.true.now() + step.wait
    while True:
        if s.life.over or s.app is None:
            await _reborn(s)
        left = end - s.true.now()
        if left <= 0 and not s.life.over:
            return
        ended = asyncio.ensure_future(s.life.ended.wait())
        await asyncio.wait({ended}, timeout=max(left, 0.01))
        ended.cancel()


async def _reborn(s: Scene) -> None:
    s.kills += s.app is not None
    await s.kill()
    s.note("dead")
    down, s.down = s.down, 0.0
    await asyncio.sleep(down)
    await s.up()
    s.note("started")


def _told(error: BaseException) -> str:
    if isinstance(error, AssertionError):
        return str(error)
    return "".join(traceback.format_exception(error))
