"""Leader election by a coordination.k8s.io Lease: of several replicas one works, the others wait.

Acquire or exit: who loses the Lease ends the process, for work under way cannot be called back. Ages are measured by
the local clock from the moment a change was seen, never by the wall clock of another machine.

`holds` is the fence: what changes the cloud asks it right before it is sent, and it says no long before another may
lead, also in a process that was frozen and does not know it yet. What was sent before that, and every status write, is
held apart by the resourceVersion of the object and the record of what is being made.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from netgw.kube.errors import KubernetesError, ObjectGone, WriteConflict

log = logging.getLogger(__name__)

DURATION = 15
RENEW_EVERY = 2.0
# Before the Lease ends for the others, with room for one call.
GIVE_UP = 10.0
_CALL = 5.0


def awake() -> float:
    """Seconds that also pass while the machine sleeps, where the system has such a clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform == "linux" else time.monotonic()


class Source(Protocol):
    """The part of `kube.client.Cluster` that is needed here."""

    async def get_lease(self, namespace: str, name: str) -> dict[str, Any] | None: ...
    async def create_lease(self, lease: Mapping[str, Any]) -> dict[str, Any]: ...
    async def replace_lease(self, lease: Mapping[str, Any]) -> dict[str, Any]: ...


class LeaderLease:
    """One Lease and one candidate; `identity` must differ between any two processes."""

    def __init__(
        self,
        source: Source,
        namespace: str,
        identity: str,
        *,
        name: str = "netgw",
        clock: Callable[[], float] = awake,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: random.Random,
    ):
        self._source = source
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._clock = clock
        self._wall = wall
        self._sleep = sleep
        self._rng = rng
        self._lease: dict[str, Any] | None = None
        self._renewed = 0.0
        self._seen: tuple[Any, Any] | None = None
        self._seen_at = 0.0
        self._ends_at = 0.0

    async def acquire(self) -> None:
        """Wait until the Lease is ours."""
        waiting = False
        while not await self._tried(self._take):
            if not waiting:
                waiting = True
                log.info("Waiting for the Lease %s/%s", self._namespace, self._name)
            await self._sleep(min(self._pause(), self._left()))
        log.info("Holds the Lease %s/%s", self._namespace, self._name)

    def holds(self) -> bool:
        """Whether the Lease is ours for sure: renewed so lately that nobody else can have taken it."""
        return self._lease is not None and self._clock() < self._renewed + GIVE_UP

    async def keep(self, on_lost: Callable[[], None]) -> None:
        """Renew until cancelled. Calls `on_lost` and returns when the Lease is another's or not renewed for 10 s."""
        while True:
            await self._sleep(self._pause())
            # Before the call: a process that was frozen must not go on because the renewal happens to succeed.
            left = self._renewed + GIVE_UP - self._clock()
            if left <= 0:
                log.error("The Lease was not renewed for %.0f s", GIVE_UP - left)
                break
            await self._tried(self._renew, min(left, _CALL))
            if self._lease is None:
                log.error("The Lease is held by another")
                break
        on_lost()

    async def release(self) -> None:
        """Let the next one in at once; best effort."""
        if self._lease is None:
            return
        spec = {**self._lease["spec"], "holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": self._now()}
        lease, self._lease = {**self._lease, "spec": spec}, None
        try:
            async with asyncio.timeout(_CALL):
                await self._source.replace_lease(lease)
        except (KubernetesError, TimeoutError) as error:
            log.warning("The Lease was not released: %s", str(error) or "no answer in time")

    async def _tried(self, step: Callable[[], Awaitable[bool]], seconds: float = _CALL) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await step()
        except (KubernetesError, TimeoutError) as error:
            log.warning("The Lease cannot be read or written: %s", str(error) or "no answer in time")
            return False

    async def _take(self) -> bool:
        lease = await self._source.get_lease(self._namespace, self._name)
        if lease is not None and self._held_by_another(lease.get("spec") or {}):
            return False
        return await self._write(lease)

    async def _renew(self) -> bool:
        return await self._write(self._lease)

    async def _write(self, lease: dict[str, Any] | None) -> bool:
        started = self._clock()
        try:
            if lease is None:
                self._lease = await self._source.create_lease(self._ours(None))
            else:
                self._lease = await self._source.replace_lease(self._ours(lease))
        except (WriteConflict, ObjectGone):
            # Somebody else wrote: still ours only if a fresh look says so (an answer of ours that was lost).
            fresh = await self._source.get_lease(self._namespace, self._name)
            ours = fresh is not None and (fresh.get("spec") or {}).get("holderIdentity") == self._identity
            self._lease = fresh if ours else None
            return False
        self._renewed = started
        return True

    def _held_by_another(self, spec: Mapping[str, Any]) -> bool:
        holder = spec.get("holderIdentity")
        if not holder or holder == self._identity:
            return False
        seen = (holder, spec.get("renewTime"))
        if seen != self._seen:
            self._seen, self._seen_at = seen, self._clock()
        self._ends_at = self._seen_at + float(spec.get("leaseDurationSeconds") or DURATION)
        return self._clock() < self._ends_at

    def _left(self) -> float:
        """Seconds until the Lease of another ends, that nobody waits longer than that: a little more, to be past it."""
        left = self._ends_at - self._clock()
        return left + 0.01 if left > 0 else RENEW_EVERY

    def _ours(self, lease: dict[str, Any] | None) -> dict[str, Any]:
        now = self._now()
        if lease is None:
            lease = {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": self._name, "namespace": self._namespace},
            }
        spec = dict(lease.get("spec") or {})
        if spec.get("holderIdentity") != self._identity:
            spec["leaseTransitions"] = int(spec.get("leaseTransitions") or 0) + (1 if spec else 0)
            spec["acquireTime"] = now
        spec |= {"holderIdentity": self._identity, "leaseDurationSeconds": DURATION, "renewTime": now}
        return {**lease, "spec": spec}

    def _now(self) -> str:
        return self._wall().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def _pause(self) -> float:
        return RENEW_EVERY * self._rng.uniform(0.8, 1.2)
