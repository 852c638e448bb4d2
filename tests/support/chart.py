"""The chart as tests use it: helm and kubeconform, and what a set of values renders to."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from netgw_dev.binaries import locate
from netgw_dev.modules import charts
from support.cluster import OPERATOR_NAMESPACE, ROOT

CHART = ROOT / "helm" / "netgw"
VALUES = ROOT / "tests" / "chart" / "values"
CRD = "CustomResourceDefinition"
SETS = sorted(path.stem for path in VALUES.glob("*.yaml"))


class ToolError(Exception):
    """A tool ended with another status than 0; the message is all that it wrote."""


@cache
def tool(name: str) -> Path:
    """Where helm or kubeconform is, built when it is missing."""
    return locate([name], recipe=charts())[name]


def run(name: str, *args: str | Path, kubeconfig: Path | None = None, home: Path | None = None) -> str:
    """What a tool writes, also on standard error. `home`: where helm may keep what it likes."""
    ours = {"KUBECONFIG": str(kubeconfig or "/dev/null"), "HELM_CACHE_HOME": str(home or "/nonexistent")}
    done = subprocess.run(
        [tool(name), *args],
        env={**os.environ, **ours},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode:
        raise ToolError(done.stdout)
    return done.stdout


@cache
def rendered(values: str, *sets: str) -> str:
    """What one of tests/chart/values renders to, as text; `sets` are NAME=JSON."""
    words = [word for one in sets for word in ("--set-json", one)]
    return run("helm", "template", "netgw", CHART, "-n", OPERATOR_NAMESPACE, "-f", VALUES / f"{values}.yaml", *words)


def objects(values: str, *sets: str) -> list[dict[str, Any]]:
    """Its objects but CRDs, which are long."""
    documents = rendered(values, *sets).split("\n---\n")
    return [yaml.safe_load(document) for document in documents if f"\nkind: {CRD}\n" not in document]


def crds(values: str, *sets: str) -> list[dict[str, Any]]:
    """Its CRDs."""
    documents = rendered(values, *sets).split("\n---\n")
    return [yaml.safe_load(document) for document in documents if f"\nkind: {CRD}\n" in document]


def one(kind: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    """The only object of a kind."""
    (obj,) = [obj for obj in found if obj["kind"] == kind]
    return obj


def container(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The operator's container."""
    (only,) = one("Deployment", found)["spec"]["template"]["spec"]["containers"]
    return dict(only)
