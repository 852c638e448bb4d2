"""A 401 to a call beside the looks, which no look meets: it is over, too, when a look goes well after it."""

from __future__ import annotations

from netgw.engine.ports import Clock

AGAIN, MOST = 30.0, 900.0
"""Seconds after a second refusal, doubled with each that follows, until a good look wakes what was refused again."""


class Refusals:
    """How often in a row, and since when. Credentials that may look and may not write are tried less and less often."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at: float | None = None
        self._count = 0

    def note(self) -> None:
        """One more, now."""
        self._count += self._at is None
        self._at = self._clock.now()

    def forget(self) -> None:
        """A write went through, or the looks themselves had failed, and that is over."""
        self._count = 0

    def over(self, began: float) -> bool:
        """Whether a good look that began then ends them; said once."""
        if self._at is None or began < self._at + self._pause():
            return False
        self._at = None
        return True

    def _pause(self) -> float:
        return 0.0 if self._count <= 1 else min(AGAIN * 2.0 ** min(self._count - 2, 10), MOST)
