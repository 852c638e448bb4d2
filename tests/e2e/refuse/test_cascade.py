"""The API deletes what is below without a word; we do not, when it is not ours."""

from __future__ import annotations

from typing import Any

from support.scenario import Scenario


def connection_by_hand(scenario: Scenario) -> str:
    body: dict[str, Any] = {"name": "by-hand", "type": "ipsec"}
    body["local_routes"] = [{"name": "r", "type": "static", "static_network": "10.7.0.0/24"}]
    gateway = scenario.uuid("NetworkGateway", "edge")
    return str(scenario.cloud.api("POST", f"/gateway/{gateway}/connections", body)["uuid"])


def test_gateway(scenario: Scenario) -> None:
    """It waits, the foreign connection is named, and goes only with leave."""
    scenario.gateway()
    scenario.wait_all_ready()
    uuid, foreign = scenario.uuid("NetworkGateway", "edge"), connection_by_hand(scenario)
    since = len(scenario.cloud.calls())
    scenario.delete("NetworkGateway", "edge")
    told = scenario.wait_for("NetworkGateway", "edge", Ready="Deleting", Synced="CascadeBlocked")
    assert f"connection by-hand ({foreign})" in told.condition("Synced")["message"]
    assert f"netgw.dev/allow-cascade: {uuid}" in told.condition("Synced")["message"]
    scenario.annotate("NetworkGateway", "edge", allow_cascade="true")
    scenario.wait_looks(3)
    assert scenario.cloud.writes(since) == []
    assert scenario.get("NetworkGateway", "edge").condition("Synced")["reason"] == "CascadeBlocked"
    scenario.annotate("NetworkGateway", "edge", allow_cascade=uuid)
    scenario.wait_gone("NetworkGateway", "edge")
    assert scenario.cloud.gateways() == []
    assert [call.method for call in scenario.cloud.writes(since)] == ["DELETE"]


def test_gateway_whose_foreign_connection_goes(scenario: Scenario) -> None:
    """Deleted by hand, which needs no leave."""
    scenario.gateway()
    scenario.wait_all_ready()
    uuid, foreign = scenario.uuid("NetworkGateway", "edge"), connection_by_hand(scenario)
    scenario.delete("NetworkGateway", "edge")
    scenario.wait_for("NetworkGateway", "edge", Ready="Deleting", Synced="CascadeBlocked")
    scenario.cloud.api("DELETE", f"/gateway/{uuid}/connections/{foreign}")
    scenario.wait_gone("NetworkGateway", "edge")
    assert scenario.cloud.gateways() == []


def test_connection(scenario: Scenario) -> None:
    scenario.gateway()
    scenario.connection()
    scenario.wait_all_ready()
    status = scenario.get("VpnConnection", "office").status
    connection = f"/gateway/{status['gatewayUuid']}/connections/{status['uuid']}"
    body = {
        "name": "by-hand",
        "local_address": {"name": "public-ip-1"},
        "remote_address": {"address": "100.10.0.119"},
        "ipsec": {"authentication": {"authentication": "psk", "psk": scenario.key()}},
    }
    foreign = scenario.cloud.api("POST", f"{connection}/tunnels", body)["uuid"]
    since = len(scenario.cloud.calls())
    scenario.delete("VpnConnection", "office")
    told = scenario.wait_for("VpnConnection", "office", Ready="Deleting", Synced="CascadeBlocked")
    assert f"tunnel by-hand ({foreign})" in told.condition("Synced")["message"]
    assert scenario.cloud.writes(since) == []
    scenario.annotate("VpnConnection", "office", allow_cascade=status["uuid"])
    scenario.wait_gone("VpnConnection", "office")
    scenario.wait_all_ready()
    assert scenario.in_cloud("NetworkGateway", "edge")["connections"] == []
