"""NOTES.txt: what is told after an install names what was installed, and nothing else.

`helm template` does not show it, so here it is a file of a copy of the chart, and a ConfigMap has what it renders to.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.chart import CHART, CRD, SETS, VALUES, one, run

RELEASE, NAMESPACE = "blue", "gateways"
SHOWN = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: notes}
data: {notes: {{ tpl (.Files.Get "NOTES.txt") . | toJson }}}
"""
WITHOUT_CREDENTIALS = 'upcloud.existingSecret=""'


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notes") / "netgw"
    shutil.copytree(CHART, folder)
    (folder / "templates" / "NOTES.txt").rename(folder / "NOTES.txt")
    (folder / "templates" / "notes.yaml").write_text(SHOWN)
    return folder


def installed(chart: Path, values: str, *sets: str) -> tuple[str, dict[str, Any]]:
    """What is told, and the Deployment that is made."""
    words = [word for each in sets for word in ("--set-json", each)]
    text = run("helm", "template", RELEASE, chart, "-n", NAMESPACE, "-f", VALUES / f"{values}.yaml", *words)
    documents = [yaml.safe_load(one) for one in text.split("\n---\n") if f"\nkind: {CRD}\n" not in one]
    (notes,) = (obj["data"]["notes"] for obj in documents if obj["metadata"]["name"] == "notes")
    return notes, one("Deployment", documents)


def commands(notes: str) -> list[str]:
    return re.findall(r"^  (\S.*)$", notes, re.MULTILINE)


@pytest.mark.parametrize("values", SETS)
def test_commands_name_what_is_installed(chart: Path, values: str) -> None:
    notes, deployment = installed(chart, values)
    metadata = deployment["metadata"]
    assert metadata["namespace"] == NAMESPACE
    assert commands(notes) == [
        f"kubectl --namespace {NAMESPACE} rollout status deployment/{metadata['name']}",
        "kubectl explain networkgateways.spec",
        "kubectl get netgw --all-namespaces",
        f"kubectl --namespace {NAMESPACE} scale deployment {metadata['name']} --replicas=0",
    ]
    assert "netgw release --all" in notes.partition("--replicas=0")[2]
    assert "credentials of its own" not in notes


def test_without_credentials_it_says_how_to_give_some(chart: Path) -> None:
    """And with what it says to set it has some."""
    notes, _ = installed(chart, "default", WITHOUT_CREDENTIALS)
    *_, create, upgrade, _ = commands(notes)
    given = re.fullmatch(
        rf"helm upgrade {RELEASE} CHART --namespace {NAMESPACE} --reset-then-reuse-values --set (\S+)=(\S+)", upgrade
    )
    assert given is not None, upgrade
    assert create == f"kubectl --namespace {NAMESPACE} create secret generic {given[2]} --from-literal=token=..."
    after, _ = installed(chart, "default", WITHOUT_CREDENTIALS, f'{given[1]}="{given[2]}"')
    assert "credentials of its own" not in after


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("The token stands in the release", {"token"}),
        ("Set clusterName before", set(SETS) - {"available", "namespaced"}),
        ("watches team-a, netgw-system.", {"namespaced"}),
    ],
)
def test_what_depends_on_the_values(chart: Path, words: str, told: set[str]) -> None:
    assert {values for values in SETS if words in installed(chart, values)[0]} == told
