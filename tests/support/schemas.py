"""JSON schemas for kubeconform, one file per kind, from what an API server says of itself: no network is needed.

Stricter than the server's own words: a field that it does not know is an error.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from support.cluster import ROOT, Cluster

LOCATION = "{{ .ResourceKind }}-{{ .Group }}-{{ .ResourceAPIVersion }}.json"
GROUPS = (
    "api/v1",
    "apis/apps/v1",
    "apis/batch/v1",
    "apis/policy/v1",
    "apis/rbac.authorization.k8s.io/v1",
    "apis/networking.k8s.io/v1",
    "apis/apiextensions.k8s.io/v1",
    "apis/upcloud.netgw.dev/v1alpha1",
)
BY_HAND = ROOT / "tests" / "chart" / "schemas"


def write(cluster: Cluster, folder: Path) -> None:
    """Of every kind that the chart makes and of our own; those of the Prometheus operator are by hand."""
    for path in BY_HAND.glob("*.json"):
        shutil.copy(path, folder)
    for group in GROUPS:
        answer = cluster.api("GET", f"/openapi/v3/{group}").raise_for_status().json()
        schemas = {name: strict(schema) for name, schema in answer["components"]["schemas"].items()}
        for name, kind, where in kinds(schemas):
            document = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
            (folder / f"{kind.lower()}-{where}.json").write_text(json.dumps(document))


def kinds(schemas: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The name of the schema, the kind, and its group and version as they are in the name of the file."""
    for name, schema in schemas.items():
        for known in schema.get("x-kubernetes-group-version-kind", ()):
            if "metadata" in schema.get("properties", {}):
                yield name, known["kind"], f"{known['group'] or known['version']}-{known['version']}"


def strict(schema: Any) -> Any:
    """The same, where an object has the fields that are named and no others; defaults and formats mean nothing here."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _inside(key, value) for key, value in schema.items() if key not in ("default", "format")}
    if "properties" in made:
        made.setdefault("additionalProperties", False)
    return made


def _inside(key: str, value: Any) -> Any:
    """Fields may be called as keywords are."""
    return {name: strict(field) for name, field in value.items()} if key == "properties" else strict(value)
