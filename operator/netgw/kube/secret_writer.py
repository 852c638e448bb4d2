"""Writes keys into Secrets, each time as one call with a precondition: other keys and annotations stay as they are.

A merge patch that names a resourceVersion fails where that is not the current one, and a Secret that was deleted and
made again has another. Unlike a JSON patch it needs not know whether there is any annotation yet.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from pydantic import SecretBytes

from netgw.kube.client import SecretMeta

_LABELS = {"app.kubernetes.io/managed-by": "netgw"}


class Source(Protocol):
    """The part of `kube.client.Cluster` that is needed here."""

    async def create_secret(
        self,
        namespace: str,
        name: str,
        data: Mapping[str, SecretBytes],
        labels: Mapping[str, str],
        annotations: Mapping[str, str] | None = None,
    ) -> SecretMeta: ...
    async def patch_secret(self, namespace: str, name: str, body: Mapping[str, Any]) -> SecretMeta: ...


class ClusterSecretWriter:
    """`kube.provider.SecretWriter` on a real API server."""

    def __init__(self, source: Source) -> None:
        self._source = source

    async def create(
        self, namespace: str, name: str, data: Mapping[str, SecretBytes], annotations: Mapping[str, str]
    ) -> None:
        await self._source.create_secret(namespace, name, data, _LABELS, annotations)

    async def patch(
        self,
        meta: SecretMeta,
        *,
        put: Mapping[str, SecretBytes],
        remove: Iterable[str] = (),
        annotations: Mapping[str, str],
    ) -> None:
        body: dict[str, Any] = {
            "metadata": {"resourceVersion": meta.resource_version, "annotations": dict(annotations)},
            "data": {key: base64.b64encode(value.get_secret_value()).decode() for key, value in put.items()}
            | dict.fromkeys(remove),
        }
        await self._source.patch_secret(meta.namespace, meta.name, body)
