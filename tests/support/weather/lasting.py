"""The simulator with a world that it keeps in a file: it may be killed at any moment, and comes back at its address."""

from __future__ import annotations

from pathlib import Path

from support.life import Life
from support.operator import Simulator, announced


class LastingCloud(Simulator):
    """Each life has a log of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lives = 1
        super().__init__(folder)

    def _launch(self, argv: list[str], log: Path) -> Life:
        self._argv = [*argv, "--state", str(self._folder / "world.json")]
        return super()._launch(self._argv, log)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self._process.stop(grace=0)

    def start(self) -> None:
        """Once more, after `kill`."""
        self._lives += 1
        argv = [*self._argv, "--listen", self.url.removeprefix("http://")]
        self._process = super()._launch(argv, self._folder / f"simulator-{self._lives}.log")
        assert announced(self._process, r"^listening on (\S+)") == self.url
