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
from datetime import datetime, timedelta
from typing import Any

from netgw.engine.objects import Object
from netgw.providers.upcloud.simulator import World
from netgw.providers.upcloud.simulator.records import Router
from support.audit import Audit, audited
from support.history import CONNECTION, GATEWAY, KEY, LOOKS, OTHER_KEY, ROUTER, History, tunnel
from support.virtual_time import VirtualClock
from support.weather.cloud import Storm
from support.weather.kubernetes import StormyKubernetes

RATE = 0.3
INTERVALS = 3
OTHER_ROUTER = "04b0b000-0000-4000-8000-000000000002"
ACCOUNT = {"madeup-token": "simulator"}
REST_AFTER, REST = 60.0, 120.0

Ref = tuple[str, str]
CAST: dict[Ref, dict[str, Any]] = {
    ("NetworkGateway", "edge"): GATEWAY,
    ("NetworkGateway", "lab"): GATEWAY | {"routerRef": {"uuid": OTHER_ROUTER}},
    ("VpnConnection", "office"): CONNECTION,
    ("VpnConnection", "site"): CONNECTION | {"gatewayRef": {"name": "lab"}},
    ("VpnTunnel", "office-1"): tunnel("100.10.0.111"),
    ("VpnTunnel", "office-2"): tunnel("100.10.0.112"),
    ("VpnTunnel", "site-1"): tunnel("100.10.0.113", connectionRef={"name": "site"}),
}


class JumpingClock(VirtualClock):
    """The wall clock of one machine, which somebody sets; the other clock goes on."""

    skew = timedelta(0)

    def wall(self) -> datetime:
        return super().wall() + self.skew


@dataclass
class Outcome:
    """What one schedule came to. `settled`, `gone`: seconds from a clear sky, or a deletion, to the end."""

    settled: float = 0.0
    gone: float = 0.0
    seen: Counter[str] = field(default_factory=Counter)
    cloud: Counter[str] = field(default_factory=Counter)
    kubernetes: Counter[str] = field(default_factory=Counter)


def play(seed: int, minutes: float = 2.5) -> Outcome:
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
    """`log` says what was done, for whoever has to find out why."""

    def __init__(self, h: History, seed: int, outcome: Outcome) -> None:
        self.h = h
        self.rng = random.Random(seed)
        self.outcome = outcome
        self.cast = copy.deepcopy(CAST)
        self.log: list[str] = []
        h.world = World(delay=2.0, clock=h.clock.wall, routers=[ROUTER, OTHER_ROUTER], seed=seed, tokens=ACCOUNT)
        h.world.routers[OTHER_ROUTER] = Router("simulator", OTHER_ROUTER, "second")
        self.clouds = h.world.faults = Storm(random.Random(self.rng.random()), 0.0)
        self.kubernetes = StormyKubernetes(h.clock, h.rng, random.Random(self.rng.random()))
        h.kubernetes = self.kubernetes
        self.clock = h.operators_clock = JumpingClock(h.loop)
        assert isinstance(h.witness, Audit)
        h.witness = Audit(h)
        self.acts: list[tuple[int, Callable[[], None]]] = [
            (6, self.apply_some),
            (4, self.edit),
            (3, self.delete_one),
            (3, self.rotate),
            (2, self.jump),
            (2, self.revoke),
            (3, self.give_back),
            (2, self.lag),
        ]

    # ---- the storm

    async def storm(self, seconds: float) -> None:
        """Users at work, one thing every now and then."""
        h = self.h
        h.kubernetes.put_secret("office-psk", KEY.encode())
        await h.start()
        self.clouds.rate = self.kubernetes.rate = RATE
        self.apply_some()
        end = h.clock.now() + seconds
        weights = [weight for weight, _ in self.acts]
        while h.clock.now() < end:
            self.rng.choices(self.acts, weights)[0][1]()
            await asyncio.sleep(self.rng.choice([0.1, 2.0, 15.0, 40.0]) * self.rng.random())
            self._audit()

    async def clear_up(self) -> None:
        """No fault any more; what is wanted is applied once, as a pipeline does, and then nobody does anything."""
        self._clear()
        self.clock.skew += timedelta(seconds=self.rng.choice([0, 0, -1800, 1800]))
        for obj in self.h.objects():
            if obj.deleting:
                self._delete_tree((obj.kind, obj.name))
        for ref, spec in self.cast.items():
            self.h.kubernetes.apply(*ref, copy.deepcopy(spec))
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
        self._audit()
        self.outcome.seen = Counter({"cloud": self.clouds.seen, "Kubernetes": self.kubernetes.seen})
        self.outcome.cloud, self.outcome.kubernetes = self.clouds.failed, self.kubernetes.failed

    # ---- what happens

    def apply_some(self) -> None:
        for ref in self.rng.sample(sorted(self.cast), self.rng.randint(2, len(self.cast))):
            self.h.kubernetes.apply(*ref, copy.deepcopy(self.cast[ref]))
        self._note("apply some")

    def edit(self) -> None:
        ref = self.rng.choice(sorted(self.cast))
        spec = self.cast[ref]
        match ref[0]:
            case "NetworkGateway":
                spec["plan"] = self.rng.choice(["production", "advanced"])
            case "VpnConnection":
                network = f"10.0.{self.rng.randint(10, 200)}.0/24"
                spec["localRoutes"] = [{"name": "cloud", "staticNetwork": network}]
            case _:
                spec["ipsec"]["rekeyTime"] = self.rng.choice([7200, 14400, 28800])
        self.h.kubernetes.apply(*ref, copy.deepcopy(spec))
        self._note(f"edit {ref}")

    def delete_one(self) -> None:
        """With what is below it, as who deletes a folder does."""
        ref = self.rng.choice(sorted(self.cast))
        self._delete_tree(ref)
        self._note(f"delete {ref}")

    def _delete_tree(self, ref: Ref) -> None:
        for below in [ref, *(child for child in self.cast if ref in self._above(child))]:
            self.h.kubernetes.delete(*below)

    def _above(self, ref: Ref) -> list[Ref]:
        spec = self.cast[ref]
        match ref[0]:
            case "VpnTunnel":
                parent = ("VpnConnection", spec["connectionRef"]["name"])
            case "VpnConnection":
                parent = ("NetworkGateway", spec["gatewayRef"]["name"])
            case _:
                return []
        return [parent, *self._above(parent)]

    def rotate(self) -> None:
        self.h.kubernetes.put_secret("office-psk", self.rng.choice([KEY, OTHER_KEY]).encode())
        self._note("rotate")

    def jump(self) -> None:
        self.clock.skew += timedelta(seconds=self.rng.choice([-3600, -120, -5, 5, 120, 3600]))
        self._note(f"the clock is off by {self.clock.skew}")

    def revoke(self) -> None:
        self.h.world.tokens = {"madeup-token-of-nobody": "simulator"}
        self._note("revoked")

    def give_back(self) -> None:
        self.h.world.tokens = ACCOUNT
        self._note("given back")

    def lag(self) -> None:
        self.kubernetes.lag = self.rng.choice([0.05, 1.0, 6.0])

    # ---- looking

    def _clear(self) -> None:
        self.clouds.pass_over()
        self.kubernetes.rate, self.kubernetes.lag = 0.0, 0.05
        self.give_back()
        self._note("clear sky")

    async def _until(self, what: Callable[[], bool]) -> None:
        end = self.h.clock.now() + INTERVALS * LOOKS.slow
        while not what():
            assert self.h.clock.now() < end, f"not within {INTERVALS} intervals:\n{self._picture()}"
            await asyncio.sleep(0.5)

    def _settled(self) -> bool:
        """A deletion that came last may still be under way when the pipeline applies: then it has to apply again."""
        for ref, spec in self.cast.items():
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
        assert asked == {"GET /1.3/gateway?limit=100&offset=0"}, f"{asked}\n{self._picture()}"

    def _compare(self) -> None:
        """Each object once in the cloud, and nothing but that; each key as in the Secret."""
        self.h.world.stamp()
        gateways = [gateway for gateway in self.h.world.gateways.values() if not gateway.deleting]
        tunnels = [found for gateway in gateways for found in gateway.tunnels]
        found: list[Any] = [*gateways, *(c for gateway in gateways for c in gateway.connections), *tunnels]
        recorded = {str(obj.uuid) for obj in self.h.objects()}
        assert len(recorded) == len(self.cast), self._picture()
        assert sorted(one.uuid for one in found) == sorted(recorded), self._picture()
        assert sorted(one.name for one in found) == sorted(name for _, name in self.cast), self._picture()
        secret = self.h.kubernetes.secrets["default", "office-psk"].data["psk"].get_secret_value()
        assert {one.psk_sha256 for one in tunnels} == {hashlib.sha256(secret).hexdigest()}, self._picture()
        self._audit()

    def _audit(self) -> None:
        assert isinstance(self.h.witness, Audit)
        assert not self.h.witness.violations, self.h.witness.violations[0] + "\n" + "\n".join(self.log[-40:])

    def _note(self, what: str) -> None:
        self.log.append(f"{self.h.clock.now():8.2f} {what}")

    def _picture(self) -> str:
        return self.h.picture() + "\n" + "\n".join(self.log[-40:])
