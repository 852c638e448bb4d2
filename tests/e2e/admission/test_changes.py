"""Which changes of an existing object the API server refuses and accepts, and with which words."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from support.admission import (
    CONNECTION,
    GATEWAY,
    OTHER_UUID,
    TUNNEL,
    UUID,
    change,
    ipsec,
    peer,
    routes,
    says,
    secret,
    spec,
)
from support.cluster import Cluster

FORBIDDEN: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    (
        "zone",
        GATEWAY,
        spec(zone="de-fra1"),
        "spec.zone: Forbidden: zone is immutable: a gateway cannot move; make another",
    ),
    (
        "router",
        GATEWAY,
        spec(routerRef={"uuid": OTHER_UUID}),
        "spec.routerRef: Forbidden: the router is immutable; make",
    ),
    (
        "address name",
        GATEWAY,
        spec(addresses=[{"name": "other"}]),
        "spec.addresses: Forbidden: the addresses and their names",
    ),
    ("another address", GATEWAY, spec(addresses=[{"name": "public"}, {"name": "b"}]), "spec.addresses: Forbidden"),
    (
        "connection name",
        CONNECTION,
        spec(name="other"),
        "spec.name: Forbidden: the name in UpCloud is immutable; make another",
    ),
    ("last route", CONNECTION, spec(localRoutes=[], remoteRoutes=[]), "give at least one route"),
    ("peer", TUNNEL, peer("10.0.0.1"), "give the peer's public IPv4 address"),
]

NAMED = CONNECTION | {"spec": CONNECTION["spec"] | {"name": "in-the-cloud"}}
TWO = GATEWAY | {"spec": GATEWAY["spec"] | {"addresses": [{"name": "a"}, {"name": "b"}]}}

ALLOWED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("gateway name", GATEWAY, spec(name="other")),
    ("plan", GATEWAY, spec(plan="advanced")),
    ("features", GATEWAY, spec(features=["nat", "vpn"])),
    ("addresses no longer managed", GATEWAY, spec(addresses=None)),
    ("addresses in another order", TWO, spec(addresses=[{"name": "b"}, {"name": "a"}])),
    ("stopped", GATEWAY, spec(configuredStatus="stopped")),
    ("allocation", GATEWAY, spec(automaticTunnelInternalIpAllocation=False)),
    ("the same gateway by uuid", CONNECTION, spec(gatewayRef={"name": None, "uuid": UUID})),
    ("type that it has", CONNECTION, spec(type="ipsec")),
    ("a route list cleared", CONNECTION, spec(localRoutes=[])),
    ("a route list no longer managed", CONNECTION, spec(remoteRoutes=None)),
    ("a route", CONNECTION, routes("10.0.3.0/24")),
    ("tunnel name", TUNNEL, spec(name="other")),
    ("the same connection by uuid", TUNNEL, spec(connectionRef={"name": None, "uuid": UUID})),
    ("peer", TUNNEL, peer("100.10.0.222")),
    ("Secret", TUNNEL, secret(name="other-psk", key="key")),
    ("times", TUNNEL, ipsec(rekeyTime=7200)),
    ("annotation", CONNECTION, {"metadata": {"annotations": {"netgw.dev/paused": "true"}}}),
]


@pytest.mark.parametrize(("base", "patch", "words"), [row[1:] for row in FORBIDDEN], ids=[row[0] for row in FORBIDDEN])
def test_change_refused(
    cluster: Cluster, namespace: str, base: dict[str, Any], patch: dict[str, Any], words: str
) -> None:
    response = change(cluster, namespace, base, patch)
    assert response.status_code == httpx.codes.UNPROCESSABLE_ENTITY, response.text
    assert says(response, words), response.text


@pytest.mark.parametrize(("base", "patch"), [row[1:] for row in ALLOWED], ids=[row[0] for row in ALLOWED])
def test_change_accepted(cluster: Cluster, namespace: str, base: dict[str, Any], patch: dict[str, Any]) -> None:
    response = change(cluster, namespace, base, patch)
    assert response.status_code == httpx.codes.OK, response.text


@pytest.mark.parametrize("patch", [spec(name="other"), spec(name=None)], ids=["another", "taken away"])
def test_the_cloud_name_of_a_connection_stays(cluster: Cluster, namespace: str, patch: dict[str, Any]) -> None:
    response = change(cluster, namespace, NAMED, patch)
    assert says(response, "spec.name: Forbidden: the name in UpCloud is immutable"), response.text


def test_a_connection_may_say_the_name_that_it_has(cluster: Cluster, namespace: str) -> None:
    response = change(cluster, namespace, CONNECTION | {"metadata": {"name": "office"}}, spec(name="office"))
    assert response.status_code == httpx.codes.OK, response.text
