from __future__ import annotations

from typing import Any

import pytest

from support.simulated_cloud import OTHER_PSK, Cloud, connection_body, tunnel_body

HOUR = 3600


class Measured:
    """A service with one tunnel, and its metrics."""

    def __init__(self, cloud: Cloud, **gateway: Any) -> None:
        self.cloud = cloud
        made = cloud.gateway(connections=[connection_body(tunnels=[tunnel_body()])], **gateway)
        connection = made["connections"][0]
        self.uuid = made["uuid"]
        self.path = f"/gateway/{made['uuid']}"
        self.tunnel_uuid = connection["tunnels"][0]["uuid"]
        self.tunnel = f"{self.path}/connections/{connection['uuid']}/tunnels/{self.tunnel_uuid}"

    def metrics(self) -> Any:
        return self.cloud.got(f"{self.path}/metrics")

    def sas(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.metrics()["ipsec_metrics"]["ike_sas"]
        return found

    def child(self) -> dict[str, Any]:
        [sa] = self.sas()
        [child] = sa["child_sas"]
        return dict(child)

    def events(self) -> tuple[int, int]:
        state = self.sas()[0]["heuristic_state"]
        return state["up_events"], state["down_events"]

    def force(self, **body: Any) -> None:
        assert self.cloud.door("POST", f"/_sim/tunnels/{self.tunnel_uuid}", body).status_code == 204

    def set_ipsec(self, **values: Any) -> None:
        body = {"name": "office-1", "ipsec": {"authentication": {"authentication": "psk"}, **values}}
        assert self.cloud.ask("PATCH", self.tunnel, body).status_code == 200


@pytest.fixture
def measured(cloud: Cloud) -> Measured:
    return Measured(cloud)


def test_of_a_service_that_does_nat_alone(cloud: Cloud) -> None:
    made = cloud.gateway(features=["nat"], plan="development")
    cloud.clock.advance(1000.5)
    found = cloud.got(f"/gateway/{made['uuid']}/metrics")
    [nat] = found["gateways"]
    assert nat == {
        "active_connections": 15,
        "created_at": made["created_at"],
        "name": "edge",
        "total_accepted_connections": 5000,
        "total_rejected_sessions": 10,
        "updated_at": nat["updated_at"],
    }
    assert found["ipsec_metrics"] == {"ike_sas": None}
    assert cloud.ask("GET", "/gateway/x/metrics").status_code == 404


def test_of_a_service_that_has_neither(cloud: Cloud) -> None:
    made = cloud.gateway(features=["vpn"])
    assert cloud.got(f"/gateway/{made['uuid']}/metrics") == {"gateways": None, "ipsec_metrics": {"ike_sas": None}}


def test_nat_flush(cloud: Cloud) -> None:
    path = f"/gateway/{cloud.gateway(features=['nat'])['uuid']}"
    cloud.clock.advance(60)

    def active() -> int:
        return int(cloud.got(f"{path}/metrics")["gateways"][0]["active_connections"])

    before = cloud.got(path)
    assert active() == 15
    answer = cloud.ask("PATCH", f"{path}/actions/nat-flush-connections")
    assert (answer.status_code, answer.json()) == (200, {})
    assert active() == 0
    cloud.clock.advance(5.5)
    assert active() == 5
    cloud.clock.advance(60)
    assert active() == 15
    assert cloud.got(path) == before
    unknown = cloud.ask("PATCH", "/gateway/x/actions/nat-flush-connections")
    assert (unknown.status_code, unknown.json()["title"]) == (404, "The resource you requested does not exist.")


def test_of_a_tunnel_that_came_up_and_went_down(cloud: Cloud, measured: Measured) -> None:
    cloud.clock.advance(99.5)
    [up] = measured.sas()
    address = cloud.got(measured.path)["addresses"][0]["address"]
    assert (up["name"], up["operational_state"], up["internal_state"]) == (
        "office/office-1",
        "established",
        "established",
    )
    assert (up["local_host"], up["remote_host"], up["initator"], up["version"]) == (address, "100.10.0.111", True, 2)
    assert (up["tunnel_id"], up["unique_id"], up["established"]) == (1, "1000001", 99)
    assert up["child_sas"][0]["state"] == "installed"
    assert up["heuristic_state"]["tunnel_up"] is True
    assert measured.events() == (1, 0)

    rotated = {"authentication": {"authentication": "psk", "psk": OTHER_PSK}, "child_rekey_time": 0}
    cloud.ask("PATCH", measured.tunnel, {"name": "office-1", "ipsec": rotated})
    [again] = measured.sas()
    assert measured.events() == (2, 1)
    assert again["child_sas"][0]["rekey_time"] == 0
    assert again["unique_id"] != up["unique_id"]

    cloud.ask("PATCH", measured.path, {"configured_status": "stopped"})
    [down] = measured.sas()
    assert (down["operational_state"], down["internal_state"], down["child_sas"]) == ("idle", "uninitialized", [])
    assert measured.events() == (2, 2)
    assert (down["heuristic_state"]["tunnel_up"], down["heuristic_state"]["tunnel_healthy"]) == (False, True)


def test_counters_grow_and_start_again_with_every_child(cloud: Cloud, measured: Measured) -> None:
    cloud.clock.advance(1000.5)
    first = measured.child()
    assert {key: first[key] for key in ("bytes_in", "bytes_out", "packets_in", "packets_out")} == {
        "bytes_in": 1000000,
        "bytes_out": 250000,
        "packets_in": 10000,
        "packets_out": 5000,
    }
    assert (first["install_time"], first["rekey_time"], first["life_time"]) == (1000, 440, 584)
    cloud.clock.advance(439)
    assert measured.child()["bytes_in"] == 1439000
    cloud.clock.advance(11)
    second = measured.child()
    assert (second["bytes_in"], second["install_time"]) == (10000, 10)
    assert second["unique_id"] != first["unique_id"]
    assert second["spi_in"] != first["spi_in"]
    assert second["created_at"] > first["created_at"]


def test_without_rekeying_they_grow_for_ever(cloud: Cloud, measured: Measured) -> None:
    measured.set_ipsec(child_rekey_time=0, rekey_time=0)
    cloud.clock.advance(24 * HOUR + 0.5)
    [sa] = measured.sas()
    assert (sa["established"], sa["rekey_time"]) == (24 * HOUR, 0)
    assert measured.child()["bytes_in"] == 24 * HOUR * 1000


def test_a_child_that_is_rekeyed_is_there_twice(cloud: Cloud, measured: Measured) -> None:
    cloud.clock.advance(1450.5)
    measured.force(rekeying="child")
    [sa] = measured.sas()
    assert [(child["state"], child["bytes_in"]) for child in sa["child_sas"]] == [
        ("rekeyed", 1450000),
        ("installed", 10000),
    ]
    assert len({child["unique_id"] for child in sa["child_sas"]}) == 2
    assert {child["name"] for child in sa["child_sas"]} == {"office/office-1"}
    assert cloud.got(measured.tunnel)["operational_state"] == "established"
    measured.force()
    assert measured.child()["bytes_in"] == 10000


def test_a_tunnel_that_is_rekeyed_is_there_twice(cloud: Cloud, measured: Measured) -> None:
    cloud.clock.advance(14405.5)
    measured.force(rekeying="ike")
    old, new = measured.sas()
    assert (old["name"], old["internal_state"], old["established"]) == ("office/office-1", "rekeyed", 14405)
    assert (new["name"], new["internal_state"], new["established"]) == ("office/office-1", "established", 5)
    assert old["tunnel_id"] == new["tunnel_id"]
    assert old["unique_id"] != new["unique_id"]
    assert [len(sa["child_sas"]) for sa in (old, new)] == [1, 1]
    measured.force(rekeying="ike", operational_state="idle")
    assert len(measured.sas()) == 1


def test_events_follow_the_transitions(cloud: Cloud, measured: Measured) -> None:
    assert measured.events() == (1, 0)
    for number in (1, 2):
        measured.force(operational_state="connecting", last_down_message="no response")
        assert measured.events() == (number, number)
        cloud.clock.advance(60)
        measured.force()
        assert measured.events() == (number + 1, number)
    state = measured.sas()[0]["heuristic_state"]
    assert (state["last_down_message"], state["log_message_bad_events"]) == ("no response", 2)
    assert state["last_down_message_updated_at"] < state["updated_at"]


def test_a_tunnel_that_stays_up_by_force_keeps_its_age(cloud: Cloud) -> None:
    cloud.world.tunnels = "idle"
    measured = Measured(cloud)
    measured.force(operational_state="established")
    cloud.clock.advance(100.5)
    measured.force(operational_state="established", rekeying="child")
    assert measured.sas()[0]["established"] == 100


def test_metrics_that_say_what_they_are_told(cloud: Cloud, measured: Measured) -> None:
    """Contradictions, tunnels that nobody has, lists that are null: whatever a client must bear."""
    told = {"gateways": [], "ipsec_metrics": {"ike_sas": [{"name": "gone/gone-1", "child_sas": None}]}, "new": 1}
    path = f"/_sim/gateways/{measured.uuid}"
    assert cloud.door("POST", path, {"metrics": told}).status_code == 204
    assert measured.metrics() == told
    assert cloud.got(measured.path)["operational_state"] == "running"
    assert cloud.door("POST", path, {"metrics": []}).status_code == 400
    assert cloud.door("POST", path, {}).status_code == 204
    assert measured.sas()[0]["name"] == "office/office-1"


@pytest.mark.parametrize("body", [{"rekeying": "all"}, {"rekeying": True}])
def test_rekeying_that_makes_no_sense(cloud: Cloud, measured: Measured, body: Any) -> None:
    assert cloud.door("POST", f"/_sim/tunnels/{measured.tunnel_uuid}", body).status_code == 400
