"""One life of a program under test, however it was brought about: as a process of its own, or by a fork."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Protocol


class Life(Protocol):
    """What tests need of it; `netgw_dev.process.Process` has all of this, and more."""

    name: str
    log: Path

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None:
        """None while it runs; its exit status, or minus the number of the signal that ended it."""

    def output(self) -> str:
        """Everything that it has written so far."""

    def tail(self, lines: int = 15) -> str:
        """The last lines that it has written."""

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; nothing happens when it has ended."""

    def stop(self, grace: float = 10.0) -> None:
        """SIGTERM, and SIGKILL after `grace` seconds; at once with 0."""
