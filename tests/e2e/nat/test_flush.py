"""A NAT flush that is asked for by an annotation: one call and one Event for each time that it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from support.scenario import Scenario

FIRST, SECOND = "2026-11-22T02:41:00Z", "2026-11-22T02:42:00Z"


def flushes(scenario: Scenario, since: int = 0) -> int:
    return len([call for call in scenario.cloud.calls("PATCH", since=since) if "/actions/nat-" in call.path])


def is_handled(scenario: Scenario, asked: str) -> bool:
    return bool(scenario.get("NetworkGateway", "edge").status.get("lastHandledFlushNatAt") == asked)


def test_once_for_each_time(scenario: Scenario, tell: Callable[[str], None]) -> None:
    scenario.gateway(plan="standard", features=["nat"])
    scenario.wait_all_ready()
    since = len(scenario.cloud.calls())
    for number, asked in enumerate((FIRST, FIRST, SECOND), start=1):
        scenario.annotate("NetworkGateway", "edge", flush_nat_requested_at=asked)
        scenario.wait("it is noted", partial(is_handled, scenario, asked))
        scenario.wait_looks(2)
        assert flushes(scenario, since) == (1 if number < 3 else 2)
    scenario.operator.stop()
    scenario.operator.start()
    scenario.wait_looks(2)
    assert flushes(scenario, since) == len(scenario.cloud.writes(since)) == 2
    scenario.wait_event("NatFlushed", SECOND)
    assert len(scenario.events_of("NatFlushed")) == 2
    tell("NAT flush asked for twice, the first time also a second time, and a restart: 2 calls, 2 Events")


def test_a_lost_answer_is_not_asked_again(scenario: Scenario) -> None:
    """Connections that came up meanwhile would be dropped for nothing. It is told, and a new time asks again."""
    scenario.gateway(plan="standard", features=["nat"])
    scenario.wait_all_ready()
    since = len(scenario.cloud.calls())
    scenario.cloud.faults({"match": "PATCH /1.3/gateway/*", "reset": True, "when": "after"})
    scenario.annotate("NetworkGateway", "edge", flush_nat_requested_at=FIRST)
    scenario.wait_event("NatNotFlushed", "may have been done")
    scenario.wait_looks(2)
    assert flushes(scenario, since) == 1
    scenario.annotate("NetworkGateway", "edge", flush_nat_requested_at=SECOND)
    scenario.wait_event("NatFlushed", SECOND)
    assert flushes(scenario, since) == 2
    scenario.wait_all_ready()


def test_paused_and_observed(scenario: Scenario) -> None:
    """Nothing is flushed while nothing may be changed; a pause that ends lets it go on."""
    scenario.gateway(plan="standard", features=["nat"])
    scenario.wait_all_ready()
    since = len(scenario.cloud.calls())
    scenario.annotate("NetworkGateway", "edge", paused="true", flush_nat_requested_at=FIRST)
    scenario.wait_for("NetworkGateway", "edge", Synced="Paused")
    scenario.wait_looks(2)
    assert scenario.cloud.writes(since) == []
    scenario.annotate("NetworkGateway", "edge", paused=None)
    scenario.wait("it is noted", partial(is_handled, scenario, FIRST))
    scenario.wait_for("NetworkGateway", "edge", Synced="InSync")
    assert flushes(scenario, since) == 1
    scenario.change("NetworkGateway", "edge", managementPolicy="Observe")
    scenario.wait_for("NetworkGateway", "edge", Synced="ObserveOnly")
    scenario.annotate("NetworkGateway", "edge", flush_nat_requested_at=SECOND)
    scenario.wait_looks(3)
    assert flushes(scenario, since) == 1
