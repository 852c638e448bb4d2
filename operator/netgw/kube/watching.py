"""List and watch: the state of a collection, then its changes, for ever; listed again after any gap.

Keeps no objects and judges none: whoever uses it is told the whole list and each event. kopf's watch is not used for
what goes through here, because it does not tell that it listed again.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Generic

from netgw.kube.calls import Meta, MetaEvent
from netgw.kube.errors import KubernetesError, WatchExpired

log = logging.getLogger(__name__)

REFUSED_PAUSE = 300.0
"""Seconds until a right that is missing is asked for again."""

_BACKOFF = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)


def jittered(rng: random.Random, seconds: float) -> float:
    """About so long, so that nothing keeps step."""
    return seconds * rng.uniform(0.9, 1.1)


class ListWatch(Generic[Meta]):
    """`on_list` gets all objects, `on_event` each change after that, never a bookmark.

    `what` is for the log: "The watch of … broke". With `on_refused` a 403 is told to that instead of the log, and tried
    again after minutes.
    """

    def __init__(
        self,
        what: str,
        lister: Callable[[], Awaitable[tuple[Sequence[Meta], str]]],
        watcher: Callable[[str], AsyncIterator[MetaEvent[Meta]]],
        *,
        on_list: Callable[[Sequence[Meta]], None],
        on_event: Callable[[MetaEvent[Meta]], None],
        on_refused: Callable[[KubernetesError], None] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: random.Random,
    ):
        self._what = what
        self._lister = lister
        self._watcher = watcher
        self._on_list = on_list
        self._on_event = on_event
        self._on_refused = on_refused
        self._sleep = sleep
        self._rng = rng
        self._version: str | None = None
        self._failures = 0

    async def load(self) -> None:
        """List once; `run` goes on from there. Raises `KubernetesError`, but not where `on_refused` took it."""
        try:
            await self._list()
        except KubernetesError as error:
            if not self._refused(error):
                raise

    async def run(self) -> None:
        """Until cancelled. Whatever goes wrong is tried again, ever more slowly."""
        while True:
            try:
                await self._follow(self._version or await self._list())
            except KubernetesError as error:
                self._version = None
                await self._sleep(self._pause(error))

    async def _list(self) -> str:
        items, self._version = await self._lister()
        self._on_list(items)
        return self._version

    async def _follow(self, version: str) -> None:
        while True:
            async for event in self._watcher(version):
                self._failures, version = 0, event.meta.resource_version
                if event.type != "BOOKMARK":
                    self._on_event(event)
            # A server that shuts down ends every stream at once.
            await self._sleep(jittered(self._rng, _BACKOFF[0]))

    def _pause(self, error: KubernetesError) -> float:
        if self._refused(error):
            return jittered(self._rng, REFUSED_PAUSE)
        pause = jittered(self._rng, _BACKOFF[min(self._failures, len(_BACKOFF) - 1)])
        self._failures += 1
        level = logging.DEBUG if isinstance(error, WatchExpired) else logging.WARNING
        log.log(level, "The watch of %s broke, listing again in %.0f s: %s", self._what, pause, error)
        return pause

    def _refused(self, error: KubernetesError) -> bool:
        if error.status != 403 or self._on_refused is None:
            return False
        self._on_refused(error)
        return True
