"""Runs the demo. KEEP=1 in the environment leaves it running before the deletion, until Ctrl-C.

Exit status: 0 everything was seen, 1 a step was not, 130 interrupted.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

from rich.console import Console

from netgw_dev.access import KubectlError
from netgw_dev.binaries import MissingBinaries
from netgw_dev.control_plane import ControlPlaneError
from netgw_dev.demo.screen import Missed, Screen
from netgw_dev.demo.tour import play
from netgw_dev.process import terminated_as_interrupted

PLAIN_WIDTH = 100


def run(screen: Screen, play: Callable[[], None]) -> int:
    """Play and return the exit status; what went wrong is told on the screen."""
    try:
        with terminated_as_interrupted():
            play()
    except Missed as missed:
        screen.missed(missed)
        return 1
    except (MissingBinaries, ControlPlaneError, KubectlError, subprocess.TimeoutExpired) as error:
        screen.say("", str(error))
        return 1
    except KeyboardInterrupt:
        screen.say("", "Interrupted.")
        return 130
    return 0


def main() -> int:
    """The demo on standard output."""
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    keep = os.environ.get("KEEP", "") not in ("", "0")
    screen = Screen(console)
    return run(screen, lambda: play(screen, keep=keep))


if __name__ == "__main__":
    sys.exit(main())
