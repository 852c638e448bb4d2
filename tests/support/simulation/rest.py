"""The end of a history: harm stops, people do what messages ask of them, and then all must be well and stay so."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from datetime import timedelta

from netgw.engine.objects import Object, format_time
from support.history import KEY
from support.simulation.cast import LEGACY, ROUTERS
from support.simulation.equal import differences, resources
from support.simulation.people import APPROVAL, unbiased
from support.simulation.scene import Scene
from support.simulation.watch import Watch

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
CALLS_A_MINUTE = 150
"""At most, in the worst minute: the client's own limit is 300."""
HEALED, DELETED, QUIET, LOOKED_AT = 8000.0, 4000.0, 720.0, 270.0
"""Seconds: until all is well at the latest, until all is gone, for which all must stay well, and of looking on."""
ANSWERED = timedelta(seconds=0.5)
"""So soon we have an answer."""
READS = re.compile(r"GET /1\.3/(gateway\?limit=100&offset=0|router)")


async def heal(s: Scene, audit: Watch) -> None:
    """Everything works again, until all is well and has stayed so."""
    s.note("heal")
    s.raging = False
    await s.alone()
    s.world.faults.clear()
    s.trouble = s.life.trouble = s.kubernetes.lose_deleted = 0.0
    s.kubernetes.lag = 0.05
    s.kubernetes.put_secret("office-psk", KEY.encode())
    await s.up()
    _say_nothing_special(s)
    end, well_since = s.true.now() + HEALED, s.true.now()
    while s.true.now() - well_since < QUIET:  # that all seems well may come of nobody having looked yet
        assert well_since < end, "not healed:\n" + s.picture()
        assert not audit.violations, audit.violations[0]
        for ref in s.missing():
            s.apply(ref)
        await asyncio.sleep(10)
        if s.missing() or not all(s.ready(obj) for obj in s.objects()):
            well_since = s.true.now()
            for obj in s.objects():
                await obey(s, audit, obj)


def _say_nothing_special(s: Scene) -> None:
    """No policies, no pauses, no rivals, and what was imported is let go."""
    s.kubernetes.annotate_namespace("default-policies", None)
    for ref in s.cast.rivals:
        s.wanted.pop(ref, None)
        s.kubernetes.delete(*ref)
    for ref in s.wanted:
        s.wanted[ref] = unbiased(s.wanted[ref])
        s.reapply(ref)
    for obj in s.objects():
        for annotation in ("paused", "approve"):
            if obj.annotation(annotation) is not None:
                s.kubernetes.annotate(obj.kind, obj.name, annotation, None)
    if s.kubernetes.get(*LEGACY) is not None:
        s.kubernetes.apply(*LEGACY, {"import": {"name": "legacy"}})
        s.kubernetes.delete(*LEGACY)


async def check(s: Scene, audit: Watch) -> None:
    """One of each, as its spec says, nothing of others, and nothing to do any more."""
    recorded = sorted(str(obj.uuid) for obj in s.objects())
    assert len(set(recorded)) == len(recorded), s.picture()
    left_over = set(s.paths()) - set(recorded) - s.foreign
    assert not left_over, f"nobody's: {left_over}\n{s.picture()}"
    gone = s.foreign - set(resources(s)) - _removed(s)
    assert not gone, f"of others, and gone: {gone}\n{s.picture()}"
    assert (wrong := differences(s)) == [], f"{wrong}\n{s.picture()}"
    calls, writes, secrets = len(s.world.calls), len(s.kubernetes.writes), len(s.kubernetes.secret_writes)
    await asyncio.sleep(LOOKED_AT)
    made = [f"{call.method} {call.path}" for call in s.world.calls[calls:]]
    assert len(s.kubernetes.writes) == writes, f"{s.kubernetes.writes[writes:]}\n{s.picture()}"
    assert len(s.kubernetes.secret_writes) == secrets, s.picture()
    assert all(READS.fullmatch(call) for call in made), f"{made}\n{s.picture()}"
    assert all(made.count(call) <= LOOKED_AT / 75 + 1 for call in set(made)), made
    busiest = busiest_minute(call.at.timestamp() for call in s.world.calls)
    assert busiest <= CALLS_A_MINUTE, f"{busiest} calls in a minute"
    assert not audit.violations, audit.violations[0]


def _removed(s: Scene) -> set[str]:
    """What others made and took away themselves, or with what it was in."""
    return s.removed | {uuid for uuid in s.foreign if _came_too_late(s, uuid)}


def _came_too_late(s: Scene, uuid: str) -> bool:
    """Made between our last look at its gateway and the DELETE of that, where no operator can see it."""
    gateway, made = s.inside.get(uuid, (None, None))
    if gateway is None or made is None:
        return False
    deleted = [c.at for c in s.world.calls if c.method == "DELETE" and c.path == f"/1.3/gateway/{gateway}"]
    looks = [c.at for c in s.world.calls if c.method == "GET" and c.path.startswith("/1.3/gateway")]
    return any(made < at and not any(made < look < at - ANSWERED for look in looks) for at in deleted)


async def leave(s: Scene, audit: Watch) -> None:
    """Everything is deleted, and nothing but what is not ours stays."""
    for obj in s.objects():
        s.kubernetes.delete(obj.kind, obj.name)
    end = s.true.now() + DELETED
    while s.kubernetes.objects:
        assert s.true.now() < end, "not deleted:\n" + s.picture()
        await asyncio.sleep(5)
        for obj in s.objects():
            await obey(s, audit, obj)
    left = set(s.paths()) - s.foreign - set(ROUTERS)
    assert not left, f"left behind: {left}\n{s.picture()}"
    assert not audit.violations, audit.violations[0]


async def obey(s: Scene, audit: Watch, obj: Object) -> None:
    """What people do about what they read."""
    message = str((obj.condition("Synced") or {}).get("message"))
    match obj.reason:
        case "ExternallyDeleted" if found := APPROVAL.search(message):
            s.kubernetes.annotate(obj.kind, obj.name, "approve", found[1])
        case "NameConflict" | "OrphanSuspected" | "CascadeBlocked":
            for uuid in UUID.findall(message):
                await _remove(s, audit, uuid)
        case "ChildrenExist":
            for uuid in UUID.findall(message):
                await _remove(s, audit, uuid)
            for child in await s.kubernetes.children(obj):
                s.kubernetes.delete(child.kind, child.name)
        case "DriftFight" | "Rejected":
            s.kubernetes.annotate(obj.kind, obj.name, "reconcile-requested-at", format_time(s.true.wall()))
        case "AccountMismatch":
            s.kubernetes.annotate(obj.kind, obj.name, "force-orphan", "true")
            s.kubernetes.delete(obj.kind, obj.name)
        case _:
            pass


async def _remove(s: Scene, audit: Watch, uuid: str) -> None:
    """By hand, what no object records: it was made by hand, or its object lost its status, or went and left it.

    A router cannot go before what is attached to it, which is removed first, and the router when it is told again.
    """
    if any(obj.uuid == uuid for obj in s.objects()):
        return
    if (at_it := s.world.attached().get(uuid)) is not None:
        if at_it.uuid not in s.foreign:
            await _remove(s, audit, at_it.uuid)
    elif (path := s.paths().get(uuid)) is not None:
        assert not audit.lost(uuid), f"we made {path}, and lost it\n{s.picture()}"
        s.note(f"removed as told: {path}")
        s.removed |= s.with_all_in_it(uuid)
        await s.by_hand("DELETE", path)


def busiest_minute(times: Iterable[float]) -> int:
    """How many of them fall into the fullest minute."""
    found, most, first = sorted(times), 0, 0
    for last, at in enumerate(found):
        while found[first] <= at - 60:
            first += 1
        most = max(most, last - first + 1)
    return most
