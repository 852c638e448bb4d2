"""What we know of our own Kubernetes objects: by uid, with indexes by name, parent, Secret and recorded cloud uuid.

The watch, our own LISTs and the answers of our own writes all end here. An object never goes backwards: resource
versions of one object are compared as numbers (Kubernetes guarantees that order since 1.35, etcd always gave it), so an
event that was under way when we wrote is ignored. `apply` and `remove` return the keys that have something new to
decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from netgw.engine.actuator import Links
from netgw.engine.objects import Key, Name, Object

LinksOf = Callable[[Object], Links]


class Store:
    """`links` reads from an object of each kind whom it refers to."""

    def __init__(self, links: Mapping[str, LinksOf]) -> None:
        self._links = links
        self._objects: dict[Key, Object] = {}
        self._names: dict[Name, Key] = {}
        self._by_parent: dict[Name, set[Key]] = {}
        self._by_secret: dict[tuple[str, str], set[Key]] = {}
        self._by_uuid: dict[str, Key] = {}

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[Object]:
        return iter(list(self._objects.values()))

    def get(self, key: Key) -> Object | None:
        return self._objects.get(key)

    def find(self, kind: str, namespace: str, name: str) -> Object | None:
        key = self._names.get(Name(kind, namespace, name))
        return None if key is None else self._objects.get(key)

    def parent(self, obj: Object) -> Object | None:
        link = self._links[obj.kind](obj).parent
        return None if link is None else self.find(link[0], obj.namespace, link[1])

    def children(self, obj: Object) -> list[Object]:
        return [self._objects[key] for key in self._by_parent.get(obj.ref, ())]

    def siblings(self, obj: Object) -> list[Object]:
        """Others under the same parent, and others of the same kind that share a Secret."""
        links = self._links[obj.kind](obj)
        keys: set[Key] = set()
        if links.parent is not None:
            keys |= self._by_parent.get(Name(links.parent[0], obj.namespace, links.parent[1]), set())
        for secret in links.secrets:
            keys |= self._by_secret.get((obj.namespace, secret), set())
        return [self._objects[key] for key in sorted(keys) if key != obj.key and key.kind == obj.kind]

    def holder(self, uuid: str) -> Object | None:
        """The living object that records this cloud uuid."""
        key = self._by_uuid.get(uuid)
        return None if key is None else self._objects.get(key)

    def claimant(self, obj: Object, name: str, parent: str | None) -> Object | None:
        """Another object of the kind with an unfinished create of this name under this parent."""
        for key in self.unbound(obj.kind) - {obj.key}:
            record = self._objects[key].status.get("create") or {}
            if record.get("name") == name and record.get("parentUuid") == parent:
                return self._objects[key]
        return None

    def alive(self, uid: str) -> bool:
        return any(key.uid == uid for key in self._objects)

    def secrets(self) -> set[tuple[str, str]]:
        """Every Secret that an object refers to, as (namespace, name)."""
        return {ref for ref, keys in self._by_secret.items() if keys}

    def secret_users(self, namespace: str, name: str) -> set[Key]:
        return set(self._by_secret.get((namespace, name), ()))

    def unbound(self, kind: str | None = None) -> set[Key]:
        """Objects without a recorded uuid: they wait for a name, a parent or an answer."""
        return {key for key, obj in self._objects.items() if obj.uuid is None and kind in (None, key.kind)}

    def apply(self, obj: Object, *, own_write: bool = False) -> set[Key]:
        """A newer state of an object, from a watch, a LIST or the answer of our own write."""
        old = self._objects.get(obj.key)
        if old is not None and _known(obj, old):
            return set()
        rival = self._names.get(obj.ref)
        # Same name, other uid: the old one is gone, its DELETED has not arrived yet.
        woken = self.remove(rival) if rival is not None and rival != obj.key else set()
        self._unindex(old)
        self._objects[obj.key] = obj
        self._index(obj)
        if not own_write and (old is None or _decides(old) != _decides(obj) or old.status != obj.status):
            woken.add(obj.key)
        return woken | self._concerned(obj, old)

    def remove(self, key: Key) -> set[Key]:
        """The object is gone. A DELETED of another uid than the one we know changes nothing."""
        obj = self._objects.pop(key, None)
        if obj is None:
            return set()
        woken = {child.key for child in self.children(obj)} | self.unbound(key.kind)
        if (parent := self.parent(obj)) is not None:
            woken.add(parent.key)
        woken |= {sibling.key for sibling in self.siblings(obj)}
        self._unindex(obj)
        return woken - {key}

    def replace_all(self, kind: str, objects: Iterable[Object]) -> set[Key]:
        """A whole LIST of one kind: what it does not name is gone (kopf makes up no DELETED after a gap)."""
        listed = {obj.key: obj for obj in objects}
        woken: set[Key] = set()
        for key in [key for key in self._objects if key.kind == kind and key not in listed]:
            woken |= self.remove(key) | {key}
        for obj in listed.values():
            woken |= self.apply(obj)
        return woken

    def _concerned(self, obj: Object, old: Object | None) -> set[Key]:
        """Who else decides on something that changed with this object."""
        woken: set[Key] = set()
        if old is None or _shown(old) != _shown(obj):
            woken |= {child.key for child in self.children(obj)}
            if (parent := self.parent(obj)) is not None:
                woken.add(parent.key)
        if old is not None and old.status.get("interruptedAt") != obj.status.get("interruptedAt"):
            woken |= {sibling.key for sibling in self.siblings(obj)}
        if old is not None and old.uuid != obj.uuid:
            woken |= self.unbound(obj.kind)
        return woken - {obj.key}

    def _index(self, obj: Object) -> None:
        self._names[obj.ref] = obj.key
        links = self._links[obj.kind](obj)
        if links.parent is not None:
            self._by_parent.setdefault(Name(links.parent[0], obj.namespace, links.parent[1]), set()).add(obj.key)
        for secret in links.secrets:
            self._by_secret.setdefault((obj.namespace, secret), set()).add(obj.key)
        if obj.uuid is not None:
            self._by_uuid.setdefault(obj.uuid, obj.key)

    def _unindex(self, obj: Object | None) -> None:
        if obj is None:
            return
        if self._names.get(obj.ref) == obj.key:
            del self._names[obj.ref]
        links = self._links[obj.kind](obj)
        if links.parent is not None:
            _discard(self._by_parent, Name(links.parent[0], obj.namespace, links.parent[1]), obj.key)
        for secret in links.secrets:
            _discard(self._by_secret, (obj.namespace, secret), obj.key)
        if obj.uuid is not None and self._by_uuid.get(obj.uuid) == obj.key:
            del self._by_uuid[obj.uuid]


def _discard(index: dict[Any, set[Key]], at: Any, key: Key) -> None:
    keys = index.get(at)
    if keys is not None:
        keys.discard(key)
        if not keys:
            del index[at]


def _known(new: Object, old: Object) -> bool:
    """Whether `new` is what we have already, or older."""
    try:
        return int(new.resource_version) <= int(old.resource_version)
    except ValueError:
        return False


def _decides(obj: Object) -> tuple[object, ...]:
    """What of an object itself a pass decides on."""
    annotations = tuple(sorted(obj.own_annotations.items()))
    return obj.generation, obj.metadata.get("deletionTimestamp"), obj.finalizers, annotations


def _shown(obj: Object) -> tuple[object, ...]:
    """What of an object its parent and its children decide on."""
    return obj.uuid, obj.deleting, obj.ref
