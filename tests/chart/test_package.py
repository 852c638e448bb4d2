"""The chart as the release packages it: without any value for the image it has that which the release pushed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import yaml

from support.chart import CHART, run, tool
from support.cluster import ROOT

WORKFLOW = ROOT / ".github" / "workflows" / "release.yml"
PUSH = "helm push "


def test_the_image_is_the_one_that_was_pushed(tmp_path: Path) -> None:
    jobs = yaml.safe_load(WORKFLOW.read_text())["jobs"]
    script = jobs["chart"]["steps"][-1]["run"]
    assert PUSH in script
    assert 'IMAGE="ghcr.io/${GITHUB_REPOSITORY,,}"' in script
    assert any("IMAGE=ghcr.io/${GITHUB_REPOSITORY,,}" in step.get("run", "") for step in jobs["image"]["steps"])
    shutil.copytree(CHART, tmp_path / "helm" / "netgw")
    given = {"GITHUB_REPOSITORY": "Some/Netgw", "GITHUB_REPOSITORY_OWNER": "Some", "VERSION": "1.2.3"}
    path = f"{tool('helm').parent}{os.pathsep}{os.environ['PATH']}"
    bash = shutil.which("bash")
    assert bash is not None, "no bash"
    subprocess.run(
        [bash, "-eo", "pipefail", "-c", script.partition(PUSH)[0]],
        cwd=tmp_path,
        env={**os.environ, **given, "PATH": path},
        check=True,
        timeout=120,
    )
    text = run("helm", "template", "netgw", tmp_path / "build" / "netgw-1.2.3.tgz", "--no-hooks")
    assert "image: ghcr.io/some/netgw:1.2.3\n" in text
