"""Where an operator can die: before each call that it makes, and as soon as its answer is there.

A point is named by side, server, method, path and how often that came since the operator was armed, with a star for
each uuid and namespace, so that a run finds the points of another run again:

    before cloud POST /gateway/*/connections #1
    after kube PATCH vpntunnels/office-1/status #3

This is the part inside the operator. It takes its orders from a file, and writes each point down before it goes on.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Side = Literal["before", "after"]

FOLDER = "CRASH_POINTS"
"""The variable that names the folder of both files."""
PLAN, SEEN = "plan.json", "seen"
ARM = signal.SIGUSR1

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAMESPACE = re.compile(r"/namespaces/[^/]+/")
_OURS = "/apis/upcloud.netgw.dev/v1alpha1/"


@dataclass(frozen=True)
class Plan:
    """`at`: die there. `number`: die at the so many-th point, whatever it is. Neither: live."""

    serial: int = 0
    at: str | None = None
    number: int | None = None

    def write(self, folder: Path) -> None:
        """In one step, for the operator may be reading."""
        fresh = folder / f"{PLAN}.new"
        fresh.write_text(json.dumps(asdict(self)))
        fresh.replace(folder / PLAN)


class Points:
    """Counts the points of this process, ends it at the planned one, and takes a new plan when the signal says so."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = os.open(folder / SEEN, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._counts: Counter[str] = Counter()
        self._plan = Plan()
        signal.signal(ARM, self.arm)  # before it says that it is armed: whoever reads that sends the signal at once
        self.arm()

    def arm(self, *_: object) -> None:
        """Read the plan and count from zero; a signal handler too."""
        self._plan = Plan(**json.loads((self._folder / PLAN).read_text()))
        self._counts.clear()
        self._write(f"armed {self._plan.serial}")

    def reach(self, side: Side, what: str) -> None:
        """One point; from the planned one nothing returns, and nothing of ours is run any more."""
        self._counts[side + what] += 1
        name = f"{side} {what} #{self._counts[side + what]}"
        self._write(name)
        if name == self._plan.at or self._counts.total() == self._plan.number:
            os.kill(os.getpid(), signal.SIGKILL)

    def _write(self, line: str) -> None:
        os.write(self._file, f"{line}\n".encode())


def to_cloud(method: str, path: str) -> str:
    return f"cloud {method} {_UUID.sub('*', path).removeprefix('/1.3')}"


def to_kubernetes(method: str, path: str) -> str:
    inside = _NAMESPACE.sub("/", path)
    return f"kube {method} {_UUID.sub('*', inside).removeprefix(_OURS)}"
