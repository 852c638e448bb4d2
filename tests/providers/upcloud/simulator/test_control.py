from __future__ import annotations

import hashlib
from typing import Any

import httpx
import pytest

from support.simulated_cloud import OTHER_PSK, PSK, Cloud, connection_body, gateway_body, tunnel_body


class Up:
    """A service with one tunnel that is up."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        made = cloud.gateway(connections=[connection_body(tunnels=[tunnel_body()])])
        connection = made["connections"][0]
        self.gateway, self.tunnel = made["uuid"], connection["tunnels"][0]["uuid"]
        self.path = f"/gateway/{self.gateway}/connections/{connection['uuid']}/tunnels/{self.tunnel}"

    def force(self, body: Any) -> None:
        assert self.cloud.door("POST", f"/_sim/tunnels/{self.tunnel}", body).status_code == 204

    def seen(self) -> tuple[str, bool, bool]:
        found = self.cloud.got(self.path)
        return found["operational_state"], found["tunnel_up"], found["tunnel_healthy"]

    def heuristics(self) -> dict[str, Any]:
        found = self.cloud.got(f"/gateway/{self.gateway}/metrics")["ipsec_metrics"]["ike_sas"][0]
        return dict(found["heuristic_state"])


@pytest.fixture
def up(cloud: Cloud) -> Up:
    return Up(cloud)


def test_calls(cloud: Cloud) -> None:
    cloud.router()
    cloud.ask("GET", "/gateway?limit=100&label=a%3Db")
    cloud.door("GET", "/1.3/account")
    found = cloud.door("GET", "/_sim/calls").json()
    assert [(call["method"], call["path"], call["status"]) for call in found] == [
        ("POST", "/1.3/router", 201),
        ("GET", "/1.3/gateway?limit=100&label=a%3Db", 200),
        ("GET", "/1.3/account", 401),
    ]
    assert found[0]["time"] == "2026-11-22T03:00:00.42Z"
    assert [call.path for call in cloud.world.calls] == [call["path"] for call in found]
    assert cloud.door("DELETE", "/_sim/calls").status_code == 204
    assert cloud.door("GET", "/_sim/calls").json() == []


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ({"operational_state": "idle"}, ("idle", False, True)),
        ({"operational_state": "rekeying"}, ("rekeying", True, True)),
        ({"operational_state": "made-up-state"}, ("made-up-state", False, True)),
        ({"tunnel_up": False}, ("established", False, True)),
        ({"tunnel_healthy": False}, ("established", True, False)),
        ({"last_down_message": "received AUTHENTICATION_FAILED notify error"}, ("established", True, False)),
        ({"operational_state": "idle", "last_down_message": "x", "tunnel_healthy": True}, ("idle", False, True)),
    ],
)
def test_force_a_tunnel(up: Up, body: dict[str, Any], seen: tuple[str, bool, bool]) -> None:
    up.force(body)
    assert up.seen() == seen
    assert (up.heuristics()["tunnel_up"], up.heuristics()["tunnel_healthy"]) == seen[1:]
    up.force({})
    assert up.seen() == ("established", True, True)


@pytest.mark.parametrize("body", [None, {}])
def test_a_forced_tunnel_stays_until_it_is_let_go(up: Up, body: Any) -> None:
    up.force({"operational_state": "idle", "last_down_message": "peer is silent"})
    rotated = {"authentication": {"authentication": "psk", "psk": OTHER_PSK}}
    up.cloud.ask("PATCH", up.path, {"name": "office-1", "ipsec": rotated})
    up.cloud.clock.advance(3600)
    assert up.seen() == ("idle", False, False)
    up.force({"operational_state": "connecting"})
    assert up.seen() == ("connecting", False, True)
    up.force(body)
    assert up.seen() == ("established", True, True)
    found = up.heuristics()
    assert found["last_down_message"] == "peer is silent"
    assert found["last_down_message_updated_at"] < found["updated_at"]
    assert found["log_message_bad_events"] == 1


def test_up_by_force(cloud: Cloud) -> None:
    cloud.world.tunnels = "idle"
    up = Up(cloud)
    assert up.seen() == ("idle", False, True)
    up.force({"operational_state": "established"})
    up.cloud.clock.advance(30)
    assert up.seen() == ("established", True, True)
    found = cloud.got(f"/gateway/{up.gateway}/metrics")["ipsec_metrics"]["ike_sas"][0]
    assert found["established"] in (29, 30)


def test_force_a_gateway(up: Up) -> None:
    path = f"/_sim/gateways/{up.gateway}"
    assert up.cloud.door("POST", path, {"operational_state": "made-up-state"}).status_code == 204
    assert up.cloud.got(f"/gateway/{up.gateway}")["operational_state"] == "made-up-state"
    assert up.seen() == ("established", True, True)
    assert up.cloud.door("POST", path, {}).status_code == 204
    assert up.cloud.got(f"/gateway/{up.gateway}")["operational_state"] == "running"


def test_faults(cloud: Cloud) -> None:
    faults = [
        {"match": "GET /1.3/gateway", "status": 429, "headers": {"Retry-After": "1"}},
        {"match": "POST /1.3/*", "reset": True, "when": "after", "times": 2},
    ]
    assert cloud.door("POST", "/_sim/faults", faults).status_code == 204
    assert cloud.door("GET", "/_sim/world").json()["faults"] == faults
    assert cloud.ask("GET", "/gateway").headers["retry-after"] == "1"
    with pytest.raises(httpx.ReadError):
        cloud.router()
    assert len(cloud.got("/router")["routers"]["router"]) == 1
    assert cloud.door("DELETE", "/_sim/faults").status_code == 204
    cloud.router()


def test_reset(cloud: Cloud) -> None:
    cloud.gateway()
    cloud.world.faults.add("GET *", status=500)
    assert cloud.door("POST", "/_sim/reset").status_code == 204
    found = cloud.door("GET", "/_sim/world").json()
    assert (found["gateways"], found["routers"], found["faults"]) == ([], [], [])
    assert cloud.world.calls == []


def test_world(up: Up) -> None:
    found = up.cloud.door("GET", "/_sim/world").json()
    assert (found["delay"], found["tunnels"], found["faults"]) == (0.0, "up", [])
    service = found["gateways"][0]
    assert (service["account"], service["deleting"], service["operational_state"]) == ("simulator", False, "running")
    tunnel = service["connections"][0]["tunnels"][0]
    assert tunnel["psk_sha256"] == hashlib.sha256(PSK.encode()).hexdigest()
    assert found["routers"][0]["attached_network_gateways"] == [{"uuid": up.gateway}]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/_sim/tunnels/none", {}, 404),
        ("POST", "/_sim/gateways/none", {}, 404),
        ("POST", "/_sim/faults", {}, 400),
        ("POST", "/_sim/faults", [{"match": "x"}], 400),
        ("POST", "/_sim/faults", [{"match": "GET /x", "status": 500, "often": 3}], 400),
        ("POST", "/_sim/tunnels/none", {"state": "idle"}, 400),
        ("POST", "/_sim/tunnels/none", {"tunnel_up": "no"}, 400),
        ("POST", "/_sim/tunnels/none", [1], 400),
        ("GET", "/_sim/none", None, 404),
        ("GET", "/_sim/reset", None, 405),
    ],
)
def test_what_the_door_refuses(cloud: Cloud, method: str, path: str, body: Any, status: int) -> None:
    answer = cloud.door(method, path, body)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.json()["title"]


def test_body_that_is_no_json(cloud: Cloud) -> None:
    assert cloud.door("POST", "/_sim/tunnels/none", content=b"{").status_code == 400


def test_no_key_is_ever_shown(cloud: Cloud) -> None:
    """Not in an answer, good or bad, not in the door, not in what Python prints."""
    bad = "0" + PSK

    def ipsec(psk: str, **more: Any) -> dict[str, Any]:
        return {"ipsec": {"authentication": {"authentication": "psk", "psk": psk}, **more}}

    up = Up(cloud)
    path = f"/gateway/{up.gateway}"
    connection, tunnels = up.path.rpartition("/tunnels")[0], up.path.rpartition("/")[0]
    answers = [
        cloud.ask("PATCH", up.path, {"name": "office-1", **ipsec(OTHER_PSK)}),
        cloud.ask("PATCH", up.path, {"name": "office-1", **ipsec(bad)}),
        cloud.ask("PATCH", up.path, ipsec(PSK)),
        cloud.ask("POST", tunnels, tunnel_body(name="b", **ipsec(PSK))),
        cloud.ask("POST", tunnels, tunnel_body(name="c", **ipsec(bad))),
        cloud.ask("POST", tunnels, tunnel_body(name="c", **ipsec(PSK, rekey_time=PSK))),
        cloud.ask("POST", tunnels, tunnel_body(name="c", ipsec=PSK)),
        cloud.ask("PATCH", connection, {"tunnels": [tunnel_body(**ipsec(OTHER_PSK))]}),
        cloud.ask("PATCH", path, {"connections": [connection_body(tunnels=[tunnel_body(**ipsec(PSK))])]}),
        cloud.ask(
            "POST", "/gateway", gateway_body("x", connections=[connection_body(tunnels=[tunnel_body(**ipsec(bad))])])
        ),
        cloud.ask("GET", "/gateway"),
        cloud.ask("GET", path + "/metrics"),
        cloud.door("GET", "/_sim/world"),
        cloud.door("GET", "/_sim/calls"),
    ]
    shown = "".join(answer.text + str(answer.headers) for answer in answers)
    shown += repr(cloud.world.gateways) + repr(cloud.world.calls)
    assert [answer.status_code for answer in answers[:10]] == [200, 400, 400, 201, 400, 400, 400, 200, 200, 400]
    assert not [key for key in (PSK, OTHER_PSK, bad) if key in shown]
