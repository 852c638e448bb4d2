"""Operators and simulators that come out of a zygote, as tests start, signal and end them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from support.cluster import ROOT
from support.life import Life
from support.operator import Operator, Simulator, environment

ANSWER_SECONDS = 30.0


class Fork:
    """One life of an operator."""

    def __init__(self, name: str, log: Path) -> None:
        self.name, self.log = name, log
        self.returncode: int | None = None
        self.born, self.ended = threading.Event(), threading.Event()
        self._pid = 0

    @property
    def pid(self) -> int:
        assert self.born.wait(ANSWER_SECONDS), "the zygote does not answer"
        return self._pid

    def told(self, what: Mapping[str, int]) -> None:
        """What the zygote says of it."""
        if "pid" in what:
            self._pid = what["pid"]
            self.born.set()
        else:
            self.returncode = what["status"]
            self.ended.set()

    def output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def tail(self, lines: int = 15) -> str:
        return "\n".join(self.output().splitlines()[-lines:]) or "(no output)"

    def signal(self, number: signal.Signals) -> None:
        if self.returncode is None:  # else the zygote has reaped it, and the pid may be another's
            with contextlib.suppress(ProcessLookupError):  # reaped, and about to be told of
                os.kill(self.pid, number)

    def stop(self, grace: float = 10.0) -> None:
        if grace:
            self.signal(signal.SIGTERM)
        if not grace or not self.ended.wait(grace):
            self.signal(signal.SIGKILL)
        assert self.ended.wait(ANSWER_SECONDS), "the zygote does not tell of an end"


class Zygote:
    """The process itself; `stop` ends it with all of its operators."""

    def __init__(self, log: Path) -> None:
        paths = os.pathsep.join(str(ROOT / folder) for folder in ("operator", "tests", "tools"))
        with log.open("wb") as errors:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "support.zygote.process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment(PYTHONPATH=paths),
                start_new_session=True,
            )
        self._lock = threading.Lock()
        self._forks: list[Fork] = []
        self._listening = threading.Thread(target=self._listen, name="zygote", daemon=True)
        self._listening.start()

    def fork(self, name: str, log: Path, environment: Mapping[str, str], argv: Sequence[str] = ()) -> Fork:
        """A new life: an operator, or the command of netgw that is given."""
        made = Fork(name, log)
        with self._lock:
            assert self._popen.stdin is not None
            order = {"number": len(self._forks), "log": str(log), "argv": list(argv), "environment": dict(environment)}
            self._forks.append(made)
            self._popen.stdin.write(json.dumps(order).encode() + b"\n")
            self._popen.stdin.flush()
        return made

    def stop(self) -> None:
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._popen.stdin.close()
        self._popen.wait(ANSWER_SECONDS)
        self._listening.join(ANSWER_SECONDS)
        self._popen.stdout.close()

    def _listen(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            told = json.loads(line)
            self._forks[told.pop("number")].told(told)


class ForkedSimulator(Simulator):
    """A simulator that starts as fast."""

    def __init__(self, zygote: Zygote, folder: Path, *, delay: float) -> None:
        self._zygote = zygote
        super().__init__(folder, delay=delay)

    def _launch(self, argv: list[str], log: Path) -> Life:
        return self._zygote.fork("simulator", log, environment(), argv)


class ForkedOperator(Operator):
    """`netgw run` that starts as fast."""

    def __init__(self, zygote: Zygote, kubeconfig: Path, cloud: str, folder: Path, **settings: str) -> None:
        super().__init__(kubeconfig, cloud, folder, **settings)
        self._zygote = zygote

    def _launch(self, log: Path, environment: Mapping[str, str]) -> Life:
        return self._zygote.fork("operator", log, environment, ["run"])
