from __future__ import annotations

from typing import Any

import pytest

from support.simulated_cloud import PSK, Cloud, connection_body, route, tunnel_body


@pytest.fixture
def path(cloud: Cloud) -> str:
    """Of the connections of a service."""
    return f"/gateway/{cloud.gateway()['uuid']}/connections"


@pytest.mark.parametrize("slash", ["", "/"])
def test_create_with_and_without_slash(cloud: Cloud, path: str, slash: str) -> None:
    made = cloud.made(path + slash, connection_body())
    assert cloud.got(f"{path}/{made['uuid']}") == made
    assert cloud.got(path) == [made]
    assert made["uuid"].startswith("10")
    assert (made["type"], made["tunnels"]) == ("ipsec", [])
    assert sorted(made) == [
        "created_at",
        "local_routes",
        "name",
        "remote_routes",
        "tunnels",
        "type",
        "updated_at",
        "uuid",
    ]


@pytest.mark.parametrize(
    ("change", "params"),
    [
        ({"name": None}, ["name"]),
        ({"type": None}, ["type"]),
        ({"local_routes": None, "remote_routes": None}, ["local_routes"]),
        ({"local_routes": [], "remote_routes": [], "tunnels": []}, ["local_routes"]),
        ({"local_routes": [{"name": "a"}]}, ["local_routes.0.type", "local_routes.0.static_network"]),
        ({"local_routes": [route() | {"type": "bgp"}]}, ["local_routes.0.type"]),
        ({"local_routes": [route("a b")]}, ["local_routes.0.name"]),
        ({"created_at": "2026-11-22T03:00:00Z"}, ["created_at"]),
        (
            {"tunnels": [tunnel_body(ipsec={"authentication": {"authentication": "psk"}})]},
            ["tunnels.0.ipsec.authentication.psk"],
        ),
    ],
)
def test_create_refuses_with_invalid_params(cloud: Cloud, path: str, change: dict[str, Any], params: list[str]) -> None:
    answer = cloud.ask("POST", path, connection_body(**change))
    assert answer.status_code == 400
    assert [item["name"] for item in answer.json()["invalid_params"]] == params
    assert cloud.got(path) == []


@pytest.mark.parametrize(
    ("change", "title"),
    [
        ({"type": "gre"}, "Unknown connection type."),
        ({"local_routes": [route(network="10.0.1.0")]}, "Invalid local route: 10.0.1.0."),
        ({"local_routes": [route(network="10.0.1.1/24")]}, "Invalid local route: 10.0.1.1/24."),
        ({"remote_routes": [route(network="fd00::/64")]}, "Invalid remote route: fd00::/64."),
        ({"remote_routes": [route(), route()]}, "Duplicate remote route name."),
        ({"name": "taken"}, "Duplicate connection name."),
    ],
)
def test_create_breaks_a_rule(cloud: Cloud, path: str, change: dict[str, Any], title: str) -> None:
    cloud.made(path, connection_body(name="taken"))
    answer = cloud.ask("POST", path, connection_body(**change))
    assert (answer.status_code, answer.json()["title"]) == (400, title)


def test_quota_and_feature(cloud: Cloud) -> None:
    small = cloud.gateway(plan="production")["uuid"]
    for number in range(2):
        cloud.connection(small, name=f"c{number}")
    answer = cloud.ask("POST", f"/gateway/{small}/connections", connection_body(name="third"))
    assert answer.json()["title"] == "Service with plan production can have up to 2 connections."
    nat = cloud.gateway(name="nat", features=["nat"])["uuid"]
    answer = cloud.ask("POST", f"/gateway/{nat}/connections", connection_body())
    assert answer.json()["title"] == "Vpn feature is required for connections."


def test_patch_replaces_lists_and_leaves_the_rest(cloud: Cloud, path: str) -> None:
    made = cloud.made(path, connection_body(tunnels=[tunnel_body()]))
    one = f"{path}/{made['uuid']}"
    cloud.clock.advance(60)
    changed = cloud.ask("PATCH", one, {"remote_routes": [route("new", "10.9.0.0/24")]}).json()
    assert changed["remote_routes"] == [route("new", "10.9.0.0/24")]
    assert (changed["local_routes"], changed["created_at"]) == (made["local_routes"], made["created_at"])
    assert changed["updated_at"] > made["updated_at"]
    assert changed["tunnels"][0]["updated_at"] == made["tunnels"][0]["updated_at"]
    assert cloud.ask("PATCH", one, {"local_routes": []}).json()["local_routes"] == []


def test_patch_of_tunnels_stamps_both(cloud: Cloud, path: str) -> None:
    made = cloud.made(path, connection_body(tunnels=[tunnel_body()]))
    service = cloud.got(path.removesuffix("/connections"))["updated_at"]
    changed = cloud.ask("PATCH", f"{path}/{made['uuid']}", {"tunnels": [tunnel_body()]}).json()
    assert changed["updated_at"] == changed["tunnels"][0]["updated_at"] > made["updated_at"]
    assert cloud.got(path.removesuffix("/connections"))["updated_at"] == service


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ([tunnel_body(name="a"), tunnel_body(name="b")], ["a", "b"]),
        ([tunnel_body(name="b"), tunnel_body(name="a")], ["b", "a"]),
        ([tunnel_body(name="b", remote_address={"address": "100.10.0.9"})], ["b"]),
        ([tunnel_body(name="new", remote_address={"address": "100.10.0.2"})], ["b"]),
        ([tunnel_body(name="new", remote_address={"address": "100.10.0.9"})], [None]),
        ([], []),
    ],
)
def test_which_tunnels_a_list_keeps(
    cloud: Cloud, path: str, sent: list[dict[str, Any]], kept: list[str | None]
) -> None:
    tunnels = [
        tunnel_body(name="a", remote_address={"address": "100.10.0.1"}),
        tunnel_body(name="b", remote_address={"address": "100.10.0.2"}),
    ]
    made = cloud.made(path, connection_body(tunnels=tunnels))
    names = {item["uuid"]: item["name"] for item in made["tunnels"]}
    changed = cloud.ask("PATCH", f"{path}/{made['uuid']}", {"tunnels": sent}).json()["tunnels"]
    assert [names.get(item["uuid"]) for item in changed] == kept
    assert [item["name"] for item in changed] == [item["name"] for item in sent]


def test_a_list_may_name_kept_tunnels_by_uuid_and_without_key(cloud: Cloud, path: str) -> None:
    made = cloud.made(path, connection_body(tunnels=[tunnel_body()]))
    uuid = made["tunnels"][0]["uuid"]
    sent = tunnel_body(
        uuid=uuid,
        name="renamed",
        remote_address={"address": "100.10.0.9"},
        ipsec={"authentication": {"authentication": "psk"}},
    )
    changed = cloud.ask("PATCH", f"{path}/{made['uuid']}", {"tunnels": [sent]}).json()
    assert [(item["uuid"], item["name"]) for item in changed["tunnels"]] == [(uuid, "renamed")]


def test_rename_in_place(cloud: Cloud, path: str) -> None:
    made = cloud.made(path, connection_body())
    body = {"uuid": made["uuid"], "name": "renamed", "type": "ipsec"}
    changed = cloud.ask("PATCH", f"{path}/{made['uuid']}", body).json()
    assert (changed["uuid"], changed["name"]) == (made["uuid"], "renamed")
    other = {"uuid": "10000000-0000-4000-8000-000000000000"}
    assert cloud.ask("PATCH", f"{path}/{made['uuid']}", other).status_code == 400


def test_uuid_of_the_client(cloud: Cloud, path: str) -> None:
    uuid = "10000000-0000-4000-8000-000000000000"
    assert cloud.made(path, connection_body(uuid=uuid))["uuid"] == uuid
    answer = cloud.ask("POST", path, connection_body(uuid=uuid, name="other"))
    assert (answer.status_code, answer.json()["title"]) == (400, "Duplicate UUID.")


def test_delete_takes_tunnels_with_it(cloud: Cloud, path: str) -> None:
    made = cloud.made(path, connection_body(tunnels=[tunnel_body()]))
    one = f"{path}/{made['uuid']}"
    answer = cloud.ask("DELETE", one)
    assert (answer.status_code, answer.content) == (204, b"")
    assert cloud.got(path) == []
    assert cloud.ask("GET", f"{one}/tunnels").status_code == 404
    assert cloud.got(path.removesuffix("/connections"))["operational_state"] == "running"


@pytest.mark.parametrize(
    ("method", "rest", "title"),
    [
        ("GET", "/connections", "The resource you requested does not exist."),
        ("POST", "/connections", "The resource you requested does not exist."),
        ("PATCH", "/connections/x", "Service with provided UUID not found."),
        ("GET", "/connections/x/tunnels/y", "The resource you requested does not exist."),
    ],
)
def test_under_an_unknown_service(cloud: Cloud, method: str, rest: str, title: str) -> None:
    answer = cloud.ask(method, f"/gateway/10000000-0000-4000-8000-000000000000{rest}", {})
    assert (answer.status_code, answer.json()["title"]) == (404, title)


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_unknown_connection(cloud: Cloud, path: str, method: str) -> None:
    answer = cloud.ask(method, f"{path}/10000000-0000-4000-8000-000000000000", {})
    assert (answer.status_code, answer.json()["title"]) == (404, "Connection not found.")


def test_nothing_happens_when_a_part_is_refused(cloud: Cloud, path: str) -> None:
    made = cloud.made(path, connection_body(tunnels=[tunnel_body()]))
    bad = {"local_routes": [], "tunnels": [tunnel_body(name="x", local_address={"name": "none"})]}
    assert cloud.ask("PATCH", f"{path}/{made['uuid']}", bad).status_code == 400
    after = cloud.got(f"{path}/{made['uuid']}")
    assert after["local_routes"] == made["local_routes"]
    assert after["updated_at"] == made["updated_at"]
    assert PSK not in str(after)
