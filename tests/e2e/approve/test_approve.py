"""disruptionPolicy Ask: what interrupts waits for its hash, then for its window; what does not goes out at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from support.recorder import Version
from support.scenario import Scenario, route

WINDOW = timedelta(seconds=3)


def approval(version: Version) -> str:
    """The hash that the message asks for."""
    message = version.condition("Synced")["message"]
    found = re.search(r"netgw\.dev/approve=(\w+)", message)
    assert found, message
    return found[1]


def methods(scenario: Scenario, since: int) -> list[str]:
    return [call.method for call in scenario.cloud.writes(since)]


def test_a_plan_is_approved_by_its_hash(scenario: Scenario, tell: Callable[[str], None]) -> None:
    """Asked for on the gateway alone: its children inherit it. The label does not wait."""
    scenario.site_to_site(tunnels=1)
    scenario.change("NetworkGateway", "edge", disruptionPolicy="Ask")
    since = len(scenario.cloud.calls())
    scenario.change("NetworkGateway", "edge", plan="advanced", labels={"env": "prod"})
    scenario.change("VpnConnection", "office", remoteRoutes=[route("office", "10.0.9.0/24")])
    scenario.change("VpnTunnel", "office-1", internalPeerPingInterval=30)
    waiting = {
        kind: scenario.wait_for(kind, name, Synced="AwaitingApproval")
        for kind, name in (("NetworkGateway", "edge"), ("VpnConnection", "office"), ("VpnTunnel", "office-1"))
    }
    assert (
        'plan: "production" → "advanced" (interrupts: unknown)'
        in waiting["NetworkGateway"].condition("Synced")["message"]
    )
    scenario.wait("the label is there", lambda: methods(scenario, since))
    scenario.wait_looks(2)
    assert methods(scenario, since) == ["POST"]
    assert len(scenario.in_cloud("NetworkGateway", "edge")["labels"]) == 2
    scenario.annotate("VpnTunnel", "office-1", approve=approval(waiting["VpnConnection"]))  # that of another
    scenario.annotate("NetworkGateway", "edge", approve="true")
    scenario.wait_looks(2)
    assert methods(scenario, since) == ["POST"]
    for kind, name in (("NetworkGateway", "edge"), ("VpnConnection", "office"), ("VpnTunnel", "office-1")):
        scenario.annotate(kind, name, approve=approval(scenario.get(kind, name)))
        scenario.wait_for(kind, name, Synced="InSync")
    scenario.wait_all_ready()
    assert methods(scenario, since) == ["POST", "PATCH", "PATCH", "PATCH"]
    assert {event["regarding"]["kind"] for event in scenario.events_of("Approved")} == {*waiting}
    tell("gateway, connection and tunnel changed under Ask: 1 label at once, 3 PATCHes after 3 approvals, 0 before")


def test_an_approval_is_for_its_plan_alone(scenario: Scenario) -> None:
    """Another target has another hash; the old annotation approves nothing of it, nor the same plan a second time."""
    scenario.gateway(disruptionPolicy="Ask")
    scenario.wait_all_ready()
    scenario.change("NetworkGateway", "edge", name="one")
    first = approval(scenario.wait_for("NetworkGateway", "edge", Synced="AwaitingApproval"))
    scenario.annotate("NetworkGateway", "edge", approve=first)
    scenario.wait_for("NetworkGateway", "edge", Synced="InSync", Ready="Running")
    scenario.change("NetworkGateway", "edge", name="two")
    second = approval(scenario.wait_for("NetworkGateway", "edge", Synced="AwaitingApproval"))
    scenario.annotate("NetworkGateway", "edge", approve=second)
    scenario.wait_for("NetworkGateway", "edge", Synced="InSync", Ready="Running")
    assert first != second
    since = len(scenario.cloud.calls())
    uuid = scenario.uuid("NetworkGateway", "edge")
    scenario.cloud.api("PATCH", f"/gateway/{uuid}", {"name": "by-hand"})  # drift: the same words as before
    scenario.wait_for("NetworkGateway", "edge", Synced="AwaitingApproval")
    scenario.wait_looks(2)
    assert len(scenario.cloud.writes(since)) == 1
    assert "Take the annotation off first" in scenario.get("NetworkGateway", "edge").condition("Synced")["message"]
    scenario.annotate("NetworkGateway", "edge", approve=None)
    scenario.wait_looks(2)
    scenario.annotate("NetworkGateway", "edge", approve=second)
    scenario.wait_for("NetworkGateway", "edge", Synced="InSync", Ready="Running")
    assert [call.method for call in scenario.cloud.writes(since)] == ["PATCH", "PATCH"]


def test_a_window(scenario: Scenario, tell: Callable[[str], None]) -> None:
    """netgw.dev/apply-at: what is approved goes out then and not before, by itself; a time that is none is told."""
    scenario.gateway(disruptionPolicy="Ask")
    scenario.wait_all_ready()
    since = len(scenario.cloud.calls())
    scenario.annotate("NetworkGateway", "edge", apply_at="tomorrow")
    scenario.change("NetworkGateway", "edge", plan="advanced")
    hash_ = approval(scenario.wait_for("NetworkGateway", "edge", Synced="AwaitingApproval"))
    scenario.annotate("NetworkGateway", "edge", approve=hash_)
    scenario.wait("it is told", lambda: "which is no time" in told(scenario))
    at = (datetime.now(UTC) + WINDOW).replace(microsecond=0) + timedelta(seconds=1)
    scenario.annotate("NetworkGateway", "edge", apply_at=at.isoformat().replace("+00:00", "Z"))
    scenario.wait("it waits for its window", lambda: "Waits for netgw.dev/apply-at" in told(scenario))
    assert scenario.cloud.writes(since) == []
    scenario.wait_ready("NetworkGateway", "edge")
    (write,) = scenario.cloud.writes(since)
    assert write.method == "PATCH"
    assert write.time >= at
    tell(f"apply-at: the PATCH went out {(write.time - at).total_seconds():.2f} s after the window opened")


def told(scenario: Scenario) -> str:
    return str(scenario.get("NetworkGateway", "edge").condition("Synced")["message"])
