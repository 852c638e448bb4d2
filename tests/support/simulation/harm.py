"""What befalls cloud, cluster and operator in a history."""

from __future__ import annotations

import asyncio
from typing import Any

from support.simulation.scene import ALICE, BOB, Scene
from support.simulation.steps import KINDS

REFUSALS = (401, 402, 403)


def fault(s: Scene, *, place: str, way: dict[str, Any], when: Any, times: int) -> None:
    """An update that UpCloud itself refuses was not done: of a key, which cannot be read, nobody could know better."""
    if way.get("status") in REFUSALS and place.startswith(("PATCH ", "* ")):
        when = "before"
    s.world.faults.add(place, when=when, times=times, **way)


def empty_list(s: Scene) -> None:
    s.world.faults.add("GET /1.3/gateway", status=200, body=[])


def lag(s: Scene, *, seconds: float) -> None:
    s.kubernetes.lag = seconds


def gap(s: Scene, *, kind: str, seconds: float) -> None:
    """The watch is cut for a while."""
    if s.ear is not None:
        s.ear.gap(KINDS if kind == "all" else [kind], seconds)


def lose_deleted(s: Scene, *, part: float) -> None:
    s.kubernetes.lose_deleted = part


def trouble(s: Scene, *, part: float) -> None:
    """So many of the calls to the API server go wrong."""
    s.trouble = s.life.trouble = part


async def crash(s: Scene, *, steps: int, down: float, behind: float) -> None:
    """Dies within so many steps of the loop, and is started again after a while."""
    life = s.life
    died = s.loop.steps + steps
    s.loop.at_step(died, lambda: s.die() if s.life is life and s.raging else None)
    s.down, s.behind = down, behind


async def stop(s: Scene, *, behind: float) -> None:
    """As SIGTERM does."""
    if s.app is not None and not s.life.over:
        await s.app.drain()
    await s.kill()
    s.behind = behind


def jump(s: Scene, *, seconds: float) -> None:
    """The operator's wall clock is set."""
    s.skewed.skew += seconds


async def second_leader(s: Scene, *, seconds: float) -> None:
    """The lease went to another, and this one has not noticed yet."""
    await s.alone()
    other = s.beside()
    s.beside_us.append(other)

    async def lead() -> None:
        await other.up()
        await asyncio.sleep(seconds)
        if other in s.beside_us:
            s.beside_us.remove(other)
            await other.kill()

    s.leading = asyncio.ensure_future(lead())


async def other_account(s: Scene, *, seconds: float) -> None:
    """Somebody gives the operator a token of another account, and later the right one again."""
    await s.alone()
    for token in (BOB, ALICE):
        await s.kill()
        s.credential(token)
        await s.up()
        if token == BOB:
            await asyncio.sleep(seconds)
