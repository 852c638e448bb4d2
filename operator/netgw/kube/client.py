"""The calls we make to the Kubernetes API, and no others; `deploy/rbac.yaml` grants just these.

Objects go in and out as plain JSON, without `metadata.managedFields`. Errors are those of `kube.errors`. Every call is
bounded in time. Data of Secrets is kept from `repr`, and only four words of their metadata and annotations of our own
are kept at all: the annotation `kubectl.kubernetes.io/last-applied-configuration` holds the data once more.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self
from urllib.parse import quote

from pydantic import SecretBytes

from netgw.engine.objects import PREFIX
from netgw.kube.connection import Connection
from netgw.kube.errors import KindNotServed, KubernetesError
from netgw.kube.transport import JSON, JSON_PATCH, MERGE_PATCH, Transport

FIELD_MANAGER = "netgw"

_PAGE = 500
_WATCH_SECONDS = "300"
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

# Aliases, for the class has a method named list.
Objects = list[dict[str, Any]]

_WRITE = {"fieldManager": FIELD_MANAGER}


class KindRef(Protocol):
    """What a URL needs to know of a kind."""

    @property
    def group(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def plural(self) -> str: ...
    @property
    def kind(self) -> str: ...


@dataclass(frozen=True)
class SecretMeta:
    """All that is kept of a Secret's metadata."""

    namespace: str
    name: str
    uid: str
    resource_version: str


@dataclass(frozen=True)
class Secret:
    """A Secret with its decoded data; drop it as soon as the call that needed it is done.

    `notes`: its annotations whose names begin with ours; of the others one may hold the data once more.
    """

    meta: SecretMeta
    data: Mapping[str, SecretBytes] = field(repr=False)
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SecretEvent:
    """One event of a watch: ADDED, MODIFIED, DELETED, or BOOKMARK (only its resource_version means something)."""

    type: str
    meta: SecretMeta


SecretMetas = list[SecretMeta]


class Cluster:
    """One API server, as one identity."""

    def __init__(self, transport: Transport, *, page: int = _PAGE):
        self._transport = transport
        self._page = {"limit": str(page)}
        self._call = transport.request

    @classmethod
    async def connect(cls, kubeconfig: str | None) -> Self:
        """Load credentials (None: those of the pod); no call is made yet."""
        return cls(await Transport.open(kubeconfig))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._transport.close()

    async def connection(self) -> Connection:
        """What another client (kopf's login) needs to talk to the same server; tokens are read anew."""
        return await self._transport.connection()

    async def served_kinds(self, group: str, version: str) -> set[str]:
        """The plurals that the API server serves for this group, by discovery."""
        try:
            answer = await self._call("GET", f"/apis/{group}/{version}")
        except KubernetesError as error:
            if error.status == 404:
                return set()
            raise
        return {resource["name"] for resource in answer.get("resources") or () if "/" not in resource["name"]}

    async def list(self, kind: KindRef, namespace: str | None = None, field_selector: str | None = None) -> Objects:
        """All objects of a kind, in pages of one consistent state; `KindNotServed` when there is no such kind."""
        query = {"fieldSelector": field_selector} if field_selector else {}
        try:
            items, _ = await self._pages(_path(kind.group, kind.version, kind.plural, namespace), query, JSON)
        except KubernetesError as error:
            if error.status == 404:
                raise KindNotServed(f"{kind.plural}.{kind.group}/{kind.version} is not served", 404) from None
            raise
        return [_lean(item) for item in items]

    async def get(self, kind: KindRef, namespace: str, name: str) -> dict[str, Any] | None:
        answer = await self._get(_path(kind.group, kind.version, kind.plural, namespace, name))
        return None if answer is None else _lean(answer)

    async def patch(
        self, kind: KindRef, namespace: str, name: str, ops: Objects, *, status: bool = False
    ) -> dict[str, Any]:
        """A JSON patch (RFC 6902) of the object or its status; `WriteConflict` when a `test` fails or it moved."""
        path = _path(kind.group, kind.version, kind.plural, namespace, name) + ("/status" if status else "")
        return _lean(await self._call("PATCH", path, query=_WRITE, body=ops, content_type=JSON_PATCH))

    async def namespace_uid(self, name: str) -> str | None:
        answer = await self._get(_path("", "v1", "namespaces", name=name))
        return None if answer is None else str(answer["metadata"]["uid"])

    async def create_event(self, body: Mapping[str, Any]) -> None:
        """Post an Event of events.k8s.io/v1 in the namespace of its metadata."""
        path = _path("events.k8s.io", "v1", "events", body["metadata"]["namespace"])
        await self._call("POST", path, query=_WRITE, body=dict(body))

    async def secret_metadata(self, namespace: str, name: str) -> SecretMeta | None:
        answer = await self._get(_path("", "v1", "secrets", namespace, name), _METADATA)
        return None if answer is None else _secret_meta(answer)

    async def secret_data(self, namespace: str, name: str) -> Secret | None:
        answer = await self._get(_path("", "v1", "secrets", namespace, name))
        if answer is None:
            return None
        data = {key: SecretBytes(base64.b64decode(value)) for key, value in (answer.get("data") or {}).items()}
        annotations = (answer["metadata"].get("annotations") or {}).items()
        return Secret(_secret_meta(answer), data, {key: value for key, value in annotations if key.startswith(PREFIX)})

    async def create_secret(
        self,
        namespace: str,
        name: str,
        data: Mapping[str, SecretBytes],
        labels: Mapping[str, str],
        annotations: Mapping[str, str] | None = None,
    ) -> SecretMeta:
        """Make an Opaque Secret; `WriteConflict` when it is there already."""
        marks = {"labels": dict(labels), "annotations": dict(annotations or {})}
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace, **marks},
            "data": {key: base64.b64encode(value.get_secret_value()).decode() for key, value in data.items()},
        }
        path = _path("", "v1", "secrets", namespace)
        return _secret_meta(await self._call("POST", path, query=_WRITE, body=body, accept=_METADATA))

    async def patch_secret(self, namespace: str, name: str, body: Mapping[str, Any]) -> SecretMeta:
        """A JSON merge patch (RFC 7396); `WriteConflict` where it names another resourceVersion than the current."""
        path = _path("", "v1", "secrets", namespace, name)
        answer = await self._call(
            "PATCH", path, query=_WRITE, body=dict(body), content_type=MERGE_PATCH, accept=_METADATA
        )
        return _secret_meta(answer)

    async def list_secret_metadata(self, namespace: str | None) -> tuple[SecretMetas, str]:
        """The metadata of all Secrets (of a namespace), and the resourceVersion to watch from."""
        items, version = await self._pages(_path("", "v1", "secrets", namespace), {}, _METADATA_LIST)
        return [_secret_meta(item) for item in items], version

    async def watch_secret_metadata(self, namespace: str | None, resource_version: str) -> AsyncIterator[SecretEvent]:
        """Changes since a resourceVersion, for five minutes at most; `WatchExpired` when it must be listed again."""
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": _WATCH_SECONDS,
        }
        path = _path("", "v1", "secrets", namespace)
        async for event in self._transport.stream(path, query=query, accept=_METADATA):
            yield SecretEvent(event["type"], _secret_meta(event["object"]))

    async def get_lease(self, namespace: str, name: str) -> dict[str, Any] | None:
        return await self._get(_path("coordination.k8s.io", "v1", "leases", namespace, name))

    async def create_lease(self, lease: Mapping[str, Any]) -> dict[str, Any]:
        """`WriteConflict` when it is there already."""
        path = _path("coordination.k8s.io", "v1", "leases", lease["metadata"]["namespace"])
        return dict(await self._call("POST", path, query=_WRITE, body=dict(lease)))

    async def replace_lease(self, lease: Mapping[str, Any]) -> dict[str, Any]:
        """`WriteConflict` when somebody else wrote it since it was read."""
        metadata = lease["metadata"]
        path = _path("coordination.k8s.io", "v1", "leases", metadata["namespace"], metadata["name"])
        return dict(await self._call("PUT", path, query=_WRITE, body=dict(lease)))

    async def _get(self, path: str, accept: str = JSON) -> dict[str, Any] | None:
        try:
            return dict(await self._call("GET", path, accept=accept))
        except KubernetesError as error:
            if error.status == 404:
                return None
            raise

    async def _pages(self, path: str, query: Mapping[str, str], accept: str) -> tuple[Objects, str]:
        try:
            return await self._all_pages(path, query, accept)
        except KubernetesError as error:
            if error.status != 410:
                raise
        # The state that the pages are read from was compacted away meanwhile.
        return await self._all_pages(path, query, accept)

    async def _all_pages(self, path: str, query: Mapping[str, str], accept: str) -> tuple[Objects, str]:
        items: Objects = []
        page = self._page
        while True:
            answer = await self._call("GET", path, query={**query, **page}, accept=accept)
            items += answer.get("items") or []
            metadata = answer.get("metadata") or {}
            if not metadata.get("continue"):
                return items, str(metadata.get("resourceVersion") or "")
            page = {**self._page, "continue": metadata["continue"]}


def _path(group: str, version: str, plural: str, namespace: str | None = None, name: str | None = None) -> str:
    parts = ["apis", group, version] if group else ["api", version]
    parts += ["namespaces", namespace] if namespace else []
    parts += [plural, name] if name else [plural]
    return "/" + "/".join(quote(part, safe="") for part in parts)


def _lean(obj: dict[str, Any]) -> dict[str, Any]:
    obj["metadata"].pop("managedFields", None)
    return obj


def _secret_meta(obj: Mapping[str, Any]) -> SecretMeta:
    metadata = obj["metadata"]
    return SecretMeta(
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata.get("name") or ""),
        uid=str(metadata.get("uid") or ""),
        resource_version=str(metadata.get("resourceVersion") or ""),
    )
