"""The start page is played as a reader would, on the API server of the tests; with NETGW_TEST_KIND=1 on kind."""

from __future__ import annotations

import os
import shutil
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from netgw_dev.process import Process
from support.cluster import ROOT, Cluster
from support.operator import ended, environment
from support.shell_page import Block, blocks, fits, script, shown

PAGE = (ROOT / "docs" / "start.md").read_text()
ON_KIND = os.environ.get("NETGW_TEST_KIND", "") not in ("", "0")
SECONDS = 1200.0 if ON_KIND else 300.0


def clone(folder: Path) -> Path:
    """The repository as a reader has it, with a .venv that is set up already. Docker takes no links into an image."""
    if ON_KIND:
        left = shutil.ignore_patterns(".git", ".venv", "build", "*_cache", "__pycache__", "*.egg-info")
        shutil.copytree(ROOT, folder, ignore=left, dirs_exist_ok=True)
    else:
        for entry in ROOT.iterdir():
            if entry.name not in (".venv", "build"):
                (folder / entry.name).symlink_to(entry)
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    (folder / ".venv" / ".stamp").touch()
    return folder


def play(folder: Path, **variables: str) -> None:
    work, commands = folder / "clone", folder / "commands"
    work.mkdir()
    commands.mkdir()
    bash = shutil.which("bash")
    assert bash is not None, "no bash"
    inherited = {name: value for name, value in environment().items() if not name.startswith(("MAKE", "MFLAGS"))}
    lines = script(PAGE, commands, kind=ON_KIND)
    argv = [bash, "-c", f'cd "{clone(work)}" && . "{lines}"']
    process = Process("start page", argv, log=folder / "start-page.log", env=inherited | variables)
    try:
        status = ended(process, SECONDS)
        logs = "\n".join(path.read_text()[-2000:] for path in work.glob("*.log"))
        assert status == 0, f"the page ended with {status}:\n{process.tail(30)}\n{logs}"
    finally:
        process.stop(grace=0)


@pytest.mark.skipif(ON_KIND, reason="played in full")
def test_page_is_played(cluster: Cluster, tmp_path: Path) -> None:
    """Without the blocks that need kind, in a namespace of its own."""
    with cluster.namespace() as namespace:
        config = yaml.safe_load(cluster.kubeconfig.read_text())
        config["contexts"][0]["context"]["namespace"] = namespace
        mine = tmp_path / "kubeconfig"
        mine.write_text(yaml.safe_dump(config))
        path = f"{cluster.access.kubectl_binary.parent}{os.pathsep}{os.environ['PATH']}"
        ways = cluster.access.kubectl_environment() | {"KUBECONFIG": str(mine), "PATH": path}
        scope = {"NETGW_NAMESPACE": namespace, "NETGW_NAMESPACES": namespace, "NETGW_CLUSTER_NAME": "docs"}
        quick = {"NETGW_FAST_POLL_INTERVAL": "0.5", "NETGW_LISTEN": "127.0.0.1:0"}
        play(tmp_path, **ways | scope | quick)


@pytest.mark.skipif(not ON_KIND, reason="needs kind: set NETGW_TEST_KIND=1 where it may make a cluster named netgw")
def test_page_is_played_on_kind(tmp_path: Path) -> None:
    play(tmp_path, KUBECONFIG=str(tmp_path / "kubeconfig"))


def test_every_block_is_a_command_that_is_played() -> None:
    """And a block is only left out where kind itself is used, or where what it made goes on being used."""
    assert {block.language for block in blocks(PAGE)} == {"shell", "console"}
    for before, block in pairwise([Block("", "", needs_kind=False), *blocks(PAGE)]):
        assert not block.needs_kind or before.needs_kind or "kind" in block.text, block.text
    assert [block.text for block in blocks(PAGE) if block.language == "console" and not shown(block)] == []
    assert PAGE.count("```") == 2 * len(blocks(PAGE))


@pytest.mark.parametrize(
    ("printed", "same"),
    [
        ("edge   198.51.100.7   2/2   True   1m5s", True),
        ("edge   198.51.100.7   1/2   True   8s", False),
        ("edge   198.51.100.7   2/2   True", False),
        ("edge   198.51.100.7   2/2   True   8s\nmore", False),
    ],
)
def test_what_is_printed_is_compared_loosely(printed: str, same: bool) -> None:
    assert fits("edge 203.0.113.1 2/2 True 8s\n", printed) is same
