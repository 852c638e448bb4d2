"""The histories of the first seeds, in portions, so that two processes share them."""

from __future__ import annotations

from support.effort import effort
from support.figures import Figures
from support.simulation.play import play

SEEDS = effort(test=500, soak=2000)
PORTIONS = 20


def hold(portion: int, figures: Figures) -> None:
    """Play the seeds of a portion, each of which must hold; what was played is told."""
    seeds = range(1 + portion * SEEDS // PORTIONS, 1 + (portion + 1) * SEEDS // PORTIONS)
    outcomes = [play(seed) for seed in seeds]
    failed = [f"make simulate FIRST_SEED={found.seed} SEEDS=1: {found.failure}" for found in outcomes if found.failure]
    assert not failed, "\n\n".join(failed)
    steps, kills, calls = (
        sum(len(found.steps) for found in outcomes),
        sum(found.kills for found in outcomes),
        sum(found.calls for found in outcomes),
    )
    hours = sum(found.seconds for found in outcomes) / 3600
    told = f"{steps} steps, {kills} kills, {calls} calls, {hours:.0f} h of virtual time"
    figures.put("simulation", f"seeds {seeds[0]} to {seeds[-1]}", told)
