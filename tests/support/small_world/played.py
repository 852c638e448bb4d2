"""One history of the smallest world, with the faults that are asked for, and what must hold at its end."""

from __future__ import annotations

import asyncio
import copy
import functools
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from netgw.engine.objects import Name
from netgw.kube.client import Secret
from netgw.kube.errors import KubernetesError
from netgw.kube.provider import Intervals, Sampling
from support.audit import SECRETS, Audit, failures
from support.history import ROUTER, History, play
from support.kills import in_cloud
from support.lifeline import KubernetesDoor, SecretsDoor
from support.small_world.points import CountedKubernetes, CountedSecrets, CountedTransport, Fault, Point, Points
from support.small_world.stories import CREATE, Story
from support.virtual_time import VirtualLoop

LOOKS = Intervals(20.0, 5.0)
OPTIONS: dict[str, Any] = {"intervals": LOOKS, "app": {"sampling": Sampling(0.0, 0.25)}, "delay": 2.0}
IN_TIME = 3000.0
REST, QUIET = 25.0, 25.0
"""Seconds, each longer than an interval: until nothing is under way any more, and in which nothing may be written."""


class SmallWorld(History):
    """A history whose calls are counted."""

    def __init__(self, loop: VirtualLoop, *, faults: Sequence[Fault] = (), **options: Any) -> None:
        super().__init__(loop, **options)
        self.points = Points(faults)

    def _cloud_door(self, cloud: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        return super()._cloud_door(CountedTransport(cloud, self.life, self.points))

    def _door(self) -> KubernetesDoor:
        return CountedKubernetes(self.kubernetes, self.life, self.points)

    def _secrets_door(self) -> SecretsDoor:
        return CountedSecrets(self.kubernetes, self.life, self.points)


@dataclass(frozen=True)
class Rest:
    """Everything is there and nothing is to be done: what stories other than the first begin with."""

    at: float
    gateways: dict[str, Any]
    routers: dict[str, Any]
    objects: dict[Name, dict[str, Any]]
    secrets: dict[tuple[str, str], Secret]

    @classmethod
    def of(cls, h: History) -> Rest:
        world, cluster = copy.deepcopy((h.world.gateways, h.world.routers)), h.kubernetes
        return cls(h.clock.now(), *world, *copy.deepcopy((cluster.objects, cluster.secrets)))

    async def lay_out(self, h: History, audit: Audit) -> None:
        """In a new world, at the time at which it was."""
        await asyncio.sleep(self.at)
        kept: list[tuple[dict[Any, Any], dict[Any, Any]]] = [
            (h.world.gateways, self.gateways),
            (h.world.routers, self.routers),
            (h.kubernetes.objects, self.objects),
            (h.kubernetes.secrets, self.secrets),
        ]
        for there, part in kept:
            there.clear()
            there.update(copy.deepcopy(part))
        h.kubernetes._versions = itertools.count(10_000)  # noqa: SLF001  as etcd, it never gives one twice
        audit.owners.update({str(obj.uuid): obj.uid for obj in h.objects()})


@functools.cache
def at_rest() -> Rest:
    """After the first story without any fault."""
    return Rest.of(Played(CREATE).history)


class Played:
    """One history. `points`: the calls from the beginning of the story until it was done."""

    def __init__(self, story: Story, *faults: Fault) -> None:
        self.story = story
        self.points: list[Point] = []
        self.before: dict[Name, str] = {}
        self._rest = at_rest() if story.begun else None
        self._faults = faults
        self.audit: Audit
        self.history = play(self._play, world=functools.partial(SmallWorld, faults=faults), **OPTIONS)

    async def _play(self, h: History) -> None:
        assert isinstance(h, SmallWorld)
        h.witness = self.audit = Audit(h, SECRETS)
        with failures(self.audit.violations):
            await self._begin(h)
            await self._live(h)
            self.points = h.points.seen
            h.points.end()
            await asyncio.sleep(REST)
            await self._check(h)

    async def _begin(self, h: SmallWorld) -> None:
        if self._rest is not None:
            await self._rest.lay_out(h, self.audit)
            await h.start()
            await asyncio.sleep(1.0)  # the first passes
            h.world.calls.clear()
            self.before = {obj.ref: str(obj.uuid) for obj in h.objects()}
        h.points.begin()
        self.story.act(h)

    async def _live(self, h: SmallWorld) -> None:
        """Until it is done, as a kubelet does: what died is started again, and again."""
        end = h.clock.now() + IN_TIME
        while not self.story.done(h):
            assert h.clock.now() < end, f"{self}: not healed\n{h.picture()}"
            if h.app is None or h.life.over:
                await h.kill()
                try:
                    await h.start_or_die()
                except KubernetesError:
                    await h.kill()
            await asyncio.sleep(0.25)

    async def _check(self, h: SmallWorld) -> None:
        for problem in self._problems(h):
            raise AssertionError(f"{self}: {problem}\n{h.picture()}")
        calls, writes = len(h.world.calls), len(h.kubernetes.writes)
        await asyncio.sleep(QUIET)
        sent = [call.method for call in h.world.calls[calls:] if call.method != "GET"]
        assert len(h.kubernetes.writes) == writes, f"{self}: statuses are still written\n{h.picture()}"
        assert not sent, f"{self}: not at rest: {sent}\n{h.picture()}"
        assert self.story.done(h), f"{self}: did not stay\n{h.picture()}"
        assert self.audit.violations == [], f"{self}: {self.audit.violations[0]}"

    def _problems(self, h: SmallWorld) -> Iterator[str]:
        """Exactly one of each, the same as before, and each value changed once."""
        left = self.story.left
        in_cloud(h, gateways=left, connections=left, tunnels=left)
        assert set(h.world.routers) == {ROUTER}
        found = {gateway.uuid for gateway in h.world.gateways.values()}
        for gateway in h.world.gateways.values():
            found |= {part.uuid for part in gateway.connections} | {part.uuid for part in gateway.tunnels}
        if (recorded := {str(obj.uuid) for obj in h.objects()}) != found:
            yield f"{recorded} recorded, {found} there"
        if self.before and left and recorded != set(self.before.values()):
            yield f"not the same as before: {recorded}, {self.before}"
        if (effects := tuple(sorted(field for _, field, _ in self.audit.effects))) != self.story.effects:
            yield f"changed: {effects}"

    def __str__(self) -> str:
        calls = [point.call for point in self.points]
        told = (f"at call {f.at} ({calls[f.at] if f.at < len(calls) else '?'}) {f.way}" for f in self._faults)
        return f"{self.story.name}: {', then '.join(told) or 'no fault'}"


def singles(story: Story) -> list[Fault]:
    """Every way in which every call of the story without faults can go wrong."""
    return _faults(Played(story).points, 0)


def seconds(first: Played, fault: Fault) -> list[Fault]:
    """Every way in which a call after the first fault of a history can go wrong."""
    return _faults(first.points, fault.at + 1)


def _faults(points: Sequence[Point], begin: int) -> list[Fault]:
    return [Fault(at, way) for at, point in enumerate(points[begin:], begin) for way in point.ways]
