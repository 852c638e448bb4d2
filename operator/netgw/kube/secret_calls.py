"""The calls about Secrets. Data goes in and comes out as `SecretBytes`, and only where a call is for data.

Every write asks for metadata as its answer, and of metadata only a few words are kept at all: the annotation
`kubectl.kubernetes.io/last-applied-configuration` holds the data once more.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretBytes

from netgw.engine.objects import PREFIX
from netgw.kube.calls import METADATA, METADATA_LIST, WRITE, Calls, MetaEvent, path_of
from netgw.kube.transport import JSON_PATCH, MERGE_PATCH


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
class SecretFinalizers:
    """What keeps a Secret from going, and whether it is to go."""

    meta: SecretMeta
    finalizers: tuple[str, ...]
    deleting: bool


SecretEvent = MetaEvent[SecretMeta]


class SecretCalls(Calls):
    """Each needs a right of its own; the files in deploy/ say which."""

    async def secret_metadata(self, namespace: str, name: str) -> SecretMeta | None:
        answer = await self._get(_path(namespace, name), METADATA)
        return None if answer is None else _meta(answer)

    async def secret_data(self, namespace: str, name: str) -> Secret | None:
        answer = await self._get(_path(namespace, name))
        if answer is None:
            return None
        data = {key: SecretBytes(base64.b64decode(value)) for key, value in (answer.get("data") or {}).items()}
        annotations = (answer["metadata"].get("annotations") or {}).items()
        return Secret(_meta(answer), data, {key: value for key, value in annotations if key.startswith(PREFIX)})

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
            "data": _encoded(data),
        }
        return _meta(await self._call("POST", _path(namespace), query=WRITE, body=body, accept=METADATA))

    async def patch_secret(self, namespace: str, name: str, body: Mapping[str, Any]) -> SecretMeta:
        """A JSON merge patch (RFC 7396); `WriteConflict` where it names another resourceVersion than the current."""
        path = _path(namespace, name)
        answer = await self._call(
            "PATCH", path, query=WRITE, body=dict(body), content_type=MERGE_PATCH, accept=METADATA
        )
        return _meta(answer)

    async def secret_finalizers(self, namespace: str, name: str) -> SecretFinalizers | None:
        answer = await self._get(_path(namespace, name), METADATA)
        if answer is None:
            return None
        metadata = answer["metadata"]
        return SecretFinalizers(
            _meta(answer), tuple(metadata.get("finalizers") or ()), bool(metadata.get("deletionTimestamp"))
        )

    async def set_secret_finalizers(self, meta: SecretMeta, finalizers: Iterable[str]) -> None:
        """Replace the list; `WriteConflict` when the Secret moved, `ObjectGone`."""
        ops = [
            {"op": "test", "path": "/metadata/uid", "value": meta.uid},
            {"op": "test", "path": "/metadata/resourceVersion", "value": meta.resource_version},
            {"op": "add", "path": "/metadata/finalizers", "value": list(finalizers)},
        ]
        path = _path(meta.namespace, meta.name)
        await self._call("PATCH", path, query=WRITE, body=ops, content_type=JSON_PATCH, accept=METADATA)

    async def list_secret_metadata(self, namespace: str | None) -> tuple[list[SecretMeta], str]:
        """The metadata of all Secrets (of a namespace), and the resourceVersion to watch from."""
        return await self._pages(_path(namespace), {}, METADATA_LIST, _meta)

    async def watch_secret_metadata(self, namespace: str | None, resource_version: str) -> AsyncIterator[SecretEvent]:
        """Changes since a resourceVersion, for five minutes at most; `WatchExpired` when it must be listed again."""
        async for event in self._watch_metadata(_path(namespace), resource_version):
            yield SecretEvent(event["type"], _meta(event["object"]))


def _path(namespace: str | None, name: str | None = None) -> str:
    return path_of("", "v1", "secrets", namespace, name)


def _encoded(data: Mapping[str, SecretBytes]) -> dict[str, str]:
    return {key: base64.b64encode(value.get_secret_value()).decode() for key, value in data.items()}


def _meta(obj: Mapping[str, Any]) -> SecretMeta:
    metadata = obj["metadata"]
    return SecretMeta(
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata.get("name") or ""),
        uid=str(metadata.get("uid") or ""),
        resource_version=str(metadata.get("resourceVersion") or ""),
    )
