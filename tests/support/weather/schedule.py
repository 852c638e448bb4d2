"""One seeded schedule of bad weather in virtual time: users at work in a storm, then a clear sky, and what is left.

Every call of the cloud and of Kubernetes may fail, the wall clock of the operator jumps, its credentials are revoked
and given back, a Secret changes, objects come, change and go. When it is over everything has to be settled within
three intervals: each object once in the cloud, nothing of nobody, each key as in its Secret, and nothing left to do.
"""

from __future__ import annotations

import asyncio
import copy
import hashlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from netgw.engine.objects import Object
from netgw.kube.errors import KubernetesError
from netgw.providers.upcloud.simulator import World
from netgw.providers.upcloud.simulator.records import Router
from support.audit import Audit, audited
from support.history import KEY, LOOKS, ROUTER, History
from support.weather.cloud import Storm
from support.weather.kubernetes import StormyKubernetes
from support.weather.users import ACCOUNT, JumpingClock, Users

RATE = 0.3
INTERVALS = 3
FROM_REST = 0.7
"""The part of schedules whose storm meets what is all there: from nothing, few tunnels are made before it ends."""
REST_AFTER, REST = 60.0, 120.0


@dataclass
class Outcome:
    """What one schedule came to. `settled`, `gone`: seconds from a clear sky, or a deletion, to the end.

    `cloud` and `kubernetes`: how often a call failed, by the sort of failure; `endpoints`: which of the cloud's.
    """

    settled: float = 0.0
    gone: float = 0.0
    seen: Counter[str] = field(default_factory=Counter)
    cloud: Counter[str] = field(default_factory=Counter)
    kubernetes: Counter[str] = field(default_factory=Counter)
    endpoints: Counter[str] = field(default_factory=Counter)


def play(seed: int, minutes: float = 5.0) -> Outcome:
    """One schedule, audited throughout."""
    outcome = Outcome()

    async def story(h: History) -> None:
        schedule = Schedule(h, seed, outcome)
        await schedule.storm(minutes * 60)
        await schedule.clear_up()
        await schedule.leave()

    audited(story, seed=seed, latency=0.1)
    return outcome


class Schedule:
    """`users` do something every now and then, until the sky is clear; what they want is what has to come true."""

    def __init__(self, h: History, seed: int, outcome: Outcome) -> None:
        self.h = h
        self.rng = random.Random(seed)
        self.outcome = outcome
        h.world = World(delay=2.0, clock=h.clock.wall, routers=[ROUTER], seed=seed, tokens=ACCOUNT)
        self.clouds = h.world.faults = Storm(random.Random(self.rng.random()), 0.0)
        self.kubernetes = StormyKubernetes(h.clock, h.rng, random.Random(self.rng.random()))
        h.kubernetes = self.kubernetes
        h.operators_clock = self.clock = JumpingClock(h.loop)
        self.users = Users(h, self.rng, self.clock)
        assert isinstance(h.witness, Audit)
        h.witness = Audit(h)

    # ---- the storm

    async def storm(self, seconds: float) -> None:
        """Users at work, one thing every now and then."""
        h = self.h
        h.kubernetes.put_secret("office-psk", KEY.encode())
        if self.rng.random() < FROM_REST:
            await h.start()
            self.users.apply_all()
            await h.settle()
        self.clouds.rate = self.kubernetes.rate = RATE
        await self._up()
        self.users.apply_some()
        end = h.clock.now() + seconds
        while h.clock.now() < end:
            self.users.do_something()
            await asyncio.sleep(self.rng.choice([0.1, 2.0, 15.0, 40.0]) * self.rng.random())
            self._audit()

    async def _up(self) -> None:
        """As a kubelet does: again and again."""
        while self.h.app is None:
            try:
                await self.h.start()
            except KubernetesError:
                await self.h.kill()
                await asyncio.sleep(self.rng.uniform(1, 10))

    async def clear_up(self) -> None:
        """No fault any more; what is wanted is applied once, as a pipeline does, and then nobody does anything."""
        self._clear()
        self.clock.skew += timedelta(seconds=self.rng.choice([0, 0, -1800, 1800]))
        for obj in self.h.objects():
            if obj.deleting:
                self.users.delete_tree((obj.kind, obj.name))
        self.users.apply_all()
        clear = self.h.clock.now()
        await self._until(self._settled)
        self.outcome.settled = self.h.clock.now() - clear
        await self._rest()
        self._compare()

    async def leave(self) -> None:
        """Everything is deleted in the next storm, and goes when that is over."""
        self.clouds.rate = self.kubernetes.rate = RATE
        for obj in self.rng.sample(self.h.objects(), len(self.h.objects())):
            self.h.kubernetes.delete(obj.kind, obj.name)
            await asyncio.sleep(self.rng.uniform(0, 10))
        self._clear()
        clear = self.h.clock.now()
        await self._until(lambda: not self.h.kubernetes.objects)
        self.outcome.gone = self.h.clock.now() - clear
        self.h.world.stamp()
        assert all(gateway.deleting for gateway in self.h.world.gateways.values()), self._picture()
        assert self._routers() == [], self._picture()
        self._audit()
        self.outcome.seen = Counter({"cloud": self.clouds.seen, "Kubernetes": self.kubernetes.seen})
        self.outcome.cloud, self.outcome.kubernetes = self.clouds.failed, self.kubernetes.failed
        self.outcome.endpoints = self.clouds.endpoints

    # ---- looking

    def _clear(self) -> None:
        self.clouds.pass_over()
        self.kubernetes.rate, self.kubernetes.lag = 0.0, 0.05
        self.users.give_back()
        self.users.find_peers()
        self.users.note("clear sky")

    async def _until(self, what: Callable[[], bool]) -> None:
        end = self.h.clock.now() + INTERVALS * LOOKS.slow
        while not what():
            assert self.h.clock.now() < end, f"not within {INTERVALS} intervals:\n{self._picture()}"
            await asyncio.sleep(0.5)

    def _settled(self) -> bool:
        """A deletion that came last may still be under way when the pipeline applies: then it has to apply again."""
        for ref, spec in self.users.cast.items():
            if self.h.kubernetes.get(*ref) is None:
                self.h.kubernetes.apply(*ref, copy.deepcopy(spec))
        return all(self._done(obj) for obj in self.h.objects())

    def _done(self, obj: Object) -> bool:
        return not obj.deleting and self.h.ready(obj)

    async def _rest(self) -> None:
        """Nothing is written any more, and lists are all that is asked, over two slow intervals."""
        await asyncio.sleep(REST_AFTER)
        calls, writes = len(self.h.world.calls), len(self.h.kubernetes.writes)
        await asyncio.sleep(REST)
        written = self.h.kubernetes.writes[writes:]
        assert not written, f"{written}\n{self._picture()}"
        asked = {f"{call.method} {call.path}" for call in self.h.world.calls[calls:]}
        assert asked == {"GET /1.3/gateway?limit=100&offset=0", "GET /1.3/router"}, f"{asked}\n{self._picture()}"

    def _compare(self) -> None:
        """Each object once in the cloud, and nothing but that; each key as in the Secret."""
        self.h.world.stamp()
        gateways = [gateway for gateway in self.h.world.gateways.values() if not gateway.deleting]
        tunnels = [found for gateway in gateways for found in gateway.tunnels]
        connections = [found for gateway in gateways for found in gateway.connections]
        found: list[Any] = [*self._routers(), *gateways, *connections, *tunnels]
        recorded = {str(obj.uuid) for obj in self.h.objects()}
        assert len(recorded) == len(self.users.cast), self._picture()
        assert sorted(one.uuid for one in found) == sorted(recorded), self._picture()
        assert sorted(one.name for one in found) == sorted(name for _, name in self.users.cast), self._picture()
        secret = self.h.kubernetes.secrets["default", "office-psk"].data["psk"].get_secret_value()
        assert {one.psk_sha256 for one in tunnels} == {hashlib.sha256(secret).hexdigest()}, self._picture()
        self._audit()

    def _routers(self) -> list[Router]:
        """But for the one that was there before."""
        return [router for router in self.h.world.routers.values() if router.uuid != ROUTER]

    def _audit(self) -> None:
        assert isinstance(self.h.witness, Audit)
        assert not self.h.witness.violations, self.h.witness.violations[0] + "\n" + "\n".join(self.users.log[-40:])

    def _picture(self) -> str:
        return self.h.picture() + "\n" + "\n".join(self.users.log[-40:])
