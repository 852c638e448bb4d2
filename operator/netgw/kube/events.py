"""Kubernetes Events about our objects (events.k8s.io/v1), posted by one task in the background.

Telling is never in the way of doing: `emit` does not wait and does not fail, a full queue drops, a refused Event is
dropped. Limits of the API: a note has at most 1 kB, `eventTime` is a MicroTime with a zone, the Event lives in the
object's namespace.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from netgw.engine.text import one_line
from netgw.kube.errors import KubernetesError, NamespaceTerminating

log = logging.getLogger(__name__)

CONTROLLER = "netgw.dev/netgw"
NOTE_BYTES = 1024
SAME_SECONDS = 600.0
_CAPACITY = 512
_REMEMBERED = 4096


class Source(Protocol):
    """The part of `kube.client.Cluster` that is needed here."""

    async def create_event(self, body: Mapping[str, Any]) -> None: ...


class EventSink:
    """Posts each Event once: the same reason and message for the same object within ten minutes is told once."""

    def __init__(
        self,
        source: Source,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        instance: str | None = None,
        capacity: int = _CAPACITY,
    ):
        self._source = source
        self._clock = clock
        self._wall = wall
        self._instance = (instance or socket.gethostname())[:128]
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(capacity)
        self._told: dict[tuple[str, str, str], float] = {}
        self.dropped = 0

    def emit(
        self,
        obj: Mapping[str, Any],
        type_: Literal["Normal", "Warning"],
        reason: str,
        message: str,
        action: str = "Reconcile",
    ) -> None:
        """Tell about an object (its JSON: apiVersion, kind and metadata are used). Never waits, never fails."""
        message = one_line(message, NOTE_BYTES)
        key = (obj["metadata"]["uid"], reason, message)
        if self._told_lately(key):
            return
        try:
            self._queue.put_nowait(self._event(obj, type_, reason, message, action))
        except asyncio.QueueFull:
            self.dropped += 1
        else:
            self._remember(key)

    async def run(self) -> None:
        """Post what was emitted, for ever."""
        while True:
            body = await self._queue.get()
            try:
                await self._source.create_event(body)
            except NamespaceTerminating:
                self.dropped += 1
            except KubernetesError as error:
                self.dropped += 1
                log.warning("An Event was not posted: %s", error)
            finally:
                self._queue.task_done()

    async def drain(self, seconds: float) -> None:
        """Wait until everything is posted, for so many seconds at most."""
        try:
            await asyncio.wait_for(self._queue.join(), seconds)
        except TimeoutError:
            log.warning("%d Events were not posted before the end", self._queue.qsize())

    def _told_lately(self, key: tuple[str, str, str]) -> bool:
        told = self._told.get(key)
        return told is not None and self._clock() - told < SAME_SECONDS

    def _remember(self, key: tuple[str, str, str]) -> None:
        now = self._clock()
        self._told.pop(key, None)
        self._told[key] = now
        # In order of time: the first ones are over, or have to make room.
        for old, told in tuple(self._told.items()):
            if now - told < SAME_SECONDS and len(self._told) <= _REMEMBERED:
                break
            del self._told[old]

    def _event(self, obj: Mapping[str, Any], type_: str, reason: str, message: str, action: str) -> dict[str, Any]:
        metadata = obj["metadata"]
        return {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"generateName": f"{metadata['name']}-", "namespace": metadata["namespace"]},
            "eventTime": self._wall().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": CONTROLLER,
            "reportingInstance": self._instance,
            "type": type_,
            "reason": reason,
            "action": action,
            "note": _cut(message),
            "regarding": {
                "apiVersion": obj["apiVersion"],
                "kind": obj["kind"],
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
                "resourceVersion": str(metadata.get("resourceVersion") or ""),
            },
        }


def _cut(message: str) -> str:
    """At most 1024 bytes of UTF-8, which is how the API counts."""
    text = message.encode()
    if len(text) <= NOTE_BYTES:
        return message
    return text[: NOTE_BYTES - len("…".encode())].decode(errors="ignore") + "…"
