"""A VPN from nothing and back, with the sample manifests, and what a router's own fields do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from support.cluster import ROOT
from support.operator import LIST_OF_ROUTERS, Call
from support.scenario import Scenario

SAMPLE = (ROOT / "deploy" / "samples" / "vpn-from-nothing.yaml").read_text()
OBJECTS = {
    "Router": "hub",
    "NetworkGateway": "edge",
    "VpnConnection": "edge-to-office",
    "VpnTunnel": "edge-to-office-1",
}
LAB = {"name": "lab", "route": "10.9.0.0/16", "nexthop": "10.0.1.7"}


def apply_sample(scenario: Scenario) -> None:
    found = re.search(r"psk: (\S+)", SAMPLE)
    assert found
    scenario.keys.append(found[1])
    scenario.cluster.apply(SAMPLE, scenario.namespace)
    scenario.wait_all_ready()


def at(scenario: Scenario, *methods: str, since: int = 0) -> list[Call]:
    """Calls about gateways and routers."""
    return [call for call in scenario.cloud.calls(*methods, since=since) if call.path.startswith(("/1.3/g", "/1.3/r"))]


def hub(scenario: Scenario) -> dict[str, Any]:
    uuid = scenario.uuid("Router", "hub")
    return next(router for router in scenario.cloud.routers() if router["uuid"] == uuid)


def test_from_nothing_and_back(scenario: Scenario, tell: Callable[[str], None]) -> None:
    apply_sample(scenario)
    assert [call.path.count("/") for call in at(scenario, "POST")] == [2, 2, 5, 6]
    assert at(scenario, "PATCH", "PUT", "DELETE") == []
    scenario.wait_for("Router", "hub", Ready="Available", Synced="InSync", Warning="Advice")
    gateway = {"uuid": scenario.uuid("NetworkGateway", "edge"), "name": "edge"}
    scenario.wait("it is seen at the router", lambda: scenario.get("Router", "hub").status["gateways"] == [gateway])
    assert "netgw.dev/owner" in {label["key"] for label in hub(scenario)["labels"]}
    since, router = len(scenario.cloud.calls()), scenario.uuid("Router", "hub")
    for kind, name in OBJECTS.items():
        scenario.delete(kind, name)
    for kind, name in OBJECTS.items():
        scenario.wait_gone(kind, name)
    calls = at(scenario, since=since)
    deleted = [call.path for call in calls if call.method == "DELETE"]
    assert [path.count("/") for path in deleted] == [7, 5, 3, 3]
    assert deleted[-1] == f"/1.3/router/{router}"
    proven = [
        n for n, call in enumerate(calls) if call.path == f"/1.3/gateway/{gateway['uuid']}" and call.status == 404
    ]
    assert proven[0] < next(n for n, call in enumerate(calls) if call.path == deleted[-1] and call.method == "DELETE")
    assert scenario.cloud.gateways() == []
    assert router not in {left["uuid"] for left in scenario.cloud.routers()}
    tell(f"a VPN from nothing: 4 POSTs; and back: {len(deleted)} DELETEs, the router's after its gateway's 404")


def test_a_change_is_one_patch_and_leaves_the_gateways_route(scenario: Scenario) -> None:
    apply_sample(scenario)
    scenario.wait("the gateway's route", lambda: [r["type"] for r in hub(scenario)["static_routes"]] == ["service"])
    since = len(scenario.cloud.calls())
    scenario.change("Router", "hub", name="The hub", labels={"env": "prod"}, staticRoutes=[LAB])
    scenario.wait_ready("Router", "hub")
    assert [call.method for call in at(scenario, "POST", "PATCH", "PUT", "DELETE", since=since)] == ["PATCH"]
    seen = hub(scenario)
    assert (seen["name"], sorted(route["type"] for route in seen["static_routes"])) == ("The hub", ["service", "user"])
    assert {label["key"] for label in seen["labels"]} == {"env", "netgw.dev/owner"}
    scenario.cloud.api("PATCH", f"/router/{seen['uuid']}", {"router": {"static_routes": []}})
    scenario.wait("it is put back", lambda: len(hub(scenario)["static_routes"]) == 2)
    scenario.wait_ready("Router", "hub")


def test_a_second_gateway_by_name(scenario: Scenario) -> None:
    apply_sample(scenario)
    scenario.gateway("second", routerRef={"name": "hub"})
    told = scenario.wait_for("NetworkGateway", "second", Synced="Conflict")
    uuid = scenario.uuid("NetworkGateway", "edge")
    assert f"has gateway edge ({uuid}) already" in told.condition("Synced")["message"]


def test_watched_only(scenario: Scenario) -> None:
    """An import makes no call but GET."""
    since = len(scenario.cloud.calls())
    scenario.create("Router", "hub", {"import": {"uuid": scenario.router}, "staticRoutes": [LAB]})
    scenario.wait("it is seen", lambda: scenario.get("Router", "hub").condition("Ready").get("reason") == "Available")
    scenario.wait("drift is told", lambda: scenario.get("Router", "hub").status.get("drift"))
    scenario.delete("Router", "hub")
    scenario.wait_gone("Router", "hub")
    assert at(scenario, "POST", "PATCH", "PUT", "DELETE", since=since) == []
    assert scenario.router in {left["uuid"] for left in scenario.cloud.routers()}


def test_without_a_router_none_is_listed(scenario: Scenario) -> None:
    scenario.gateway()
    scenario.wait_all_ready()
    scenario.wait_looks(2)
    assert LIST_OF_ROUTERS not in {str(call) for call in scenario.cloud.calls()}
