"""What is true in a moment."""

from __future__ import annotations

import time
from collections.abc import Callable


def eventually(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until it is, for so long at most."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "not seen in time"
        time.sleep(0.1)
