"""The engine's `Kubernetes` port on the real API server: our own objects, every write with its precondition.

A write is a JSON patch whose first two steps test uid and resourceVersion, on the object and on its status alike: a
merge patch with a wrong uid would be accepted. The status is replaced whole, for it has a single writer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from netgw.engine.objects import FINALIZER, Json, Known, Name, Object, itself
from netgw.kube.client import Cluster
from netgw.kube.kind import Kind

Ops = list[dict[str, Any]]


class Objects:
    """`namespaces`: those that are watched; none means all."""

    def __init__(self, cluster: Cluster, kinds: Iterable[Kind], namespaces: Sequence[str] = ()) -> None:
        self._cluster = cluster
        self._kinds: Mapping[str, Kind] = {kind.kind: kind for kind in kinds}
        self._namespaces = namespaces

    async def list(self, kind: str, known: Known = itself) -> list[Object]:
        """Every object of a kind in the watched namespaces."""
        found: list[Object] = []
        for namespace in self._namespaces or (None,):
            found += await self._cluster.list_as(self._kinds[kind], lambda body: known(Object(kind, body)), namespace)
        return found

    async def add_finalizer(self, obj: Object) -> Object:
        return await self._patch(obj, _set("/metadata/finalizers", [*obj.finalizers, FINALIZER]))

    async def remove_finalizer(self, obj: Object) -> Object | None:
        left = [finalizer for finalizer in obj.finalizers if finalizer != FINALIZER]
        written = await self._patch(obj, _set("/metadata/finalizers", left))
        return None if written.deleting and not written.finalizers else written

    async def write_status(self, obj: Object, status: dict[str, Json]) -> Object:
        return await self._patch(obj, _set("/status", status), status=True)

    async def read(self, ref: Name) -> Object | None:
        body = await self._cluster.get(self._kinds[ref.kind], ref.namespace, ref.name)
        return None if body is None else Object(ref.kind, body)

    async def children(self, obj: Object) -> Sequence[Name]:
        """By name in the object's namespace, and by uuid wherever we watch."""
        found: set[Name] = set()
        for kind in self._kinds.values():
            if kind.parent is None or kind.parent.kind != obj.kind:
                continue
            field = f"spec.{kind.parent.field}"
            found |= await self._names(kind, obj.namespace, f"{field}.name={obj.name}")
            if uuid := obj.status.get("uuid"):
                for namespace in self._namespaces or (None,):
                    found |= await self._names(kind, namespace, f"{field}.uuid={uuid}")
        return sorted(found)

    async def _names(self, kind: Kind, namespace: str | None, selector: str) -> set[Name]:
        bodies = await self._cluster.list(kind, namespace, field_selector=selector)
        return {Object(kind.kind, body).ref for body in bodies}

    async def _patch(self, obj: Object, change: dict[str, Any], *, status: bool = False) -> Object:
        tests: Ops = [
            {"op": "test", "path": "/metadata/uid", "value": obj.uid},
            {"op": "test", "path": "/metadata/resourceVersion", "value": obj.resource_version},
        ]
        kind = self._kinds[obj.kind]
        body = await self._cluster.patch(kind, obj.namespace, obj.name, [*tests, change], status=status)
        return Object(obj.kind, body)


def _set(path: str, value: Json) -> dict[str, Any]:
    return {"op": "add", "path": path, "value": value}
