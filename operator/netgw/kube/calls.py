"""What the calls of `kube.client` are made of: paths, pages, watches. Knows no kind of object."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import quote

from netgw.kube.errors import KubernetesError, ObjectGone
from netgw.kube.transport import JSON, Transport

METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
WRITE = {"fieldManager": "netgw"}

_PAGE = 100
"""Objects. Those of a page are held at a time, as text and parsed."""
_WATCH_SECONDS = "300"

Objects = list[dict[str, Any]]

T = TypeVar("T")
Read = Callable[[dict[str, Any]], T]
"""What is made of an item of a LIST."""


class Versioned(Protocol):
    """What a watch needs to know of an object."""

    @property
    def resource_version(self) -> str: ...


Meta = TypeVar("Meta", bound=Versioned)


@dataclass(frozen=True)
class MetaEvent(Generic[Meta]):
    """One event of a watch: ADDED, MODIFIED, DELETED, or BOOKMARK (only its resource_version means something)."""

    type: str
    meta: Meta


class Calls:
    """One API server, as one identity."""

    def __init__(self, transport: Transport, *, page: int = _PAGE):
        self._transport = transport
        self._page = {"limit": str(page)}
        self._call = transport.request

    async def _get(self, path: str, accept: str = JSON) -> dict[str, Any] | None:
        """None: the server says that there is no such object."""
        try:
            return dict(await self._call("GET", path, accept=accept))
        except ObjectGone:
            return None

    async def _pages(self, path: str, query: Mapping[str, str], accept: str, read: Read[T]) -> tuple[list[T], str]:
        """All items in one consistent state, as they are read, and the resourceVersion to watch from.

        Each is read as soon as its page is there, and nothing else is kept of that.
        """
        try:
            return await self._all_pages(path, query, accept, read)
        except KubernetesError as error:
            if error.status != 410:
                raise
        # The state that the pages are read from was compacted away meanwhile.
        return await self._all_pages(path, query, accept, read)

    async def _all_pages(self, path: str, query: Mapping[str, str], accept: str, read: Read[T]) -> tuple[list[T], str]:
        items: list[T] = []
        page = self._page
        while True:
            answer = await self._call("GET", path, query={**query, **page}, accept=accept)
            items += map(read, answer.pop("items", None) or ())
            metadata = answer.get("metadata") or {}
            if not metadata.get("continue"):
                return items, str(metadata.get("resourceVersion") or "")
            page = {**self._page, "continue": metadata["continue"]}

    def _watch_metadata(self, path: str, resource_version: str) -> AsyncIterator[dict[str, Any]]:
        """Events of metadata, for five minutes at most; `WatchExpired` when it must be listed again."""
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": _WATCH_SECONDS,
        }
        return self._transport.stream(path, query=query, accept=METADATA)


def path_of(group: str, version: str, plural: str, namespace: str | None = None, name: str | None = None) -> str:
    """The path of a URL; an empty group is the core's."""
    parts = ["apis", group, version] if group else ["api", version]
    parts += ["namespaces", namespace] if namespace else []
    parts += [plural, name] if name else [plural]
    return "/" + "/".join(quote(part, safe="") for part in parts)
