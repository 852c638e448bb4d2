"""Looks for the first seed of the simulation that notices a planted defect."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from support.mutants.catalogue import Mutant

TOLD_MOST = 100

Play = Callable[[int], Any]
"""A seed to an outcome with its `failure`, None where all held."""


@dataclass(frozen=True)
class Kill:
    """`seeds`: how many were played, the last of which noticed. `why`: the first words of what it said."""

    seeds: int
    seed: int
    why: str

    def __str__(self) -> str:
        return f"killed after {self.seeds} seeds ({self.seed}): {self.why}"


def simulation() -> Play:
    """`play` of the simulation."""
    play: Play = importlib.import_module("support.simulation.play").play
    return play


def hunt(mutant: Mutant, seeds: Iterable[int], play: Play) -> Kill | None:
    """The first kill. None: it survives all of them."""
    with mutant.planted():
        for number, seed in enumerate(seeds, 1):
            failure = play(seed).failure
            if failure is not None:
                return Kill(number, seed, " ".join(failure.split())[:TOLD_MOST])
    return None
