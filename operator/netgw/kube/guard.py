"""Keeps credentials Secrets readable while objects need them, by a finalizer; where the right to patch them is granted.

In a namespace that is deleted the Secret may go before the objects whose deletion needs it. With our finalizer it stays
until the last of them is gone. Nothing waits for this: all of it happens in the background, and is tried again.

Without the right to list Secrets, the guard finds only those that it is told of. One whose last object went while netgw
was down, or in the moment before a kill, keeps the finalizer until something refers to it again (`look_at`).
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from collections.abc import Set as AbstractSet
from typing import Protocol

from netgw.engine.objects import PREFIX
from netgw.kube.client import SecretFinalizers, SecretMeta
from netgw.kube.errors import KubernetesError, ObjectGone, WriteConflict
from netgw.kube.secrets import Ref
from netgw.kube.watching import jittered

log = logging.getLogger(__name__)

CREDENTIALS_FINALIZER = f"{PREFIX}credentials"

INTERVAL = 300.0
SILENT_SECONDS = 3600.0
_TICK = 0.5
_BACKOFF = (1.0, 5.0, 15.0, 60.0)


class Source(Protocol):
    """The part of `kube.client.Cluster` that is needed here."""

    async def secret_finalizers(self, namespace: str, name: str) -> SecretFinalizers | None: ...
    async def set_secret_finalizers(self, meta: SecretMeta, finalizers: Iterable[str]) -> None: ...


class CredentialsGuard:
    """`hold` says which Secrets live objects need; does nothing before it is called for the first time.

    Each needed Secret is looked at every `interval` seconds, for somebody may take the finalizer off or make the Secret
    anew. In a namespace that refuses nothing is tried for an hour.
    """

    def __init__(
        self,
        source: Source,
        *,
        interval: float = INTERVAL,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: random.Random,
    ):
        self._source = source
        self._interval = interval
        self._clock = clock
        self._sleep = sleep
        self._rng = rng
        self._needed: frozenset[Ref] | None = None
        self._due: dict[Ref, float] = {}
        self._failures: dict[Ref, int] = {}
        self._refused: dict[str, float] = {}
        self._warned: float | None = None
        self._looking = False

    def hold(self, refs: AbstractSet[tuple[str, str]]) -> None:
        """Replace the set of needed Secrets, by namespace and name. Never waits, never fails."""
        needed = frozenset(Ref(*ref) for ref in refs)
        changed = needed ^ (self._needed or frozenset())
        self._needed = needed
        self.look_at(sorted(changed))

    def look_at(self, refs: Iterable[tuple[str, str]]) -> None:
        """Look at these soon: they changed, or may carry the finalizer from an earlier life of the operator."""
        self._due |= {Ref(*ref): self._clock() for ref in refs}

    async def run(self) -> None:
        """Put finalizers on and take them off, for ever."""
        while True:
            ref = self._next_due()
            if ref is None:
                await self._sleep(_TICK)
                continue
            del self._due[ref]
            self._looking = True
            try:
                await self._visit(ref)
            finally:
                self._looking = False

    async def drain(self, seconds: float) -> None:
        """Wait, while `run` works, until nothing is due; for so many seconds at most."""
        until = self._clock() + seconds
        while (self._looking or self._next_due()) and self._clock() < until:
            await self._sleep(0.05)

    def _next_due(self) -> Ref | None:
        if self._needed is None or not self._due:
            return None
        now = self._clock()
        allowed = (item for item in self._due.items() if self._refused.get(item[0].namespace, now) <= now)
        ref, due = min(allowed, key=lambda item: item[1], default=(None, now))
        return ref if due <= now else None

    async def _visit(self, ref: Ref) -> None:
        try:
            await self._settle(ref)
        except (WriteConflict, ObjectGone) as error:
            self._again(ref, error)
        except KubernetesError as error:
            if error.status == 403:
                self._refuse(ref, error)
            else:
                self._again(ref, error)
        else:
            self._failures.pop(ref, None)
            if self._is_needed(ref):
                self._due.setdefault(ref, self._clock() + jittered(self._rng, self._interval))

    async def _settle(self, ref: Ref) -> None:
        found = await self._source.secret_finalizers(*ref)
        if found is None:
            return
        needed, ours = self._is_needed(ref), CREDENTIALS_FINALIZER in found.finalizers
        if needed and not ours and not found.deleting:  # what is to go takes no new finalizer
            await self._source.set_secret_finalizers(found.meta, [*found.finalizers, CREDENTIALS_FINALIZER])
        if ours and not needed:
            left = [finalizer for finalizer in found.finalizers if finalizer != CREDENTIALS_FINALIZER]
            await self._source.set_secret_finalizers(found.meta, left)

    def _is_needed(self, ref: Ref) -> bool:
        return self._needed is not None and ref in self._needed

    def _again(self, ref: Ref, error: KubernetesError) -> None:
        failures = self._failures.get(ref, 0)
        self._failures[ref] = failures + 1
        pause = jittered(self._rng, _BACKOFF[min(failures, len(_BACKOFF) - 1)])
        self._due.setdefault(ref, self._clock() + pause)
        log.debug("The finalizer of Secret %s/%s, again in %.0f s: %s", *ref, pause, error)

    def _refuse(self, ref: Ref, error: KubernetesError) -> None:
        now = self._clock()
        self._refused[ref.namespace] = now + SILENT_SECONDS
        self._due.setdefault(ref, now)
        if self._warned is not None and now - self._warned < SILENT_SECONDS:
            return
        self._warned = now
        log.warning(
            "Secret %s/%s and others like it can be deleted while netgw needs them: the right in "
            "deploy/rbac-credentials-finalizer.yaml is missing. Asked for again in an hour: %s",
            *ref,
            error,
        )
