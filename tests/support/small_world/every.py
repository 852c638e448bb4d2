"""All histories of a story with up to two faults, or a part of them that is spread evenly over all."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from support.effort import effort
from support.small_world.played import Played, seconds, singles
from support.small_world.stories import Story


@dataclass(frozen=True)
class Tried:
    """How many there are, and how many of the pairs were played."""

    calls: int
    singles: int
    pairs: int
    played: int

    def __str__(self) -> str:
        return f"{self.calls} calls, {self.singles} single faults, {self.played} of {self.pairs} pairs"


def part_of_pairs() -> float:
    """All of them take the better part of an hour of one core."""
    return effort(test=0.003, soak=1.0)


def play_every(story: Story, share: slice = slice(None), *, seed: int = 1) -> Tried:
    """Plays without a fault, with each single one, and with a part of all pairs. Raises what does not hold.

    `share`: of the single faults, and of the pairs that begin with them.
    """
    part = part_of_pairs()
    with _quiet():
        calls = len(Played(story).points)
        begun = singles(story)[share]
        dice, left, pairs, played = random.Random(seed), random.Random(seed).random(), 0, 0
        for first in begun:
            second = seconds(Played(story, first), first)
            pairs += len(second)
            left += part * len(second)
            chosen = dice.sample(second, min(int(left), len(second)))
            left -= len(chosen)
            played += len(chosen)
            for fault in chosen:
                Played(story, first, fault)
    return Tried(calls, len(begun), pairs, played)


@contextmanager
def _quiet() -> Iterator[None]:
    """Nobody reads what so many operators tell of faults that were meant; errors are collected all the same."""
    logger = logging.getLogger("netgw")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
