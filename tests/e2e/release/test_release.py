"""`netgw release`: without an operator, objects can be deleted and the cloud keeps everything; only our marks go."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from netgw.engine.objects import FINALIZER
from netgw.engine.ownership import MARK
from support.checker import steady
from support.scenario import Scenario, cloud_objects

World = dict[str, Any]
Labelled = list[dict[str, Any]]


def world(scenario: Scenario) -> World:
    return copy.deepcopy({"gateways": scenario.cloud.gateways(), "routers": scenario.cloud.routers()})


def without_marks(found: World) -> World:
    """The same, had nobody ever marked it."""
    labelled: Labelled = [*found["gateways"], *found["routers"]]
    for body in labelled:
        body["labels"] = [label for label in body["labels"] if label["key"] != MARK]
    return still(found)


def still(found: World) -> World:
    """Without what time alone changes: what tunnels count."""
    for body in cloud_objects(found["gateways"]):
        body.pop("updated_at", None)
    return found


def marks(scenario: Scenario) -> int:
    bodies: Labelled = [*scenario.cloud.gateways(), *scenario.cloud.routers()]
    return sum(label["key"] == MARK for body in bodies for label in body["labels"])


def finalizers(scenario: Scenario) -> set[str]:
    return {finalizer for version in scenario.objects() for finalizer in version.body["metadata"].get("finalizers", ())}


def mind(scenario: Scenario) -> None:
    """What is there has to stay, bound to an object or not."""
    scenario.foreign |= {body["uuid"] for body in cloud_objects(scenario.cloud.gateways())}


def site(scenario: Scenario) -> None:
    """A Router, and a site at it with two tunnels, all made by netgw."""
    scenario.create("Router", "hub", {"labels": {"team": "net"}})
    scenario.secret()
    scenario.gateway(routerRef={"name": "hub"}, labels={"env": "prod"})
    scenario.connection()
    for number in (1, 2):
        scenario.tunnel(f"office-{number}", remoteAddress={"address": f"100.10.0.{110 + number}"})
    scenario.wait_all_ready()
    mind(scenario)


def failed(done: subprocess.CompletedProcess[str]) -> str:
    """Its only line of complaint, after what the parts that it shares with the operator log."""
    assert done.returncode == 1, done.stdout + done.stderr
    (line,) = (line for line in done.stderr.splitlines() if " WARNING " not in line)
    assert line.startswith("netgw: "), done.stderr
    return line


def test_the_objects_go_and_the_cloud_stays(scenario: Scenario, tell: Callable[[str], None]) -> None:
    site(scenario)
    before = world(scenario)
    assert "5 with a finalizer of netgw" in failed(scenario.operator.command("release", "--check"))
    scenario.operator.stop()
    since = len(scenario.cloud.calls())

    done = scenario.operator.command("release", "--all")
    assert done.returncode == 0, done.stderr
    assert finalizers(scenario) == set()
    assert marks(scenario) == 0
    assert still(world(scenario)) == without_marks(before)
    writes = [call.method for call in scenario.cloud.calls("POST", "PUT", "PATCH", "DELETE", since=since)]
    assert sorted(writes) == ["DELETE", "PATCH"]  # the label of the gateway, and those of the router without ours
    tell(f"released 5 objects: {len(writes)} writes to the cloud, the two marks")

    revisions = {version.revision for version in scenario.objects()}
    since = len(scenario.cloud.calls())
    again = scenario.operator.command("release", "--all")
    assert again.returncode == 0, again.stderr
    assert {version.revision for version in scenario.objects()} == revisions
    assert scenario.cloud.calls("POST", "PUT", "PATCH", "DELETE", since=since) == []

    scenario.delete_all()
    assert scenario.objects() == []  # at once: nothing holds them
    assert still(world(scenario)) == without_marks(before)
    nothing = scenario.operator.command("release", "--check")
    assert nothing.returncode == 0, nothing.stderr
    scenario.operator.start()


def test_an_operator_that_starts_again_goes_on(scenario: Scenario) -> None:
    """Also with one object alone: nothing is lost by a release, and nothing is made twice."""
    site(scenario)
    scenario.foreign.clear()
    uuids = {version.status["uuid"] for version in scenario.objects()}
    scenario.operator.stop()
    one = scenario.operator.command("release", f"{scenario.namespace}/edge")
    assert one.returncode == 0, one.stderr
    held = {v.body["kind"] for v in scenario.objects() if v.body["metadata"].get("finalizers")}
    assert held == {"Router", "VpnConnection", "VpnTunnel"}
    assert marks(scenario) == 1
    scenario.operator.start()
    scenario.wait(
        "the finalizers are back", lambda: all(v.body["metadata"].get("finalizers") for v in scenario.objects())
    )
    scenario.wait("the marks are back", lambda: marks(scenario) == 2)
    scenario.wait_all_ready()
    assert {version.status["uuid"] for version in scenario.objects()} == uuids


@pytest.mark.parametrize("elected", ["false", "true"])
def test_refused_while_an_operator_is_at_work(scenario: Scenario, elected: str) -> None:
    """By its Lease, or because it puts back the finalizer that was taken off first: nothing in the cloud is touched."""
    scenario.gateway()
    scenario.wait_all_ready()
    if elected == "true":
        scenario.operator.stop()
        scenario.operator.start(NETGW_LEADER_ELECTION="true")
        scenario.wait_looks(1)
    since = len(scenario.cloud.calls())
    said = failed(scenario.operator.command("release", "--all"))
    assert ("holds the Lease netgw-system/netgw" in said) is (elected == "true")
    assert "Stop it first (kubectl --namespace netgw-system scale deployment netgw --replicas=0)" in said
    assert finalizers(scenario) == {FINALIZER}
    assert marks(scenario) == 1
    assert scenario.cloud.writes(since) == []


def test_a_create_that_was_cut(scenario: Scenario) -> None:
    """The answer to its POST never came: what it made is found by the mark. Not before netgw may write there."""
    scenario.cloud.faults({"match": "POST /1.3/gateway", "timeout": 30, "when": "after"})
    scenario.gateway()
    scenario.wait("it is in the cloud", scenario.cloud.gateways)
    scenario.operator.kill()
    assert "uuid" not in scenario.get("NetworkGateway", "edge").status
    since = len(scenario.cloud.calls())
    said = failed(scenario.operator.command("release", "--all", NETGW_READ_ONLY="true"))
    assert "edge: our mark is left in the cloud (NETGW_READ_ONLY is set)" in said
    assert finalizers(scenario) == set()
    assert scenario.cloud.writes(since) == []
    done = scenario.operator.command("release", f"{scenario.namespace}/edge")
    assert done.returncode == 0, done.stderr
    (made,) = scenario.cloud.gateways()
    assert made["uuid"] in done.stdout
    assert marks(scenario) == 0
    mind(scenario)
    scenario.delete_all()
    scenario.operator.start()


def test_deletions_that_wait_end(scenario: Scenario) -> None:
    """Under deletion an object goes with its finalizer. The mark stays where UpCloud refuses, which is told.

    What is only observed gets no call but GET, and nobody is told of a mark that it never had.
    """
    legacy = scenario.gateway_by_hand(name="legacy")
    scenario.create("NetworkGateway", "legacy", {"import": {"uuid": legacy}})
    scenario.wait_for("NetworkGateway", "legacy", Synced="ObserveOnly")
    scenario.gateway()
    scenario.wait_ready("NetworkGateway", "edge")
    mind(scenario)
    scenario.operator.stop()
    scenario.delete("NetworkGateway", "edge")
    scenario.cloud.faults({"match": "* /1.3/*", "status": 401, "times": None})
    said = failed(scenario.operator.command("release", "--all"))
    assert f"NetworkGateway {scenario.namespace}/edge: our mark is left in the cloud (CredentialsRefused: " in said
    assert finalizers(scenario) == set()
    assert [version.body["metadata"]["name"] for version in scenario.objects()] == ["legacy"]
    assert marks(scenario) == 1
    scenario.cloud.door("DELETE", "/faults")
    scenario.delete_all()
    scenario.operator.start()


def test_what_is_asked_for_wrongly(scenario: Scenario) -> None:
    """One line each, and nothing is done."""
    scenario.gateway()
    scenario.wait_all_ready()
    steady(scenario, 1)
    command, here = scenario.operator.command, f"{scenario.namespace}/edge"
    revisions = {version.revision for version in scenario.objects()}
    assert "expected either objects as NAMESPACE/NAME, or --all" in failed(command("release"))
    wrong = f"named {scenario.namespace}/egde, edge; expected NAMESPACE/NAME"
    assert wrong in failed(command("release", here, f"{scenario.namespace}/egde", "edge"))
    accounts = f"/api/v1/namespaces/{scenario.namespace}/serviceaccounts"
    scenario.cluster.api("POST", accounts, json={"metadata": {"name": "nobody"}}).raise_for_status()
    nobody = str(scenario.cluster.access.kubeconfig_for("nobody", scenario.namespace))
    for option in ("--all", "--check"):
        refused = failed(command("release", option, KUBECONFIG=nobody))
        assert ": 403 " in refused
        assert f"system:serviceaccount:{scenario.namespace}:nobody" in refused
    assert {version.revision for version in scenario.objects()} == revisions
