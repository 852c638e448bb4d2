"""Import, policies, labels, floating addresses, credentials: what the API server refuses and accepts of them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import yaml

from support.admission import CONNECTION, GATEWAY, OTHER_UUID, TUNNEL, UUID, merge, path, post, says, spec
from support.cluster import MERGE_PATCH, Cluster

IMPORT = "spec.import"
BOUND = "spec.import: Forbidden: import is immutable once the object is bound; delete this object"
KEY = "spec.labels: Invalid value: … a key has 2 to 32 characters of printable ASCII and begins neither with _"
FLOATING = "spec.addresses[0].address: Invalid value: … give a floating IPv4 address of the account, or an empty text"
PRESENT = "Required value: … is required, unless spec.import names what exists"
BY_NAME: dict[str, Any] = {"import": {"name": "legacy"}}


def bare(kind: str, **fields: Any) -> dict[str, Any]:
    """A manifest of the kind that says only this."""
    return {"kind": kind, "spec": fields}


def labels(*keys: str, value: str = "x") -> dict[str, Any]:
    return spec(labels=dict.fromkeys(keys, value))


def address(text: str) -> dict[str, Any]:
    return spec(addresses=[{"name": "public", "address": text}])


PARENTS = {
    "VpnConnection": {"gatewayRef": {"name": "edge"}},
    "VpnTunnel": {"connectionRef": {"name": "edge-to-office"}},
    "NetworkGateway": {},
}
ENUMS = {
    "managementPolicy": ("Full", "Observe"),
    "deletionPolicy": ("Delete", "Retain"),
    "driftPolicy": ("Correct", "Report"),
    "recreatePolicy": ("Never", "Always"),
    "disruptionPolicy": ("Allow", "Ask"),
}
EACH = {manifest["kind"]: manifest for manifest in (GATEWAY, CONNECTION, TUNNEL)}

REFUSED: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    *(
        (f"{kind} {field} {word}", EACH[kind], spec(**{field: word}), f'spec.{field}: Unsupported value: "{word}"')
        for kind in EACH
        for field, word in (
            ("managementPolicy", "NoDelete"),
            ("deletionPolicy", "Orphan"),
            ("driftPolicy", "correct"),
            ("recreatePolicy", ""),
            ("disruptionPolicy", "Deny"),
        )
    ),
    *(
        (f"{kind} import empty", EACH[kind], spec(**{"import": {}}), "give exactly one of name and uuid")
        for kind in EACH
    ),
    *(
        (f"{kind} import of both", EACH[kind], spec(**{"import": {"name": "a", "uuid": UUID}}), "exactly one of name")
        for kind in EACH
    ),
    (
        "import uuid in capitals",
        GATEWAY,
        spec(**{"import": {"uuid": UUID.upper()}}),
        f"{IMPORT}.uuid in body should match",
    ),
    (
        "import of an empty name",
        GATEWAY,
        spec(**{"import": {"name": ""}}),
        f"{IMPORT}.name in body should be at least 1",
    ),
    ("import of a name of 65", GATEWAY, spec(**{"import": {"name": "n" * 65}}), f"{IMPORT}.name: Too long"),
    ("connection import without gateway", bare("VpnConnection", **BY_NAME), {}, "spec.gatewayRef: Required value"),
    ("tunnel import without connection", bare("VpnTunnel", **BY_NAME), {}, "spec.connectionRef: Required value"),
    *(
        (f"no {field}", GATEWAY, spec(**{field: None}), f"spec.{field}: {PRESENT.replace('…', field, 1)}")
        for field in ("zone", "plan", "features", "routerRef")
    ),
    ("no peer", TUNNEL, spec(remoteAddress=None), f"spec.remoteAddress: {PRESENT.replace('…', 'remoteAddress', 1)}"),
    # the router
    (
        "router by both",
        GATEWAY,
        spec(routerRef={"name": "core"}),
        "spec.routerRef: Invalid value: … exactly one of name",
    ),
    (
        "router by nothing",
        GATEWAY,
        spec(routerRef={"uuid": None}),
        "spec.routerRef: Invalid value: … exactly one of name",
    ),
    (
        "router name",
        GATEWAY,
        spec(routerRef={"name": "Core", "uuid": None}),
        "spec.routerRef.name in body should match",
    ),
    # labels
    ("label of one character", GATEWAY, labels("a"), KEY),
    ("label of 33", GATEWAY, labels("k" * 33), KEY),
    ("label of the cloud", GATEWAY, labels("_x"), KEY),
    ("label of ours", GATEWAY, labels("netgw.dev/owner"), KEY),
    ("label with our prefix", GATEWAY, labels("netgw.dev/x"), KEY),
    ("label with an umlaut", GATEWAY, labels("größe"), KEY),
    ("label with a line break", GATEWAY, labels("ab\n"), KEY),
    ("label with a tab", GATEWAY, labels("a\tb"), KEY),
    ("label with DEL", GATEWAY, labels("ab\x7f"), KEY),
    ("empty label", GATEWAY, labels(""), KEY),
    (
        "label value of 256",
        GATEWAY,
        labels("env", value="v" * 256),
        "spec.labels.env: Too long: may not be more than 255",
    ),
    (
        "label value no text",
        GATEWAY,
        spec(labels={"env": 1}),
        'spec.labels.env in body must be of type string: "integer"',
    ),
    (
        "201 labels",
        GATEWAY,
        labels(*(f"key-{n}" for n in range(201))),
        "spec.labels: Too many: 201: must have at most 200",
    ),
    ("label policy", GATEWAY, spec(labelPolicy="Keep"), 'supported values: "Merge", "Replace"'),
    ("labels of a connection", CONNECTION, labels("env"), 'unknown field "spec.labels"'),
    # addresses, protection, credentials
    ("address by name", GATEWAY, address("example.org"), FLOATING),
    ("address by IPv6", GATEWAY, address("2001:db8::1"), FLOATING),
    ("address with length", GATEWAY, address("5.22.1.1/32"), FLOATING),
    ("address with zeros", GATEWAY, address("5.022.1.1"), FLOATING),
    ("address loopback", GATEWAY, address("127.0.0.1"), FLOATING),
    ("address multicast", GATEWAY, address("224.0.0.1"), FLOATING),
    ("address too long", GATEWAY, address("5.22.1.1" + " " * 8), "spec.addresses[0].address: Too long"),
    (
        "protection by a word",
        GATEWAY,
        spec(deletionProtection="yes"),
        "spec.deletionProtection in body must be of type bool",
    ),
    ("protection of a tunnel", TUNNEL, spec(deletionProtection=True), 'unknown field "spec.deletionProtection"'),
    (
        "credentials without name",
        GATEWAY,
        spec(credentialsSecretRef={}),
        "spec.credentialsSecretRef.name: Required value",
    ),
    (
        "credentials elsewhere",
        GATEWAY,
        spec(credentialsSecretRef={"name": "a/b"}),
        "credentialsSecretRef.name in body should",
    ),
    (
        "credentials of a namespace",
        GATEWAY,
        spec(credentialsSecretRef={"name": "a", "namespace": "b"}),
        'unknown field "spec.credentialsSecretRef.namespace"',
    ),
    ("credentials of a connection", CONNECTION, spec(credentialsSecretRef={"name": "a"}), "unknown field"),
]

ACCEPTED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    *(
        (f"{kind} {field} {w}", EACH[kind], spec(**{field: w}))
        for kind in EACH
        for field in ENUMS
        for w in ENUMS[field]
    ),
    *(
        (f"{kind} import by {next(iter(how))}", bare(kind, **PARENTS[kind], **{"import": how}), {})
        for kind in EACH
        for how in ({"name": "legacy"}, {"uuid": UUID})
    ),
    ("import of a name with dots and spaces", bare("NetworkGateway", **{"import": {"name": "made by hand. 1"}}), {}),
    (
        "import under a name with a dot",
        bare("NetworkGateway", **BY_NAME) | {"metadata": {"name": "legacy.edge"}},
        {},
    ),
    ("import and everything", GATEWAY, spec(**BY_NAME, managementPolicy="Full")),
    ("router by name", GATEWAY, spec(routerRef={"name": "core", "uuid": None})),
    ("label of two", GATEWAY, labels("ab")),
    ("label of 32", GATEWAY, labels("k" * 32)),
    (
        "label borders",
        GATEWAY,
        labels("\\a", "^a", "`a", "~~", "  ", "a_", "]b", "-c", "[d", "netgw.de/x", "netgw.dev", "a b"),
    ),
    ("label values", GATEWAY, spec(labels={"env": "", "max": "v" * 255, "any": 'ü € "\n'})),
    ("200 labels", GATEWAY, labels(*(f"key-{n}" for n in range(200)))),
    ("no labels", GATEWAY, spec(labels={})),
    ("Merge", GATEWAY, spec(labelPolicy="Merge")),
    ("Replace", GATEWAY, spec(labelPolicy="Replace")),
    ("floating address", GATEWAY, address("5.22.221.1")),
    ("address released", GATEWAY, address("")),
    ("address private", GATEWAY, address("10.0.0.1")),  # the account has it or not: the API says so
    ("protection", GATEWAY, spec(deletionProtection=True)),
    ("credentials", GATEWAY, spec(credentialsSecretRef={"name": "team-a.upcloud"})),
]

TWO_LINES = """
apiVersion: upcloud.netgw.dev/v1alpha1
kind: NetworkGateway
metadata: {name: legacy}
spec: {import: {name: legacy}}
---
apiVersion: upcloud.netgw.dev/v1alpha1
kind: VpnConnection
metadata: {name: legacy-conn}
spec: {gatewayRef: {name: legacy}, import: {name: legacy-conn}}
"""
"""As contract.md has them."""


@pytest.mark.parametrize(("base", "patch", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(cluster: Cluster, namespace: str, base: dict[str, Any], patch: dict[str, Any], words: str) -> None:
    response = post(cluster, namespace, merge(base, patch), dry=True)
    assert response.is_client_error, response.text
    assert says(response, words), response.text


@pytest.mark.parametrize(("base", "patch"), [row[1:] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
def test_accepted(cluster: Cluster, namespace: str, base: dict[str, Any], patch: dict[str, Any]) -> None:
    """And nothing is added to it, for a default that is filled in would be a wish."""
    manifest = merge(base, patch)
    response = post(cluster, namespace, manifest, dry=True)
    assert response.status_code == httpx.codes.CREATED, response.text
    assert "Warning" not in response.headers
    if "import" in manifest["spec"] and base["kind"] != "VpnTunnel" and base is not GATEWAY:
        assert response.json()["spec"] == manifest["spec"]


@pytest.mark.parametrize("how", [("apply",), ("apply", "--server-side", "--field-manager=gitops")], ids=" ".join)
def test_an_import_of_two_lines(cluster: Cluster, namespace: str, how: tuple[str, ...]) -> None:
    """Applied, and applied again without a change."""
    flags = ("--namespace", namespace, "--validate=strict", "-f", "-")
    cluster.kubectl(*how, *flags, input=TWO_LINES)
    before = cluster.get("ngw", "legacy", namespace)["metadata"]["generation"]
    said = cluster.kubectl(*how, *flags, input=TWO_LINES)
    assert cluster.get("ngw", "legacy", namespace)["metadata"]["generation"] == before
    assert len(said.splitlines()) == 2
    wanted = [document["spec"] for document in yaml.safe_load_all(TWO_LINES)]
    assert [cluster.get(k, n, namespace)["spec"] for k, n in (("ngw", "legacy"), ("vpnc", "legacy-conn"))] == wanted


CHANGES: dict[str, dict[str, Any]] = {
    "another name": {"import": {"name": "other"}},
    "by uuid": {"import": {"name": None, "uuid": OTHER_UUID}},
    "taken away": {"import": None},
}


@pytest.mark.parametrize("kind", EACH)
@pytest.mark.parametrize("change", CHANGES)
def test_an_import_is_fixed_once_it_is_bound(cluster: Cluster, namespace: str, kind: str, change: str) -> None:
    """Before that it may change: what it names may have been mistyped."""
    manifest = merge(EACH[kind], spec(**BY_NAME))
    made = post(cluster, namespace, manifest, dry=False).json()
    where = f"{path(namespace, manifest)}/{made['metadata']['name']}"
    patch = spec(**CHANGES[change])
    free = cluster.api("PATCH", f"{where}?dryRun=All", json=patch, content_type=MERGE_PATCH)
    assert free.status_code == httpx.codes.OK, free.text
    bound = cluster.api("PATCH", f"{where}/status", json={"status": {"uuid": UUID}}, content_type=MERGE_PATCH)
    assert bound.status_code == httpx.codes.OK, bound.text
    refused = cluster.api("PATCH", where, json=patch, content_type=MERGE_PATCH)
    assert says(refused, BOUND), refused.text
    same = cluster.api("PATCH", where, json=spec(managementPolicy="Full"), content_type=MERGE_PATCH)
    assert same.status_code == httpx.codes.OK, same.text


@pytest.mark.parametrize("kind", EACH)
def test_what_was_made_imports_nothing_later(cluster: Cluster, namespace: str, kind: str) -> None:
    made = post(cluster, namespace, EACH[kind], dry=False).json()
    where = f"{path(namespace, EACH[kind])}/{made['metadata']['name']}"
    cluster.api(
        "PATCH", f"{where}/status", json={"status": {"uuid": UUID}}, content_type=MERGE_PATCH
    ).raise_for_status()
    assert says(cluster.api("PATCH", where, json=spec(**BY_NAME), content_type=MERGE_PATCH), BOUND)


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("ngw.spec.import", ("name", "uuid", "Immutable once bound")),
        ("ngw.spec", ("managementPolicy", "labels", "credentialsSecretRef", "deletionProtection")),
        ("vpnc.spec.deletionPolicy", ("Delete", "Retain")),
        ("vpnt.status.policies", ("driftPolicy", "disruptionPolicy")),
        ("ngw.spec.addresses.address", ("floating IP", "Interrupts traffic")),
    ],
)
def test_explained(cluster: Cluster, field: str, words: tuple[str, ...]) -> None:
    explained = cluster.kubectl("explain", field)
    assert [word for word in words if word not in explained] == []
