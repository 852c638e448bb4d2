"""An hour without an answer: how often is asked, by how many objects whatever, and whom else it concerns."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from typing import Any

import pytest

from netgw.providers.upcloud.api.transport import FURTHER_TRIES
from netgw.providers.upcloud.observing.pace import RETRY_FIRST, RETRY_SPREAD
from netgw.providers.upcloud.simulator.records import Router
from support.days import HOUR
from support.figures import Figures
from support.history import CONNECTION, GATEWAY, KEY, LOOKS, tunnel
from support.tenants import ALICE, BOB, HOME, TENANT, Tenants, play
from support.weather.callers import told_apart
from support.weather.cloud import WAYS, Storm

TREES = 3
LIST = "GET /1.3/gateway?limit=100&offset=0"
TRIES = 1 + FURTHER_TRIES

OUTAGES: dict[str, tuple[tuple[str, Any], ...]] = {
    "503": (("503", {"status": 503}),),
    "429": (("429", {"status": 429}),),
    "401": (("401", {"status": 401}),),
    "reset": (("reset", {"reset": True}),),
    "time-out": (("time-out", {"timeout": 60.0}),),
    "everything": tuple(way for way in WAYS if way[0] != "an answer of 30 s"),  # that is one
}


def first_minute() -> int:
    """Looks at 0, 2, 6, 14, 30 s after the first that fails, or a bit sooner, with three tries each."""
    looks, at, pause = 1, 0.0, RETRY_FIRST
    while (at := at + (1 - RETRY_SPREAD) * pause) < 60.0:
        looks, pause = looks + 1, min(2 * pause, LOOKS.slow)
    return TRIES * (looks + 1)


def each_minute() -> int:
    """One look per interval, and one more that falls into the same minute."""
    return TRIES * 2


def grove(d: Tenants) -> None:
    """Trees of alice's: as many objects as ask for something when the outage is over."""
    for number in range(TREES):
        router = f"04a11ce0-0000-4000-8000-{number:012}"
        d.world.routers[router] = Router("alice", router, f"r-{number}")
        kubernetes = d.kubernetes
        kubernetes.apply("NetworkGateway", f"g-{number}", GATEWAY | {"routerRef": {"uuid": router}})
        kubernetes.apply("VpnConnection", f"c-{number}", CONNECTION | {"gatewayRef": {"name": f"g-{number}"}})
        peer = {"connectionRef": {"name": f"c-{number}"}}
        for end in (1, 2):
            kubernetes.apply("VpnTunnel", f"t-{number}-{end}", tunnel(f"100.10.{number}.{end}", **peer))


def a_minute(times: list[float], begin: float) -> Counter[int]:
    return Counter(int((at - begin) // 60) for at in times)


@pytest.mark.parametrize("kind", OUTAGES)
def test_the_cloud_is_away_for_an_hour(kind: str, figures: Figures) -> None:
    """The circuit of the account is open: one look is all that asks, less and less often. The other account works."""

    async def story(d: Tenants) -> None:
        faults = told_apart(d)
        await d.both()
        grove(d)
        await d.settle()
        storm = Storm(d.rng, 1.0, OUTAGES[kind], ())
        times: list[float] = []
        storm.on_call = lambda method, path: times.append(d.clock.now())
        objects = len(d.objects())
        faults.of[ALICE] = storm
        begin = d.clock.now()
        d.kubernetes.put_secret("office-psk", KEY.replace("1", "9").encode(), HOME)  # everything wants to be changed
        for number in range(TREES):
            d.kubernetes.delete("VpnTunnel", f"t-{number}-2")
        await asyncio.sleep(HOUR / 2)
        bobs = len(d.asked(BOB))
        d.change(TENANT, "office", localRoutes=[{"name": "cloud", "staticNetwork": "10.0.9.0/24"}])
        await d.until(lambda: len(d.changes(BOB)) > 0, 60)
        await asyncio.sleep(HOUR / 2 - (d.clock.now() - begin - HOUR / 2))
        minutes = a_minute(times, begin)
        # Until the first look meets it, which is soon after a change, each object may have found out by itself.
        assert minutes[0] <= first_minute() + TRIES * objects, minutes
        busiest = max(minutes[minute] for minute in range(2, 60))
        assert busiest <= each_minute(), minutes
        gaps = {round(after - before, 3) for before, after in itertools.pairwise(times)}
        assert len(gaps) > len(times) / 4, "no jitter"
        assert len(d.asked(BOB)) - bobs >= HOUR / 2 / LOOKS.slow * 0.9
        _truthful(d)
        faults.of.clear()
        over = d.clock.now()
        await d.until(lambda: len(d.objects()) == objects - TREES, 3 * LOOKS.slow)
        await d.until(lambda: all(d.ready(obj) for obj in d.objects()), 3 * LOOKS.slow)
        took = (d.clock.now() - over) / LOOKS.slow
        assert took <= 3
        said = f"{minutes[0]} calls in the first minute, at most {busiest} in any after the second, {len(times)} in all"
        figures.put("faults", f"an hour's outage of the cloud for {objects} objects: {kind}", said)
        figures.put("faults", f"an hour's outage of the cloud, settled after it: {kind}", f"{took:.1f} intervals")

    play(story)


def _truthful(d: Tenants) -> None:
    """Nobody claims to be ready on the strength of a look that is an hour old."""
    for obj in d.objects():
        ready = obj.condition("Ready") or {}
        if obj.namespace == HOME and not obj.deleting:
            assert (ready["status"], ready["reason"]) == ("Unknown", "CannotObserve"), d.picture()
        elif obj.namespace == TENANT:
            assert ready["status"] == "True", d.picture()
