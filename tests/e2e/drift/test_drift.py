"""What the spec sets is put back; what it never set is nobody's business but the user's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from support.scenario import Scenario, route


@pytest.fixture(scope="module")
def site(standing: Scenario) -> Scenario:
    """Set: what a minimal manifest has. Not set: remoteRoutes, configuredStatus, every timer and algorithm."""
    standing.secret()
    standing.gateway()
    standing.connection()
    standing.tunnel(internalPeerPingInterval=20)
    standing.wait_all_ready()
    return standing


def path(site: Scenario, kind: str) -> str:
    """Where the cloud has the tunnel, or what is above it."""
    status = site.get("VpnTunnel", "office-1").status
    parts = {"NetworkGateway": f"/gateway/{status['gatewayUuid']}"}
    parts["VpnConnection"] = f"{parts['NetworkGateway']}/connections/{status['connectionUuid']}"
    parts["VpnTunnel"] = f"{parts['VpnConnection']}/tunnels/{status['uuid']}"
    return parts[kind]


def by_hand(site: Scenario, kind: str, body: dict[str, Any]) -> int:
    """Change it in the cloud; the number of calls before, for what follows may come at once."""
    since = len(site.cloud.calls())
    site.cloud.api("PATCH", path(site, kind), body)
    return since


def told(site: Scenario, reason: str, field: str) -> bool:
    """Whether an Event of this reason names the field."""
    return any(event["reason"] == reason and field in event["note"] for event in site.events())


UNSET: dict[str, tuple[str, dict[str, Any]]] = {
    "NetworkGateway": ("edge", {"automatic_tunnel_internal_ip_allocation": False}),
    "VpnConnection": (
        "office",
        {"remote_routes": [{"name": "hand", "type": "static", "static_network": "10.9.0.0/24"}]},
    ),
    "VpnTunnel": (
        "office-1",
        {"name": "office-1", "ipsec": {"authentication": {"authentication": "psk"}, "rekey_time": 5000}},
    ),
}
SET: dict[str, tuple[str, str, dict[str, Any], Callable[[dict[str, Any]], bool]]] = {
    "NetworkGateway": ("edge", "plan", {"plan": "advanced"}, lambda made: made["plan"] == "production"),
    "VpnConnection": (
        "office",
        "localRoutes",
        {"local_routes": []},
        lambda made: [item["name"] for item in made["local_routes"]] == ["cloud"],
    ),
    "VpnTunnel": (
        "office-1",
        "internalPeerPingInterval",
        {"name": "office-1", "internal_peer_ping_interval": 0},
        lambda made: made["internal_peer_ping_interval"] == 20,
    ),
}


def test_a_field_that_was_never_set_is_left_alone(site: Scenario, shared: Scenario) -> None:
    for kind, (_, body) in UNSET.items():
        site.cloud.api("PATCH", path(site, kind), body)
    since = len(site.cloud.calls())
    after = {kind: site.in_cloud(kind, name) for kind, (name, _) in UNSET.items()}
    site.wait_looks(4)
    site.wait_all_ready()
    assert site.cloud.writes(since) == []
    for kind, (name, body) in UNSET.items():
        assert all(site.in_cloud(kind, name)[key] == after[kind][key] for key in body)
        assert not any("drift" in version.status for version in site.history(kind, name))


def test_a_field_that_is_set_is_put_back(site: Scenario, shared: Scenario, subtests: pytest.Subtests) -> None:
    for kind, (name, field, body, is_back) in SET.items():
        with subtests.test(kind):
            since = by_hand(site, kind, body)
            for reason in ("Drifted", "Updated"):
                site.wait(f"{reason} {field}", partial(told, site, reason, field))
            site.wait_for(kind, name, Synced="InSync")
            site.wait_all_ready()
            assert is_back(site.in_cloud(kind, name))
            by_hand_and_back = [f"PATCH /1.3{path(site, kind)}"] * 2
            assert [str(call) for call in site.cloud.writes(since)] == by_hand_and_back
            seen = [item["path"] for version in site.history(kind, name) for item in version.status.get("drift", ())]
            assert any(field in item for item in seen)
            assert "drift" not in site.get(kind, name).status


def test_the_mark_of_a_gateway_is_put_back_as_a_label(site: Scenario, shared: Scenario) -> None:
    """Not by a PATCH of the gateway, which could lose labels of others."""
    gateway = path(site, "NetworkGateway")
    site.cloud.api("POST", f"{gateway}/labels", {"key": "team", "value": "network"})
    before = site.in_cloud("NetworkGateway", "edge")["labels"]
    since = len(site.cloud.calls())
    site.cloud.api("DELETE", f"{gateway}/labels/netgw.dev%2Fowner")
    site.wait("the mark is back", lambda: len(site.in_cloud("NetworkGateway", "edge")["labels"]) == 2)
    site.wait_for("NetworkGateway", "edge", Synced="InSync")
    after = site.in_cloud("NetworkGateway", "edge")["labels"]
    assert sorted(after, key=lambda label: label["key"]) == sorted(before, key=lambda label: label["key"])
    assert [call.method for call in site.cloud.writes(since)] == ["DELETE", "POST"]
    assert str(site.cloud.writes(since)[1]) == f"POST /1.3{gateway}/labels"


def test_a_stop_by_hand_stays_and_is_told(site: Scenario, shared: Scenario) -> None:
    since = by_hand(site, "NetworkGateway", {"configured_status": "stopped"})
    site.wait_for("NetworkGateway", "edge", Ready="Stopped", Synced="InSync")
    site.wait_for("VpnConnection", "office", Ready="GatewayStopped", Synced="InSync")
    site.wait_for("VpnTunnel", "office-1", Ready="GatewayStopped", Synced="InSync")
    site.wait_looks(2)
    assert len(site.cloud.writes(since)) == 1, "only the one by hand"
    by_hand(site, "NetworkGateway", {"configured_status": "started"})
    site.wait_all_ready()


def test_a_tunnel_that_goes_down_is_told_and_not_touched(site: Scenario, shared: Scenario) -> None:
    uuid = site.uuid("VpnTunnel", "office-1")
    message = "received AUTHENTICATION_FAILED notify error"
    since = len(site.cloud.calls())
    site.cloud.door("POST", f"/tunnels/{uuid}", {"operational_state": "connecting", "last_down_message": message})
    down = site.wait_for("VpnTunnel", "office-1", Ready="AuthenticationFailed", Synced="InSync")
    assert down.status["up"] is False
    site.wait_for("VpnConnection", "office", Ready="NoTunnelUp", Synced="InSync")
    site.wait_looks(2)
    assert site.cloud.writes(since) == []
    site.cloud.door("POST", f"/tunnels/{uuid}", {})
    site.wait_all_ready()
    assert "AuthenticationFailed" in {event["reason"] for event in site.events()}


def test_a_route_that_is_not_in_the_spec_goes(site: Scenario, shared: Scenario) -> None:
    """A list that is set is set as a whole."""
    extra = {"name": "extra", "type": "static", "static_network": "10.8.0.0/24"}
    routes = site.in_cloud("VpnConnection", "office")["local_routes"]
    since = by_hand(site, "VpnConnection", {"local_routes": [*routes, extra]})
    site.wait("it is gone", lambda: site.in_cloud("VpnConnection", "office")["local_routes"] == routes)
    site.wait_for("VpnConnection", "office", Synced="InSync")
    assert len(site.cloud.writes(since)) == 2, "the one by hand, and the one that takes it back"
    assert route("cloud", "10.0.1.0/24")["name"] == routes[0]["name"]
