"""Complaint 11: "immutable fields: silent no-op, endless refusal, or surprise replace". Each field of each spec.

What cannot change is refused at admission, and the message says what to do instead. What can change is let in here;
that it changes in place is in tests/e2e/update and tests/e2e/complaints/test_10_drift.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import yaml

from support.admission import CONNECTION, GATEWAY, OTHER_UUID, TUNNEL, UUID, change, ipsec, merge, says, spec
from support.cluster import ROOT, Cluster

INSTEAD = "…make another"
LATER = "by what it means, not by its form: the operator says ImmutableField, tests/days/test_parents.py"


@dataclass(frozen=True)
class Row:
    """`words`: what the refusal says; None: it changes in place. `path` is that of a leaf or of a whole list."""

    path: str
    patch: dict[str, Any]
    words: str | None = None
    note: str = ""


FULL_GATEWAY = merge(
    GATEWAY,
    spec(
        name="edge",
        addresses=[{"name": "public", "address": "5.22.221.1"}],
        configuredStatus="started",
        automaticTunnelInternalIpAllocation=True,
        labels={"env": "prod"},
        labelPolicy="Merge",
        deletionProtection=False,
        credentialsSecretRef={"name": "upcloud"},
    ),
)
FULL_CONNECTION = merge(CONNECTION, spec(name="office", type="ipsec"))
FULL_TUNNEL = merge(
    TUNNEL,
    spec(
        name="office-1",
        localAddress={"name": "public"},
        tunnelInternalIp="169.254.17.1",
        internalPeerPingInterval=10,
    ),
)
POLICIES = {
    "managementPolicy": "Observe",
    "deletionPolicy": "Retain",
    "driftPolicy": "Report",
    "recreatePolicy": "Always",
    "disruptionPolicy": "Ask",
}
SETS = {
    "phase1Algorithms": ["aes256"],
    "phase2Algorithms": ["aes256"],
    "phase1IntegrityAlgorithms": ["sha512"],
    "phase2IntegrityAlgorithms": ["sha512"],
    "phase1DhGroupNumbers": [19],
    "phase2DhGroupNumbers": [19],
}
TIMERS = ("rekeyTime", "childRekeyTime", "ikeLifetime", "dpdDelay", "dpdTimeout")
ALL_KINDS = [
    *(Row(field, spec(**{field: value})) for field, value in POLICIES.items()),
    Row(
        "import", spec(**{"import": {"name": "other"}}), note="until it is bound: tests/e2e/admission/test_policies.py"
    ),
]

TABLE: dict[str, tuple[dict[str, Any], list[Row]]] = {
    "NetworkGateway": (
        FULL_GATEWAY,
        [
            *ALL_KINDS,
            Row("name", spec(name="other")),
            Row("zone", spec(zone="de-fra1"), f"zone is immutable: {INSTEAD} NetworkGateway in the other zone"),
            Row("plan", spec(plan="advanced")),
            Row("features", spec(features=["nat"])),
            Row(
                "routerRef", spec(routerRef={"uuid": OTHER_UUID}), f"the router is immutable; {INSTEAD} NetworkGateway"
            ),
            Row("routerRef", spec(routerRef={"uuid": None, "name": "core"}), note=LATER),
            Row("addresses", spec(addresses=[{"name": "other"}]), f"names are immutable; {INSTEAD} NetworkGateway"),
            Row(
                "addresses",
                spec(addresses=[{"name": "public"}, {"name": "b"}]),
                f"are immutable; {INSTEAD} NetworkGateway",
            ),
            Row("addresses", spec(addresses=[{"name": "public", "address": ""}])),
            Row("configuredStatus", spec(configuredStatus="stopped")),
            Row("automaticTunnelInternalIpAllocation", spec(automaticTunnelInternalIpAllocation=False)),
            Row("labels", spec(labels={"env": None, "team": "network"})),
            Row("labelPolicy", spec(labelPolicy="Replace")),
            Row("deletionProtection", spec(deletionProtection=True)),
            Row("credentialsSecretRef", spec(credentialsSecretRef={"name": "other"})),
        ],
    ),
    "VpnConnection": (
        FULL_CONNECTION,
        [
            *ALL_KINDS,
            Row("name", spec(name="other"), f"the name in UpCloud is immutable; {INSTEAD} VpnConnection"),
            Row("name", spec(name=None), f"the name in UpCloud is immutable; {INSTEAD} VpnConnection"),
            Row("gatewayRef", spec(gatewayRef={"name": "other"}), note=LATER),
            Row("gatewayRef", spec(gatewayRef={"name": None, "uuid": UUID}), note=LATER),
            Row("type", spec(type="gre"), 'Unsupported value: "gre": supported values: "ipsec"'),
            Row("localRoutes", spec(localRoutes=[])),
            Row("remoteRoutes", spec(remoteRoutes=[{"name": "lab", "staticNetwork": "10.0.9.0/24"}])),
        ],
    ),
    "VpnTunnel": (
        FULL_TUNNEL,
        [
            *ALL_KINDS,
            Row("name", spec(name="other")),
            Row("connectionRef", spec(connectionRef={"name": "other"}), note=LATER),
            Row("localAddress", spec(localAddress={"name": "spare"})),
            Row("remoteAddress", spec(remoteAddress={"address": "100.10.0.222"})),
            Row("tunnelInternalIp", spec(tunnelInternalIp="169.254.18.2")),
            Row("internalPeerPingInterval", spec(internalPeerPingInterval=0)),
            Row("ipsec.authentication", ipsec(authentication={"pskSecretRef": {"name": "other", "key": "key"}})),
            *(Row(f"ipsec.{field}", ipsec(**{field: value})) for field, value in SETS.items()),
            *(Row(f"ipsec.{field}", ipsec(**{field: 4711})) for field in TIMERS),
        ],
    ),
}
ROWS = [(base, row) for base, rows in TABLE.values() for row in rows]


def fields(kind: str) -> Iterator[str]:
    """Of the spec as its CRD has them; those of `ipsec` one by one."""
    for file in (ROOT / "crds").glob("*.yaml"):
        body = yaml.safe_load(file.read_text())["spec"]
        if body["names"]["kind"] == kind:
            schema = body["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
            for name, field in schema.items():
                yield from ([f"ipsec.{part}" for part in field["properties"]] if name == "ipsec" else [name])


@pytest.mark.parametrize("kind", TABLE)
def test_no_field_is_left_out(kind: str) -> None:
    assert set(fields(kind)) == {row.path for row in TABLE[kind][1]}


@pytest.mark.parametrize(("base", "row"), ROWS, ids=[f"{b['kind']} {r.path} {n}" for n, (b, r) in enumerate(ROWS)])
def test_field(cluster: Cluster, namespace: str, base: dict[str, Any], row: Row) -> None:
    answer = change(cluster, namespace, merge(base, {"metadata": {"name": None}}), row.patch)
    if row.words is None:
        assert answer.status_code == httpx.codes.OK, answer.text
    else:
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY, answer.text
        assert says(answer, f"spec.{row.path} … {row.words}"), answer.text
