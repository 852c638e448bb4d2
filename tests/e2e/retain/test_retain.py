"""An object goes and the cloud stays as it is: by policy, by mere watching, and until a deletion is confirmed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.scenario import Scenario, cloud_objects


def uuids(scenario: Scenario) -> set[str]:
    return {body["uuid"] for body in cloud_objects(scenario.cloud.gateways())}


def test_a_whole_site(scenario: Scenario, tell: Callable[[str], None]) -> None:
    """Said on the gateway alone: what is below inherits it. Our mark goes, so the next one may have it."""
    scenario.site_to_site()
    scenario.change("NetworkGateway", "edge", deletionPolicy="Retain")
    scenario.wait(
        "it is inherited", lambda: all(v.status["policies"]["deletionPolicy"] == "Retain" for v in scenario.objects())
    )
    scenario.foreign |= uuids(scenario)
    had = scenario.foreign.copy()
    since = len(scenario.cloud.calls())
    scenario.delete_all()
    scenario.wait("all objects gone", lambda: not scenario.objects())
    (write,) = scenario.cloud.writes(since)
    assert (write.method, write.path.rsplit("/", 1)[1]) == ("DELETE", "netgw.dev%2Fowner")
    assert uuids(scenario) == had
    assert scenario.cloud.gateways()[0]["labels"] == []
    tell(f"site of 4 retained: {len(scenario.cloud.writes(since))} write (the mark taken off)")


def test_a_retained_child_stops_the_cascade(scenario: Scenario) -> None:
    """The gateway is to be deleted, the connection is to stay: the API would take it along, so the gateway waits."""
    scenario.site_to_site(tunnels=1)
    kept = {scenario.uuid("VpnConnection", "office")}
    scenario.change("VpnConnection", "office", deletionPolicy="Retain")
    scenario.wait_for("VpnConnection", "office", Synced="InSync")
    since = len(scenario.cloud.calls())
    for kind, name in (("VpnTunnel", "office-1"), ("VpnConnection", "office"), ("NetworkGateway", "edge")):
        scenario.delete(kind, name)
    scenario.foreign |= kept
    scenario.wait_gone("VpnConnection", "office")
    told = scenario.wait_for("NetworkGateway", "edge", Synced="CascadeBlocked", Ready="Deleting")
    assert f"connection office ({kept.pop()})" in told.condition("Synced")["message"]
    assert [call.path.count("/") for call in scenario.cloud.writes(since)] == [7]  # the tunnel
    scenario.foreign.clear()
    scenario.annotate("NetworkGateway", "edge", allow_cascade=scenario.uuid("NetworkGateway", "edge"))
    scenario.wait_gone("NetworkGateway", "edge")
    assert scenario.cloud.gateways() == []


def test_an_observed_child_stops_the_cascade(scenario: Scenario) -> None:
    scenario.site_to_site(tunnels=1)
    scenario.change("VpnTunnel", "office-1", managementPolicy="Observe")
    scenario.wait_for("VpnTunnel", "office-1", Synced="ObserveOnly")
    since = len(scenario.cloud.calls())
    scenario.foreign.add(scenario.uuid("VpnTunnel", "office-1"))
    scenario.delete_all()
    scenario.wait_gone("VpnTunnel", "office-1")
    told = scenario.wait_for("VpnConnection", "office", Synced="CascadeBlocked", Ready="Deleting")
    assert "tunnel office-1" in told.condition("Synced")["message"]
    assert scenario.cloud.writes(since) == []


def test_without_valid_credentials(scenario: Scenario) -> None:
    """To let go needs none: the mark stays behind, and that is told."""
    scenario.gateway(deletionPolicy="Retain")
    scenario.wait_all_ready()
    scenario.foreign |= uuids(scenario)
    scenario.cloud.faults({"match": "* /1.3/*", "status": 401, "times": None})
    scenario.wait_for("NetworkGateway", "edge", Synced="CredentialsRefused")
    scenario.delete("NetworkGateway", "edge")
    scenario.wait_gone("NetworkGateway", "edge")
    scenario.cloud.door("DELETE", "/faults")
    assert "our mark too" in scenario.wait_event("Retained")["note"]
    assert len(scenario.cloud.gateways()[0]["labels"]) == 1


@pytest.mark.parametrize("policy", ["Delete", "Retain"])
def test_protected(scenario: Scenario, policy: str) -> None:
    """deletionProtection: it waits for its uuid as a word of confirmation; Retain is the other way out."""
    scenario.gateway(deletionProtection=True)
    scenario.wait_all_ready()
    uuid = scenario.uuid("NetworkGateway", "edge")
    since = len(scenario.cloud.calls())
    scenario.delete("NetworkGateway", "edge")
    told = scenario.wait_for("NetworkGateway", "edge", Ready="Deleting", Synced="DeletionProtected")
    message = told.condition("Synced")["message"]
    assert f"netgw.dev/confirm-deletion: {uuid}" in message
    assert "203.0.113." in message or "Running at" in message
    scenario.annotate("NetworkGateway", "edge", confirm_deletion="true")
    scenario.wait_looks(2)
    assert scenario.cloud.writes(since) == []
    if policy == "Delete":
        scenario.annotate("NetworkGateway", "edge", confirm_deletion=uuid)
    else:
        scenario.foreign.add(uuid)
        scenario.change("NetworkGateway", "edge", deletionPolicy="Retain")
    scenario.wait_gone("NetworkGateway", "edge")
    assert uuids(scenario) == scenario.foreign
    assert [call.method for call in scenario.cloud.writes(since)] == ["DELETE"]
