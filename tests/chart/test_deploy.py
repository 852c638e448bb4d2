"""`deploy/`: what is rendered is fresh, kustomize takes it, and the files for Argo CD and Flux name what there is."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
import yaml

from netgw_dev.binaries import locate
from netgw_dev.manifests import DEPLOY, stale
from support.chart import CHART, ToolError, objects, run
from support.cluster import ROOT


def loaded(path: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / path).read_text()))


def test_what_is_rendered_is_fresh() -> None:
    assert stale() == [], "run `make generate`"


def test_install_is_all_that_the_chart_makes() -> None:
    """But for the Namespace, which Helm makes by itself, and the look before an uninstall, which is a hook of Helm."""
    made = {(obj["kind"], obj["metadata"]["name"]) for obj in loaded("install.yaml")}
    crds = {
        ("CustomResourceDefinition", yaml.safe_load(path.read_text())["metadata"]["name"])
        for path in ROOT.glob("crds/*")
    }
    charted = {(obj["kind"], obj["metadata"]["name"]) for obj in objects("default", "uninstallCheck.enabled=false")}
    assert made == charted | crds | {("Namespace", "netgw-system")}
    assert "Helm" not in (DEPLOY / "install.yaml").read_text()


def test_kustomize_takes_it_and_puts_the_image_in() -> None:
    kubectl = locate(["kubectl"])["kubectl"]
    built = subprocess.run([kubectl, "kustomize", DEPLOY], capture_output=True, text=True, check=True)
    assert built.stderr == ""
    assert "image: registry.example.com/netgw:0.1.0\n" in built.stdout
    assert built.stdout.count("\nkind: ") == (DEPLOY / "install.yaml").read_text().count("\nkind: ")


def test_versions_are_those_of_the_chart() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    (application,) = loaded("argocd/application.yaml")
    repository, _ = loaded("flux/helmrelease.yaml")
    (kustomization,) = loaded("kustomization.yaml")
    assert application["spec"]["source"]["targetRevision"] == f"v{chart['version']}"
    assert repository["spec"]["ref"]["tag"] == f"v{chart['version']}"
    assert kustomization["images"][0]["newTag"] == chart["appVersion"]


def rendered_with(values: dict[str, Any]) -> str:
    words = [word for name, value in values.items() for word in ("--set-json", f"{name}={json.dumps(value)}")]
    return run("helm", "template", "netgw", CHART, *words)


def test_values_of_argo_cd_and_flux_are_taken() -> None:
    (application,) = loaded("argocd/application.yaml")
    _, release = loaded("flux/helmrelease.yaml")
    assert application["spec"]["source"]["path"] == release["spec"]["chart"]["spec"]["chart"] == "helm/netgw"
    for values in (application["spec"]["source"]["helm"]["valuesObject"], release["spec"]["values"]):
        assert "image: registry.example.com/netgw:0.1.0\n" in rendered_with(values)
        with pytest.raises(ToolError, match="clusterNam"):
            rendered_with({**values, "clusterNam": "x"})
