"""A child process that never outlives us, with its output in a file."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

_TETHER = Path(__file__).with_name("tether.py")


class Process:
    """One program, started at once in a session of its own, so that Ctrl-C reaches us and not it.

    It ends with `stop`, at exit of the interpreter, or (on Linux) when we are killed or the thread that started it
    ends; so start it from a thread that lives as long as it should.
    """

    def __init__(
        self, name: str, argv: Sequence[str | Path], *, log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        """Start `argv` (its first word is a path) with stdout and stderr going to the file `log`."""
        self.name = name
        self.log = log
        command = [sys.executable, "-I", "-S", _TETHER, str(os.getpid()), *argv]
        with log.open("wb") as output:
            self._popen = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env, start_new_session=True
            )
        atexit.register(self.stop, grace=0)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs; its exit status, or minus the number of the signal that ended it."""
        return self._popen.poll()

    def output(self) -> str:
        """Everything that it has written so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def tail(self, lines: int = 15) -> str:
        """The last lines that it has written."""
        return "\n".join(self.output().splitlines()[-lines:]) or "(no output)"

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it, and to it alone; nothing happens when it has ended."""
        self._popen.send_signal(number)

    def stop(self, grace: float = 10.0) -> None:
        """End it: SIGTERM, and after `grace` seconds SIGKILL to all of its session. Safe to call again."""
        try:
            if grace and self._popen.poll() is None:
                self._popen.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._popen.wait(grace)
        finally:  # also when a second Ctrl-C ends the wait
            if self._popen.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._popen.pid, signal.SIGKILL)
                self._popen.wait()
            atexit.unregister(self.stop)


@contextlib.contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Take SIGTERM and SIGHUP as Ctrl-C while inside, so that every `with` and `finally` is run. Main thread only.

    SIGHUP that is ignored on purpose (nohup) stays ignored. SIGINT does not: a shell without job control ignores it for
    whatever it starts in the background, and then nothing could be interrupted.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise KeyboardInterrupt

    hangup = () if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (signal.SIGHUP,)
    heeded = (signal.SIGINT, signal.SIGTERM, *hangup)
    previous = {number: signal.signal(number, interrupt) for number in heeded}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
