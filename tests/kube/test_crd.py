"""The generated CRDs: fresh, bounded, complete; what the generator refuses. e2e shows that Kubernetes takes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, Field

from netgw.kinds import KINDS
from netgw.kube import crd
from netgw.kube.kind import Kind

CRDS = Path(__file__).resolve().parents[2] / "crds"

COLUMNS = {
    "Router": "NETWORKS GATEWAY READY REASON AGE [SYNCED UUID]",
    "NetworkGateway": "ADDRESS PLAN STATE TUNNELS READY REASON AGE [ZONE SYNCED UUID]",
    "VpnConnection": "GATEWAY TUNNELS READY REASON AGE [LOCAL REMOTE SYNCED UUID]",
    "VpnTunnel": "CONNECTION LOCAL PEER UP HEALTHY SINCE REASON AGE [STATE SYNCED UUID]",
}
NAMES = {
    "Router": ("routers", "router", ("rtr",), ()),
    "NetworkGateway": ("networkgateways", "networkgateway", ("ngw",), (".spec.routerRef.name", ".spec.routerRef.uuid")),
    "VpnConnection": ("vpnconnections", "vpnconnection", ("vpnc",), (".spec.gatewayRef.name", ".spec.gatewayRef.uuid")),
    "VpnTunnel": ("vpntunnels", "vpntunnel", ("vpnt",), (".spec.connectionRef.name", ".spec.connectionRef.uuid")),
}
CHECKS = {"enum", "pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems"}

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)


def nodes(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema within this one, with its path."""
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from nodes(field, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")


def version(kind: Kind) -> dict[str, Any]:
    only: dict[str, Any] = crd.crd(kind)["spec"]["versions"][0]
    return only


def part(kind: Kind, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    return nodes(version(kind)["schema"]["openAPIV3Schema"]["properties"][name], name)


def test_committed_files_are_fresh() -> None:
    assert crd.stale(KINDS, CRDS) == [], "run `make generate`"


@each_kind
def test_yaml_says_the_same_as_the_object(kind: Kind) -> None:
    assert yaml.safe_load(crd.to_yaml(kind)) == crd.crd(kind)


def test_stale_names_what_is_missing_changed_or_left_over(tmp_path: Path) -> None:
    crd.write(KINDS, tmp_path)
    assert crd.stale(KINDS, tmp_path) == []

    (tmp_path / "upcloud.netgw.dev_networkgateways.yaml").unlink()
    (tmp_path / "upcloud.netgw.dev_vpnconnections.yaml").write_text("changed: true\n")
    (tmp_path / "old.yaml").touch()

    assert crd.stale(KINDS, tmp_path) == [
        "old.yaml",
        "upcloud.netgw.dev_networkgateways.yaml",
        "upcloud.netgw.dev_vpnconnections.yaml",
    ]


@each_kind
def test_names(kind: Kind) -> None:
    plural, singular, short_names, selectable = NAMES[kind.kind]
    spec = crd.crd(kind)["spec"]
    assert (spec["group"], spec["scope"], kind.api_version) == (
        "upcloud.netgw.dev",
        "Namespaced",
        "upcloud.netgw.dev/v1alpha1",
    )
    assert spec["names"] == {
        "kind": kind.kind,
        "listKind": f"{kind.kind}List",
        "plural": plural,
        "singular": singular,
        "shortNames": list(short_names),
        "categories": ["netgw"],
    }
    assert [field["jsonPath"] for field in version(kind).get("selectableFields", [])] == list(selectable)


@each_kind
def test_columns(kind: Kind) -> None:
    columns = version(kind)["additionalPrinterColumns"]
    narrow = [column["name"].upper() for column in columns if "priority" not in column]
    wide = [column["name"].upper() for column in columns if "priority" in column]
    assert f"{' '.join(narrow)} [{' '.join(wide)}]" == COLUMNS[kind.kind]


@each_kind
def test_every_field_is_described(kind: Kind) -> None:
    bare = [path for name in ("spec", "status") for path, node in part(kind, name) if "description" not in node]
    assert [path for path in bare if not path.endswith("[]")] == []


@each_kind
def test_every_field_of_the_spec_is_bounded(kind: Kind) -> None:
    bounds = {"string": ["maxLength"], "array": ["maxItems"], "integer": ["minimum", "maximum"]}
    loose = [
        path
        for path, node in part(kind, "spec")
        if "enum" not in node and any(bound not in node for bound in bounds.get(node["type"], []))
    ]
    assert loose == []


@each_kind
def test_nothing_is_filled_in_by_the_api_server(kind: Kind) -> None:
    """Argo CD would see a difference, and a default that is filled in would be a wish."""
    assert [path for path, node in part(kind, "spec") if "default" in node] == []


@each_kind
def test_status_checks_nothing(kind: Kind) -> None:
    for path, node in part(kind, "status"):
        assert node.keys() & CHECKS == set(), path
        assert node.get("default") == ({"observedGeneration": -1} if path == "status" else None), path
        assert node.get("required", []) == (["type", "status"] if path == "status.conditions[]" else []), path
        assert "x-kubernetes-validations" not in node, path


@each_kind
def test_every_rule_says_what_to_do(kind: Kind) -> None:
    root = version(kind)["schema"]["openAPIV3Schema"]
    for path, node in nodes(root, ""):
        for rule in node.get("x-kubernetes-validations", []):
            assert len(rule["message"]) > 20, path


class Leaf(BaseModel):
    size: int = Field(gt=0)


class Text(BaseModel):
    """First paragraph.

    Another one,
    with a second line.
    """

    maybe: str | None = None
    many: tuple[str, ...] | None = None


class Union(BaseModel):
    either: int | str


class Anything(BaseModel):
    any: Any


class Unique(BaseModel):
    items: frozenset[str]


class Endless(BaseModel):
    inner: Endless | None = None


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Leaf, "Leaf.size: exclusiveMinimum cannot be said in a structural schema"),
        (Union, "Union.either: anyOf cannot be said"),
        (Anything, "Anything.any: a structural schema needs a type"),
        (Unique, "Unique.items: uniqueItems cannot be said"),
        (Endless, "Endless.inner: Endless contains itself"),
    ],
)
def test_refuses_what_is_not_structural(model: type[BaseModel], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        crd.schema(model)


def test_optional_is_absent_and_paragraphs_are_kept() -> None:
    assert crd.schema(Text) == {
        "description": "First paragraph.\n\nAnother one, with a second line.",
        "type": "object",
        "properties": {"maybe": {"type": "string"}, "many": {"type": "array", "items": {"type": "string"}}},
    }
