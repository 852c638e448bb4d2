"""Somebody else keeps changing what the spec sets: put back three times, then said, until it is settled."""

from __future__ import annotations

from functools import partial
from typing import Any

from support.scenario import Scenario

EXTRA = {"name": "extra", "type": "static", "static_network": "10.8.0.0/24"}


def test_connection(scenario: Scenario) -> None:
    scenario.gateway()
    scenario.connection()
    scenario.wait_all_ready()
    routes, before = scenario.in_cloud("VpnConnection", "office")["local_routes"], len(scenario.cloud.writes())
    status = scenario.get("VpnConnection", "office").status
    path = f"/gateway/{status['gatewayUuid']}/connections/{status['uuid']}"
    for number in (1, 2, 3):
        scenario.cloud.api("PATCH", path, {"local_routes": [*routes, EXTRA]})
        scenario.wait("it is put back", partial(has_routes, scenario, routes))
        scenario.wait_ready("VpnConnection", "office")
        assert len(scenario.cloud.writes()) == before + 2 * number
    scenario.cloud.api("PATCH", path, {"local_routes": [*routes, EXTRA]})
    told = scenario.wait_for(
        "VpnConnection", "office", Ready="NoTunnels", Synced="DriftFight", Stalled="DriftFight"
    ).condition("Synced")
    assert "localRoutes" in told["message"]
    assert [item["path"] for item in scenario.get("VpnConnection", "office").status["drift"]] == ["localRoutes"]
    scenario.wait_looks(3)
    assert len(scenario.cloud.writes()) == before + 7
    scenario.cloud.api("PATCH", path, {"local_routes": routes})
    scenario.wait_for("VpnConnection", "office", Ready="NoTunnels", Synced="InSync")
    assert len(scenario.cloud.writes()) == before + 8
    assert "drift" not in scenario.get("VpnConnection", "office").status


def has_routes(scenario: Scenario, routes: list[dict[str, Any]]) -> bool:
    return bool(scenario.in_cloud("VpnConnection", "office")["local_routes"] == routes)
