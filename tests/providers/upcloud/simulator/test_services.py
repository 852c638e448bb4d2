from __future__ import annotations

import re
from typing import Any

import pytest

from netgw.providers.upcloud.simulator import Behaviour
from support.simulated_cloud import Cloud, connection_body, gateway_body, route, tunnel_body

PROBLEM = "https://developers.upcloud.com/1.3/errors#ERROR_"


def test_create_fills_in_what_was_not_sent(cloud: Cloud) -> None:
    made = cloud.gateway(addresses=None, plan="development", features=["nat"])
    assert made.pop("created_at") == made.pop("updated_at") == made["routers"][0].pop("created_at")
    assert made.pop("routers")[0]["uuid"].startswith("04")
    assert re.fullmatch(r"10[0-9a-f]{6}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", made.pop("uuid"))
    assert made == {
        "addresses": [],
        "automatic_tunnel_internal_ip_allocation": True,
        "configured_status": "started",
        "connections": [],
        "features": ["nat"],
        "labels": [],
        "name": "edge",
        "operational_state": "pending",
        "plan": "development",
        "zone": "pl-waw1",
    }


def test_create_full(cloud: Cloud) -> None:
    labels = [{"key": "env", "value": "prod"}, {"key": "team", "value": ""}]
    made = cloud.gateway(
        configured_status="stopped",
        labels=labels,
        automatic_tunnel_internal_ip_allocation=False,
        connections=[connection_body(tunnels=[tunnel_body(tunnel_internal_ip="169.254.17.1")])],
    )
    assert made["labels"] == labels
    assert made["configured_status"] == "stopped"
    assert made["addresses"] == [{"name": "public", "provisioned_by": "service"}]
    assert made["connections"][0]["tunnels"][0]["tunnel_internal_ip"] == "169.254.17.1"
    assert cloud.got(f"/gateway/{made['uuid']}")["operational_state"] == "stopped"


def test_addresses_are_shown_once_it_has_run(cloud: Cloud) -> None:
    named, unnamed = cloud.gateway(), cloud.gateway(name="other", addresses=None)
    assert named["addresses"] == [{"name": "public", "provisioned_by": "service"}]
    assert unnamed["addresses"] == []
    shown = [cloud.got(f"/gateway/{made['uuid']}")["addresses"] for made in (named, unnamed)]
    assert [item[0]["name"] for item in shown] == ["public", "public-ip-1"]
    assert len({item[0]["address"] for item in shown}) == 2
    assert all(item[0]["address"].startswith("203.0.113.") for item in shown)


@pytest.mark.parametrize(
    ("change", "params"),
    [
        ({"plan": None}, ["plan"]),
        ({"plan": "huge"}, ["plan"]),
        ({"name": None, "zone": None}, ["name", "zone"]),
        ({"name": "no spaces"}, ["name"]),
        ({"name": "x" * 65}, ["name"]),
        ({"name": ""}, ["name"]),
        ({"name": 5}, ["name"]),
        ({"zone": "Helsinki"}, ["zone"]),
        ({"zone": "xx-xxx1"}, ["zone"]),
        ({"features": []}, ["features"]),
        ({"features": ["vpn", "vpn"]}, ["features"]),
        ({"features": ["dns"]}, ["features.0"]),
        ({"features": ["vpn"], "plan": "standard"}, ["features"]),
        ({"configured_status": "paused"}, ["configured_status"]),
        ({"routers": []}, ["routers"]),
        ({"routers": [{"uuid": "04000000-0000-4000-8000-000000000000"}]}, ["routers.0.uuid"]),
        ({"routers": [{"uuid": "router"}]}, ["routers.0.uuid"]),
        ({"addresses": []}, ["addresses"]),
        ({"addresses": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}, ["addresses"]),
        ({"operational_state": "running"}, ["operational_state"]),
        ({"connections": [{}]}, ["connections.0.name", "connections.0.type"]),
        ({"connections": [connection_body(tunnels=[tunnel_body(name="a b")])]}, ["connections.0.tunnels.0.name"]),
        ({"labels": [{"key": "x", "value": ""}]}, ["labels.0.key"]),
        ({"labels": [{"key": "_x", "value": ""}]}, ["labels.0.key"]),
        ({"labels": [{"key": "env"}]}, ["labels.0.value"]),
        ({"labels": [{"key": "env", "value": "x" * 256}]}, ["labels.0.value"]),
        ({"labels": [{"key": "env", "value": "a\nb"}]}, ["labels.0.value"]),
    ],
)
def test_create_refuses_with_invalid_params(cloud: Cloud, change: dict[str, Any], params: list[str]) -> None:
    answer = cloud.ask("POST", "/gateway", gateway_body(cloud.router(), **change))
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-language"] == "en"
    found = answer.json()
    assert sorted(found) == ["correlation_id", "invalid_params", "status", "title", "type"]
    assert (found["status"], found["title"], found["type"]) == (400, "Validation error.", PROBLEM + "INVALID_REQUEST")
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", found["correlation_id"])
    assert [item["name"] for item in found["invalid_params"]] == params
    assert all(item["reason"] for item in found["invalid_params"])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"'])
def test_body_that_is_no_object(cloud: Cloud, body: bytes) -> None:
    answer = cloud.ask("POST", "/gateway", content=body)
    assert (answer.status_code, answer.json()["title"]) == (400, "Validation error.")
    assert "invalid_params" not in answer.json()


@pytest.mark.parametrize(
    ("change", "title"),
    [
        ({"addresses": [{"name": "a"}, {"name": "a"}]}, "Duplicate address name."),
        ({"labels": [{"key": "env", "value": ""}, {"key": "env", "value": "x"}]}, "Duplicate label key."),
        (
            {"features": ["nat"], "connections": [connection_body()]},
            "Vpn feature is required for connections.",
        ),
        (
            {"plan": "production", "connections": [connection_body(name=f"c{n}") for n in range(3)]},
            "Service with plan production can have up to 2 connections.",
        ),
        (
            {
                "plan": "production",
                "connections": [connection_body(tunnels=[tunnel_body(name=f"t{n}") for n in range(3)])],
            },
            "Service with plan production can have up to 2 tunnels.",
        ),
        ({"connections": [connection_body(), connection_body()]}, "Duplicate connection name."),
        (
            {"connections": [connection_body(name=name, tunnels=[tunnel_body()]) for name in "ab"]},
            "Duplicate tunnel name.",
        ),
    ],
)
def test_create_breaks_a_rule(cloud: Cloud, change: dict[str, Any], title: str) -> None:
    answer = cloud.ask("POST", "/gateway", gateway_body(cloud.router(), **change))
    assert (answer.status_code, answer.json()["title"]) == (400, title)
    assert answer.json()["type"] == PROBLEM + "INVALID_REQUEST"
    assert cloud.got("/gateway") == []


def test_one_service_per_router(cloud: Cloud) -> None:
    router = cloud.gateway()["routers"][0]["uuid"]
    answer = cloud.ask("POST", "/gateway", gateway_body(router, name="other"))
    assert (answer.status_code, answer.json()["title"]) == (409, "Service for router already exists.")
    assert answer.json()["type"] == PROBLEM + "DUPLICATE_RESOURCE"


def test_name_is_unique_in_the_account(cloud: Cloud) -> None:
    cloud.gateway()
    other = cloud.gateway(name="other")
    answers = [
        cloud.ask("POST", "/gateway", gateway_body(cloud.router())),
        cloud.ask("PATCH", f"/gateway/{other['uuid']}", {"name": "edge"}),
        cloud.ask("PUT", f"/gateway/{other['uuid']}", {"name": "edge", "configured_status": "started"}),
    ]
    assert [answer.status_code for answer in answers] == [409, 409, 409]
    assert cloud.ask("PATCH", f"/gateway/{other['uuid']}", {"name": "other"}).status_code == 200


def test_plan_was_optional_in_2023() -> None:
    cloud = Cloud(behaviour=Behaviour.recorded_2023())
    assert "plan" not in cloud.gateway(plan=None, features=["nat"])


def test_list_pages_of_ten(cloud: Cloud) -> None:
    names = [cloud.gateway(name=f"edge-{number:02}", addresses=None)["name"] for number in range(12)]

    def page(query: str) -> list[str]:
        return [item["name"] for item in cloud.got(f"/gateway{query}")]

    assert page("") == names[:10]
    assert page("?limit=100&offset=0") == names
    assert page("?limit=5&offset=10") == names[10:]
    assert page("?limit=5&offset=12") == page("?limit=0") == []
    assert page("?limit=3&sort=-name") == names[:-4:-1]
    assert page("?limit=2&sort=created_at") == names[:2]
    assert sorted(page("?limit=100&sort=uuid")) == names


@pytest.mark.parametrize("query", ["limit=101", "limit=-1", "limit=x", "limit=", "offset=-1", "sort=zone"])
def test_list_refuses(cloud: Cloud, query: str) -> None:
    answer = cloud.ask("GET", f"/gateway?{query}")
    assert answer.status_code == 400
    assert answer.json()["invalid_params"][0]["name"] == query.partition("=")[0]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("label=env", ["a", "b"]),
        ("label=env%3Dprod", ["a"]),
        ("label=env&label=team%3Dnet", ["b"]),
        ("label=env%3D", []),
        ("label=team", ["b", "c"]),
        ("label=none", []),
    ],
)
def test_list_by_label(cloud: Cloud, query: str, found: list[str]) -> None:
    sets = {"a": {"env": "prod"}, "b": {"env": "test", "team": "net"}, "c": {"team": "web"}}
    for name, labels in sets.items():
        cloud.gateway(name=name, labels=[{"key": key, "value": value} for key, value in labels.items()])
    assert [item["name"] for item in cloud.got(f"/gateway?{query}")] == found


def test_patch_stamps_everything_inside_and_goes_through_pending(cloud: Cloud) -> None:
    made = cloud.gateway(connections=[connection_body(tunnels=[tunnel_body()])])
    cloud.clock.advance(60)
    changed = cloud.ask("PATCH", f"/gateway/{made['uuid']}", {"name": "renamed"}).json()
    connection = changed["connections"][0]
    assert changed["operational_state"] == "pending"
    assert changed["updated_at"] == connection["updated_at"] == connection["tunnels"][0]["updated_at"]
    assert changed["updated_at"] > made["updated_at"]
    assert changed["created_at"] == connection["created_at"] == made["created_at"]
    assert changed["routers"] == made["routers"]
    assert cloud.got(f"/gateway/{made['uuid']}")["operational_state"] == "running"


def test_patch_sets_what_was_sent(cloud: Cloud) -> None:
    made = cloud.gateway(plan="production", labels=[{"key": "env", "value": "prod"}])
    path = f"/gateway/{made['uuid']}"
    sent = {
        "plan": "advanced",
        "features": ["nat", "vpn"],
        "labels": [{"key": "team", "value": "net"}],
        "automatic_tunnel_internal_ip_allocation": False,
        "configured_status": "stopped",
    }
    changed = cloud.ask("PATCH", path, sent).json()
    assert {key: changed[key] for key in sent} == sent
    assert cloud.ask("PATCH", path, {"labels": []}).json()["labels"] == []
    assert cloud.ask("PATCH", path, {}).json()["name"] == "edge"


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"zone": "fi-hel1"}, ["zone"]),
        ({"routers": []}, ["routers"]),
        ({"addresses": []}, ["addresses"]),
        ({"name": None}, ["name"]),
        ({"plan": "huge"}, ["plan"]),
        ({"plan": "development"}, ["features"]),
    ],
)
def test_patch_refuses(cloud: Cloud, change: dict[str, Any], names: list[str]) -> None:
    made = cloud.gateway()
    answer = cloud.ask("PATCH", f"/gateway/{made['uuid']}", change)
    assert answer.status_code == 400
    assert [item["name"] for item in answer.json()["invalid_params"]] == names


def test_downgrade_below_what_is_used(cloud: Cloud) -> None:
    made = cloud.gateway(connections=[connection_body(tunnels=[tunnel_body(name=f"t{n}") for n in range(3)])])
    answer = cloud.ask("PATCH", f"/gateway/{made['uuid']}", {"plan": "production"})
    assert answer.json()["title"] == "Service with plan production can have up to 2 tunnels."
    answer = cloud.ask("PATCH", f"/gateway/{made['uuid']}", {"features": ["nat"]})
    assert answer.json()["title"] == "Vpn feature is required for connections."
    assert cloud.got(f"/gateway/{made['uuid']}")["plan"] == "advanced"


def test_patch_connections_replaces_the_set(cloud: Cloud) -> None:
    made = cloud.gateway(connections=[connection_body(name=name, tunnels=[tunnel_body(name=name)]) for name in "ab"])
    before = {item["name"]: item for item in made["connections"]}
    sent = [connection_body(name="b", remote_routes=[route("new", "10.9.0.0/24")]), connection_body(name="c")]
    changed = cloud.ask("PATCH", f"/gateway/{made['uuid']}", {"connections": sent}).json()["connections"]
    assert [item["name"] for item in changed] == ["b", "c"]
    assert changed[0]["uuid"] == before["b"]["uuid"]
    assert changed[0]["created_at"] == before["b"]["created_at"]
    assert changed[0]["remote_routes"] == [route("new", "10.9.0.0/24")]
    assert changed[0]["tunnels"][0]["uuid"] == before["b"]["tunnels"][0]["uuid"]
    assert changed[1]["uuid"] not in {item["uuid"] for item in before.values()}
    sent = [connection_body(name="renamed", uuid=changed[0]["uuid"])]
    renamed = cloud.ask("PATCH", f"/gateway/{made['uuid']}", {"connections": sent}).json()["connections"]
    assert [(item["uuid"], item["name"]) for item in renamed] == [(changed[0]["uuid"], "renamed")]
    assert cloud.ask("PATCH", f"/gateway/{made['uuid']}", {"connections": []}).json()["connections"] == []


def test_put_needs_name_and_status_and_keeps_the_rest(cloud: Cloud) -> None:
    made = cloud.gateway(labels=[{"key": "env", "value": "prod"}])
    path = f"/gateway/{made['uuid']}"
    refused = cloud.ask("PUT", path, {"labels": []})
    assert [item["name"] for item in refused.json()["invalid_params"]] == ["name", "configured_status"]
    changed = cloud.ask("PUT", path, {"name": "put", "configured_status": "stopped"}).json()
    assert (changed["name"], changed["configured_status"], changed["operational_state"]) == (
        "put",
        "stopped",
        "pending",
    )
    assert (changed["labels"], changed["plan"]) == (made["labels"], "advanced")


def test_delete_takes_everything_with_it(cloud: Cloud) -> None:
    made = cloud.gateway(connections=[connection_body(tunnels=[tunnel_body()])])
    answer = cloud.ask("DELETE", f"/gateway/{made['uuid']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert cloud.ask("GET", f"/gateway/{made['uuid']}").status_code == 404
    assert cloud.got("/gateway") == []
    assert cloud.ask("DELETE", f"/router/{made['routers'][0]['uuid']}").status_code == 204


def test_while_being_deleted() -> None:
    cloud = Cloud(delay=1)
    made = cloud.gateway(connections=[connection_body()])
    path = f"/gateway/{made['uuid']}"
    inner = f"{path}/connections/{made['connections'][0]['uuid']}"
    cloud.ask("DELETE", path)
    assert [item["uuid"] for item in cloud.got("/gateway")] == [made["uuid"]]
    changes = [
        cloud.ask("PATCH", path, {"name": "x"}),
        cloud.ask("PUT", path, {"name": "x", "configured_status": "started"}),
        cloud.ask("DELETE", path),
        cloud.ask("POST", f"{path}/labels", {"key": "env", "value": ""}),
        cloud.ask("POST", f"{path}/connections", connection_body(name="x")),
        cloud.ask("PATCH", inner, {"local_routes": []}),
        cloud.ask("DELETE", inner),
        cloud.ask("POST", f"{inner}/tunnels", tunnel_body()),
        cloud.ask("POST", "/gateway", gateway_body(cloud.router())),
        cloud.ask("POST", "/gateway", gateway_body(made["routers"][0]["uuid"], name="x")),
        cloud.ask("DELETE", f"/router/{made['routers'][0]['uuid']}"),
    ]
    assert {answer.status_code for answer in changes} == {409}
    cloud.clock.advance(2)
    assert cloud.ask("GET", path).status_code == 404
    cloud.made("/gateway", gateway_body(made["routers"][0]["uuid"]))


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("uuid", ["10000000-0000-4000-8000-000000000000", "nonsense"])
def test_unknown_service(cloud: Cloud, method: str, uuid: str) -> None:
    answer = cloud.ask(method, f"/gateway/{uuid}", {})
    assert (answer.status_code, answer.json()["title"]) == (404, "Service with provided UUID not found.")
    assert answer.json()["type"] == PROBLEM + "RESOURCE_NOT_FOUND"
