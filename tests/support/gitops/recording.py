"""Objects as real scenarios left them, written down without what differs from run to run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from support.gitops.argo import Health

UUID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b")
TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z")
FINGERPRINT = re.compile(r"\bv1:[0-9a-f]+:[0-9a-f]+")
KEPT = ("name", "generation", "annotations")


def written(obj: Mapping[str, Any], health: Health) -> str:
    """As a file: the health's message in the first line, then the object."""
    plain = {key: obj[key] for key in ("apiVersion", "kind")}
    plain["metadata"] = {key: obj["metadata"][key] for key in KEPT if key in obj["metadata"]} | {"namespace": "demo"}
    plain |= {key: obj[key] for key in ("spec", "status") if key in obj}
    text = f"# {health.message}\n" + yaml.safe_dump(plain, sort_keys=False, width=1000)
    return _same(text, obj["metadata"]["namespace"])


def reading(text: str) -> dict[str, Any]:
    """The object of a file."""
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def essence(obj: Mapping[str, Any]) -> dict[str, Any]:
    """What a health check can depend on: another order of events in the cloud leaves it alone."""
    status = obj.get("status") or {}
    said = {c["type"]: (c["status"], c["reason"]) for c in status.get("conditions") or ()}
    return {
        "kind": obj["kind"],
        "observed": status.get("observedGeneration") == obj["metadata"]["generation"],
        "conditions": said,
        "policies": status.get("policies"),
        "drift": [entry["path"] for entry in status.get("drift") or ()],
    }


def _same(text: str, namespace: str) -> str:
    text = text.replace(namespace, "demo")
    for number, uuid in enumerate(dict.fromkeys(UUID.findall(text)), 1):
        text = text.replace(uuid, f"00000000-0000-4000-8000-{number:012}")
    text = TIME.sub("2026-11-22T03:00:00Z", text)
    return FINGERPRINT.sub("v1:00000000:madeup", text)
