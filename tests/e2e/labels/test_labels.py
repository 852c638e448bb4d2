"""Labels: one call each by endpoints of their own, which never send the gateway through pending."""

from __future__ import annotations

from collections.abc import Callable

from support.scenario import Scenario


def labels(scenario: Scenario) -> dict[str, str]:
    """Those of the gateway in the cloud, but for the mark."""
    found = scenario.in_cloud("NetworkGateway", "edge")["labels"]
    return {label["key"]: label["value"] for label in found if label["key"] != "netgw.dev/owner"}


def writes(scenario: Scenario, since: int) -> list[str]:
    """Method and what follows the gateway's own path."""
    root = f"/1.3/gateway/{scenario.uuid('NetworkGateway', 'edge')}"
    return [f"{call.method} {call.path.removeprefix(root)}" for call in scenario.cloud.writes(since)]


def test_merge_and_replace(scenario: Scenario, tell: Callable[[str], None]) -> None:
    scenario.gateway(labels={"env": "prod", "team": "net work", "ab": ""})
    scenario.wait_all_ready()
    assert labels(scenario) == {"env": "prod", "team": "net work", "ab": ""}
    assert [call.method for call in scenario.cloud.writes()] == ["POST"], "with the gateway, not after it"
    uuid = scenario.uuid("NetworkGateway", "edge")
    scenario.cloud.api("POST", f"/gateway/{uuid}/labels", {"key": "by hand", "value": "kept"})
    since = len(scenario.cloud.calls())
    scenario.change("NetworkGateway", "edge", labels={"env": "test", "ab": None, "new": "ü €"})
    scenario.wait_for("NetworkGateway", "edge", Synced="InSync", Ready="Running")
    assert labels(scenario) == {"env": "test", "team": "net work", "new": "ü €", "by hand": "kept"}
    assert sorted(writes(scenario, since)) == ["DELETE /labels/ab", "PATCH /labels/env", "POST /labels"]
    assert scenario.get("NetworkGateway", "edge").status["ownLabelKeys"] == ["env", "new", "team"]
    since = len(scenario.cloud.calls())
    scenario.change("NetworkGateway", "edge", labelPolicy="Replace")
    scenario.wait_for("NetworkGateway", "edge", Synced="InSync", Ready="Running")
    assert labels(scenario) == {"env": "test", "team": "net work", "new": "ü €"}
    assert writes(scenario, since) == ["DELETE /labels/by%20hand"]
    tell("3 labels changed, added and dropped: 3 calls; Replace: 1 call for the label of others; no other")


def test_dropped_while_nobody_looked(scenario: Scenario) -> None:
    """Which keys the manifest set is remembered, so that the next life can take them away."""
    scenario.gateway(labels={"env": "prod", "team": "network"})
    scenario.wait_all_ready()
    uuid = scenario.uuid("NetworkGateway", "edge")
    scenario.cloud.api("POST", f"/gateway/{uuid}/labels", {"key": "by-hand", "value": "kept"})
    scenario.operator.stop()
    since = len(scenario.cloud.calls())
    scenario.change("NetworkGateway", "edge", labels=None)
    scenario.operator.start()
    scenario.wait_ready("NetworkGateway", "edge")
    scenario.wait("they are gone", lambda: labels(scenario) == {"by-hand": "kept"})
    assert sorted(writes(scenario, since)) == ["DELETE /labels/env", "DELETE /labels/team"]


def test_changed_by_hand(scenario: Scenario) -> None:
    """Put back by one call and told; one that the spec does not name is nobody's business."""
    scenario.gateway(labels={"env": "prod"})
    scenario.wait_all_ready()
    uuid = scenario.uuid("NetworkGateway", "edge")
    since = len(scenario.cloud.calls())
    scenario.cloud.api("PATCH", f"/gateway/{uuid}/labels/env", {"value": "other"})
    scenario.wait("it is put back", lambda: labels(scenario) == {"env": "prod"} and writes(scenario, since)[1:])
    assert writes(scenario, since) == ["PATCH /labels/env"] * 2
    scenario.wait_event("Drifted", "labels[env] is other in the cloud, the spec says prod")
    runs = [v.condition("Ready")["reason"] for v in scenario.history("NetworkGateway", "edge") if v.condition("Ready")]
    assert runs[runs.index("Running") :].count("Running") == len(runs) - runs.index("Running"), "it never left Running"
