"""The cluster of a history: it remembers what was, its lists may be behind, and a watch of it may miss things."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from netgw.app import App
from netgw.engine.objects import Known, Name, Object, itself
from support.lifeline import KubernetesDoor, Life
from support.memory_kubernetes import MemoryKubernetes, copied
from support.virtual_time import VirtualClock, VirtualLoop

Body = dict[str, Any]


class SkewedClock(VirtualClock):
    """The operator's own: its wall can be off by `skew` seconds, against the cloud's and the cluster's."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__(loop)
        self.skew = 0.0

    def wall(self) -> datetime:
        return super().wall() + timedelta(seconds=self.skew)


class Cluster(MemoryKubernetes):
    """`journal`: every change of an object, with its time; the body is None where it went."""

    def __init__(self, clock: VirtualClock, rng: random.Random, lag: float) -> None:
        super().__init__(clock, rng, lag)
        self._true = clock
        self.journal: list[tuple[float, str, str, Body]] = []
        self.latest = 0
        self.ears: list[Ear] = []
        self.secret_watcher = self._secret_told
        self.namespace_watcher = self._namespace_told

    def as_of(self, moment: float) -> dict[Name, Body]:
        """What there was at a moment; not to be changed."""
        then: dict[Name, Body] = {}
        for at, kind, event, body in self.journal:
            if at > moment:
                break
            ref = Name(kind, body["metadata"]["namespace"], body["metadata"]["name"])
            if event == "DELETED":
                then.pop(ref, None)
            else:
                then[ref] = body
        return then

    def after(self, moment: float) -> list[tuple[str, str, Body]]:
        return [entry[1:] for entry in self.journal if entry[0] > moment]

    def touch(self, ref: Name) -> None:
        """Somebody changes what is none of ours."""
        if ref in self.objects:
            self.objects[ref]["metadata"].setdefault("labels", {})["example.com/touched"] = str(self._true.now())
            self._moved(ref, "MODIFIED")

    def lose_everything(self) -> dict[Name, Body]:
        """The store is gone; whatever watches will be started anew."""
        had, now = dict(self.objects), self._true.now()
        self.journal += [(now, ref.kind, "DELETED", body) for ref, body in had.items()]
        self.objects.clear()
        return had

    def put_status(self, ref: Name, status: Body) -> None:
        """As a restore does."""
        self.objects[ref]["status"] = copied(status)
        self._moved(ref, "MODIFIED")

    def _gone(self, ref: Name) -> None:
        self.journal.append((self._true.now(), ref.kind, "DELETED", self.objects[ref]))
        super()._gone(ref)
        self.latest = int(self.journal[-1][3]["metadata"]["resourceVersion"])

    def _tell(self, kind: str, event: str, body: Body) -> None:
        self.latest = int(body["metadata"]["resourceVersion"])
        if event != "DELETED":
            self.journal.append((self._true.now(), kind, event, body))
        super()._tell(kind, event, body)

    def _deliver(self, kind: str, event: str, body: Body) -> None:
        for ear in self.ears:
            if int(body["metadata"]["resourceVersion"]) > ear.version:
                ear.hear(kind, event, body)

    def _secret_told(self, namespace: str, name: str) -> None:
        for ear in self.ears:
            ear.hear_secret(namespace, name)

    def _namespace_told(self, name: str) -> None:
        for ear in self.ears:
            if not ear.life.over:
                ear.app.namespace_changed(name)


class Ear:
    """One operator's watch: as kopf's, a list first, of which it tells with no type of event, then what comes.

    `version`: what came before it is never heard of again.
    """

    def __init__(self, cluster: Cluster, app: App, life: Life, since: float) -> None:
        self._cluster = cluster
        self.app = app
        self.life = life
        self.version = cluster.latest
        self._deaf: set[str] = set()
        for ref, body in cluster.as_of(since).items():
            app.observe(ref.kind, None, copied(body))
        for kind, event, body in cluster.after(since):
            self.hear(kind, event, body)
        cluster.ears = [ear for ear in cluster.ears if not ear.life.over] + [self]

    def hear(self, kind: str, event: str, body: Body) -> None:
        if not self.life.over and kind not in self._deaf:
            self.app.observe(kind, event, copied(body))

    def hear_secret(self, namespace: str, name: str) -> None:
        if not self.life.over and "Secret" not in self._deaf:
            self.app.secret_changed(namespace, name)

    def gap(self, kinds: Iterable[str], seconds: float) -> None:
        """Whatever happens now is missed; then there is a list again, which makes up no DELETED."""
        missed = set(kinds)
        self._deaf |= missed
        asyncio.get_running_loop().call_later(seconds, self._list_again, missed)

    def _list_again(self, kinds: set[str]) -> None:
        self._deaf -= kinds
        if self.life.over:
            return
        for ref, body in list(self._cluster.objects.items()):
            if ref.kind in kinds:
                self.app.observe(ref.kind, None, copied(body))
        for namespace, name in list(self._cluster.secrets) if "Secret" in kinds else ():
            self.app.secret_changed(namespace, name)


class StaleDoor(KubernetesDoor):
    """Its lists show what was at `since`, until that is None."""

    def __init__(self, cluster: Cluster, life: Life, since: float | None) -> None:
        super().__init__(cluster, life)
        self._cluster = cluster
        self.since = since

    async def list(self, kind: str, known: Known = itself) -> list[Object]:
        if self.since is None:
            return await super().list(kind, known)
        then = self._cluster.as_of(self.since)
        bodies = [copied(body) for ref, body in then.items() if ref.kind == kind]
        return await self._life.through(lambda: _answer([Object(kind, body) for body in bodies]))


async def _answer(objects: list[Object]) -> list[Object]:
    return objects
