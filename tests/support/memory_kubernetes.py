"""The engine's Kubernetes port in memory, for histories under virtual time.

Not an API server: no schema, no admission, no RBAC (those are tested on a real one). It keeps what the engine's
decisions rest on: uid, resourceVersion, generation, finalizers, preconditions, and a watch that may come late.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pydantic import SecretBytes, SecretStr

from netgw.engine.objects import FINALIZER, NEVER_OBSERVED, Json, Known, Name, Object, format_time, itself
from netgw.engine.ports import ObjectGone, WriteConflict
from netgw.kinds import KINDS
from netgw.kube import errors
from netgw.kube.client import Secret, SecretMeta
from netgw.kube.fingerprint import FingerprintKey
from support.virtual_time import VirtualClock

Watcher = Callable[[str, str | None, dict[str, Any]], None]

PARENTS = {kind.kind: kind.parent for kind in KINDS}


class MemoryKubernetes:
    """Objects, Secrets and Events of one cluster. `keys`: every value that a Secret ever had.

    `lag`: the most seconds that an event of the watch takes; one may overtake another. `lose_deleted`: the part of the
    DELETED events that never come. `on_status` hears of every write of a status: before and after; `on_secret` of every
    one of a Secret.
    """

    def __init__(self, clock: VirtualClock, rng: random.Random, lag: float = 0.05) -> None:
        self._clock = clock
        self._rng = rng
        self.lag = lag
        self.lose_deleted = 0.0
        self._versions = itertools.count(1)
        self.objects: dict[Name, dict[str, Any]] = {}
        self.secrets: dict[tuple[str, str], Secret] = {}
        self.secret_writes: list[tuple[str, ...]] = []
        self.keys: set[str] = set()
        self.events: list[tuple[str, str, str, str]] = []
        self.writes: list[tuple[str, Name]] = []
        self.edited: dict[str, float] = {}
        """When the spec of each was changed last, by uid."""
        self.watchers: list[Watcher] = []
        self.secret_watcher: Callable[[str, str], None] | None = None
        self.annotations: dict[str, dict[str, str]] = {}
        """Of namespaces, without our prefix."""
        self.namespace_watcher: Callable[[str], None] | None = None
        self.on_secret: Callable[[], None] = lambda: None
        self.on_status: Callable[[Object, Object], None] = lambda before, after: None

    # ---- what a user does

    def apply(self, kind: str, name: str, spec: dict[str, Any], namespace: str = "default") -> None:
        ref = Name(kind, namespace, name)
        if (body := self.objects.get(ref)) is not None:
            if body["spec"] != spec:
                self.edited[body["metadata"]["uid"]] = self._clock.now()
                body["spec"] = copied(spec)
                body["metadata"]["generation"] += 1
                self._moved(ref, "MODIFIED")
            return
        api = next(k.api_version for k in KINDS if k.kind == kind)
        self.objects[ref] = {
            "apiVersion": api,
            "kind": kind,
            "metadata": {
                "name": name,
                "namespace": namespace,
                "uid": str(uuid.UUID(int=self._rng.getrandbits(128), version=4)),
                "generation": 1,
                "creationTimestamp": format_time(self._clock.wall()),
            },
            "spec": copied(spec),
            "status": {"observedGeneration": NEVER_OBSERVED},
        }
        self._moved(ref, "ADDED")

    def annotate(self, kind: str, name: str, annotation: str, value: str | None, namespace: str = "default") -> None:
        """None takes it off."""
        ref = Name(kind, namespace, name)
        annotations = self.objects[ref]["metadata"].setdefault("annotations", {})
        if value is None:
            annotations.pop(f"netgw.dev/{annotation}", None)
        else:
            annotations[f"netgw.dev/{annotation}"] = value
        self._moved(ref, "MODIFIED")

    def delete(self, kind: str, name: str, namespace: str = "default") -> None:
        ref = Name(kind, namespace, name)
        body = self.objects.get(ref)
        if body is None or body["metadata"].get("deletionTimestamp"):
            return
        if not body["metadata"].get("finalizers"):
            self._gone(ref)
            return
        body["metadata"]["deletionTimestamp"] = format_time(self._clock.wall())
        body["metadata"]["generation"] += 1
        self._moved(ref, "MODIFIED")

    def take_finalizer(self, kind: str, name: str, namespace: str = "default") -> None:
        """By hand, whatever the finalizer is good for."""
        ref = Name(kind, namespace, name)
        self.objects[ref]["metadata"]["finalizers"] = []
        if self.objects[ref]["metadata"].get("deletionTimestamp"):
            self._gone(ref)
        else:
            self._moved(ref, "MODIFIED")

    def remove(self, kind: str, name: str, namespace: str = "default") -> None:
        """Past the finalizer, as an API server may whose deletion began before that came (kubernetes#77988)."""
        self._gone(Name(kind, namespace, name))

    def wipe_status(self, kind: str, name: str, namespace: str = "default") -> None:
        ref = Name(kind, namespace, name)
        self.objects[ref]["status"] = {"observedGeneration": NEVER_OBSERVED}
        self._moved(ref, "MODIFIED")

    def annotate_namespace(self, annotation: str, value: str | None, namespace: str = "default") -> None:
        """None takes it off."""
        annotations = self.annotations.setdefault(namespace, {})
        if value is None:
            annotations.pop(annotation, None)
        else:
            annotations[annotation] = value
        if self.namespace_watcher is not None:
            self.namespace_watcher(namespace)

    def put_data(self, name: str, data: dict[str, bytes] | None, namespace: str = "default") -> None:
        """The whole Secret; None takes it away."""
        if data is None:
            self.put_secret(name, None, namespace)
        else:
            self._store_secret((namespace, name), {key: SecretBytes(value) for key, value in data.items()})

    def put_secret(self, name: str, key: bytes | None, namespace: str = "default", under: str = "psk") -> None:
        """None takes it away: the whole Secret, or what it has under another name. Else other keys stay."""
        ref = (namespace, name)
        if key is not None:
            self._store_secret(ref, {**self._data(ref), under: SecretBytes(key)})
        elif under == "psk":
            self.secrets.pop(ref, None)
            self._tell_secret(ref)
        else:
            self._store_secret(ref, {name: value for name, value in self._data(ref).items() if name != under})

    def get(self, kind: str, name: str, namespace: str = "default") -> Object | None:
        body = self.objects.get(Name(kind, namespace, name))
        return None if body is None else Object(kind, copied(body))

    # ---- the engine's port

    async def list(self, kind: str, known: Known = itself) -> list[Object]:
        return [known(Object(kind, copied(body))) for ref, body in self.objects.items() if ref.kind == kind]

    async def read(self, ref: Name) -> Object | None:
        return self.get(*ref[::2], namespace=ref.namespace)

    async def children(self, obj: Object) -> Sequence[Name]:
        found = []
        for ref, body in self.objects.items():
            parent = PARENTS[ref.kind]
            if parent is None or parent.kind != obj.kind:
                continue
            link = body["spec"].get(parent.field) or {}
            named = ref.namespace == obj.namespace and link.get("name") == obj.name
            if named or (link.get("uuid") and link["uuid"] == obj.status.get("uuid")):
                found.append(ref)
        return found

    async def add_finalizer(self, obj: Object) -> Object:
        body = await self._checked(obj, "finalizer")
        body["metadata"]["finalizers"] = [*obj.finalizers, FINALIZER]
        return self._moved(obj.ref, "MODIFIED")

    async def remove_finalizer(self, obj: Object) -> Object | None:
        body = await self._checked(obj, "finalizer")
        body["metadata"]["finalizers"] = [f for f in obj.finalizers if f != FINALIZER]
        if body["metadata"].get("deletionTimestamp") and not body["metadata"]["finalizers"]:
            self._gone(obj.ref)
            return None
        return self._moved(obj.ref, "MODIFIED")

    async def write_status(self, obj: Object, status: dict[str, Json]) -> Object:
        body = await self._checked(obj, "status")
        body["status"] = copied(status)
        written = self._moved(obj.ref, "MODIFIED")
        self.on_status(obj, written)
        return written

    # ---- secrets, namespaces and events

    def namespace(self, name: str) -> dict[str, str]:
        return self.annotations.get(name, {})

    async def look(self, ref: tuple[str, str]) -> SecretMeta | None:
        return self.secrets[ref].meta if ref in self.secrets else None

    async def secret(self, ref: tuple[str, str]) -> Secret | None:
        return self.secrets.get(ref)

    async def create_secret(
        self, namespace: str, name: str, data: Mapping[str, SecretBytes], annotations: Mapping[str, str]
    ) -> None:
        if (namespace, name) in self.secrets:
            raise errors.WriteConflict("it is there", 409)
        self.secret_writes.append(("create", *sorted(data)))
        self._store_secret((namespace, name), data, annotations)

    async def patch_secret(
        self,
        meta: SecretMeta,
        put: Mapping[str, SecretBytes],
        remove: Iterable[str],
        annotations: Mapping[str, str],
    ) -> None:
        ref = (meta.namespace, meta.name)
        if ref not in self.secrets:
            raise errors.ObjectGone("there is none", 404)
        if self.secrets[ref].meta != meta:
            raise errors.WriteConflict("it moved", 409)
        gone = set(remove)
        self.secret_writes.append(("patch", *sorted(put), *(f"-{key}" for key in sorted(gone))))
        data = {key: value for key, value in {**self._data(ref), **put}.items() if key not in gone}
        self._store_secret(ref, data, {**self.secrets[ref].notes, **annotations})

    def event(self, obj: Object, type_: str, reason: str, message: str) -> None:
        self.events.append((obj.kind, obj.name, reason, message))

    # ---- inside

    def _data(self, ref: tuple[str, str]) -> Mapping[str, SecretBytes]:
        return self.secrets[ref].data if ref in self.secrets else {}

    def _store_secret(
        self, ref: tuple[str, str], data: Mapping[str, SecretBytes], notes: Mapping[str, str] | None = None
    ) -> None:
        if notes is None:
            notes = self.secrets[ref].notes if ref in self.secrets else {}
        meta = SecretMeta(*ref, f"uid-{ref[1]}", str(next(self._versions)))
        self.secrets[ref] = Secret(meta, dict(data), dict(notes))
        self.on_secret()
        self.keys |= {value.get_secret_value().decode(errors="replace") for value in data.values()}
        self._tell_secret(ref)

    def _tell_secret(self, ref: tuple[str, str]) -> None:
        if self.secret_watcher is not None:
            self.secret_watcher(*ref)

    async def _checked(self, obj: Object, what: str) -> dict[str, Any]:
        body = self.objects.get(obj.ref)
        if body is None:
            raise ObjectGone
        if body["metadata"]["uid"] != obj.uid or body["metadata"]["resourceVersion"] != obj.resource_version:
            raise WriteConflict
        self.writes.append((what, obj.ref))
        return body

    def _moved(self, ref: Name, event: str) -> Object:
        body = self.objects[ref]
        body["metadata"]["resourceVersion"] = str(next(self._versions))
        snapshot = copied(body)
        self._tell(ref.kind, event, snapshot)
        return Object(ref.kind, snapshot)

    def _gone(self, ref: Name) -> None:
        last = self.objects.pop(ref)
        last["metadata"]["resourceVersion"] = str(next(self._versions))
        if self._rng.random() >= self.lose_deleted:
            self._tell(ref.kind, "DELETED", last)

    def _tell(self, kind: str, event: str, body: dict[str, Any]) -> None:
        asyncio.get_running_loop().call_later(self._rng.uniform(0, self.lag), self._deliver, kind, event, body)

    def _deliver(self, kind: str, event: str, body: dict[str, Any]) -> None:
        for tell in list(self.watchers):
            tell(kind, event, copied(body))


def copied(value: Any) -> Any:
    """Of what JSON can say, which is all that an object has; `copy.deepcopy` takes many times as long."""
    if isinstance(value, dict):
        return {key: copied(inner) for key, inner in value.items()}
    return [copied(inner) for inner in value] if isinstance(value, (list, tuple)) else value


FINGERPRINTS = FingerprintKey(SecretBytes(b"madeup-fingerprint-key-for-tests-0"))


def fingerprint(key: str) -> str:
    return FINGERPRINTS.fingerprint(SecretStr(key))
