"""What people see of the three kinds in kubectl: columns, short names, field selectors, explanations, the sample."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.cluster import MERGE_PATCH, Cluster

GROUP = "/apis/upcloud.netgw.dev/v1alpha1"
SAMPLES = Path(__file__).resolve().parents[3] / "deploy" / "samples"
SAMPLE = SAMPLES / "site-to-site.yaml"
TIME = "2026-11-22T02:41:00Z"
UUID = "10c153e0-12e4-4dea-8748-4f34850ff55d"

CONDITIONS = [
    {
        "type": name,
        "status": status,
        "reason": "Running",
        "message": "For tests.",
        "lastTransitionTime": TIME,
        "observedGeneration": 1,
    }
    for name, status in (("Ready", "True"), ("Synced", "False"))
]
COMMON: dict[str, Any] = {
    "observedGeneration": 1,
    "uuid": UUID,
    "reason": "Running",
    "conditions": CONDITIONS,
    "account": "madeup",
    "create": {
        "name": "edge",
        "parentUuid": UUID,
        "account": "madeup",
        "at": TIME,
        "psk": {"fingerprint": "v1:a:b", "resourceVersion": "7"},
    },
    "drift": [{"path": "plan", "desired": "production", "observed": "advanced", "since": TIME}],
    "lastHandledReconcileAt": "whatever was asked",
}
STATUS: dict[str, dict[str, Any]] = {
    "networkgateways/edge": COMMON
    | {
        "operationalState": "a word that nobody knows",
        "configuredStatus": "started",
        "plan": "production",
        "addresses": [{"name": "public", "address": "5.22.223.254"}, {"name": "later"}],
        "connections": 1,
        "tunnels": "1/2",
        "tunnelQuota": "2/2",
    },
    "vpnconnections/edge-to-office": COMMON | {"gatewayUuid": UUID, "tunnels": "1/2", "redundant": False},
    "vpntunnels/edge-to-office-1": COMMON
    | {
        "gatewayUuid": UUID,
        "connectionUuid": UUID,
        "operationalState": "established",
        "localAddress": "5.22.223.254",
        "remoteAddress": "100.10.0.111",
        "up": True,
        "healthy": False,
        "since": TIME,
        "interruptedAt": TIME,
        "psk": {"fingerprint": "v1:a:b", "resourceVersion": "7", "acceptedAt": TIME},
        "lastHandledPushPskAt": "whatever was asked",
    },
}
ROWS = [
    ("ngw", "edge", "ADDRESS PLAN STATE TUNNELS READY REASON AGE",
     ["5.22.223.254", "production", "a word that nobody knows", "1/2", "True", "Running"], ["fi-hel1", "False", UUID]),
    ("vpnc", "edge-to-office", "GATEWAY TUNNELS READY REASON AGE",
     ["edge", "1/2", "True", "Running"], ["10.0.1.0/24", "10.0.2.0/24", "False", UUID]),
    ("vpnt", "edge-to-office-1", "CONNECTION LOCAL PEER UP HEALTHY SINCE REASON AGE",
     ["edge-to-office", "5.22.223.254", "100.10.0.111", "true", "false"], ["established", "False", UUID]),
]  # fmt: skip


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[str]:
    """The sample, applied, and a full status on one object of each kind."""
    with cluster.namespace() as name:
        cluster.kubectl("apply", "--namespace", name, "--validate=strict", "-f", SAMPLE)
        for where, status in STATUS.items():
            cluster.api(
                "PATCH", f"{GROUP}/namespaces/{name}/{where}/status", json={"status": status}, content_type=MERGE_PATCH
            ).raise_for_status()
        yield name


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_sample_is_taken(cluster: Cluster, path: Path) -> None:
    with cluster.namespace() as name:
        cluster.kubectl("apply", "--namespace", name, "--validate=strict", "--dry-run=server", "-f", path)


@pytest.mark.parametrize("where", STATUS)
def test_no_field_of_the_status_is_lost(cluster: Cluster, namespace: str, where: str) -> None:
    assert cluster.api("GET", f"{GROUP}/namespaces/{namespace}/{where}").json()["status"] == STATUS[where]


def test_a_change_of_the_spec_leaves_the_status_and_the_other_way_round(cluster: Cluster, namespace: str) -> None:
    where = f"{GROUP}/namespaces/{namespace}/networkgateways/edge"
    before = cluster.api("GET", where).json()
    both = {"spec": {"plan": "advanced"}, "status": {"plan": "advanced"}}
    spec_changed = cluster.api("PATCH", where + "?dryRun=All", json=both, content_type=MERGE_PATCH).json()
    status_changed = cluster.api("PATCH", where + "/status?dryRun=All", json=both, content_type=MERGE_PATCH).json()

    assert (spec_changed["spec"]["plan"], spec_changed["status"]) == ("advanced", before["status"])
    assert (status_changed["status"]["plan"], status_changed["spec"]) == ("advanced", before["spec"])


@pytest.mark.parametrize(("kind", "name", "header", "narrow", "wide"), ROWS, ids=[row[0] for row in ROWS])
def test_columns(
    cluster: Cluster, namespace: str, kind: str, name: str, header: str, narrow: list[str], wide: list[str]
) -> None:
    titles, row = cluster.kubectl("get", kind, name, "--namespace", namespace).splitlines()
    assert titles.split() == ["NAME", *header.split()]
    assert "  ".join(row.split()).startswith("  ".join(" ".join([name, *narrow]).split()))

    titles, row = cluster.kubectl("get", kind, name, "--namespace", namespace, "-o", "wide").splitlines()
    assert row.split()[-len(wide) :] == wide


def test_columns_of_what_has_no_status_yet(cluster: Cluster, namespace: str) -> None:
    shown = cluster.kubectl("get", "vpnt", "edge-to-office-2", "--namespace", namespace)
    assert "edge-to-office" in shown
    assert "100.10.0.112" in shown


def test_the_category_has_all_kinds(cluster: Cluster, namespace: str) -> None:
    names = cluster.kubectl("get", "netgw", "--namespace", namespace, "-o", "name").split()
    assert names == [
        "networkgateway.upcloud.netgw.dev/edge",
        "vpnconnection.upcloud.netgw.dev/edge-to-office",
        "vpntunnel.upcloud.netgw.dev/edge-to-office-1",
        "vpntunnel.upcloud.netgw.dev/edge-to-office-2",
    ]


@pytest.mark.parametrize(
    ("kind", "selector", "found"),
    [
        ("vpnc", "spec.gatewayRef.name=edge", 1),
        ("vpnc", "spec.gatewayRef.name=other", 0),
        ("vpnc", f"spec.gatewayRef.uuid={UUID}", 0),
        ("vpnt", "spec.connectionRef.name=edge-to-office", 2),
        ("vpnt", f"spec.connectionRef.uuid={UUID}", 0),
    ],
)
def test_children_can_be_selected(cluster: Cluster, namespace: str, kind: str, selector: str, found: int) -> None:
    shown = cluster.kubectl("get", kind, "--namespace", namespace, "--field-selector", selector, "-o", "name")
    assert len(shown.split()) == found


def test_explanations_have_paragraphs(cluster: Cluster) -> None:
    explained = cluster.kubectl("explain", "vpnt.spec.ipsec.dpdTimeout")
    assert "UpCloud: 120.\n    \n    Changes in place." in explained
