"""Calls of an operator to the cloud and to Kubernetes, counted one by one, and what goes wrong with some of them.

A call that only reads has no effect: a loss before it and after it are one history, and a death at it is the death
before or after the change next to it.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import httpx

from netgw.engine.objects import Json, Known, Name, Object, itself
from netgw.engine.ports import WriteConflict
from netgw.kube.client import Secret, SecretMeta
from netgw.kube.errors import KubernetesError
from support.lifeline import KubernetesDoor, Life, SecretsDoor
from support.memory_kubernetes import MemoryKubernetes

T = TypeVar("T")


class Way(StrEnum):
    """How one call goes wrong."""

    DIES_BEFORE = "the process dies before it"
    DIES_AFTER = "the process dies after it"
    LOST_BEFORE = "no answer, and no effect"
    LOST_AFTER = "no answer, and its effect"
    REFUSED = "an error is answered"
    CONFLICT = "the object moved"


CLOUD_READ = (Way.LOST_BEFORE, Way.REFUSED)
CLOUD_WRITE = (Way.DIES_BEFORE, Way.DIES_AFTER, Way.LOST_BEFORE, Way.LOST_AFTER, Way.REFUSED)
KUBERNETES_READ = (Way.REFUSED,)
KUBERNETES_WRITE = (Way.DIES_BEFORE, Way.DIES_AFTER, Way.REFUSED, Way.LOST_AFTER, Way.CONFLICT)


@dataclass(frozen=True)
class Point:
    """One call, and each way in which it can go wrong."""

    call: str
    ways: tuple[Way, ...]


@dataclass(frozen=True)
class Fault:
    """`at`: the how manieth call of the story it meets, from 0."""

    at: int
    way: Way


class Points:
    """Counts the calls of one history, over the lives of its processes. Nothing is counted before `begin`."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._faults = {fault.at: fault.way for fault in faults}
        self._counting = False
        self.seen: list[Point] = []

    def begin(self) -> None:
        self._counting = True

    def end(self) -> None:
        self._counting = False

    def next(self, call: str, ways: tuple[Way, ...]) -> Way | None:
        """What goes wrong with this call."""
        if not self._counting:
            return None
        self.seen.append(Point(call, ways))
        way = self._faults.get(len(self.seen) - 1)
        if way is not None and way not in ways:
            raise AssertionError(f"{call} cannot go wrong so: {way}")
        return way


async def _end(life: Life) -> None:
    """The process is over here: nobody comes back from this."""
    life.ended.set()
    await asyncio.get_running_loop().create_future()


class CountedTransport(httpx.AsyncBaseTransport):
    """The cloud behind counted calls."""

    def __init__(self, cloud: httpx.AsyncBaseTransport, life: Life, points: Points) -> None:
        self._cloud = cloud
        self._life = life
        self._points = points

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        reads = request.method == "GET"
        way = self._points.next(f"{request.method} {request.url.path}", CLOUD_READ if reads else CLOUD_WRITE)
        match way:
            case Way.DIES_BEFORE:
                await _end(self._life)
            case Way.LOST_BEFORE:
                raise httpx.ReadTimeout("lost on the way there", request=request)
            case Way.REFUSED:
                body = {"type": "about:blank", "title": "Internal server error.", "status": 500}
                return httpx.Response(500, json=body, headers={"Content-Type": "application/problem+json"})
            case _:
                pass
        answer = await self._cloud.handle_async_request(request)
        if way is Way.LOST_AFTER:
            raise httpx.ReadTimeout("lost on the way back", request=request)
        if way is Way.DIES_AFTER:
            self._life.ended.set()  # the witness still sees the effect, the process does not
        return answer


class CountedKubernetes(KubernetesDoor):
    """Our own objects behind counted calls."""

    def __init__(self, kubernetes: MemoryKubernetes, life: Life, points: Points) -> None:
        super().__init__(kubernetes, life)
        self._over = life
        self._points = points

    async def _counted(self, call: str, ways: tuple[Way, ...], ask: Callable[[], Awaitable[T]]) -> T:
        return await counted(self._points.next(call, ways), self._over, ask)

    async def list(self, kind: str, known: Known = itself) -> list[Object]:
        ask = functools.partial(super().list, kind, known)
        return await self._counted(f"list {kind}", KUBERNETES_READ, ask)

    async def read(self, ref: Name) -> Object | None:
        return await self._counted(f"read {ref}", KUBERNETES_READ, lambda: super(CountedKubernetes, self).read(ref))

    async def children(self, obj: Object) -> Sequence[Name]:
        ask = super().children
        return await self._counted(f"children of {obj.ref}", KUBERNETES_READ, lambda: ask(obj))

    async def add_finalizer(self, obj: Object) -> Object:
        ask = super().add_finalizer
        return await self._counted(f"finalizer on {obj.ref}", KUBERNETES_WRITE, lambda: ask(obj))

    async def remove_finalizer(self, obj: Object) -> Object | None:
        ask = super().remove_finalizer
        return await self._counted(f"finalizer off {obj.ref}", KUBERNETES_WRITE, lambda: ask(obj))

    async def write_status(self, obj: Object, status: dict[str, Json]) -> Object:
        ask = super().write_status
        return await self._counted(f"status of {obj.ref}", KUBERNETES_WRITE, lambda: ask(obj, status))


class CountedSecrets(SecretsDoor):
    """Secrets behind counted calls; in the smallest world the operator writes none."""

    def __init__(self, kubernetes: MemoryKubernetes, life: Life, points: Points) -> None:
        super().__init__(kubernetes, life)
        self._over = life
        self._points = points

    async def look(self, ref: tuple[str, str]) -> SecretMeta | None:
        ask = super().look
        return await counted(self._points.next("look at a Secret", KUBERNETES_READ), self._over, lambda: ask(ref))

    async def read(self, ref: tuple[str, str]) -> Secret | None:
        ask = super().read
        return await counted(self._points.next("read a Secret", KUBERNETES_READ), self._over, lambda: ask(ref))


async def counted(way: Way | None, life: Life, ask: Callable[[], Awaitable[T]]) -> T:
    """One call to Kubernetes that goes wrong in this way."""
    match way:
        case Way.DIES_BEFORE:
            await _end(life)
        case Way.REFUSED:
            raise KubernetesError("The API server is away", 503)
        case Way.CONFLICT:
            raise WriteConflict
        case _:
            pass
    answer = await ask()
    if way is Way.DIES_AFTER:
        await _end(life)
    if way is Way.LOST_AFTER:
        raise KubernetesError("The answer of the API server is lost")
    return answer
