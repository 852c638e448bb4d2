"""Everything that an operator writes or that others can see of it."""

from __future__ import annotations

import contextlib
import json
import stat
from pathlib import Path

from support.scenario import Scenario


def of_process(pid: int) -> dict[str, str]:
    """Its command line, and what it started: it starts nothing, so no environment is handed on."""
    folder = Path(f"/proc/{pid}")
    children: list[str] = []
    for path in (folder / "task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that ended meanwhile
            children += path.read_text().split()
    assert children == [], "it has children"
    return {"/proc/PID/cmdline": (folder / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")}


def written_by(pid: int) -> set[Path]:
    """Regular files that it has open for writing."""
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile, as connections are
            flags = int(Path(f"/proc/{pid}/fdinfo/{descriptor.name}").read_text().splitlines()[1].split()[1], 8)
            target = descriptor.resolve()
            if flags & 3 and stat.S_ISREG(target.stat().st_mode):
                found.add(target)
    return found


def of_scenario(scenario: Scenario) -> dict[str, str]:
    """Each version of each object, Events, metadata of Secrets, all logs, metrics."""
    scenario.recorder.catch_up([version.body for version in scenario.objects()])
    secrets = scenario.cluster.api("GET", f"/api/v1/namespaces/{scenario.namespace}/secrets").json()["items"]
    return {
        "objects": json.dumps([version.body for version in scenario.recorder.of(scenario.namespace)]),
        "Events": json.dumps(scenario.events()),
        "annotations of Secrets": json.dumps([secret["metadata"] for secret in secrets]),
        "log": scenario.operator.log(),
        "metrics": scenario.operator.metrics(),
    }


def in_folder(folder: Path) -> dict[str, str]:
    """Every file below it."""
    return {str(path): path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()}
