"""The judge of memory sees a small leak through noise, and none where there is none."""

from __future__ import annotations

import random

import pytest

from support.long_life.slope import slope

ROUNDS = 50
HOURS = [round_ * 24 / 3600 for round_ in range(ROUNDS)]


def row(leak: float, seed: int) -> list[tuple[float, float]]:
    """Resident memory of twenty minutes, in MiB: noise of a quarter, a spike now and then, a leak per hour."""
    rng = random.Random(seed)
    return [(at, 90 + leak * at + rng.gauss(0, 0.25) + (rng.random() < 0.05) * 8) for at in HOURS]


def wandering(leak: float, seed: int, *, hours: float = 0.9) -> list[tuple[float, float]]:
    """As an allocator makes it: less than a MiB around the line, for minutes on the same side of it."""
    rng = random.Random(seed)
    off, found = rng.gauss(0, 0.8), []
    for at in (hours * step / 80 for step in range(80)):
        off = 0.95 * off + rng.gauss(0, 0.25)
        found.append((at, 130 + leak * at + off))
    return found


def test_memory_that_wanders_is_no_leak() -> None:
    assert sum(slope(wandering(0.0, seed)).exceeds(1.0) for seed in range(100)) <= 10


def test_a_leak_is_seen_through_memory_that_wanders() -> None:
    assert sum(slope(wandering(4.0, seed)).exceeds(1.0) for seed in range(100)) >= 50


@pytest.mark.parametrize("seed", range(20))
def test_a_leak_of_four_is_seen(seed: int) -> None:
    assert slope(row(4.0, seed)).exceeds(1.0)


@pytest.mark.parametrize("seed", range(20))
def test_no_leak_is_no_leak(seed: int) -> None:
    found = slope(row(0.0, seed))
    assert not found.exceeds(1.0)
    assert found.least <= found.value <= found.most


def test_the_slope_is_that_of_the_line() -> None:
    found = slope([(at, 2 * at) for at in HOURS])
    assert found.least == found.value == found.most == pytest.approx(2)
    assert str(found) == "+2.00 (95 %: +2.00 to +2.00)"


def test_the_three_verdicts() -> None:
    steep, flat, short = slope(row(4.0, 1)), slope(row(-2.0, 1)), slope(row(0.0, 1)[:5])
    assert [found.verdict(1.0) for found in (steep, flat, short)] == ["refuted", "shown", "undecided"]


def test_three_points_show_nothing() -> None:
    with pytest.raises(ValueError, match="3 points"):
        slope([(0, 0), (1, 1), (2, 2)])
