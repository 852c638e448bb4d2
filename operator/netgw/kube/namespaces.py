"""Knows the `netgw.dev/…` annotations of namespaces, and tells when those of one change. Judges no value.

Where all namespaces are watched, by list and watch of their metadata; where some are named, by a `get` of each at an
interval, because that is all that a Role in a namespace can grant. Where the right is missing the annotations count as
absent, unless they were seen before.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from netgw.kube.client import NamespaceEvent, NamespaceMeta
from netgw.kube.errors import KubernetesError
from netgw.kube.watching import REFUSED_PAUSE, ListWatch, jittered

log = logging.getLogger(__name__)

INTERVAL = 30.0
_SOON = 5.0
_NONE: Mapping[str, str] = MappingProxyType({})


class Source(Protocol):
    """The part of `kube.client.Cluster` that is needed here."""

    async def namespace_metadata(self, name: str) -> NamespaceMeta | None: ...
    async def list_namespace_metadata(self) -> tuple[list[NamespaceMeta], str]: ...
    def watch_namespace_metadata(self, resource_version: str) -> AsyncIterator[NamespaceEvent]: ...


class Namespaces:
    """`names`: those that are watched, none means all; `interval`, in seconds, is for named ones.

    Calls `on_change(namespace)` whenever `get` would answer something else than before, but not for what `load` found.
    """

    def __init__(
        self,
        source: Source,
        on_change: Callable[[str], None],
        names: Sequence[str] = (),
        *,
        interval: float = INTERVAL,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: random.Random,
    ):
        self._source = source
        self._on_change = on_change
        self._names = names
        self._interval = interval
        self._sleep = sleep
        self._rng = rng
        self._known: dict[str, NamespaceMeta] = {}
        self._refused: set[str | None] = set()
        self._warned = False
        self._loaded = False
        self._listing = ListWatch(
            "namespaces",
            source.list_namespace_metadata,
            source.watch_namespace_metadata,
            on_list=self._relist,
            on_event=self._see,
            on_refused=lambda error: self._refuse(None, error),
            sleep=sleep,
            rng=rng,
        )

    def get(self, namespace: str) -> Mapping[str, str]:
        """The annotations as last seen, without `netgw.dev/`; empty when the namespace was never seen."""
        meta = self._known.get(namespace)
        return _NONE if meta is None else meta.annotations

    def every(self, annotation: str) -> list[tuple[str, str]]:
        """Each namespace that has this annotation (without `netgw.dev/`), with its value."""
        return [
            (name, meta.annotations[annotation]) for name, meta in self._known.items() if annotation in meta.annotations
        ]

    async def look(self, namespace: str) -> Mapping[str, str]:
        """As `get`, but a namespace that was never seen is asked for now. Raises `KubernetesError`.

        An object can be seen before its namespace, for they come by different streams.
        """
        if namespace not in self._known and not self._refused & {None, namespace}:
            await self._ask(namespace)
        return self.get(namespace)

    async def load(self) -> None:
        """See all for the first time; before that nobody may decide anything. Raises `KubernetesError`, but no 403."""
        if self._names:
            for name in self._names:
                await self._ask(name)
        else:
            await self._listing.load()
        self._loaded = True

    async def run(self) -> None:
        """Keep up, until cancelled."""
        if not self._names:
            await self._listing.run()
        async with asyncio.TaskGroup() as group:
            for name in self._names:
                group.create_task(self._poll(name))

    async def _poll(self, name: str) -> None:
        failed = False
        while True:
            await self._sleep(jittered(self._rng, self._pause(name, failed=failed)))
            try:
                await self._ask(name)
                failed = False
            except KubernetesError as error:
                failed = True
                log.debug("Namespace %s: %s", name, error)

    def _pause(self, name: str, *, failed: bool) -> float:
        if name in self._refused:
            return REFUSED_PAUSE
        return min(self._interval, _SOON) if failed else self._interval

    async def _ask(self, name: str) -> None:
        """One GET; a refusal is no error here."""
        try:
            meta = await self._source.namespace_metadata(name)
        except KubernetesError as error:
            if error.status != 403:
                raise
            self._refuse(name, error)
        else:
            self._refused.discard(name)
            self._learn(name, meta)

    def _relist(self, metas: Sequence[NamespaceMeta]) -> None:
        self._refused.clear()
        present = {meta.name: meta for meta in metas}
        for name in self._known.keys() | present.keys():
            self._learn(name, present.get(name))

    def _see(self, event: NamespaceEvent) -> None:
        known = self._known.get(event.meta.name)
        if known is not None and int(event.meta.resource_version) < int(known.resource_version):
            return  # a `get` of ours was ahead of the stream
        self._learn(event.meta.name, None if event.type == "DELETED" else event.meta)

    def _learn(self, name: str, meta: NamespaceMeta | None) -> None:
        before = self.get(name)
        if meta is None:
            self._known.pop(name, None)
        else:
            self._known[name] = meta
        if self._loaded and self.get(name) != before:
            self._on_change(name)

    def _refuse(self, name: str | None, error: KubernetesError) -> None:
        # What was seen stays: a right that is taken away must not move objects to other credentials.
        self._refused.add(name)
        log.log(
            logging.DEBUG if self._warned else logging.WARNING,
            "Annotations of %s cannot be read and count as absent; deploy/rbac.yaml has the right: %s",
            f"namespace {name}" if name else "namespaces",
            error,
        )
        self._warned = True
