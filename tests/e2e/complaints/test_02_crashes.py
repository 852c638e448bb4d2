"""Complaint 2: "a crash between create and status write duplicates, leaks or blocks". One of each, without a human.

Kills between a POST and its status are in tests/e2e/crash, at every single step of a pass in tests/histories. Here:
kills while a change, a deletion, a label and an import are under way.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.cluster import ROOT
from support.scenario import Scenario, cloud_objects
from support.there_before import bind, tree_by_hand

HELD = 30.0  # longer than anybody lives to see

ELSEWHERE = {
    "tests/e2e/crash/test_crash.py": ("test_sigkill_between_post_and_status",),
    "tests/e2e/restart/test_restart.py": ("test_a_create_without_an_answer", "test_a_deletion_is_under_way"),
}


@pytest.mark.parametrize("file", ELSEWHERE)
def test_what_is_proven_elsewhere_is_there(file: str) -> None:
    text = (ROOT / file).read_text()
    assert [name for name in ELSEWHERE[file] if f"def {name}(" not in text] == []


def killed_in(scenario: Scenario, match: str, when: str, do: Callable[[], object]) -> None:
    """SIGKILL while a call of this sort is under way, which the cloud does (`after`) or never hears of (`before`)."""
    since = len(scenario.cloud.calls())
    scenario.cloud.faults({"match": match, "timeout": HELD, "when": when})
    do()
    method = match.split(maxsplit=1)[0]
    scenario.wait(f"{match} is under way", lambda: scenario.cloud.calls(method, since=since))
    scenario.operator.kill()
    scenario.cloud.door("DELETE", "/faults")
    scenario.operator.start()


@pytest.mark.parametrize("when", ["after", "before"])
def test_killed_in_the_middle_of_changes_and_deletions(scenario: Scenario, when: str) -> None:
    scenario.site_to_site()
    uuids = {version.status["uuid"] for version in scenario.objects()}
    steps: list[tuple[str, Callable[[], object]]] = [
        ("PATCH /1.3/gateway/*", lambda: scenario.change("NetworkGateway", "edge", plan="advanced")),
        ("POST /1.3/gateway/*", lambda: scenario.change("NetworkGateway", "edge", labels={"env": "prod"})),
        ("PATCH /1.3/gateway/*", scenario.secret),
    ]
    for match, do in steps:
        killed_in(scenario, match, when, do)
        scenario.wait_all_ready()
        assert {body["uuid"] for body in cloud_objects(scenario.cloud.gateways())} == uuids
    killed_in(scenario, "DELETE /1.3/gateway/*", when, scenario.delete_all)
    scenario.wait("all gone", lambda: not scenario.objects())
    assert scenario.cloud.gateways() == []


def test_killed_in_the_middle_of_an_import(scenario: Scenario, tell: Callable[[str], None]) -> None:
    """The mark is on its way when it dies: bound once, marked once, nothing else."""
    tree = tree_by_hand(scenario)
    since = len(scenario.cloud.calls())
    match = f"POST /1.3/gateway/{tree[0]['uuid']}/labels"
    killed_in(scenario, match, "after", lambda: bind(scenario, tree, managementPolicy="Full"))
    scenario.wait_all_ready()
    assert {v.status["uuid"] for v in scenario.objects()} == {body["uuid"] for body in tree}
    assert [str(call) for call in scenario.cloud.writes(since)] == [match]
    tell("5 kinds of call killed half-way, before and after the cloud did it: 1 of each left, 0 leaks")
