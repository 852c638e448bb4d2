"""The shortest history that still fails: steps are left out, in ever smaller pieces, as long as it goes on failing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from support.simulation.play import Outcome, replay
from support.simulation.steps import Step

TRIES = 120
"""Histories that are played at most for one that fails."""


def shrunk(
    failed: Outcome, tries: int = TRIES, again: Callable[[Sequence[Step], int], Outcome] = replay
) -> tuple[Outcome, list[int]]:
    """The outcome of the shortest found, and which of the steps it kept. Any failure counts, not the same alone."""
    kept, best, pieces = list(range(len(failed.steps))), failed, 2
    while len(kept) > 1 and tries > 0:
        size = max(1, len(kept) // pieces)
        for start in range(0, len(kept), size):
            if tries <= 0:
                break
            fewer = kept[:start] + kept[start + size :]
            tries -= 1
            outcome = again([failed.steps[place] for place in fewer], failed.seed)
            if outcome.failure is not None:
                kept, best, pieces = fewer, outcome, max(2, pieces - 1)
                break
        else:
            if size == 1:
                break
            pieces = min(len(kept), pieces * 2)
    return best, kept
