"""Routers: static routes of users and of gateways, labels, networks, and what stands in the way of a deletion."""

from __future__ import annotations

from typing import Any

import pytest

from support.simulated_cloud import Cloud, gateway_body

LAB = {"name": "lab", "route": "10.9.0.0/16", "nexthop": "10.0.0.9"}
ENV = {"key": "env", "value": "prod"}


def made(cloud: Cloud, **values: Any) -> dict[str, Any]:
    found: dict[str, Any] = cloud.made("/router", {"router": {"name": "lab", **values}})["router"]
    return found


def patched(cloud: Cloud, router: str, **values: Any) -> dict[str, Any]:
    answer = cloud.ask("PATCH", f"/router/{router}", {"router": values})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["router"]
    return found


def test_create_with_routes_and_labels(cloud: Cloud) -> None:
    found = made(cloud, labels=[ENV], static_routes=[LAB, {"route": "2001:db8::/32", "nexthop": "no-nexthop"}])
    assert found["labels"] == [ENV]
    assert found["static_routes"] == [
        {**LAB, "type": "user"},
        {"name": "static-route-0", "route": "2001:db8::/32", "nexthop": "no-nexthop", "type": "user"},
    ]
    assert cloud.got(f"/router/{found['uuid']}")["router"] == found


def test_patch_merges_by_key_and_replaces_the_sets(cloud: Cloud) -> None:
    first = made(cloud, labels=[ENV], static_routes=[LAB])
    uuid = first["uuid"]
    assert patched(cloud, uuid) == first
    assert patched(cloud, uuid, name="renamed") == {**first, "name": "renamed"}
    other = {"name": "other", "route": "10.8.0.0/16", "nexthop": "10.0.0.8", "type": "user"}
    assert patched(cloud, uuid, static_routes=[other])["static_routes"] == [other]
    assert patched(cloud, uuid, labels=[]) == {**first, "name": "renamed", "labels": [], "static_routes": [other]}
    assert patched(cloud, uuid, static_routes=[])["static_routes"] == []


def test_a_running_gateway_adds_a_route_that_users_cannot_touch() -> None:
    cloud = Cloud(delay=1)
    router = made(cloud, static_routes=[LAB])["uuid"]

    def types() -> list[str]:
        return [route["type"] for route in cloud.got(f"/router/{router}")["router"]["static_routes"]]

    gateway = cloud.made("/gateway", gateway_body(router))["uuid"]
    assert types() == ["user"]
    cloud.clock.advance(3)
    assert types() == ["user", "service"]
    service = cloud.got(f"/router/{router}")["router"]["static_routes"][1]
    assert service["name"] == f"gateway-{gateway[:8]}"
    assert [route["type"] for route in patched(cloud, router, static_routes=[])["static_routes"]] == ["service"]
    refused = cloud.ask("PATCH", f"/router/{router}", {"router": {"static_routes": [service]}})
    assert (refused.status_code, refused.json()["error"]["error_code"]) == (400, "ROUTER_INVALID")
    cloud.ask("DELETE", f"/gateway/{gateway}")
    assert types() == ["service"]
    cloud.clock.advance(2)
    assert types() == []


@pytest.mark.parametrize(
    "values",
    [
        {"static_routes": [LAB | {"route": "10.9.0.1/16"}]},
        {"static_routes": [LAB | {"route": "10.9.0.0"}]},
        {"static_routes": [LAB | {"nexthop": "somewhere"}]},
        {"static_routes": [LAB, LAB]},
        {"static_routes": [LAB | {"type": "service"}]},
        {"static_routes": [{"name": "lab", "route": "10.9.0.0/16"}]},
        {"static_routes": None},
        {"labels": [ENV, ENV]},
        {"labels": [{"key": "_x", "value": ""}]},
        {"name": ""},
        {"type": "service"},
        {"attached_networks": {"network": []}},
    ],
)
def test_refused_in_the_older_shape(cloud: Cloud, values: dict[str, Any]) -> None:
    router = made(cloud)
    answers = [
        cloud.ask("PATCH", f"/router/{router['uuid']}", {"router": values}),
        cloud.ask("POST", "/router", {"router": {"name": "other", **values}}),
    ]
    for answer in answers:
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/json; charset=UTF-8"
        assert answer.json()["error"]["error_code"] == "ROUTER_INVALID"
        assert next(iter(values)) in answer.json()["error"]["error_message"]
    assert [item["uuid"] for item in cloud.got("/router")["routers"]["router"]] == [router["uuid"]]
    assert cloud.got(f"/router/{router['uuid']}")["router"] == router


def test_patch_of_an_unknown_router(cloud: Cloud) -> None:
    answer = cloud.ask("PATCH", "/router/none", {"router": {"name": "x"}})
    assert (answer.status_code, answer.json()["error"]["error_code"]) == (404, "ROUTER_NOT_FOUND")


def test_networks_by_hand(cloud: Cloud) -> None:
    router = made(cloud)["uuid"]
    answer = cloud.door("POST", f"/_sim/routers/{router}/networks")
    assert answer.status_code == 201
    network = answer.json()["uuid"]
    assert network.startswith("03")
    assert cloud.got(f"/router/{router}")["router"]["attached_networks"] == {"network": [{"uuid": network}]}
    refused = cloud.ask("DELETE", f"/router/{router}")
    assert (refused.status_code, refused.json()["error"]["error_code"]) == (409, "ROUTER_ATTACHED")
    assert cloud.door("DELETE", f"/_sim/routers/{router}/networks/{network}").status_code == 204
    assert cloud.door("DELETE", f"/_sim/routers/{router}/networks/{network}").status_code == 404
    assert cloud.ask("DELETE", f"/router/{router}").status_code == 204


def test_a_network_of_ones_own(cloud: Cloud) -> None:
    router = made(cloud)["uuid"]
    uuid = "03000000-0000-4000-8000-000000000001"
    for _ in range(2):
        assert cloud.door("POST", f"/_sim/routers/{router}/networks", {"uuid": uuid}).json() == {"uuid": uuid}
    assert cloud.world.routers[router].networks == [uuid]
    assert cloud.door("POST", "/_sim/routers/none/networks").status_code == 404
