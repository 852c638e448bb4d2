"""Objects, resources and searches for tests of the engine, made of what a test is about and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from netgw.engine.actuator import External, Links
from netgw.engine.objects import FINALIZER, Object

NOW = datetime(2026, 11, 22, 3, 0, 0, tzinfo=UTC)
NOW_TEXT = "2026-11-22T03:00:00Z"

PARENTS = {"VpnConnection": "NetworkGateway", "VpnTunnel": "VpnConnection"}


def made(
    name: str = "edge",
    *,
    kind: str = "NetworkGateway",
    uid: str | None = None,
    version: int | str = 1,
    spec: Mapping[str, Any] | None = None,
    status: Mapping[str, Any] | None = None,
    **metadata: Any,
) -> Object:
    """An object in the namespace default, with our finalizer; `metadata` adds to it and replaces."""
    common = {
        "name": name,
        "namespace": "default",
        "uid": uid or f"uid-of-{name}",
        "resourceVersion": str(version),
        "generation": 1,
        "finalizers": [FINALIZER],
    }
    body = {"kind": kind, "metadata": common | metadata, "spec": dict(spec or {})}
    return Object(kind, body if status is None else {**body, "status": dict(status)})


def links(obj: Object) -> Links:
    """The fields `parent`, `parentUuid` and `secrets` of the spec, whatever the kind."""
    kind, spec = PARENTS.get(obj.kind), obj.spec
    return Links(
        parent=(kind, spec["parent"]) if kind and spec.get("parent") else None,
        parent_uuid=(kind, spec["parentUuid"]) if kind and spec.get("parentUuid") else None,
        secrets=tuple(spec.get("secrets") or ()),
    )


LINKS = dict.fromkeys(("NetworkGateway", "VpnConnection", "VpnTunnel"), links)


def resource(uuid: str = "10-1", name: str = "edge", **fields: Any) -> External:
    """Something in the cloud, made just now."""
    common: dict[str, Any] = {"parent": None, "created_at": NOW, "values": {}, "began": 0.0}
    return External(uuid=uuid, name=name, **(common | fields))
