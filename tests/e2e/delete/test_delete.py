"""Deletion in any order ends with an empty cloud, one DELETE for each, child first, and nothing that hangs."""

from __future__ import annotations

import pytest

from support.scenario import KINDS, Scenario

SITE = {"NetworkGateway": ["edge"], "VpnConnection": ["office"], "VpnTunnel": ["office-1", "office-2"]}


def assert_all_gone(scenario: Scenario, since: int) -> None:
    for kind, names in SITE.items():
        for name in names:
            scenario.wait_gone(kind, name)
    assert scenario.cloud.gateways() == []
    deleted = [call.path.count("/") for call in scenario.cloud.writes(since)]
    assert deleted == [7, 7, 5, 3]  # two tunnels, their connection, its gateway
    assert {call.method for call in scenario.cloud.writes(since)} == {"DELETE"}


@pytest.mark.parametrize("order", [KINDS, KINDS[::-1]], ids="-".join)
def test_all_at_once(scenario: Scenario, order: tuple[str, ...]) -> None:
    """Asked for in this order, without waiting in between."""
    scenario.site_to_site()
    since = len(scenario.cloud.calls())
    for kind in order:
        for name in SITE[kind]:
            scenario.delete(kind, name)
    assert_all_gone(scenario, since)


def test_parent_first(scenario: Scenario) -> None:
    """It waits for its children and names them, and nothing new is made under it."""
    scenario.site_to_site()
    since = len(scenario.cloud.calls())
    scenario.delete("NetworkGateway", "edge")
    told = scenario.wait_for("NetworkGateway", "edge", Ready="Deleting", Synced="ChildrenExist")
    assert "VpnConnection office" in told.condition("Synced")["message"]
    scenario.connection("lab")
    scenario.wait_for("VpnConnection", "lab", Synced="ParentDeleting")
    scenario.delete("VpnConnection", "lab")
    scenario.wait_gone("VpnConnection", "lab")
    scenario.delete("VpnConnection", "office")
    told = scenario.wait_for("VpnConnection", "office", Ready="Deleting", Synced="ChildrenExist")
    assert "VpnTunnel office-1, VpnTunnel office-2" in told.condition("Synced")["message"]
    assert scenario.cloud.writes(since) == []
    for name in SITE["VpnTunnel"]:
        scenario.delete("VpnTunnel", name)
    assert_all_gone(scenario, since)


def test_child_first(scenario: Scenario) -> None:
    scenario.site_to_site()
    since = len(scenario.cloud.calls())
    for kind in reversed(KINDS):
        for name in SITE[kind]:
            scenario.delete(kind, name)
            scenario.wait_gone(kind, name)
            scenario.wait_all_ready()
    assert_all_gone(scenario, since)


def test_namespace(everywhere: Scenario) -> None:
    """With the Secret in it, which goes when it likes."""
    scenario = everywhere
    scenario.site_to_site()
    since = len(scenario.cloud.calls())
    path = f"/api/v1/namespaces/{scenario.namespace}"
    scenario.cluster.api("DELETE", path).raise_for_status()
    scenario.wait("the namespace is gone", lambda: scenario.cluster.api("GET", path).status_code == 404, seconds=60)
    assert_all_gone(scenario, since)


def test_what_was_never_made(scenario: Scenario) -> None:
    """It waits for something, so nothing was ever sent, and nothing is asked."""
    scenario.connection()
    scenario.tunnel()
    scenario.wait_for("VpnTunnel", "office-1", Synced="ParentNotCreated")
    scenario.wait_for("VpnConnection", "office", Synced="ParentNotFound")
    scenario.delete("VpnConnection", "office")
    scenario.delete("VpnTunnel", "office-1")
    scenario.wait_gone("VpnConnection", "office")
    scenario.wait_gone("VpnTunnel", "office-1")
    assert scenario.cloud.writes() == []


def test_what_is_gone_already(scenario: Scenario) -> None:
    """Deleted by hand in the cloud, the gateway with all that it had: absence is proven, nothing is sent."""
    scenario.site_to_site()
    gateway = scenario.uuid("NetworkGateway", "edge")
    scenario.cloud.api("DELETE", f"/gateway/{gateway}")
    scenario.wait_for("NetworkGateway", "edge", Synced="ExternallyDeleted", Ready="ExternallyDeleted")
    since = len(scenario.cloud.calls())
    for kind in KINDS:
        for name in SITE[kind]:
            scenario.delete(kind, name)
    for kind in KINDS:
        for name in SITE[kind]:
            scenario.wait_gone(kind, name)
    assert scenario.cloud.writes(since) == []


def test_in_the_middle_of_the_setup(scenario: Scenario) -> None:
    """Made and deleted in one breath."""
    scenario.secret()
    scenario.gateway()
    scenario.connection()
    scenario.tunnel()
    scenario.wait("the gateway is being made", scenario.cloud.gateways)
    for kind, name in (("NetworkGateway", "edge"), ("VpnConnection", "office"), ("VpnTunnel", "office-1")):
        scenario.delete(kind, name)
    for kind, name in (("NetworkGateway", "edge"), ("VpnConnection", "office"), ("VpnTunnel", "office-1")):
        scenario.wait_gone(kind, name)
    assert scenario.cloud.gateways() == []


def test_by_hand_on_the_way_out(scenario: Scenario) -> None:
    """force-orphan leaves it in the cloud, on purpose."""
    scenario.gateway()
    scenario.wait_all_ready()
    uuid = scenario.uuid("NetworkGateway", "edge")
    scenario.foreign.add(uuid)
    since = len(scenario.cloud.calls())
    scenario.annotate("NetworkGateway", "edge", force_orphan="true")
    scenario.delete("NetworkGateway", "edge")
    scenario.wait_gone("NetworkGateway", "edge")
    assert [gateway["uuid"] for gateway in scenario.cloud.gateways()] == [uuid]
    assert scenario.cloud.writes(since) == []
