"""Knows the Secrets that our objects refer to, and tells when one of them changes.

With `get` alone (`poll`) the metadata of each Secret is asked for every few minutes, spread over the interval; with the
right to watch (`follow`) a change is known at once. Either way the data is read by `read`, when a call needs it, and
not kept here.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, Protocol

from netgw.kube.client import Secret, SecretEvent, SecretMeta
from netgw.kube.errors import KubernetesError
from netgw.kube.watching import ListWatch, jittered

log = logging.getLogger(__name__)

# A Secret that is not there yet holds something up, so it is asked for more often.
MISSING_INTERVAL = 10.0
_TICK = 1.0
_PAUSE = 5.0


class Ref(NamedTuple):
    """A Secret by namespace and name."""

    namespace: str
    name: str


class Source(Protocol):
    """The part of `kube.client.Cluster` that is needed here."""

    async def secret_metadata(self, namespace: str, name: str) -> SecretMeta | None: ...
    async def secret_data(self, namespace: str, name: str) -> Secret | None: ...
    async def list_secret_metadata(self, namespace: str | None) -> tuple[list[SecretMeta], str]: ...
    def watch_secret_metadata(self, namespace: str | None, resource_version: str) -> AsyncIterator[SecretEvent]: ...


@dataclass
class _Entry:
    due: float
    known: bool = False
    meta: SecretMeta | None = None
    # One look at a time, so that an older answer never overwrites a newer one.
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class SecretWatcher:
    """Calls `on_change(ref, meta)` when a referenced Secret changed, appeared (again), or vanished (None).

    The first sight of a Secret is no change: whoever refers to it looks at it by itself. `interval` is in seconds.
    """

    def __init__(
        self,
        source: Source,
        on_change: Callable[[Ref, SecretMeta | None], None],
        *,
        interval: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: random.Random,
    ):
        self._source = source
        self._on_change = on_change
        self._interval = interval
        self._clock = clock
        self._sleep = sleep
        self._rng = rng
        self._entries: dict[Ref, _Entry] = {}

    def watch(self, refs: AbstractSet[tuple[str, str]]) -> None:
        """Replace the set of Secrets that are cared for; what is known of those that stay is kept."""
        wanted = {Ref(*ref) for ref in refs}
        for ref in self._entries.keys() - wanted:
            del self._entries[ref]
        for ref in sorted(wanted - self._entries.keys()):
            self._entries[ref] = _Entry(self._clock() + self._rng.uniform(0, self._interval))

    async def look(self, ref: tuple[str, str]) -> SecretMeta | None:
        """The Secret's metadata as last seen, asked for now if it was never seen. Raises `KubernetesError`."""
        ref = Ref(*ref)
        entry = self._entries.get(ref)
        if entry is None:
            return await self._source.secret_metadata(*ref)
        async with entry.lock:
            if not entry.known:
                self._learn(ref, entry, await self._source.secret_metadata(*ref))
        return entry.meta

    async def read(self, ref: tuple[str, str]) -> Secret | None:
        """The Secret with its data, fresh; None when there is none. Raises `KubernetesError`."""
        ref = Ref(*ref)
        entry = self._entries.get(ref)
        if entry is None:
            return await self._source.secret_data(*ref)
        async with entry.lock:
            secret = await self._source.secret_data(*ref)
            self._learn(ref, entry, secret.meta if secret else None)
        return secret

    async def poll(self) -> None:
        """Ask for the metadata of each Secret in turn, for ever."""
        while True:
            due = self._next_due()
            if due is None:
                await self._sleep(self._wait())
            elif not await self._poll_one(*due):
                await self._sleep(_PAUSE * self._rng.uniform(0.8, 1.2))

    async def follow(self, namespaces: Sequence[str] = ()) -> None:
        """Watch the metadata of the Secrets of these namespaces (none: all), for ever."""
        async with asyncio.TaskGroup() as group:
            for namespace in namespaces or (None,):
                group.create_task(self._listing(namespace).run())

    def _next_due(self) -> tuple[Ref, _Entry] | None:
        if not self._entries:
            return None
        ref, entry = min(self._entries.items(), key=lambda item: item[1].due)
        return (ref, entry) if entry.due <= self._clock() else None

    def _wait(self) -> float:
        # A look from elsewhere can make a Secret due sooner, so no sleep is long.
        now = self._clock()
        return min([_TICK, *(entry.due - now for entry in self._entries.values())])

    async def _poll_one(self, ref: Ref, entry: _Entry) -> bool:
        entry.due = self._clock() + jittered(self._rng, self._interval)
        try:
            async with entry.lock:
                self._learn(ref, entry, await self._source.secret_metadata(*ref))
        except KubernetesError as error:
            log.debug("Secret %s/%s: %s", *ref, error)
            if error.status == 403:
                return True
            entry.due = self._clock()
            return False
        return True

    def _learn(self, ref: Ref, entry: _Entry, meta: SecretMeta | None) -> None:
        changed = entry.known and entry.meta != meta
        entry.known, entry.meta = True, meta
        if meta is None:
            entry.due = self._clock() + jittered(self._rng, min(self._interval, MISSING_INTERVAL))
        if changed and self._entries.get(ref) is entry:
            self._on_change(ref, meta)

    def _listing(self, namespace: str | None) -> ListWatch[SecretMeta]:
        return ListWatch(
            "Secrets",
            partial(self._source.list_secret_metadata, namespace),
            partial(self._source.watch_secret_metadata, namespace),
            on_list=partial(self._relist, namespace),
            on_event=self._see,
            sleep=self._sleep,
            rng=self._rng,
        )

    def _relist(self, namespace: str | None, metas: Sequence[SecretMeta]) -> None:
        present = {Ref(meta.namespace, meta.name): meta for meta in metas}
        for ref, entry in list(self._entries.items()):
            if namespace in (None, ref.namespace):
                self._learn(ref, entry, present.get(ref))

    def _see(self, event: SecretEvent) -> None:
        ref = Ref(event.meta.namespace, event.meta.name)
        entry = self._entries.get(ref)
        if entry is not None:
            self._learn(ref, entry, None if event.type == "DELETED" else event.meta)
