"""Router, zone, account, who may in, and what every answer looks like."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from netgw.providers.upcloud.simulator import World
from support.simulated_cloud import Cloud, gateway_body


def basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_router_shows_its_gateway(cloud: Cloud) -> None:
    router = cloud.router()
    shown = cloud.got(f"/router/{router}")["router"]
    assert shown == {
        "attached_network_gateways": [],
        "attached_networks": {"network": []},
        "labels": [],
        "name": "router",
        "static_routes": [],
        "type": "normal",
        "uuid": router,
    }
    gateway = cloud.made("/gateway", gateway_body(router))["uuid"]
    assert cloud.got(f"/router/{router}")["router"]["attached_network_gateways"] == [{"uuid": gateway}]
    assert cloud.got("/router")["routers"]["router"][0]["uuid"] == router
    answer = cloud.ask("DELETE", f"/router/{router}")
    assert (answer.status_code, answer.json()["error"]["error_code"]) == (409, "ROUTER_ATTACHED")


def test_router_with_labels(cloud: Cloud) -> None:
    label = {"key": "env", "value": "prod"}
    made = cloud.made("/router", {"router": {"name": "r", "labels": [label]}})["router"]
    assert made["labels"] == [label]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"router": {}}, "ROUTER_NAME_MISSING"),
        ({"router": {"name": "r", "type": "normal"}}, "ROUTER_INVALID"),
        ({}, "ROUTER_INVALID"),
    ],
)
def test_router_that_is_refused(cloud: Cloud, body: Any, code: str) -> None:
    answer = cloud.ask("POST", "/router", body)
    assert (answer.status_code, answer.json()["error"]["error_code"]) == (400, code)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_unknown_router(cloud: Cloud, method: str) -> None:
    answer = cloud.ask(method, "/router/04000000-0000-4000-8000-000000000000")
    assert (answer.status_code, answer.json()["error"]["error_code"]) == (404, "ROUTER_NOT_FOUND")


def test_routers_to_begin_with() -> None:
    world = World(routers=["04F55CC1-BCD9-49EB-BD56-D65D7E3F2156"])
    assert list(world.routers) == ["04f55cc1-bcd9-49eb-bd56-d65d7e3f2156"]


def test_zones(cloud: Cloud) -> None:
    zones = cloud.got("/zone")["zones"]["zone"]
    assert {"description": "Helsinki #1", "id": "fi-hel1", "public": "yes"} in zones


def test_account(cloud: Cloud) -> None:
    account = cloud.got("/account")["account"]
    assert account["username"] == "simulator"
    assert account["resource_limits"]["network_gateways"] == 20


def test_headers_and_style_of_the_gateway_api(cloud: Cloud) -> None:
    answer = cloud.ask("GET", "/gateway/plans")
    assert dict(answer.headers) == {
        "content-length": str(len(answer.content)),
        "content-type": "application/json",
        "date": "Sun, 22 Nov 2026 03:00:00 GMT",
        "strict-transport-security": "max-age=63072000",
    }
    assert answer.text == json.dumps(answer.json(), separators=(",", ":"), sort_keys=True)


def test_headers_of_no_content(cloud: Cloud) -> None:
    answer = cloud.ask("DELETE", f"/gateway/{cloud.gateway()['uuid']}")
    assert sorted(answer.headers) == ["date", "strict-transport-security"]


def test_headers_and_style_of_the_core_api(cloud: Cloud) -> None:
    answer = cloud.ask("GET", "/router/none")
    assert answer.headers["server"] == "Apache"
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    assert answer.text == (
        '{\n   "error" : {\n      "error_code" : "ROUTER_NOT_FOUND",\n'
        '      "error_message" : "The router none does not exist."\n   }\n}\n'
    )


def test_trailing_zeros_of_a_time_are_trimmed(cloud: Cloud) -> None:
    cloud.router()
    cloud.clock.advance(0.08)
    assert cloud.made("/router", {"router": {"name": "r"}})
    made = cloud.gateway()["created_at"]
    assert made.endswith("Z")
    assert not made.endswith("0Z")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer "}, {"Authorization": "Digest x"}, basic("x", "y")])
@pytest.mark.parametrize("path", ["/1.3/gateway", "/1.3/account"])
def test_credential_that_is_refused(path: str, headers: dict[str, str]) -> None:
    answer = Cloud(tokens={"made-up-token": "alice"}).door("GET", path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    assert answer.json()["error"]["error_code"] == "AUTHENTICATION_FAILED"


def test_any_credential_will_do_without_tokens(cloud: Cloud) -> None:
    for headers in (bearer("x"), basic("x", "y")):
        assert cloud.door("GET", "/1.3/account", headers=headers).status_code == 200
    for headers in ({}, {"Authorization": "Basic %%%"}):
        assert cloud.door("GET", "/1.3/account", headers=headers).status_code == 401


def test_accounts_do_not_see_each_other() -> None:
    cloud = Cloud(tokens={"made-up-a": "alice", "made-up-b": "bob"})
    alice, bob = bearer("made-up-a"), bearer("made-up-b")
    router = cloud.ask("POST", "/router", {"router": {"name": "r"}}, headers=alice).json()["router"]["uuid"]
    made = cloud.ask("POST", "/gateway", gateway_body(router), headers=alice).json()
    assert cloud.ask("GET", "/account", headers=bob).json()["account"]["username"] == "bob"
    assert cloud.ask("GET", "/gateway", headers=bob).json() == []
    assert cloud.ask("GET", f"/gateway/{made['uuid']}", headers=bob).status_code == 404
    assert cloud.ask("DELETE", f"/gateway/{made['uuid']}", headers=bob).status_code == 404
    assert cloud.ask("GET", f"/router/{router}", headers=bob).status_code == 404
    other = cloud.ask("POST", "/gateway", gateway_body(router, name="other"), headers=bob)
    assert other.json()["invalid_params"][0]["name"] == "routers.0.uuid"
    assert cloud.ask("GET", "/gateway", headers=basic("alice", "made-up-a")).json()[0]["uuid"] == made["uuid"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/server"),
        ("POST", "/gateway/plans"),
        ("PUT", "/router/x"),
        ("POST", "/gateway/x/logs"),
        ("POST", "/gateway/x/addresses"),
        ("GET", "/gateway/"),
    ],
)
def test_what_it_does_not_know(cloud: Cloud, method: str, path: str) -> None:
    answer = cloud.ask(method, path, {})
    assert answer.status_code == 501
    assert answer.headers["content-type"] == "application/problem+json"
    assert path in answer.json()["title"]


def test_other_version(cloud: Cloud) -> None:
    assert cloud.door("GET", "/1.2/gateway", headers=bearer("x")).status_code == 501


def test_a_seed_makes_the_same_world_again() -> None:
    assert Cloud().gateway() == Cloud().gateway()
