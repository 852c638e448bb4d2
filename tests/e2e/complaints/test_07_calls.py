"""Complaint 7: "throttling, fixed polling, retry storms". One GET serves a tree; a refusal is not repeated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from support.checker import steady
from support.operator import LIST
from support.scenario import Scenario

INTERVALS = 4


def test_one_get_for_a_tree_of_four(scenario: Scenario, tell: Callable[[str], None]) -> None:
    scenario.site_to_site(tunnels=2)
    calls = Counter(str(call) for call in steady(scenario, INTERVALS))
    assert calls.keys() == {LIST}
    tell(f"1 gateway, 1 connection, 2 tunnels over {INTERVALS} intervals: {calls[LIST] - 1} GETs, 0 other calls")


def test_what_is_refused_is_not_asked_again(scenario: Scenario, tell: Callable[[str], None]) -> None:
    """400 to a create, and to a change: said on the object, and no further call until the spec changes."""
    bad = {"invalid_params": [{"name": "plan", "reason": "Not today."}], "title": "Validation error.", "status": 400}
    scenario.cloud.faults({"match": "POST /1.3/gateway", "status": 400, "times": None, "body": bad})
    scenario.gateway()
    told = scenario.wait_for("NetworkGateway", "edge", Synced="Rejected", Stalled="Rejected", Ready="Rejected")
    assert "Not today." in told.condition("Synced")["message"]
    scenario.wait_looks(4)
    assert [call.status for call in scenario.cloud.writes()] == [400]
    scenario.cloud.door("DELETE", "/faults")
    scenario.change("NetworkGateway", "edge", plan="advanced")
    scenario.wait_ready("NetworkGateway", "edge")
    assert [call.status for call in scenario.cloud.writes()] == [400, 201]
    scenario.cloud.faults({"match": "PATCH /1.3/gateway/*", "status": 400, "times": None, "body": bad})
    scenario.change("NetworkGateway", "edge", name="other")
    scenario.wait_for("NetworkGateway", "edge", Synced="Rejected", Stalled="Rejected", Ready="Running")
    scenario.wait_looks(4)
    assert [call.status for call in scenario.cloud.writes()] == [400, 201, 400]
    scenario.change("NetworkGateway", "edge", name=None)
    scenario.wait_ready("NetworkGateway", "edge")
    scenario.cloud.door("DELETE", "/faults")
    assert len(scenario.cloud.writes()) == 3
    tell("a refused create and a refused change, each watched over 4 intervals: 1 call each")
