"""The demo: it ends well only when everything was seen, and leaves nothing behind."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from netgw_dev.demo.__main__ import run
from netgw_dev.demo.cloud import Call
from netgw_dev.demo.rotation import tell
from netgw_dev.demo.screen import Look, Screen
from netgw_dev.demo.stage import DELAY
from support.cluster import ROOT

COMMAND = [sys.executable, "-m", "netgw_dev.demo"]
EDITED = datetime(2026, 11, 22, tzinfo=UTC)
needs_control_plane = pytest.mark.skipif(
    "NETGW_TEST_KUBECONFIG" in os.environ, reason="the demo uses no cluster but its own, which is not built then"
)


def environment(folder: Path) -> dict[str, str]:
    """A user's, who has real clusters and a real account."""
    foreign = dict.fromkeys(("KUBECONFIG", "NETGW_TEST_KUBECONFIG"), "/nonexistent")
    account = {"UPCLOUD_TOKEN": "made-up", "UPCLOUD_USERNAME": "made-up", "HTTP_PROXY": "http://127.0.0.1:1"}
    return {**os.environ, **foreign, **account, "PYTHONPATH": str(ROOT / "tools"), "TMPDIR": str(folder), "KEEP": ""}


def left_behind(folder: Path) -> list[str]:
    """Files in the temporary folder, and processes that were given it."""
    files = [str(path) for path in folder.iterdir()]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"TMPDIR={folder}".encode() in (process / "environ").read_bytes():
                files.append((process / "cmdline").read_text())
        except OSError:  # it has ended, or is not ours
            continue
    return files


def patches(*seconds: float) -> list[Call]:
    return [
        Call("PATCH", f"/1.3/gateway/g/connections/c/tunnels/u{number}", EDITED + timedelta(seconds=second))
        for number, second in enumerate(seconds, 1)
    ]


def test_missed_deadline_says_what_was_expected_and_seen() -> None:
    written = io.StringIO()
    screen = Screen(Console(file=written, width=100))

    def play() -> None:
        with screen.step("A tunnel that is up", 0.05) as step:
            step.until("The tunnel is Ready", lambda: Look(done=False, seen=[("office-1", "Ready=False TunnelDown")]))

    assert run(screen, play) == 1
    assert re.search(r"✗ A tunnel that is up +0\.\d s\n", written.getvalue())
    assert "Expected: The tunnel is Ready, within 0.05 s.\nSeen now:\n    office-1  Ready=False TunnelDown\n" in (
        written.getvalue()
    )


def test_rotation_is_one_tunnel_after_the_other() -> None:
    uuids = {"office-1": "u1", "office-2": "u2"}
    assert tell(patches(0, DELAY + 0.1), uuids, uuids, EDITED).done
    assert not tell(patches(0, DELAY - 0.1), uuids, uuids, EDITED).done
    assert not tell(patches(0, DELAY + 0.1), uuids, {**uuids, "office-2": "u3"}, EDITED).done


@needs_control_plane
def test_everything_is_seen(tmp_path: Path) -> None:
    done = subprocess.run(
        COMMAND, env=environment(tmp_path), capture_output=True, text=True, timeout=300, check=False, cwd=ROOT
    )
    told = done.stdout
    assert done.returncode == 0, told + done.stderr
    assert "✗" not in told
    for column in ("ADDRESS", "GATEWAY", "CONNECTION"):
        assert re.search(rf"\n  NAME +{column} ", told)
    before, after = (re.findall(rf"uuid {word} +([0-9a-f-]{{36}})\n", told) for word in ("before", "after"))
    assert before == after
    assert len(set(before)) == 2
    assert "Ready=False PeerUnreachable: " in told
    assert "UpCloud now  gateways: 0, connections: 0, tunnels: 0\n" in told
    assert re.search(r"\nEvery step was seen, in \d+ s: 4 POSTs, 2 PATCHes, 4 DELETEs and \d+ GETs\.\n", told)
    assert not re.search(r"madeup|made-up|[0-9a-f]{40}|eyJ", told), "a secret"
    assert left_behind(tmp_path) == []


@needs_control_plane
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_interrupted_in_the_middle(tmp_path: Path) -> None:
    with subprocess.Popen(
        COMMAND, env=environment(tmp_path), stdout=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if "✓ The operator" in line:
                break
        assert left_behind(tmp_path) != []
        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()
    assert demo.returncode == 130, rest
    assert rest.endswith("\nInterrupted.\n")
    assert left_behind(tmp_path) == []
