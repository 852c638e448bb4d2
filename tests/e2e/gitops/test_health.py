"""What GitOps tools make of our objects, over every state that each of them had in a story on the real API server.

The recorded objects in deploy/argocd are those of this story: NETGW_RECORD=1 writes them anew, make generate the rest.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from netgw_dev import argocd
from support.gitops import kstatus
from support.gitops.argo import STATES, HealthCheck
from support.gitops.recording import essence, reading, written
from support.gitops.story import Story, play
from support.scenario import EVERY_KIND, Scenario

CUSTOMIZATIONS = argocd.FOLDER / argocd.CUSTOMIZATIONS / "upcloud.netgw.dev"


@pytest.fixture(scope="module")
def story(standing: Scenario) -> Story:
    return play(standing)


def check_of(kind: str) -> HealthCheck:
    """As it is laid out for Argo CD's repository."""
    return HealthCheck((CUSTOMIZATIONS / kind / "health.lua").read_text())


def recorded(kind: str) -> list[Path]:
    return sorted((CUSTOMIZATIONS / kind / "testdata").glob("*.yaml"))


def test_each_state_of_each_kind(story: Story) -> None:
    """In Argo CD's words, at moments of the story at which one knows what a person would call it."""
    found = {(kind, label): check_of(kind)(body).status for (kind, label), body in story.seen.items()}
    assert found == {(kind, label): label.split("_")[0].capitalize() for kind, label in found}
    assert {(kind, status) for (kind, _), status in found.items()} == {(k, s) for k in EVERY_KIND for s in STATES}


def test_never_healthy_without_traffic(story: Story, tell: Callable[[str], None]) -> None:
    """Of all states that any object ever had: Healthy is one that carries traffic and is judged by its present spec."""
    checks = {kind: check_of(kind) for kind in EVERY_KIND}
    dead = 0
    for version in story.versions:
        health = checks[version.body["kind"]](version.body)
        observed = version.status.get("observedGeneration") == version.body["metadata"]["generation"]
        dead += version.status.get("up") is False or version.condition("Ready").get("reason") == "NoTunnelUp"
        if health.status == "Healthy":
            assert version.condition("Ready")["status"] == "True", version.body
            assert version.status.get("up") is not False, version.body
            assert observed, version.body
        assert observed or health.status == "Progressing", version.body
        assert "nil" not in health.message, health
    assert dead >= 2
    tell(f"health of {len(story.versions)} states of objects, {dead} of them without a tunnel that is up")


def test_kstatus(story: Story) -> None:
    """At all times, the first moment included: the rules for writers hold, and nobody who waits is told too early."""
    for version in story.versions:
        assert kstatus.problems(version.body) == [], version.body
        if kstatus.verdict(version.body) == "Current":
            assert version.condition("Ready")["status"] == "True", version.body
    unseen = [version for version in story.versions if not version.status.get("conditions")]
    assert {kstatus.verdict(version.body) for version in unseen} == {"InProgress"}
    expected = {
        "healthy": "Current",
        "suspended_paused": "Current",
        "degraded_name": "Failed",
        "progressing_g": "InProgress",
    }
    for (_, label), body in story.seen.items():
        for prefix, verdict in expected.items():
            if label.startswith(prefix):
                assert kstatus.verdict(body) == verdict, body


def test_kubectl_wait(story: Story) -> None:
    """For a Ready that is there, for one that comes, and in vain for one that does not."""
    s = story.scenario
    here = ("--namespace", s.namespace)
    s.cluster.kubectl(
        "wait", "--for=condition=Ready", "--timeout=10s", *here, "vpntunnel/office-1", "networkgateway/edge"
    )
    s.gateway("third", routerRef={"uuid": s.cloud.router()})
    s.cluster.kubectl("wait", "--for=condition=Ready", "--timeout=30s", *here, "networkgateway/third")
    with pytest.raises(Exception, match="timed out waiting for the condition on networkgateways/taken"):
        s.cluster.kubectl("wait", "--for=condition=Ready", "--timeout=1s", *here, "networkgateway/taken")


def test_recorded_objects_are_those_of_the_story(story: Story) -> None:
    for (kind, label), body in story.seen.items():
        path = CUSTOMIZATIONS / kind / "testdata" / f"{label}.yaml"
        text = written(body, check_of(kind)(body))
        if os.environ.get("NETGW_RECORD"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        assert path.is_file(), f"not recorded: {path}; NETGW_RECORD=1 does"
        assert essence(reading(path.read_text())) == essence(reading(text)), f"stale: {path}; NETGW_RECORD=1 mends"
    there = {(kind, path.stem) for kind in EVERY_KIND for path in recorded(kind)}
    assert there == set(story.seen)


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_recorded_objects_have_the_health_that_is_written_beside_them(kind: str) -> None:
    """As Argo CD's own test does with what is merged there; and the ConfigMap has the same script."""
    tests: list[dict[str, Any]] = yaml.safe_load((CUSTOMIZATIONS / kind / "health_test.yaml").read_text())["tests"]
    assert [test["inputPath"] for test in tests] == [f"testdata/{path.name}" for path in recorded(kind)]
    data = yaml.safe_load((argocd.FOLDER / argocd.CONFIG_MAP).read_text())["data"]
    in_config_map = HealthCheck(data[f"resource.customizations.health.upcloud.netgw.dev_{kind}"])
    for test in tests:
        obj = reading((CUSTOMIZATIONS / kind / test["inputPath"]).read_text())
        for check in (check_of(kind), in_config_map):
            assert check(obj)._asdict() == test["healthStatus"], test["inputPath"]


@pytest.mark.parametrize("reason", ["SetupOverdue", "DeletionOverdue"])
def test_overdue(reason: str) -> None:
    """What takes half an hour to come true, on a recorded object."""
    (path,) = (path for path in recorded("NetworkGateway") if path.stem == "progressing_setting_up")
    obj = reading(path.read_text())
    for condition in obj["status"]["conditions"]:
        if condition["type"] == ("Ready" if reason == "SetupOverdue" else "Synced"):
            condition |= {"status": "False", "reason": reason}
    assert check_of("NetworkGateway")(obj).status == "Degraded"


def test_generated_files_are_fresh() -> None:
    stale = [path for path, text in argocd.files().items() if (argocd.FOLDER / path).read_text() != text]
    assert stale == [], "make generate"
