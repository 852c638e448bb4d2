"""What is true when: every transition takes the dial's seconds, and only the clock moves it."""

from __future__ import annotations

from typing import Any

import pytest

from support.simulated_cloud import OTHER_PSK, PSK, Cloud, connection_body, tunnel_body

DELAY = 10.0


class Watched:
    """A service with one connection and one tunnel, on a cloud that takes its time."""

    def __init__(self, tunnels: str = "up", **gateway: Any) -> None:
        self.cloud = Cloud(delay=DELAY, tunnels=tunnels)
        self.made = self.cloud.gateway(connections=[connection_body(tunnels=[tunnel_body()])], **gateway)
        self.path = f"/gateway/{self.made['uuid']}"
        connection = self.made["connections"][0]
        self.tunnel_path = f"{self.path}/connections/{connection['uuid']}/tunnels/{connection['tunnels'][0]['uuid']}"

    def service(self) -> str:
        return str(self.cloud.got(self.path)["operational_state"])

    def tunnel(self) -> tuple[str, bool, bool]:
        found = self.cloud.got(self.tunnel_path)
        return found["operational_state"], found["tunnel_up"], found["tunnel_healthy"]

    def walk(self, steps: int) -> list[tuple[str, str]]:
        """Service and tunnel now, and after each of so many transitions."""
        seen = [(self.service(), self.tunnel()[0])]
        for _ in range(steps):
            self.cloud.clock.advance(DELAY)
            seen.append((self.service(), self.tunnel()[0]))
        return seen


def test_create() -> None:
    assert Watched().walk(5) == [
        ("pending", "idle"),
        ("setup-network", "idle"),
        ("setup-gw", "idle"),
        ("running", "connecting"),
        ("running", "established"),
        ("running", "established"),
    ]


def test_create_stopped_and_start_later() -> None:
    watched = Watched(configured_status="stopped")
    assert [service for service, _ in watched.walk(3)] == ["pending", "setup-network", "setup-gw", "stopped"]
    assert "address" not in watched.cloud.got(watched.path)["addresses"][0]
    watched.cloud.ask("PATCH", watched.path, {"configured_status": "started"})
    assert watched.walk(4)[3:] == [("running", "connecting"), ("running", "established")]
    assert "address" in watched.cloud.got(watched.path)["addresses"][0]


def test_updated_at_moves_with_the_state() -> None:
    watched = Watched()
    watched.cloud.clock.advance(25)
    assert watched.cloud.got(watched.path)["updated_at"] == "2026-11-22T03:00:20.420001Z"
    assert watched.cloud.got(watched.tunnel_path)["updated_at"] == watched.made["created_at"]


def test_rename_leaves_tunnels_up() -> None:
    watched = Watched()
    watched.walk(4)
    watched.cloud.ask("PATCH", watched.path, {"name": "renamed"})
    assert watched.walk(1) == [("pending", "established"), ("running", "established")]


def test_rename_during_setup_starts_it_again() -> None:
    watched = Watched()
    watched.walk(2)
    watched.cloud.ask("PATCH", watched.path, {"name": "renamed"})
    assert [service for service, _ in watched.walk(3)] == ["pending", "setup-network", "setup-gw", "running"]


def test_stop_and_start() -> None:
    watched = Watched()
    watched.walk(4)
    address = watched.cloud.got(watched.path)["addresses"]
    watched.cloud.ask("PATCH", watched.path, {"configured_status": "stopped"})
    assert watched.walk(1) == [("pending", "idle"), ("stopped", "idle")]
    assert watched.cloud.got(watched.path)["addresses"] == address
    watched.cloud.ask("PATCH", watched.path, {"configured_status": "started"})
    assert watched.walk(2) == [("pending", "idle"), ("running", "connecting"), ("running", "established")]


def test_delete() -> None:
    watched = Watched()
    watched.walk(4)
    watched.cloud.ask("DELETE", watched.path)
    assert watched.walk(1) == [("delete-gw", "idle"), ("delete-network", "idle")]
    watched.cloud.clock.advance(DELAY)
    assert watched.cloud.ask("GET", watched.path).status_code == 404


def psk(value: str) -> dict[str, Any]:
    return {"ipsec": {"authentication": {"authentication": "psk", "psk": value}}}


@pytest.mark.parametrize(
    ("change", "interrupts"),
    [
        (psk(OTHER_PSK), True),
        (psk(PSK), False),
        ({"remote_address": {"address": "100.10.0.9"}}, True),
        ({"local_address": {"name": "second"}}, True),
        ({"ipsec": {"authentication": {"authentication": "psk"}, "phase1_algorithms": ["aes256"]}}, True),
        ({"ipsec": {"authentication": {"authentication": "psk"}, "rekey_time": 60}}, False),
        ({"internal_peer_ping_interval": 5}, False),
        ({}, False),
    ],
)
def test_what_takes_a_tunnel_down_for_a_moment(change: dict[str, Any], interrupts: bool) -> None:
    watched = Watched(addresses=[{"name": "public"}, {"name": "second"}])
    watched.walk(4)
    answer = watched.cloud.ask("PATCH", watched.tunnel_path, {"name": "renamed", **change}).json()
    expected = ("connecting", False, True) if interrupts else ("established", True, True)
    assert (answer["operational_state"], answer["tunnel_up"], answer["tunnel_healthy"]) == expected
    assert watched.tunnel() == expected
    watched.cloud.clock.advance(DELAY)
    assert watched.tunnel() == ("established", True, True)


def test_new_tunnel_on_a_running_service() -> None:
    watched = Watched()
    watched.walk(4)
    path = watched.tunnel_path.rpartition("/")[0]
    made = watched.cloud.made(path, tunnel_body(name="second"))
    assert made["operational_state"] == "idle"
    watched.tunnel_path = f"{path}/{made['uuid']}"
    assert watched.walk(1) == [("running", "connecting"), ("running", "established")]


def test_tunnels_that_do_not_come_up_by_themselves() -> None:
    watched = Watched(tunnels="idle")
    assert watched.walk(6)[-1] == ("running", "idle")
    assert watched.tunnel() == ("idle", False, True)


def test_a_dial_that_is_turned_does_not_change_what_was() -> None:
    watched = Watched()
    watched.walk(4)
    watched.cloud.world.delay = 1000
    assert watched.tunnel()[0] == "established"
    watched.cloud.ask("PATCH", watched.path, {"name": "renamed"})
    watched.cloud.clock.advance(999)
    assert watched.service() == "pending"
    watched.cloud.clock.advance(1)
    assert watched.service() == "running"


def test_a_clock_that_goes_back_does_not_take_time_back() -> None:
    watched = Watched()
    watched.walk(4)
    watched.cloud.clock.advance(-3600)
    assert watched.walk(0) == [("running", "established")]
