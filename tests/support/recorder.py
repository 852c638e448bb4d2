"""Every version that our objects ever had, as a watch of an admin sees them."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from netgw.engine.objects import NEVER_OBSERVED
from support.admission import GROUP, PLURALS
from support.cluster import Cluster

WATCH_SECONDS = 2  # the watch of a kind ends this soon after `stop`
CATCH_UP_SECONDS = 10.0


@dataclass(frozen=True)
class Version:
    """One state of one object; DELETED is the last."""

    type: Literal["ADDED", "MODIFIED", "DELETED"]
    body: dict[str, Any]

    @property
    def revision(self) -> int:
        """The store's own count of writes, which orders those of different objects too."""
        return int(self.body["metadata"]["resourceVersion"])

    @property
    def status(self) -> dict[str, Any]:
        """What the operator wrote. Before that there is the word of the API server alone, that nothing was observed."""
        status: dict[str, Any] = self.body.get("status") or {}
        return {} if status == {"observedGeneration": NEVER_OBSERVED} else status

    def condition(self, kind: str) -> dict[str, Any]:
        """{} when it has no such condition."""
        found: list[dict[str, Any]] = [c for c in self.status.get("conditions") or () if c["type"] == kind]
        return found[0] if found else {}


class Recorder:
    """Watches all namespaces from `start` to `stop`."""

    def __init__(self, cluster: Cluster) -> None:
        self._client = cluster.access.client()
        self._stopping = threading.Event()
        self._versions: dict[str, list[Version]] = {}
        self._newest: dict[str, int] = {}
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        for kind, plural in PLURALS.items():
            args = (plural, self._present(plural))
            thread = threading.Thread(target=self._follow, args=args, name=f"watch {kind}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._client.close()

    def of(self, namespace: str, kind: str | None = None, name: str | None = None) -> list[Version]:
        """What was seen there so far, of one kind and name or of all, oldest first for each object."""
        return [
            version
            for version in list(self._versions.get(namespace, ()))
            if kind in (None, version.body["kind"]) and name in (None, version.body["metadata"]["name"])
        ]

    def forget(self, namespace: str) -> None:
        """What was seen there so far, of objects that are gone."""
        self._versions.pop(namespace, None)

    def catch_up(self, bodies: list[dict[str, Any]]) -> None:
        """Wait until these states were seen."""
        deadline = time.monotonic() + CATCH_UP_SECONDS
        for body in bodies:
            uid, revision = body["metadata"]["uid"], int(body["metadata"]["resourceVersion"])
            while self._newest.get(uid, 0) < revision:
                assert all(thread.is_alive() for thread in self._threads), "a watch of the tests ended"
                assert time.monotonic() < deadline, f"the watch of the tests has not seen {body['metadata']['name']}"
                time.sleep(0.02)

    def _present(self, plural: str) -> str:
        deadline = time.monotonic() + CATCH_UP_SECONDS
        while (answer := self._client.get(f"{GROUP}/{plural}")).status_code == httpx.codes.TOO_MANY_REQUESTS:
            assert time.monotonic() < deadline, answer.text  # a CRD that is established answers this for a moment
            time.sleep(0.1)
        return str(answer.raise_for_status().json()["metadata"]["resourceVersion"])

    def _follow(self, plural: str, version: str) -> None:
        while not self._stopping.is_set():
            query = {"watch": "1", "resourceVersion": version, "timeoutSeconds": str(WATCH_SECONDS)}
            query["allowWatchBookmarks"] = "1"  # so that a kind without news does not fall behind
            with self._client.stream("GET", f"{GROUP}/{plural}", params=query) as answer:
                answer.raise_for_status()
                try:
                    for line in answer.iter_lines():
                        version = self._see(json.loads(line))
                except httpx.RemoteProtocolError:
                    continue  # the server may cut the last chunk at its time-out

    def _see(self, event: dict[str, Any]) -> str:
        assert event["type"] != "ERROR", event["object"]
        if event["type"] == "BOOKMARK":
            return str(event["object"]["metadata"]["resourceVersion"])
        version = Version(event["type"], event["object"])
        self._versions.setdefault(version.body["metadata"]["namespace"], []).append(version)
        self._newest[version.body["metadata"]["uid"]] = version.revision
        return str(version.revision)
