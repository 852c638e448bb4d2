"""The calls about Secrets. Data goes in and comes out as `SecretBytes`, and only where a call is for data.

Every write asks for metadata as its answer, and of metadata only a few words are kept at all: the annotation
`kubectl.kubernetes.io/last-applied-configuration` holds the data once more.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretBytes

from netgw.kube.calls import METADATA, METADATA_LIST, WRITE, Calls, MetaEvent, Objects, path_of
from netgw.kube.errors import WriteConflict
from netgw.kube.transport import JSON_PATCH


@dataclass(frozen=True)
class SecretMeta:
    """All that is kept of a Secret's metadata."""

    namespace: str
    name: str
    uid: str
    resource_version: str


@dataclass(frozen=True)
class Secret:
    """A Secret with its decoded data; drop it as soon as the call that needed it is done."""

    meta: SecretMeta
    data: Mapping[str, SecretBytes] = field(repr=False)


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
        return Secret(_meta(answer), data)

    async def create_secret(
        self, namespace: str, name: str, data: Mapping[str, SecretBytes], labels: Mapping[str, str]
    ) -> SecretMeta:
        """Make an Opaque Secret; `WriteConflict` when it is there already."""
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
            "data": _encoded(data),
        }
        return _meta(await self._call("POST", _path(namespace), query=WRITE, body=body, accept=METADATA))

    async def patch_secret_data(
        self,
        namespace: str,
        name: str,
        resource_version: str,
        set: Mapping[str, SecretBytes],  # noqa: A002  the word for it
        remove: Sequence[str] = (),
        *,
        uid: str | None = None,
    ) -> SecretMeta:
        """Set keys and remove keys that are there, and leave the others alone.

        `WriteConflict` when it is another Secret or version, or a key to remove is not there; `ObjectGone`.
        """
        tests = _tests(resource_version, uid)
        ops = [{"op": "add", "path": f"/data/{_pointer(key)}", "value": value} for key, value in _encoded(set).items()]
        ops += [{"op": "remove", "path": f"/data/{_pointer(key)}"} for key in remove]
        try:
            return await self._patch_secret(namespace, name, [*tests, *ops])
        except WriteConflict:
            if remove or not set:
                raise
        # A Secret without any data has nothing to add a key to; this fails where it has, and where it moved.
        whole: Objects = [
            {"op": "test", "path": "/data", "value": None},
            {"op": "add", "path": "/data", "value": _encoded(set)},
        ]
        return await self._patch_secret(namespace, name, [*tests, *whole])

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
        ops = _tests(meta.resource_version, meta.uid)
        ops.append({"op": "add", "path": "/metadata/finalizers", "value": list(finalizers)})
        await self._patch_secret(meta.namespace, meta.name, ops)

    async def list_secret_metadata(self, namespace: str | None) -> tuple[list[SecretMeta], str]:
        """The metadata of all Secrets (of a namespace), and the resourceVersion to watch from."""
        items, version = await self._pages(_path(namespace), {}, METADATA_LIST)
        return [_meta(item) for item in items], version

    async def watch_secret_metadata(self, namespace: str | None, resource_version: str) -> AsyncIterator[SecretEvent]:
        """Changes since a resourceVersion, for five minutes at most; `WatchExpired` when it must be listed again."""
        async for event in self._watch_metadata(_path(namespace), resource_version):
            yield SecretEvent(event["type"], _meta(event["object"]))

    async def _patch_secret(self, namespace: str, name: str, ops: Objects) -> SecretMeta:
        path = _path(namespace, name)
        return _meta(await self._call("PATCH", path, query=WRITE, body=ops, content_type=JSON_PATCH, accept=METADATA))


def _path(namespace: str | None, name: str | None = None) -> str:
    return path_of("", "v1", "secrets", namespace, name)


def _tests(resource_version: str, uid: str | None) -> Objects:
    tests: Objects = [{"op": "test", "path": "/metadata/uid", "value": uid}] if uid else []
    return [*tests, {"op": "test", "path": "/metadata/resourceVersion", "value": resource_version}]


def _encoded(data: Mapping[str, SecretBytes]) -> dict[str, str]:
    return {key: base64.b64encode(value.get_secret_value()).decode() for key, value in data.items()}


def _pointer(key: str) -> str:
    """A key as a step of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def _meta(obj: Mapping[str, Any]) -> SecretMeta:
    metadata = obj["metadata"]
    return SecretMeta(
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata.get("name") or ""),
        uid=str(metadata.get("uid") or ""),
        resource_version=str(metadata.get("resourceVersion") or ""),
    )
