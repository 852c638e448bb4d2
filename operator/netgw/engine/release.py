"""Hands off: the cloud keeps everything and our mark comes off, also where the object is not to be deleted.

Nothing is created, changed or deleted beside the mark, and no status is written. Taking the mark off is best effort:
what cannot be reached is told, for a mark holds up nobody but another netgw. The finalizer is the caller's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from netgw.engine.actuator import External, Look, Unseen
from netgw.engine.outcome import CallFailed
from netgw.engine.ownership import LOOKS_APART, Record
from netgw.engine.progress import Pass


@dataclass(frozen=True)
class Kept:
    """What stays in the cloud. `why`: what kept our mark on it; None where there is none any more."""

    uuids: tuple[str, ...] = ()
    why: str | None = None


async def unmark(p: Pass, look: Look) -> None:
    """Take our mark off what is seen there: one call at most. Raises CallFailed."""
    p.about_to_write()
    if isinstance(look, External) and not p.env.read_only:
        async with p.actuator.tree(p.obj):
            await p.actuator.unmark(p.obj, look)


async def keep(p: Pass, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> Kept:
    """Take our mark off whatever the object has in the cloud."""
    recorded = () if p.obj.uuid is None else (p.obj.uuid,)
    nothing_sent = not recorded and not p.obj.creating and not p.obj.lost
    if nothing_sent or not p.actuator.marked or p.policies.observes:
        return Kept(recorded)
    if p.env.read_only:
        return Kept(recorded, "NETGW_READ_ONLY is set")
    try:
        if (hold := await p.account_hold()) is not None:
            return Kept(recorded, f"{hold.reason}: {hold.message}")
        found = await _found(p, sleep)
        for look in found:
            if isinstance(look, Unseen):
                return Kept(recorded, look.message or "it cannot be seen now")
            await unmark(p, look)
    except CallFailed as failure:
        return Kept(recorded, f"{failure.outcome.reason}: {failure.outcome.message}")
    return Kept(tuple(look.uuid for look in found if isinstance(look, External)))


async def _found(p: Pass, sleep: Callable[[float], Awaitable[None]]) -> Sequence[Look]:
    """By the recorded uuid, else by our mark: twice where a create was cut, whose answer may be on its way."""
    if p.obj.uuid is not None:
        return [await p.actuator.observe(p.obj, fresh=True)]
    record = Record.of(p.obj)
    name = p.actuator.effective_name(p.obj) if record is None else record.name
    found = (await p.actuator.search(p.obj, name, None)).mine
    if record is not None and not found:
        await sleep(LOOKS_APART)
        found = (await p.actuator.search(p.obj, name, None)).mine
    return found
