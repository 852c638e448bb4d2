"""The calls we make to the Kubernetes API, and no others; the files in `deploy/` grant just these.

Objects go in and out as plain JSON, without `metadata.managedFields`. Errors are those of `kube.errors`. Every call is
bounded in time. The calls about Secrets and namespaces are in modules of their own, for they keep only what is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self

from netgw.kube.calls import WRITE, Objects, Read, T, path_of
from netgw.kube.connection import Connection
from netgw.kube.errors import KindNotServed, KubernetesError
from netgw.kube.namespace_calls import NamespaceCalls, NamespaceEvent, NamespaceMeta
from netgw.kube.secret_calls import Secret, SecretCalls, SecretEvent, SecretFinalizers, SecretMeta
from netgw.kube.transport import JSON, JSON_PATCH, Transport

__all__ = [
    "Cluster",
    "KindRef",
    "NamespaceEvent",
    "NamespaceMeta",
    "Secret",
    "SecretEvent",
    "SecretFinalizers",
    "SecretMeta",
]


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


class Cluster(SecretCalls, NamespaceCalls):
    """One API server, as one identity."""

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
        return [*await self.list_as(kind, lambda body: body, namespace, field_selector)]

    async def list_as(
        self, kind: KindRef, read: Read[T], namespace: str | None = None, field_selector: str | None = None
    ) -> Sequence[T]:
        """As `list`, with what `read` makes of each object; of a page that was read nothing else is held."""
        query = {"fieldSelector": field_selector} if field_selector else {}
        path = path_of(kind.group, kind.version, kind.plural, namespace)
        try:
            items, _ = await self._pages(path, query, JSON, lambda item: read(_lean(item)))
        except KubernetesError as error:
            if error.status == 404:
                raise KindNotServed(f"{kind.plural}.{kind.group}/{kind.version} is not served", 404) from None
            raise
        return items

    async def get(self, kind: KindRef, namespace: str, name: str) -> dict[str, Any] | None:
        answer = await self._get(path_of(kind.group, kind.version, kind.plural, namespace, name))
        return None if answer is None else _lean(answer)

    async def patch(
        self, kind: KindRef, namespace: str, name: str, ops: Objects, *, status: bool = False
    ) -> dict[str, Any]:
        """A JSON patch (RFC 6902) of the object or its status; `WriteConflict` when a `test` fails or it moved."""
        path = path_of(kind.group, kind.version, kind.plural, namespace, name) + ("/status" if status else "")
        return _lean(await self._call("PATCH", path, query=WRITE, body=ops, content_type=JSON_PATCH))

    async def create_event(self, body: Mapping[str, Any]) -> None:
        """Post an Event of events.k8s.io/v1 in the namespace of its metadata."""
        path = path_of("events.k8s.io", "v1", "events", body["metadata"]["namespace"])
        await self._call("POST", path, query=WRITE, body=dict(body))

    async def get_lease(self, namespace: str, name: str) -> dict[str, Any] | None:
        return await self._get(path_of("coordination.k8s.io", "v1", "leases", namespace, name))

    async def create_lease(self, lease: Mapping[str, Any]) -> dict[str, Any]:
        """`WriteConflict` when it is there already."""
        path = path_of("coordination.k8s.io", "v1", "leases", lease["metadata"]["namespace"])
        return dict(await self._call("POST", path, query=WRITE, body=dict(lease)))

    async def replace_lease(self, lease: Mapping[str, Any]) -> dict[str, Any]:
        """`WriteConflict` when somebody else wrote it since it was read."""
        metadata = lease["metadata"]
        path = path_of("coordination.k8s.io", "v1", "leases", metadata["namespace"], metadata["name"])
        return dict(await self._call("PUT", path, query=WRITE, body=dict(lease)))


def _lean(obj: dict[str, Any]) -> dict[str, Any]:
    obj["metadata"].pop("managedFields", None)
    return obj
