"""The smallest manifest of each kind is enough: what it leaves out is UpCloud's choice or our default."""

from __future__ import annotations

from support.scenario import Scenario


def test_gateway(scenario: Scenario) -> None:
    scenario.gateway()
    status = scenario.wait_ready("NetworkGateway", "edge").status
    made = scenario.in_cloud("NetworkGateway", "edge")
    assert made["name"] == "edge"
    assert made["configured_status"] == "started"
    assert status["addresses"] == [{"name": "public-ip-1", "address": made["addresses"][0]["address"]}]
    assert (status["operationalState"], status["plan"], status["connections"]) == ("running", "production", 0)
    assert (status["tunnels"], status["tunnelQuota"]) == ("0/0", "0/2")
    assert status["account"] == "simulator"
    assert [str(call) for call in scenario.cloud.writes()] == ["POST /1.3/gateway"]


def test_connection(scenario: Scenario) -> None:
    scenario.gateway()
    scenario.connection()
    status = scenario.wait_for("VpnConnection", "office", Ready="NoTunnels", Synced="InSync").status
    made = scenario.in_cloud("VpnConnection", "office")
    assert (made["name"], made["type"]) == ("office", "ipsec")
    assert made["local_routes"] == [{"name": "cloud", "static_network": "10.0.1.0/24", "type": "static"}]
    assert made["remote_routes"] == []
    assert status["gatewayUuid"] == scenario.uuid("NetworkGateway", "edge")
    assert (status["tunnels"], status["redundant"]) == ("0/0", False)
    scenario.wait_all_ready()
    assert len(scenario.cloud.writes()) == 2


def test_tunnel(scenario: Scenario) -> None:
    scenario.secret()
    scenario.gateway()
    scenario.connection()
    scenario.tunnel()
    status = scenario.wait_ready("VpnTunnel", "office-1").status
    made = scenario.in_cloud("VpnTunnel", "office-1")
    assert made["name"] == "office-1"
    assert made["local_address"] == {"name": "public-ip-1"}
    assert made["ipsec"]["rekey_time"] == 14400
    assert (status["up"], status["operationalState"]) == (True, "established")
    assert status["connectionUuid"] == scenario.uuid("VpnConnection", "office")
    assert status["gatewayUuid"] == scenario.uuid("NetworkGateway", "edge")
    scenario.wait_all_ready()
    assert scenario.get("VpnConnection", "office").status["tunnels"] == "1/1"
    assert len(scenario.cloud.writes()) == 3
