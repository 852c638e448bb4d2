"""The simulation itself: a seed is always the same history, and one that fails is shrunk to what makes it fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from support.simulation.play import Outcome, play, replay
from support.simulation.rest import busiest_minute
from support.simulation.shrinking import shrunk
from support.simulation.steps import KINDS_OF_STEPS, Step, written


def test_a_seed_is_always_the_same_history() -> None:
    first, second = play(11), play(11)
    assert first == second
    assert first.log == second.log
    assert first.failure is None


def test_every_kind_of_step_is_written_and_may_come_first() -> None:
    """Steps mean nothing where there is nothing yet, and hurt nobody."""
    found = {step.what: step for seed in range(400) for step in written(seed)[1]}
    assert found.keys() == KINDS_OF_STEPS.keys()
    outcome = replay([replace(step, wait=0.0) for _, step in sorted(found.items())], 0)
    assert outcome.failure is None, outcome.failure


def test_a_failure_is_shrunk_to_what_makes_it() -> None:
    """Two steps out of nine, wherever they are."""
    steps = tuple(Step("approve", {}, float(number)) for number in range(9))
    played: list[int] = []

    def again(some: Sequence[Step], seed: int) -> Outcome:
        played.append(len(some))
        failure = "it fails" if steps[2] in some and steps[7] in some else None
        return Outcome(seed, failure, tuple(some), 0, 0, 0.0)

    best, kept = shrunk(again(steps, 1), again=again)
    assert kept == [2, 7]
    assert best.steps == (steps[2], steps[7])
    assert len(played) < 60


def test_the_busiest_minute() -> None:
    assert busiest_minute([]) == 0
    assert busiest_minute([0.0, 59.9, 60.0, 119.0, 200.0]) == 3
