"""Complaint 9: "observe-only and pause". No call but GET; a pause leaves status live and deletion free."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from support.scenario import Scenario


def test_observe(scenario: Scenario, tell: Callable[[str], None]) -> None:
    """On what netgw made itself: hand edits, spec edits, a new key, a vanished tunnel and deletion move no finger."""
    scenario.site_to_site()
    scenario.change("NetworkGateway", "edge", managementPolicy="Observe")
    scenario.wait_all_synced("ObserveOnly")
    status = scenario.get("VpnTunnel", "office-2").status
    connection = f"/gateway/{status['gatewayUuid']}/connections/{status['connectionUuid']}"
    scenario.cloud.api("PATCH", f"/gateway/{status['gatewayUuid']}", {"plan": "advanced"})
    scenario.cloud.api("DELETE", f"{connection}/tunnels/{status['uuid']}")
    since = len(scenario.cloud.calls())
    scenario.secret()
    scenario.change("VpnTunnel", "office-1", internalPeerPingInterval=30)
    gone = scenario.wait_for("VpnTunnel", "office-2", Synced="ExternallyDeleted", Ready="ExternallyDeleted")
    assert "only observed" in gone.condition("Synced")["message"]
    scenario.wait_for("VpnTunnel", "office-1", Synced="ObserveOnly", Ready="Up")
    drift = scenario.wait("drift is told", lambda: scenario.get("NetworkGateway", "edge").status.get("drift"))
    assert [(d["path"], d["desired"], d["observed"]) for d in drift] == [("plan", "production", "advanced")]
    scenario.wait_event("Drifted", "plan is advanced in the cloud")
    scenario.wait_looks(3)
    scenario.foreign |= {scenario.uuid(kind, name) for kind, name in LEFT}
    scenario.delete_all()
    scenario.wait("all objects gone", lambda: not scenario.objects())
    calls = scenario.cloud.calls(since=since)
    assert {call.method for call in calls} == {"GET"}
    tell(f"Observe through edits, drift, a new key, a loss and deletion: {len(calls)} GETs, 0 other calls")


LEFT = (("NetworkGateway", "edge"), ("VpnConnection", "office"), ("VpnTunnel", "office-1"))


def test_pause(scenario: Scenario, tell: Callable[[str], None]) -> None:
    """Until a time, and by hand: what waits is told, what the cloud does is seen, and a deletion is honoured."""
    scenario.site_to_site(tunnels=1)
    uuid = scenario.uuid("VpnTunnel", "office-1")
    since = len(scenario.cloud.calls())
    scenario.annotate("VpnTunnel", "office-1", paused="true")
    scenario.change("VpnTunnel", "office-1", internalPeerPingInterval=30)
    told = scenario.wait_for("VpnTunnel", "office-1", Synced="Paused", Ready="Up")
    assert "internalPeerPingInterval: 0 → 30" in told.condition("Synced")["message"]
    scenario.cloud.door("POST", f"/tunnels/{uuid}", {"operational_state": "connecting"})
    scenario.wait_for("VpnTunnel", "office-1", Synced="Paused", Ready="TunnelDown")
    scenario.cloud.door("POST", f"/tunnels/{uuid}", {})
    scenario.wait_for("VpnTunnel", "office-1", Synced="Paused", Ready="Up")
    assert scenario.cloud.writes(since) == []
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    scenario.annotate("VpnTunnel", "office-1", paused=until.isoformat())
    scenario.wait_for("VpnTunnel", "office-1", Synced="InSync", Ready="Up")
    (write,) = scenario.cloud.writes(since)
    assert write.time >= until
    scenario.annotate("VpnTunnel", "office-1", paused="true")
    scenario.wait_for("VpnTunnel", "office-1", Synced="Paused")
    scenario.delete("VpnTunnel", "office-1")
    scenario.wait_gone("VpnTunnel", "office-1")
    assert [call.method for call in scenario.cloud.writes(since)] == ["PATCH", "DELETE"]
    tell(f"paused until a time: 0 writes before, the PATCH {(write.time - until).total_seconds():.2f} s after it")


def test_read_only(scenario: Scenario) -> None:
    """The whole operator: status stays live, nothing is written, a retained object may go."""
    scenario.gateway()
    scenario.connection()
    scenario.wait_all_ready()
    scenario.operator.stop()
    scenario.operator.start(NETGW_READ_ONLY="true")
    since = len(scenario.cloud.calls())
    scenario.change("NetworkGateway", "edge", plan="advanced")
    told = scenario.wait_for("NetworkGateway", "edge", Synced="ReadOnly", Ready="Running")
    assert 'plan: "production" → "advanced"' in told.condition("Synced")["message"]
    scenario.delete("VpnConnection", "office")
    scenario.wait("it waits", lambda: scenario.get("VpnConnection", "office").status["reason"] == "ReadOnly")
    scenario.foreign.add(scenario.uuid("VpnConnection", "office"))  # now: retained, it is gone at once
    scenario.change("VpnConnection", "office", deletionPolicy="Retain")
    scenario.wait_gone("VpnConnection", "office")
    scenario.wait_looks(2)
    assert {call.method for call in scenario.cloud.calls(since=since)} == {"GET"}
    scenario.operator.stop()
    scenario.operator.start(NETGW_READ_ONLY="false")
    scenario.wait_ready("NetworkGateway", "edge")
    assert [call.method for call in scenario.cloud.writes(since)] == ["PATCH"]
