"""An hour without Kubernetes, while there is something to do for every object: how often is asked, and how it ends."""

from __future__ import annotations

import asyncio
import hashlib
import random

import pytest

from netgw.engine.queue import BACKOFF_MOST
from netgw.providers.upcloud.simulator.records import Router
from support.days import HOUR
from support.effort import effort
from support.figures import Figures
from support.history import CONNECTION, GATEWAY, KEY, LOOKS, OTHER_KEY, ROUTER, History, play, tunnel
from support.weather.kubernetes import StormyKubernetes

TREES = 4
SEEDS = effort(test=3, soak=40)
HEARD = 0.06
"""Seconds after which each event of the watch has come."""
PER_PASS = 2
"""Calls of a pass that cannot be recorded: it looks at a Secret, and writes a status."""
UNREAD = 2
"""Passes a minute of a tunnel whose Secret cannot be read."""


@pytest.mark.parametrize("seed", range(SEEDS))
def test_kubernetes_is_away_for_an_hour(seed: int, figures: Figures) -> None:
    """Each object is tried later and later; the cloud is asked as ever; then all goes on, and nothing is made twice."""

    async def story(h: History) -> None:
        kubernetes = h.kubernetes = StormyKubernetes(h.clock, h.rng, random.Random(seed))
        grove(h, "10.0.1.0/24")
        await h.start()
        await h.settle()
        objects, uuids = len(h.objects()), {str(obj.uuid) for obj in h.objects()}
        times: list[float] = []
        kubernetes.on_call = lambda: times.append(h.clock.now())
        grove(h, "10.0.9.0/24")
        kubernetes.put_secret("office-psk", OTHER_KEY.encode())
        for number in range(TREES):
            kubernetes.delete("VpnTunnel", f"t-{number}-2")
        await asyncio.sleep(HEARD)
        kubernetes.away, begin = True, h.clock.now()
        await asyncio.sleep(HOUR)
        kubernetes.away, over = False, h.clock.now()
        await asyncio.sleep(0)
        await h.until(lambda: _done(h, objects - TREES), 3 * LOOKS.slow)
        took = (h.clock.now() - over) / LOOKS.slow
        minutes = [sum(begin + 60 * n <= at < begin + 60 * (n + 1) for at in times) for n in range(60)]
        assert max(minutes[10:]) <= bound(objects), minutes
        assert {gateway.uuid for gateway in h.world.gateways.values()} <= uuids
        assert {str(obj.uuid) for obj in h.objects()} <= uuids
        told = f"{minutes[0]} calls in the first minute, at most {max(minutes[10:])} in any after the tenth"
        figures.put("faults", f"an hour's outage of Kubernetes for {objects} objects: {seed}", told)
        figures.put("faults", f"an hour's outage of Kubernetes, settled after it: {seed}", f"{took:.1f} intervals")

    play(story, seed=seed)


def bound(objects: int) -> int:
    """Of one minute late in the outage: the back-off of each object has come to its longest by then."""
    passes = 60 / (0.75 * BACKOFF_MOST)
    return int(objects * PER_PASS * (passes + 1) + TREES * 2 * UNREAD)


def grove(h: History, network: str) -> None:
    for number in range(TREES):
        router = f"{ROUTER[:-2]}{number:02}"
        h.world.routers.setdefault(router, Router("simulator", router, f"r-{number}"))
        h.kubernetes.apply("NetworkGateway", f"g-{number}", GATEWAY | {"routerRef": {"uuid": router}})
        routes = [{"name": "cloud", "staticNetwork": network}]
        above = {"gatewayRef": {"name": f"g-{number}"}, "localRoutes": routes}
        h.kubernetes.apply("VpnConnection", f"c-{number}", CONNECTION | above)
        for end in (1, 2):
            peer = tunnel(f"100.10.{number}.{end}", connectionRef={"name": f"c-{number}"})
            h.kubernetes.apply("VpnTunnel", f"t-{number}-{end}", peer)
    h.kubernetes.put_secret("office-psk", KEY.encode())


def _done(h: History, objects: int) -> bool:
    """All of the change has arrived in the cloud, and status says so."""
    gateways = h.world.gateways.values()
    networks = {c.local_routes[0].static_network for gateway in gateways for c in gateway.connections}
    keys = {found.psk_sha256 for gateway in gateways for found in gateway.tunnels}
    whole = len(h.objects()) == objects and all(map(h.ready, h.objects()))
    return whole and networks == {"10.0.9.0/24"} and keys == {hashlib.sha256(OTHER_KEY.encode()).hexdigest()}
