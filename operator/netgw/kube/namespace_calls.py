"""The calls about namespaces. Of their metadata only the name and our own annotations are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from netgw.engine.objects import PREFIX
from netgw.kube.calls import METADATA, METADATA_LIST, Calls, MetaEvent, path_of


@dataclass(frozen=True)
class NamespaceMeta:
    """`annotations`: those that begin with `netgw.dev/`, without that."""

    name: str
    resource_version: str
    annotations: Mapping[str, str] = field(default_factory=dict)


NamespaceEvent = MetaEvent[NamespaceMeta]

_ALL = path_of("", "v1", "namespaces")


class NamespaceCalls(Calls):
    """`get` is a right that a Role in the namespace can grant, `list` and `watch` are the cluster's."""

    async def namespace_uid(self, name: str) -> str | None:
        answer = await self._get(path_of("", "v1", "namespaces", name=name), METADATA)
        return None if answer is None else str(answer["metadata"]["uid"])

    async def namespace_metadata(self, name: str) -> NamespaceMeta | None:
        answer = await self._get(path_of("", "v1", "namespaces", name=name), METADATA)
        return None if answer is None else _meta(answer)

    async def list_namespace_metadata(self) -> tuple[list[NamespaceMeta], str]:
        """All namespaces, and the resourceVersion to watch from."""
        return await self._pages(_ALL, {}, METADATA_LIST, _meta)

    async def watch_namespace_metadata(self, resource_version: str) -> AsyncIterator[NamespaceEvent]:
        """Changes since a resourceVersion, for five minutes at most; `WatchExpired` when it must be listed again."""
        async for event in self._watch_metadata(_ALL, resource_version):
            yield NamespaceEvent(event["type"], _meta(event["object"]))


def _meta(obj: Mapping[str, Any]) -> NamespaceMeta:
    metadata = obj["metadata"]
    annotations = metadata.get("annotations") or {}
    return NamespaceMeta(
        name=str(metadata.get("name") or ""),
        resource_version=str(metadata.get("resourceVersion") or ""),
        annotations={
            key.removeprefix(PREFIX): str(value) for key, value in annotations.items() if key.startswith(PREFIX)
        },
    )
