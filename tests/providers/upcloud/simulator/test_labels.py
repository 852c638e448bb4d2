from __future__ import annotations

from typing import Any

import pytest

from support.simulated_cloud import Cloud

ENV = {"key": "env", "value": "prod"}


@pytest.fixture
def path(cloud: Cloud) -> str:
    """Of the labels of a running service that has one."""
    return f"/gateway/{cloud.gateway(labels=[ENV])['uuid']}/labels"


def test_create_read_update_delete(cloud: Cloud, path: str) -> None:
    assert cloud.got(path) == [ENV]
    assert cloud.made(path, {"key": "team", "value": "net"}) == {"key": "team", "value": "net"}
    assert cloud.got(f"{path}/team") == {"key": "team", "value": "net"}
    assert cloud.ask("PATCH", f"{path}/env", {"value": "test"}).json() == {"key": "env", "value": "test"}
    assert cloud.ask("PATCH", f"{path}/env", {"key": "stage"}).json() == {"key": "stage", "value": "test"}
    assert cloud.ask("PATCH", f"{path}/stage", {"value": None}).json() == {"key": "stage", "value": ""}
    assert cloud.got(path) == [{"key": "stage", "value": ""}, {"key": "team", "value": "net"}]
    assert cloud.ask("DELETE", f"{path}/stage").status_code == 204
    assert cloud.got(path) == [{"key": "team", "value": "net"}]


def test_a_label_stamps_the_service_and_leaves_its_state(cloud: Cloud, path: str) -> None:
    before = cloud.got(path.removesuffix("/labels"))
    cloud.made(path, {"key": "team", "value": "net"})
    after = cloud.got(path.removesuffix("/labels"))
    assert after["updated_at"] > before["updated_at"]
    assert after["operational_state"] == "running"


def test_keys_are_percent_encoded_in_the_url(cloud: Cloud, path: str) -> None:
    cloud.made(path, {"key": "netgw.dev/own er%", "value": "a/b/c"})
    one = f"{path}/netgw.dev%2Fown%20er%25"
    assert cloud.got(one)["value"] == "a/b/c"
    assert cloud.ask("PATCH", one, {"value": "d"}).json() == {"key": "netgw.dev/own er%", "value": "d"}
    assert cloud.ask("DELETE", one).status_code == 204


@pytest.mark.parametrize(
    "body",
    [
        {"key": "team"},
        {"value": "net"},
        {"key": "x", "value": ""},
        {"key": "x" * 33, "value": ""},
        {"key": "_system", "value": ""},
        {"key": "straße", "value": ""},
        {"key": "team", "value": "x" * 256},
        {"key": "team", "value": "", "extra": 1},
        ENV,
    ],
)
def test_create_refuses(cloud: Cloud, path: str, body: dict[str, Any]) -> None:
    answer = cloud.ask("POST", path, body)
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("#ERROR_INVALID_REQUEST")


def test_rename_to_a_key_that_is_taken(cloud: Cloud, path: str) -> None:
    cloud.made(path, {"key": "team", "value": "net"})
    assert cloud.ask("PATCH", f"{path}/team", {"key": "env"}).status_code == 400


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_unknown_label(cloud: Cloud, path: str, method: str) -> None:
    answer = cloud.ask(method, f"{path}/none", {})
    assert (answer.status_code, answer.json()["title"]) == (404, "Resource not found.")
