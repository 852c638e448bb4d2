"""What is not there yet is waited for, by name, and found when it comes: in any order, without a call too many."""

from __future__ import annotations

from support.scenario import Scenario


def test_everything_in_the_wrong_order(scenario: Scenario) -> None:
    scenario.tunnel()
    waiting = scenario.wait_for("VpnTunnel", "office-1", Synced="ParentNotFound")
    assert "office" in waiting.condition("Synced")["message"]
    scenario.connection()
    waiting = scenario.wait_for("VpnConnection", "office", Synced="ParentNotFound")
    assert "edge" in waiting.condition("Synced")["message"]
    scenario.wait_for("VpnTunnel", "office-1", Synced="ParentNotCreated")
    assert scenario.cloud.writes() == []
    scenario.gateway()
    scenario.wait_for("VpnConnection", "office", Synced="InSync")
    waiting = scenario.wait_for("VpnTunnel", "office-1", Synced="SecretNotFound")
    assert "office-psk" in waiting.condition("Synced")["message"]
    scenario.secret()
    scenario.wait_all_ready()
    assert [call.method for call in scenario.cloud.writes()] == ["POST"] * 3


def test_a_secret_without_the_key(scenario: Scenario) -> None:
    scenario.secret(key="other")
    scenario.gateway()
    scenario.connection()
    scenario.tunnel()
    waiting = scenario.wait_for("VpnTunnel", "office-1", Ready="SecretKeyNotFound", Synced="SecretKeyNotFound")
    assert "psk" in waiting.condition("Synced")["message"]
    scenario.secret()
    scenario.wait_all_ready()
    assert [call.method for call in scenario.cloud.writes()] == ["POST"] * 3


def test_a_secret_that_goes_takes_nothing_with_it(scenario: Scenario) -> None:
    """The tunnel carries traffic and says so; the same key back again is no change."""
    scenario.site_to_site(tunnels=1)
    key = scenario.keys[-1]
    since = len(scenario.cloud.calls())
    secret = f"/api/v1/namespaces/{scenario.namespace}/secrets/office-psk"
    scenario.cluster.api("DELETE", secret).raise_for_status()
    scenario.wait_for("VpnTunnel", "office-1", Ready="Up", Synced="SecretNotFound")
    scenario.change("VpnTunnel", "office-1", internalPeerPingInterval=30)
    scenario.wait("other fields change", lambda: len(scenario.cloud.writes(since)) == 1)
    scenario.wait_for("VpnTunnel", "office-1", Ready="Up", Synced="SecretNotFound")
    scenario.secret(value=key)
    scenario.wait_all_ready()
    assert [call.method for call in scenario.cloud.writes(since)] == ["PATCH"]


def test_a_gateway_without_vpn(scenario: Scenario) -> None:
    scenario.gateway(features=["nat"])
    scenario.connection()
    waiting = scenario.wait_for("VpnConnection", "office", Synced="FeatureMissing")
    assert "edge" in waiting.condition("Synced")["message"]
    scenario.wait_ready("NetworkGateway", "edge")
    assert len(scenario.cloud.writes()) == 1
    scenario.change("NetworkGateway", "edge", features=["nat", "vpn"])
    scenario.wait_all_ready()
    assert [call.method for call in scenario.cloud.writes()] == ["POST", "PATCH", "POST"]


def test_a_plan_with_no_tunnel_left(scenario: Scenario) -> None:
    """The API's number may mean connections, so it is asked, once for each circumstance, and its no is told."""
    scenario.site_to_site()
    scenario.tunnel("office-3")
    waiting = scenario.wait_for("VpnTunnel", "office-3", Ready="QuotaReached", Synced="QuotaReached")
    assert "plan production has 2 tunnels" in waiting.condition("Synced")["message"]
    assert scenario.get("NetworkGateway", "edge").status["tunnelQuota"] == "2/2"
    scenario.wait_looks(2)
    assert answers(scenario, 4) == [("POST", 400)]
    scenario.change("NetworkGateway", "edge", plan="advanced")
    scenario.wait_all_ready()
    assert answers(scenario, 5) == [("PATCH", 200), ("POST", 201)]
    scenario.change("NetworkGateway", "edge", plan="production")
    refused = scenario.wait_for("NetworkGateway", "edge", Ready="Running", Synced="QuotaReached")
    assert "3" in refused.condition("Synced")["message"]
    scenario.wait_looks(2)
    assert answers(scenario, 7) == [("PATCH", 400)]
    scenario.delete("VpnTunnel", "office-2")
    scenario.wait_gone("VpnTunnel", "office-2")
    scenario.wait_all_ready()
    assert answers(scenario, 8) == [("DELETE", 204), ("PATCH", 200)]


def answers(scenario: Scenario, since: int) -> list[tuple[str, int | None]]:
    """Of all writes but the first so many."""
    return [(call.method, call.status) for call in scenario.cloud.writes()[since:]]


def test_a_gateway_that_is_not_managed(scenario: Scenario) -> None:
    """A connection refers to it by uuid; nothing is ever written to the gateway itself."""
    gateway = scenario.gateway_by_hand(name="by-hand")
    scenario.secret()
    scenario.connection("office", gatewayRef={"uuid": gateway})
    scenario.tunnel()
    scenario.wait_all_ready()
    assert scenario.get("VpnTunnel", "office-1").status["gatewayUuid"] == gateway
    scenario.delete("VpnConnection", "office")
    scenario.delete("VpnTunnel", "office-1")
    scenario.wait_gone("VpnConnection", "office")
    assert [call.method for call in scenario.cloud.writes()] == ["POST", "POST", "POST", "DELETE", "DELETE"]


def test_a_gateway_that_nobody_has(scenario: Scenario) -> None:
    scenario.connection(gatewayRef={"uuid": "10c153e0-12e4-4dea-8748-4f34850ff55d"})
    waiting = scenario.wait_for("VpnConnection", "office", Synced="ParentNotFound")
    assert "10c153e0-12e4-4dea-8748-4f34850ff55d" in waiting.condition("Synced")["message"]
    assert scenario.cloud.writes() == []


def test_an_address_that_the_gateway_does_not_have(scenario: Scenario) -> None:
    scenario.secret()
    scenario.gateway(addresses=[{"name": "public"}, {"name": "spare"}])
    scenario.connection()
    scenario.tunnel(localAddress={"name": "privat"})
    wrong = scenario.wait_for("VpnTunnel", "office-1", Synced="AddressNotFound", Stalled="AddressNotFound")
    assert "public, spare" in wrong.condition("Synced")["message"]
    scenario.change("VpnTunnel", "office-1", localAddress=None)
    two = scenario.wait_for("VpnTunnel", "office-1", Synced="AddressNotFound")
    assert "public, spare" in two.condition("Synced")["message"]
    assert len(scenario.cloud.writes()) == 2
    scenario.change("VpnTunnel", "office-1", localAddress={"name": "spare"})
    scenario.wait_all_ready()
    assert len(scenario.cloud.writes()) == 3
