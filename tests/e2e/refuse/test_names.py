"""Two that want one name, and a name that somebody else has: never twice, never somebody else's."""

from __future__ import annotations

from support.scenario import Scenario


def test_gateway(scenario: Scenario) -> None:
    scenario.gateway("first", name="edge")
    scenario.wait_ready("NetworkGateway", "first")
    second = scenario.cloud.router()
    scenario.gateway("second", name="edge", routerRef={"uuid": second})
    told = scenario.wait_for("NetworkGateway", "second", Synced="NameConflict", Stalled="NameConflict")
    assert f"NetworkGateway {scenario.namespace}/first" in told.condition("Synced")["message"]
    scenario.wait_looks(2)
    assert len(scenario.cloud.writes()) == 1
    scenario.delete("NetworkGateway", "first")
    scenario.wait_gone("NetworkGateway", "first")
    scenario.wait_ready("NetworkGateway", "second")
    (made,) = scenario.cloud.gateways()
    assert (made["name"], made["routers"][0]["uuid"]) == ("edge", second)


def test_connection(scenario: Scenario) -> None:
    scenario.gateway()
    scenario.connection("first", name="office")
    scenario.wait_ready("VpnConnection", "first")
    scenario.connection("second", name="office")
    told = scenario.wait_for("VpnConnection", "second", Synced="NameConflict", Stalled="NameConflict")
    assert f"VpnConnection {scenario.namespace}/first" in told.condition("Synced")["message"]
    scenario.delete("VpnConnection", "first")
    scenario.wait_gone("VpnConnection", "first")
    scenario.wait_ready("VpnConnection", "second")
    scenario.wait_all_ready()
    assert [call.method for call in scenario.cloud.writes()] == ["POST", "POST", "DELETE", "POST"]


def test_tunnel(scenario: Scenario) -> None:
    """Unique in the gateway: also between two connections."""
    scenario.secret()
    scenario.gateway()
    scenario.connection("office")
    scenario.connection("lab", localRoutes=[{"name": "cloud", "staticNetwork": "10.0.7.0/24"}])
    scenario.tunnel("first", "office", name="tunnel")
    scenario.wait_ready("VpnTunnel", "first")
    scenario.tunnel("second", "lab", name="tunnel", remoteAddress={"address": "100.10.0.112"})
    told = scenario.wait_for("VpnTunnel", "second", Synced="NameConflict", Stalled="NameConflict")
    assert f"VpnTunnel {scenario.namespace}/first" in told.condition("Synced")["message"]
    scenario.delete("VpnTunnel", "first")
    scenario.wait_gone("VpnTunnel", "first")
    scenario.wait_all_ready()
    assert scenario.get("VpnTunnel", "second").status["connectionUuid"] == scenario.uuid("VpnConnection", "lab")


def test_both_at_once(scenario: Scenario) -> None:
    """One of them gets it, whichever; the other waits and takes over."""
    routers = [scenario.router, scenario.cloud.router()]
    names = ("one", "two")
    for name, router in zip(names, routers, strict=True):
        scenario.gateway(name, name="edge", routerRef={"uuid": router})
    scenario.wait("one of them", lambda: any(scenario.get("NetworkGateway", n).status.get("uuid") for n in names))
    (winner,) = [name for name in names if scenario.get("NetworkGateway", name).status.get("uuid")]
    (loser,) = set(names) - {winner}
    scenario.wait_for("NetworkGateway", loser, Synced="NameConflict")
    scenario.wait_ready("NetworkGateway", winner)
    assert len(scenario.cloud.gateways()) == 1
    scenario.delete("NetworkGateway", winner)
    scenario.wait_gone("NetworkGateway", winner)
    scenario.wait_ready("NetworkGateway", loser)
    assert len([call for call in scenario.cloud.writes() if call.method == "POST"]) == 2


def test_gateway_of_somebody_else(scenario: Scenario) -> None:
    uuid = scenario.gateway_by_hand(name="edge")
    scenario.gateway()
    told = scenario.wait_for("NetworkGateway", "edge", Synced="NameConflict", Stalled="NameConflict")
    assert uuid in told.condition("Synced")["message"]
    scenario.wait_looks(2)
    assert len(scenario.cloud.writes()) == 1  # the one by hand
    scenario.cloud.api("DELETE", f"/gateway/{uuid}")
    scenario.foreign.clear()
    scenario.wait_ready("NetworkGateway", "edge")
    assert scenario.uuid("NetworkGateway", "edge") != uuid


def test_gateway_of_another_cluster(scenario: Scenario) -> None:
    owner = "other-cluster/default/edge/00000000-0000-4000-8000-000000000000"
    scenario.gateway_by_hand(name="edge", labels=[{"key": "netgw.dev/owner", "value": owner}])
    scenario.gateway()
    told = scenario.wait_for("NetworkGateway", "edge", Synced="OwnedByOther", Stalled="OwnedByOther")
    assert owner in told.condition("Synced")["message"]
    since = len(scenario.cloud.calls())
    scenario.change("NetworkGateway", "edge", name="edge-of-ours")
    scenario.wait_ready("NetworkGateway", "edge")
    assert len(scenario.cloud.writes(since)) == 1


def test_router_that_is_taken(scenario: Scenario) -> None:
    """A router has one gateway: whose it is, is said, and it is tried again later."""
    uuid = scenario.gateway_by_hand(name="by-hand", routers=[{"uuid": scenario.router}])
    scenario.gateway()
    told = scenario.wait_for("NetworkGateway", "edge", Ready="Conflict", Synced="Conflict").condition("Synced")
    assert uuid in told["message"]
    assert "create" not in scenario.get("NetworkGateway", "edge").status


def test_connection_is_moved(scenario: Scenario) -> None:
    """What would need a delete and a create is never done."""
    scenario.gateway()
    scenario.connection()
    scenario.gateway("other", routerRef={"uuid": scenario.cloud.router()})
    scenario.wait_all_ready()
    since = len(scenario.cloud.calls())
    scenario.change("VpnConnection", "office", gatewayRef={"name": "other"})
    told = scenario.wait_for("VpnConnection", "office", Ready="NoTunnels", Synced="ImmutableField")
    assert scenario.uuid("NetworkGateway", "other") in told.condition("Synced")["message"]
    scenario.change(
        "VpnConnection", "office", gatewayRef={"name": None, "uuid": scenario.uuid("NetworkGateway", "edge")}
    )
    scenario.wait_for("VpnConnection", "office", Ready="NoTunnels", Synced="InSync")
    assert scenario.cloud.writes(since) == []
