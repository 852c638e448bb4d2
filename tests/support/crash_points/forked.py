"""Operators whose lives are told where to end, as tests start, arm, kill and end them."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from pathlib import Path

from support.crash_points.points import ARM, FOLDER, SEEN, Plan
from support.life import Life
from support.operator import Operator
from support.zygote.forks import ANSWER_SECONDS, Zygote


class Doomed(Operator):
    """An operator whose lives may be told where to end."""

    def __init__(self, zygote: Zygote, kubeconfig: Path, cloud: str, folder: Path, **settings: str) -> None:
        super().__init__(kubeconfig, cloud, folder)
        self._zygote = zygote
        self._settings = settings
        self._serial = 0
        self._life = folder
        self.plan = Plan()
        """With which its next life begins."""

    def stay_in(self, namespace: str) -> None:
        """Watch this namespace alone, from the next life on."""
        self._settings["NETGW_NAMESPACES"] = namespace

    def arm(self, at: str | None, number: int | None = None) -> int:
        """From now on its points count, and at this one or the so many-th it dies; how many lines it wrote before.

        The death that was planned before may come right now, an Event for instance after all else: then once more.
        """
        try:
            return self._arm(at, number)
        except AssertionError:
            if self.process.returncode != -signal.SIGKILL:
                raise
            self.begin()
            return self._arm(at, number)

    def _arm(self, at: str | None, number: int | None) -> int:
        self.wait_seen("armed 0")  # before that the signal would end it
        self._serial += 1
        Plan(self._serial, at, number).write(self._life)
        self.process.signal(ARM)
        return self.wait_seen(f"armed {self._serial}")

    def wait_seen(self, line: str) -> int:
        """Until this life has written the line; how many there are up to it."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while line not in (lines := self.seen()):
            # It may have written the line and died since: a call of before can end right then.
            assert self.alive or line in self.seen(), f"the operator ended by itself:\n{self.process.tail(30)}"
            assert time.monotonic() < deadline, f"the operator does not say {line}:\n{self.process.tail(30)}"
            time.sleep(0.01)
        return lines.index(line) + 1

    def seen(self) -> list[str]:
        """The points of this life so far."""
        file = self._life / SEEN
        return file.read_text().splitlines() if file.exists() else []

    def _launch(self, log: Path, environment: Mapping[str, str]) -> Life:
        self._life = log.with_suffix("")
        self._life.mkdir()
        self.plan.write(self._life)
        self.plan = Plan()
        return self._zygote.fork("operator", log, {**environment, **self._settings, FOLDER: str(self._life)})
