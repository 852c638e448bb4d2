"""Ended and started at any time: what is under way is finished and noted, and nothing is done twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from support.checker import steady
from support.operator import DRAIN_SECONDS, ended
from support.scenario import KINDS, Scenario
from support.slow_answers import slow_answers

HELD_SECONDS = 1.5


def end(scenario: Scenario, tell: Callable[[str], None], what: str) -> None:
    """SIGTERM, and a clean end in time."""
    began = time.monotonic()
    scenario.operator.terminate()
    assert ended(scenario.operator.process, DRAIN_SECONDS) == 0, scenario.operator.process.tail(30)
    tell(f"SIGTERM {what}: exit status 0 after {time.monotonic() - began:.1f} s")


def test_nothing_to_do(scenario: Scenario, tell: Callable[[str], None]) -> None:
    """Neither in Kubernetes nor in the cloud is anything written."""
    scenario.site_to_site()
    steady(scenario, 1)
    before = {version.body["metadata"]["name"]: version.body for version in scenario.objects()}
    since = len(scenario.cloud.calls())
    end(scenario, tell, "with nothing under way")
    scenario.operator.start()
    scenario.wait_looks(3)
    assert scenario.cloud.writes(since) == []
    after = {version.body["metadata"]["name"]: version.body for version in scenario.objects()}
    written = {name: (body["status"], after[name]["status"]) for name, body in before.items() if after[name] != body}
    assert written == {}


def test_work_that_came_meanwhile(scenario: Scenario) -> None:
    scenario.gateway()
    scenario.connection()
    scenario.wait_all_ready()
    scenario.operator.stop()
    since = len(scenario.cloud.calls())
    scenario.secret()
    scenario.tunnel()
    scenario.change("VpnConnection", "office", remoteRoutes=[{"name": "office", "staticNetwork": "10.0.2.0/24"}])
    scenario.delete("NetworkGateway", "edge")
    scenario.operator.start()
    scenario.wait_for("NetworkGateway", "edge", Ready="Deleting", Synced="ChildrenExist")
    scenario.wait_for("VpnTunnel", "office-1", Synced="ParentDeleting")
    scenario.wait_for("VpnConnection", "office", Synced="InSync")
    assert [call.method for call in scenario.cloud.writes(since)] == ["PATCH"]


def test_a_create_is_under_way(scenario: Scenario, tell: Callable[[str], None]) -> None:
    """Its answer is waited for and noted."""
    scenario.operator.stop()
    with slow_answers(scenario.cloud.url, HELD_SECONDS) as slow:
        scenario.operator.start(cloud=slow)
        scenario.gateway()
        (post,) = scenario.wait("the POST is under way", scenario.cloud.writes)
        end(scenario, tell, f"with a POST whose answer takes {HELD_SECONDS} s")
    assert datetime.now(UTC) - post.time >= timedelta(seconds=HELD_SECONDS)
    status = scenario.get("NetworkGateway", "edge").status
    assert status["uuid"] == scenario.cloud.gateways()[0]["uuid"]
    assert "create" not in status
    scenario.operator.start()
    scenario.wait_ready("NetworkGateway", "edge")
    assert len(scenario.cloud.writes()) == 1


def test_a_create_without_an_answer(scenario: Scenario, tell: Callable[[str], None]) -> None:
    """The end waits for that too, the record stays, and the next start finds what was made."""
    scenario.cloud.faults({"match": "POST /1.3/gateway", "timeout": HELD_SECONDS, "when": "after"})
    scenario.gateway()
    (post,) = scenario.wait("the POST is under way", scenario.cloud.writes)
    end(scenario, tell, f"with a POST that breaks after {HELD_SECONDS} s")
    assert datetime.now(UTC) - post.time >= timedelta(seconds=HELD_SECONDS)
    status = scenario.get("NetworkGateway", "edge").status
    assert status["create"]["name"] == "edge"
    assert "uuid" not in status
    scenario.operator.start()
    scenario.wait_ready("NetworkGateway", "edge")
    assert len(scenario.cloud.writes()) == 1


def test_deletions_are_pending(scenario: Scenario, tell: Callable[[str], None]) -> None:
    """Some that the cloud refuses for now and some that wait for those."""
    scenario.site_to_site()
    scenario.cloud.faults({"match": "DELETE /1.3/gateway/*", "status": 503, "times": None})
    since = len(scenario.cloud.calls())
    for version in scenario.objects():
        scenario.delete(version.body["kind"], version.body["metadata"]["name"])
    scenario.wait("the first refusal", lambda: scenario.cloud.calls("DELETE", since=since))
    end(scenario, tell, "with four deletions pending")
    assert len(scenario.objects()) == 4
    scenario.cloud.door("DELETE", "/faults")
    scenario.operator.start()
    scenario.wait("all gone", lambda: not scenario.objects())
    assert scenario.cloud.gateways() == []


def test_a_deletion_is_under_way(scenario: Scenario, tell: Callable[[str], None]) -> None:
    scenario.site_to_site()
    scenario.cloud.faults({"match": "DELETE /1.3/gateway/*", "timeout": HELD_SECONDS, "when": "after"})
    since = len(scenario.cloud.calls())
    for kind in KINDS:
        for version in scenario.objects():
            if version.body["kind"] == kind:
                scenario.delete(kind, version.body["metadata"]["name"])
    scenario.wait("a DELETE is under way", lambda: scenario.cloud.calls("DELETE", since=since))
    end(scenario, tell, f"with a DELETE under way for {HELD_SECONDS} s")
    scenario.operator.start()
    scenario.wait("all gone", lambda: not scenario.objects())
    assert scenario.cloud.gateways() == []
    paths = [call.path for call in scenario.cloud.calls("DELETE", since=since)]
    assert len(set(paths)) == 4


def test_in_the_middle_of_the_setup(scenario: Scenario, tell: Callable[[str], None]) -> None:
    scenario.secret()
    scenario.gateway()
    scenario.connection()
    scenario.tunnel()
    scenario.wait("the gateway is being made", scenario.cloud.gateways)
    end(scenario, tell, "in the middle of the set-up")
    scenario.operator.start()
    scenario.wait_all_ready()
    assert [call.method for call in scenario.cloud.writes()] == ["POST"] * 3
