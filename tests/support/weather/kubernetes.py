"""A Kubernetes in memory of which a part of all calls fails, and in which somebody else writes at the wrong moment."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import NoReturn, TypeVar

from pydantic import SecretBytes

from netgw.engine.objects import Json, Known, Name, Object, itself
from netgw.kube.client import Secret, SecretMeta
from netgw.kube.errors import KubernetesError
from support.memory_kubernetes import MemoryKubernetes
from support.virtual_time import VirtualClock

T = TypeVar("T")

TIME_OUT = 30.0
AWAY = ("503", "429", "time-out", "reset")
WAYS = (*AWAY, "lost answer")
CONFLICT = "conflict on status"


class StormyKubernetes(MemoryKubernetes):
    """`rate` of the calls fail; before as many writes of a status somebody annotates the object.

    `seen` counts the calls while they do, `failed` what was done.
    While it is `away` no call has any effect at all, and nobody else can do anything either.
    """

    def __init__(self, clock: VirtualClock, rng: random.Random, weather: random.Random) -> None:
        super().__init__(clock, rng)
        self.rate = 0.0
        self.away = False
        self.seen = 0
        self.failed: Counter[str] = Counter()
        self.on_call: Callable[[], None] = lambda: None
        self._weather = weather

    async def list(self, kind: str, known: Known = itself) -> list[Object]:
        return await self._through(lambda: super(StormyKubernetes, self).list(kind, known))

    async def read(self, ref: Name) -> Object | None:
        return await self._through(lambda: super(StormyKubernetes, self).read(ref))

    async def children(self, obj: Object) -> Sequence[Name]:
        return await self._through(lambda: super(StormyKubernetes, self).children(obj))

    async def add_finalizer(self, obj: Object) -> Object:
        return await self._through(lambda: super(StormyKubernetes, self).add_finalizer(obj))

    async def remove_finalizer(self, obj: Object) -> Object | None:
        return await self._through(lambda: super(StormyKubernetes, self).remove_finalizer(obj))

    async def write_status(self, obj: Object, status: dict[str, Json]) -> Object:
        if not self.away and self._weather.random() < self.rate and obj.ref in self.objects:
            self.failed[CONFLICT] += 1
            self.annotate(obj.kind, obj.name, "seen-by", str(self.seen))
        return await self._through(lambda: super(StormyKubernetes, self).write_status(obj, status))

    async def look(self, ref: tuple[str, str]) -> SecretMeta | None:
        return await self._through(lambda: super(StormyKubernetes, self).look(ref))

    async def secret(self, ref: tuple[str, str]) -> Secret | None:
        return await self._through(lambda: super(StormyKubernetes, self).secret(ref))

    async def create_secret(
        self, namespace: str, name: str, data: Mapping[str, SecretBytes], annotations: Mapping[str, str]
    ) -> None:
        make = super().create_secret
        await self._through(lambda: make(namespace, name, data, annotations))

    async def patch_secret(
        self, meta: SecretMeta, put: Mapping[str, SecretBytes], remove: Iterable[str], annotations: Mapping[str, str]
    ) -> None:
        patch = super().patch_secret
        await self._through(lambda: patch(meta, put, remove, annotations))

    async def _through(self, ask: Callable[[], Awaitable[T]]) -> T:
        self.seen += self.rate > 0
        self.on_call()
        if self.away:
            return await self._fail(self._weather.choice(AWAY))
        if self._weather.random() >= self.rate:
            return await ask()
        way = self._weather.choice(WAYS)
        if way == "lost answer":
            await ask()
        return await self._fail(way)

    async def _fail(self, way: str) -> NoReturn:
        self.failed[way] += 1
        if way == "time-out":
            await asyncio.sleep(TIME_OUT)
            raise KubernetesError("no answer in time")
        raise KubernetesError("no", int(way) if way.isdecimal() else None)
