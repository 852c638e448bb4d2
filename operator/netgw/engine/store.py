"""What we know of our own Kubernetes objects: by uid, with indexes by name, parent, Secret and recorded cloud uuid.

The watch, our own LISTs and the answers of our own writes all end here, in any order. An object never goes backwards:
resource versions are compared as numbers (Kubernetes guarantees that order since 1.35, etcd always gave it), so an
event that was under way when we wrote is ignored, and so is one of an object whose name another one has by now.
`apply`, `remove` and `replace_all` return the keys that have something new to decide.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import TypeVar

from netgw.engine.actuator import Links
from netgw.engine.objects import Key, Name, Object
from netgw.engine.policy import CHOICES

LinksOf = Callable[[Object], Links]

INHERITED = (*CHOICES, "credentialsSecretRef")
"""Fields of a spec that count for what is below it, too."""

BURIED_SECONDS, BURIED_MOST = 600.0, 10_000
"""For so long, objects that are gone are remembered, against events of theirs that come late; and so many at most."""

K = TypeVar("K", bound=Hashable)


class Store:
    """`links` reads from an object of each kind whom it refers to. `seconds`: the time, monotonic."""

    def __init__(self, links: Mapping[str, LinksOf], seconds: Callable[[], float] = time.monotonic) -> None:
        self._links = links
        self._seconds = seconds
        self._read: dict[Key, tuple[Object, Links]] = {}
        self._objects: dict[Key, Object] = {}
        self._names: dict[Name, Key] = {}
        self._by_parent: dict[Name | tuple[str, str], set[Key]] = {}
        self._by_secret: dict[tuple[str, str], set[Key]] = {}
        self._by_credentials: dict[tuple[str, str], set[Key]] = {}
        self._by_namespace: dict[str, set[Key]] = {}
        self._by_uuid: dict[str, set[Key]] = {}
        self._bound: dict[str, Key] = {}
        self._buried: dict[Key, float] = {}
        self._heard: dict[Key, int] = {}
        self._now = 0

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[Object]:
        return iter(list(self._objects.values()))

    def get(self, key: Key) -> Object | None:
        return self._objects.get(key)

    def held(self, obj: Object) -> Object:
        """The same state of it as is held already, else this one: of a LIST most is, and need not be held twice."""
        held = self._objects.get(obj.key)
        return held if held is not None and held.resource_version == obj.resource_version else obj

    def find(self, kind: str, namespace: str, name: str) -> Object | None:
        key = self._names.get(Name(kind, namespace, name))
        return None if key is None else self._objects.get(key)

    def parent(self, obj: Object) -> Object | None:
        """The object that the reference means, by name or by the uuid that it records."""
        links = self._links_of(obj)
        if links.parent is not None:
            return self.find(links.parent[0], obj.namespace, links.parent[1])
        if links.parent_uuid is not None:
            held = self.holder(links.parent_uuid[1])
            return held if held is not None and held.kind == links.parent_uuid[0] else None
        return None

    def _links_of(self, obj: Object) -> Links:
        """Read once of each object that is held, for every pass asks for those of many."""
        kept = self._read.get(obj.key)
        if kept is not None and kept[0] is obj:
            return kept[1]
        links = self._links[obj.kind](obj)
        if self._objects.get(obj.key) is obj:
            self._read[obj.key] = obj, links
        return links

    def names_parent(self, obj: Object) -> bool:
        """Whether it refers to an object of ours, be that there or not."""
        return self._links_of(obj).parent is not None

    def children(self, obj: Object) -> list[Object]:
        keys = set(self._by_parent.get(obj.ref, ()))
        if obj.uuid is not None:
            keys |= self._by_parent.get((obj.kind, obj.uuid), set())
        return [self._objects[key] for key in sorted(keys)]

    def siblings(self, obj: Object) -> list[Object]:
        """Others of the kind under the same parent, and others that share a Secret."""
        keys: set[Key] = set()
        if (parent := self.parent(obj)) is not None:
            keys |= {child.key for child in self.children(parent)}
        for ref in self._parent_refs(obj):
            keys |= self._by_parent.get(ref, set())
        for secret in self._secret_refs(obj):
            keys |= self._by_secret.get(secret, set())
        return [self._objects[key] for key in sorted(keys) if key != obj.key and key.kind == obj.kind]

    def holder(self, uuid: str) -> Object | None:
        """The living object that records this cloud uuid, or is about to; the eldest, should there be more."""
        keys = self._by_uuid.get(uuid, set()) | {key for bound, key in self._bound.items() if bound == uuid}
        holders = [self._objects[key] for key in keys if key in self._objects]
        return min(holders, key=lambda obj: (str(obj.metadata.get("creationTimestamp")), obj.uid), default=None)

    def bind(self, key: Key, uuid: str) -> None:
        """The object is about to record this uuid: nobody else adopts it, also when the answer to the write is lost."""
        self._bound[uuid] = key

    def claimant(self, obj: Object, name: str, parent: str | None, account: str | None) -> Object | None:
        """Another object of the kind with an unfinished create of this name under this parent, in this account.

        A record that says of no account may be of any.
        """
        for key in sorted(self.unbound(obj.kind) - {obj.key}):
            record = self._objects[key].status.get("create") or {}
            there = record.get("account") in (None, account)
            if there and record.get("name") == name and record.get("parentUuid") == parent:
                return self._objects[key]
        return None

    def alive(self, uid: str) -> bool:
        return any(key.uid == uid for key in self._objects)

    def secrets(self) -> set[tuple[str, str]]:
        """Every Secret that an object refers to, as (namespace, name)."""
        return set(self._by_secret)

    def credentials(self) -> set[tuple[str, str]]:
        """Every Secret with credentials that an object names or has used, as (namespace, name)."""
        return set(self._by_credentials)

    def namespaces(self) -> set[str]:
        """Those with objects of ours."""
        return set(self._by_namespace)

    def in_namespace(self, namespace: str) -> set[Key]:
        return set(self._by_namespace.get(namespace, ()))

    def secret_users(self, namespace: str, name: str) -> set[Key]:
        return set(self._by_secret.get((namespace, name), ()))

    def unbound(self, kind: str | None = None) -> set[Key]:
        """Objects without a recorded uuid: they wait for a name, a parent or an answer."""
        return {key for key, obj in self._objects.items() if obj.uuid is None and kind in (None, key.kind)}

    def apply(self, obj: Object, *, own_write: bool = False) -> set[Key]:
        """A newer state of an object, from a watch, a LIST or the answer of our own write."""
        self._now += 1
        old, rival = self._objects.get(obj.key), self.find(*obj.ref)
        if obj.key in self._buried or any(known is not None and not _newer(obj, known) for known in (old, rival)):
            return set()
        woken: set[Key] = set()
        if rival is not None and rival.key != obj.key:
            # Same name, other uid: the old one is gone, its DELETED has not arrived yet.
            woken = self.remove(rival.key)
        former = set() if old is None else self._around(old) | (self._below(old) if old.uuid != obj.uuid else set())
        self._unindex(old)
        self._bound = {uuid: key for uuid, key in self._bound.items() if key != obj.key}
        self._objects[obj.key] = obj
        self._heard[obj.key] = self._now
        self._index(obj)
        if not own_write and (old is None or _decides(old) != _decides(obj) or old.status != obj.status):
            woken.add(obj.key)
        return woken | self._concerned(obj, old, former)

    def remove(self, key: Key, *, certain: bool = True) -> set[Key]:
        """The object is gone. A DELETED of another uid than the one we know changes nothing.

        `certain`: what is still said of this uid later is old.
        """
        if certain:
            self._bury(key)
        self._bound = {uuid: bound for uuid, bound in self._bound.items() if bound != key}
        obj = self._objects.get(key)
        if obj is None:
            return set()
        woken = {key} | self._around(obj) | self._below(obj)
        self._unindex(obj)
        del self._objects[key], self._heard[key]
        self._read.pop(key, None)
        return woken | self.unbound(key.kind)

    def moment(self) -> int:
        """To be asked before a LIST and given to `replace_all` with its answer."""
        return self._now

    def replace_all(self, kind: str, objects: Iterable[Object], since: int | None = None) -> set[Key]:
        """A whole LIST of one kind: what it does not name is gone (kopf makes up no DELETED after a gap).

        Except what was heard of after the moment `since`, before which the LIST did not begin.
        """
        listed = {obj.key: obj for obj in objects}
        limit = self._now if since is None else since
        woken: set[Key] = set()
        for key in [key for key in self._objects if key.kind == kind and key not in listed]:
            if self._heard[key] <= limit:
                woken |= self.remove(key, certain=False)
        for obj in listed.values():
            woken |= self.apply(obj)
        return woken

    def _concerned(self, obj: Object, old: Object | None, former: set[Key]) -> set[Key]:
        """Who else decides on something that changed with this object. `former`: those around it until now."""
        woken: set[Key] = set()
        if old is None or _shown(old) != _shown(obj) or self._links_of(old) != self._links_of(obj):
            woken |= former | self._around(obj) | self._below(obj)
        elif old.status.get("interruptedAt") != obj.status.get("interruptedAt"):
            woken |= former | self._around(obj)
        if old is not None and old.uuid is not None and old.uuid != obj.uuid:
            woken |= self.unbound(obj.kind)
        elif old is not None and old.creating and not obj.creating and obj.uuid is None:
            woken |= self.unbound(obj.kind)  # the name that it claimed is free
        return woken - {obj.key}

    def _around(self, obj: Object) -> set[Key]:
        """Its parent, and those beside it that wait until it is up again."""
        parent = self.parent(obj)
        beside = self.siblings(obj) if obj.status.get("interruptedAt") else []
        return {other.key for other in (*([parent] if parent is not None else []), *beside)}

    def _below(self, obj: Object) -> set[Key]:
        """Everything below it: a grandchild waits for its grandparent, too."""
        keys: set[Key] = set()
        below = self.children(obj)
        while below:
            keys |= {child.key for child in below}
            below = [grandchild for child in below for grandchild in self.children(child)]
        return keys

    def _parent_refs(self, obj: Object) -> list[Name | tuple[str, str]]:
        links = self._links_of(obj)
        by_name = [Name(links.parent[0], obj.namespace, links.parent[1])] if links.parent is not None else []
        return [*by_name, *([links.parent_uuid] if links.parent_uuid is not None else [])]

    def _secret_refs(self, obj: Object) -> list[tuple[str, str]]:
        return [(obj.namespace, secret) for secret in self._links_of(obj).secrets]

    def _credentials_refs(self, obj: Object) -> set[tuple[str, str]]:
        used = obj.status.get("credentialsSecretRef")
        names = (self._links_of(obj).credentials, used.get("name") if isinstance(used, Mapping) else None)
        return {(obj.namespace, name) for name in names if isinstance(name, str)}

    def _index(self, obj: Object) -> None:
        self._names[obj.ref] = obj.key
        for ref in self._parent_refs(obj):
            self._by_parent.setdefault(ref, set()).add(obj.key)
        for secret in self._secret_refs(obj):
            self._by_secret.setdefault(secret, set()).add(obj.key)
        for secret in self._credentials_refs(obj):
            self._by_credentials.setdefault(secret, set()).add(obj.key)
        self._by_namespace.setdefault(obj.namespace, set()).add(obj.key)
        if obj.uuid is not None:
            self._by_uuid.setdefault(obj.uuid, set()).add(obj.key)

    def _unindex(self, obj: Object | None) -> None:
        if obj is None:
            return
        del self._names[obj.ref]
        for ref in self._parent_refs(obj):
            _discard(self._by_parent, ref, obj.key)
        for secret in self._secret_refs(obj):
            _discard(self._by_secret, secret, obj.key)
        for secret in self._credentials_refs(obj):
            _discard(self._by_credentials, secret, obj.key)
        _discard(self._by_namespace, obj.namespace, obj.key)
        if obj.uuid is not None:
            _discard(self._by_uuid, obj.uuid, obj.key)

    def _bury(self, key: Key) -> None:
        now = self._seconds()
        self._buried.pop(key, None)
        self._buried[key] = now
        oldest = next(iter(self._buried))
        while now - self._buried[oldest] > BURIED_SECONDS or len(self._buried) > BURIED_MOST:
            del self._buried[oldest]
            oldest = next(iter(self._buried))  # the one of now stays


def _discard(index: dict[K, set[Key]], at: K, key: Key) -> None:
    keys = index.get(at, set())
    keys.discard(key)
    if not keys:
        index.pop(at, None)


def _newer(new: Object, old: Object) -> bool:
    """Whether `new` is from after `old`, which may be another object of the same name."""
    try:
        return int(new.resource_version) > int(old.resource_version)
    except ValueError:
        return True


def _decides(obj: Object) -> tuple[object, ...]:
    """What of an object itself a pass decides on."""
    annotations = tuple(sorted(obj.own_annotations.items()))
    return obj.generation, obj.metadata.get("deletionTimestamp"), obj.finalizers, annotations


def _shown(obj: Object) -> tuple[object, ...]:
    """What of an object its parent and its children decide on."""
    inherited = json.dumps([obj.spec.get(field) for field in INHERITED], default=str)
    return obj.uuid, obj.deleting, inherited
