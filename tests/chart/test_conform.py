"""kubeconform over all six sets of values and over the samples, with the schemas of the API server that runs here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.chart import SETS, ToolError, rendered, run
from support.cluster import ROOT, Cluster
from support.schemas import LOCATION, write

SAMPLES = sorted((ROOT / "deploy" / "samples").glob("*.yaml"))


@pytest.fixture(scope="module")
def schemas(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("schemas")
    write(cluster, folder)
    return folder


def conform(schemas: Path, *files: Path) -> str:
    return run("kubeconform", "-strict", "-summary", "-schema-location", f"{schemas}/{LOCATION}", *files)


def test_every_set_of_values_conforms(schemas: Path, tmp_path: Path) -> None:
    for values in SETS:
        (tmp_path / f"{values}.yaml").write_text(rendered(values))
    files = [tmp_path / f"{values}.yaml" for values in SETS]
    count = sum(len(re.findall(r"^kind: ", file.read_text(), re.MULTILINE)) for file in files)
    assert f"{count} resources found in 6 files - Valid: {count}," in conform(schemas, *files)


def test_samples_and_manifests_conform(schemas: Path) -> None:
    told = conform(schemas, *SAMPLES, *sorted((ROOT / "deploy").glob("*install.yaml")))
    assert re.search(r"Invalid: 0, Errors: 0, Skipped: 0", told), told


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("        - name: netgw\n          image:", "        - name: netgw\n          imag:", "imag"),
        ("  replicas: 1\n", "  replicas: one\n", "replicas"),
        ("      honorLabels: true\n", "      honourLabels: true\n", "honourLabels"),
        ("readOnlyRootFilesystem: true\n", "readOnlyRootFileSystem: true\n", "readOnlyRootFileSystem"),
    ],
)
def test_what_is_wrong_does_not(schemas: Path, tmp_path: Path, before: str, after: str, told: str) -> None:
    text = rendered("watched", "crds.install=false")
    assert before in text
    (tmp_path / "wrong.yaml").write_text(text.replace(before, after))
    with pytest.raises(ToolError, match=told):
        conform(schemas, tmp_path / "wrong.yaml")
