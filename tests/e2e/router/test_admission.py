"""Which manifests of routers the API server refuses and accepts, and with which words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from support.admission import ROUTER, merge, post, says, spec
from support.cluster import Cluster

LAB = {"name": "lab", "route": "10.9.0.0/16", "nexthop": "10.0.1.7"}
PREFIX = "spec.staticRoutes[0].route: Invalid value: … give a network with its length, such as"
HOP = "spec.staticRoutes[0].nexthop: Invalid value: … give an IP address, or no-nexthop"


def routed(**over: Any) -> dict[str, Any]:
    return spec(staticRoutes=[{**LAB, **over}])


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "metadata.name of 129": ({"metadata": {"name": "n" * 129}}, "not be longer than 128"),
    "empty name": (spec(name=""), "spec.name in body should be at least 1 chars long"),
    "name of 256": (spec(name="n" * 256), "spec.name: Too long: may not be more than 255"),
    "import by both": (
        spec(**{"import": {"name": "a", "uuid": "04f55cc1-bcd9-49eb-bd56-d65d7e3f2156"}}),
        "spec.import: Invalid value: … give exactly one of name and uuid",
    ),
    "label of the cloud's own": (spec(labels={"_env": "x"}), "begins neither with _"),
    "label of ours": (spec(labels={"netgw.dev/owner": "x"}), "nor with netgw.dev/"),
    "route without name": (routed(name=None), "spec.staticRoutes[0].name: "),
    "route twice": (spec(staticRoutes=[LAB, LAB]), "spec.staticRoutes[1]: Duplicate value"),
    "no network": (routed(route="10.9.0.0"), PREFIX),
    "host bits": (routed(route="10.9.1.7/16"), "host bits are set: give the first address"),
    "no next hop": (routed(nexthop="hub"), HOP),
    "too many routes": (
        spec(staticRoutes=[{**LAB, "name": f"r{n}"} for n in range(101)]),
        "spec.staticRoutes: Too many: 101: must have at most 100",
    ),
    "unknown field": (spec(zone="fi-hel1"), 'unknown field "spec.zone"'),
}

ACCEPTED: dict[str, dict[str, Any]] = {
    "nothing": {"spec": {"staticRoutes": None}},
    "a name with a dot": {"metadata": {"name": "hub.office"}},
    "a cloud name with a space": spec(name="The hub"),
    "no routes": spec(staticRoutes=[]),
    "IPv6": routed(route="2001:db8::/32", nexthop="2001:db8::1"),
    "no next hop": routed(nexthop="no-nexthop"),
    "everything": spec(
        name="hub",
        labels={"env": "prod"},
        labelPolicy="Replace",
        deletionProtection=True,
        credentialsSecretRef={"name": "upcloud"},
        deletionPolicy="Retain",
    ),
    "an import": spec(**{"import": {"name": "legacy"}}),
}


@pytest.fixture(scope="module")
def place(cluster: Cluster) -> Iterator[str]:
    with cluster.namespace() as name:
        yield name


@pytest.mark.parametrize("case", REFUSED)
def test_refused(cluster: Cluster, place: str, case: str) -> None:
    patch, words = REFUSED[case]
    response = post(cluster, place, merge(ROUTER, patch), dry=True)
    assert not response.is_success
    assert says(response, words), response.text


@pytest.mark.parametrize("case", ACCEPTED)
def test_accepted(cluster: Cluster, place: str, case: str) -> None:
    response = post(cluster, place, merge(ROUTER, ACCEPTED[case]), dry=True)
    assert response.status_code == httpx.codes.CREATED, response.text
