"""One operator process between its ports: it can die at any moment, and what it asks for can go wrong.

When its life is over nothing of it has any effect any more, whatever of it still runs. Every port answers with a delay
on the way there and on the way back, so that a death can fall before the effect, or between the effect and the answer.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Literal, TypeVar

import httpx
from pydantic import SecretBytes

from netgw.engine.objects import Json, Known, Name, Object, itself
from netgw.kube.client import Secret, SecretMeta
from netgw.kube.errors import KubernetesError
from support.memory_kubernetes import MemoryKubernetes

T = TypeVar("T")


class Life:
    """`latency`: the most seconds that one way takes. `trouble`: which part of the calls to Kubernetes goes wrong.

    `late`: the next POST to the cloud is given up at once, and takes its effect so many seconds later.
    """

    def __init__(self, rng: random.Random, latency: float = 0.0, trouble: float = 0.0) -> None:
        self._rng = rng
        self.latency = latency
        self.trouble = trouble
        self.late: float | None = None
        self.ended = asyncio.Event()

    @property
    def over(self) -> bool:
        return self.ended.is_set()

    async def travel(self) -> None:
        """One way. Never comes back when the life ends meanwhile."""
        await asyncio.sleep(self._rng.uniform(0, self.latency) if self.latency else 0)
        if self.over:
            await asyncio.get_running_loop().create_future()

    async def through(self, ask: Callable[[], Awaitable[T]]) -> T:
        """There and back, or not."""
        fails: Literal["before", "after"] | None = None
        if self.trouble and self._rng.random() < self.trouble:
            fails = self._rng.choice(("before", "after"))
        await self.travel()
        if fails == "before":
            raise KubernetesError("The API server is away", 503)
        answer = await ask()
        await self.travel()
        if fails == "after":
            raise KubernetesError("The answer of the API server is lost")
        return answer


class KubernetesDoor:
    """The engine's Kubernetes, for one life."""

    def __init__(self, kubernetes: MemoryKubernetes, life: Life) -> None:
        self._kubernetes = kubernetes
        self._life = life

    async def list(self, kind: str, known: Known = itself) -> list[Object]:
        return await self._life.through(lambda: self._kubernetes.list(kind, known))

    async def read(self, ref: Name) -> Object | None:
        return await self._life.through(lambda: self._kubernetes.read(ref))

    async def children(self, obj: Object) -> Sequence[Name]:
        return await self._life.through(lambda: self._kubernetes.children(obj))

    async def add_finalizer(self, obj: Object) -> Object:
        return await self._life.through(lambda: self._kubernetes.add_finalizer(obj))

    async def remove_finalizer(self, obj: Object) -> Object | None:
        return await self._life.through(lambda: self._kubernetes.remove_finalizer(obj))

    async def write_status(self, obj: Object, status: dict[str, Json]) -> Object:
        return await self._life.through(lambda: self._kubernetes.write_status(obj, status))

    def event(self, obj: Object, type_: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        if not self._life.over:
            self._kubernetes.event(obj, type_, reason, message)


class NamespacesDoor:
    """What was last seen of namespaces: never waits, never fails."""

    def __init__(self, kubernetes: MemoryKubernetes) -> None:
        self._kubernetes = kubernetes

    def get(self, namespace: str) -> Mapping[str, str]:
        return self._kubernetes.namespace(namespace)

    async def look(self, namespace: str) -> Mapping[str, str]:
        return self.get(namespace)


class SecretsDoor:
    """Secrets, for one life. `forbidden`: the operator lacks the role to write them."""

    def __init__(self, kubernetes: MemoryKubernetes, life: Life, *, forbidden: bool = False) -> None:
        self._kubernetes = kubernetes
        self._life = life
        self.forbidden = forbidden

    async def look(self, ref: tuple[str, str]) -> SecretMeta | None:
        return await self._life.through(lambda: self._kubernetes.look(ref))

    async def read(self, ref: tuple[str, str]) -> Secret | None:
        return await self._life.through(lambda: self._kubernetes.secret(ref))

    def watch(self, refs: set[tuple[str, str]]) -> None:
        pass

    async def create(
        self, namespace: str, name: str, data: Mapping[str, SecretBytes], annotations: Mapping[str, str]
    ) -> None:
        await self._write(lambda: self._kubernetes.create_secret(namespace, name, data, annotations))

    async def patch(
        self,
        meta: SecretMeta,
        *,
        put: Mapping[str, SecretBytes],
        remove: Iterable[str] = (),
        annotations: Mapping[str, str],
    ) -> None:
        await self._write(lambda: self._kubernetes.patch_secret(meta, put, remove, annotations))

    async def _write(self, write: Callable[[], Awaitable[None]]) -> None:
        if self.forbidden:
            raise KubernetesError("Secrets are forbidden", 403)
        await self._life.through(write)


class CloudDoor(httpx.AsyncBaseTransport):
    """The way to the cloud, for one life. `witness` sees every request right before and right after its effect."""

    def __init__(self, cloud: httpx.AsyncBaseTransport, life: Life, witness: Witness) -> None:
        self._cloud = cloud
        self._life = life
        self._witness = witness
        self._stragglers: set[asyncio.Task[None]] = set()

    async def _straggle(self, request: httpx.Request, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._witness.asked(request)
        await self._cloud.handle_async_request(request)
        self._witness.answered(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._life.travel()
        if request.method == "POST" and self._life.late is not None:
            seconds, self._life.late = self._life.late, None
            self._stragglers.add(asyncio.create_task(self._straggle(request, seconds)))
            raise httpx.ReadTimeout("given up", request=request)
        self._witness.asked(request)
        answer: httpx.Response | httpx.HTTPError
        try:
            answer = await self._cloud.handle_async_request(request)
        except httpx.HTTPError as lost:
            answer = lost
        self._witness.answered(request)
        await self._life.travel()
        if isinstance(answer, httpx.HTTPError):
            raise answer
        return answer


class Witness:
    """Sees what an operator asks of the cloud. This one does no more than a test asks for with `when_answered`."""

    def __init__(self) -> None:
        self.when_answered: Callable[[httpx.Request], None] = lambda request: None

    def asked(self, request: httpx.Request) -> None:
        """The request is about to have its effect."""

    def answered(self, request: httpx.Request) -> None:
        """It has had it, if any."""
        self.when_answered(request)
