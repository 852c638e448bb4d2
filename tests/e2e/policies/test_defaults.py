"""Policies that a namespace says for all in it; what cannot be read there stops every write and every deletion."""

from __future__ import annotations

import json
from functools import partial

from support.scenario import Scenario

NAMESPACE = {"deletionPolicy": "Retain", "disruptionPolicy": "Ask"}


def policies(scenario: Scenario, kind: str, name: str) -> dict[str, str]:
    found: dict[str, str] = scenario.get(kind, name).status.get("policies") or {}
    return found


def has(scenario: Scenario, kind: str, name: str, **expected: str) -> bool:
    return policies(scenario, kind, name) | expected == policies(scenario, kind, name)


def test_of_a_namespace(everywhere: Scenario) -> None:
    """Heard of at once; the object's own spec and that of its gateway go before."""
    scenario = everywhere
    scenario.gateway(disruptionPolicy="Allow")
    scenario.connection(deletionPolicy="Delete")
    scenario.wait_all_ready()
    assert policies(scenario, "VpnConnection", "office") == {
        "managementPolicy": "Full",
        "deletionPolicy": "Delete",
        "driftPolicy": "Correct",
        "recreatePolicy": "Always",
        "disruptionPolicy": "Allow",
    }
    scenario.annotate_namespace(default_policies=json.dumps(NAMESPACE))
    gateway, connection = ("NetworkGateway", "edge"), ("VpnConnection", "office")
    scenario.wait("it is heard of", partial(has, scenario, *gateway, deletionPolicy="Retain", disruptionPolicy="Allow"))
    scenario.wait("and below", partial(has, scenario, *connection, deletionPolicy="Delete", disruptionPolicy="Allow"))
    scenario.change(*gateway, disruptionPolicy=None)
    scenario.wait("the namespace's", partial(has, scenario, *connection, disruptionPolicy="Ask"))
    scenario.annotate_namespace(default_policies=None)
    scenario.wait("it is gone", partial(has, scenario, *gateway, deletionPolicy="Delete", disruptionPolicy="Allow"))
    scenario.wait_all_ready()
    assert [call.method for call in scenario.cloud.writes()] == ["POST", "POST"]


def test_what_cannot_be_read(everywhere: Scenario) -> None:
    """A mistyped Retain must not end in a deletion."""
    scenario = everywhere
    scenario.gateway()
    scenario.wait_all_ready()
    scenario.foreign.add(scenario.uuid("NetworkGateway", "edge"))
    since = len(scenario.cloud.calls())
    scenario.annotate_namespace(default_policies='{"deletionPolicy": "retain"}')
    told = scenario.wait_for("NetworkGateway", "edge", Ready="Running", Synced="InvalidSpec", Stalled="InvalidSpec")
    assert "netgw.dev/default-policies" in told.condition("Synced")["message"]
    assert "'retain'" in told.condition("Synced")["message"]
    scenario.change("NetworkGateway", "edge", plan="advanced")
    scenario.delete("NetworkGateway", "edge")
    scenario.wait(
        "the deletion waits", lambda: scenario.get("NetworkGateway", "edge").status["reason"] == "InvalidSpec"
    )
    scenario.wait_looks(2)
    assert scenario.cloud.writes(since) == []
    scenario.annotate_namespace(default_policies='{"deletionPolicy": "Retain"}')
    scenario.wait_gone("NetworkGateway", "edge")
    assert [call.path.rsplit("/", 1)[1] for call in scenario.cloud.writes(since)] == ["netgw.dev%2Fowner"]
