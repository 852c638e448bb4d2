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
