"""Seeded schedules of bad weather: 30 % of all calls fail, and everything is settled within three intervals after."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from support.effort import effort
from support.figures import Figures
from support.history import LOOKS
from support.weather.kubernetes import CONFLICT
from support.weather.schedule import INTERVALS, RATE, Outcome, play

SEEDS = effort(test=40, soak=500)
PACK = 10
TOLERANCE = 0.05
PART = "faults"
EVERYWHERE = {
    "429", "429 with Retry-After", "500", "502 of a proxy", "503", "503 with Retry-After", "an answer of 30 s",
    CONFLICT, "half a body", "lost answer", "reset", "time-out", "wrong content type",
}  # fmt: skip
"""What each pack has to meet; an empty list and an item that paging skips, too, but a pack may have none."""

ENDPOINTS = {
    "GET /1.3/account",
    "GET /1.3/router", "POST /1.3/router",
    "GET /1.3/router/*", "PATCH /1.3/router/*", "DELETE /1.3/router/*",
    "GET /1.3/gateway", "POST /1.3/gateway", "GET /1.3/gateway/plans",
    "GET /1.3/gateway/*", "PATCH /1.3/gateway/*", "DELETE /1.3/gateway/*",
    "GET /1.3/gateway/*/metrics", "PATCH /1.3/gateway/*/actions/nat-flush-connections",
    "POST /1.3/gateway/*/labels", "PATCH /1.3/gateway/*/labels/*", "DELETE /1.3/gateway/*/labels/*",
    "POST /1.3/gateway/*/connections/", "GET /1.3/gateway/*/connections/*",
    "PATCH /1.3/gateway/*/connections/*", "DELETE /1.3/gateway/*/connections/*",
    "POST /1.3/gateway/*/connections/*/tunnels", "GET /1.3/gateway/*/connections/*/tunnels/*",
    "PATCH /1.3/gateway/*/connections/*/tunnels/*", "DELETE /1.3/gateway/*/connections/*/tunnels/*",
}  # fmt: skip
"""What netgw asks of the cloud, all of which fails in one schedule or another."""


@cache
def outcomes_from(first: int) -> list[Outcome]:
    """A pack of schedules."""
    return [play(seed) for seed in range(first, min(first + PACK, SEEDS))]


@pytest.mark.parametrize("first", range(0, SEEDS, PACK))
def test_a_third_of_all_calls_fails(first: int, figures: Figures) -> None:
    """Users at work all the while; in the end each object is there once, and nothing else."""
    outcomes = outcomes_from(first)
    tell(outcomes, figures, f"schedules {first:03} to {first + len(outcomes) - 1:03}")
    assert met(outcomes) >= EVERYWHERE
    for outcome in outcomes:
        assert max(outcome.settled, outcome.gone) <= INTERVALS * LOOKS.slow
        assert outcome.cloud
        assert outcome.kubernetes


def test_every_endpoint_fails(figures: Figures) -> None:
    """In all schedules together, none is spared."""
    failed = sum((one.endpoints for first in range(0, SEEDS, PACK) for one in outcomes_from(first)), Counter[str]())
    assert failed.keys() == ENDPOINTS
    rarest = min(failed, key=lambda endpoint: failed[endpoint])
    figures.put(
        PART, "endpoints of the cloud", f"all {len(failed)} failed, {rarest} least often, {failed[rarest]} times"
    )


def met(outcomes: list[Outcome]) -> set[str]:
    """The sorts of failures that there were."""
    return set(by_kind(sum((outcome.cloud + outcome.kubernetes for outcome in outcomes), Counter())))


def by_kind(failed: Counter[str]) -> Counter[str]:
    kinds = Counter[str]()
    for kind, times in failed.items():
        kinds[kind.partition(",")[0]] += times
    return kinds


def tell(outcomes: list[Outcome], figures: Figures, which: str) -> None:
    """What was done and how long it took to heal, of one pack."""
    seen = sum((outcome.seen for outcome in outcomes), Counter())
    failed = sum((outcome.cloud + outcome.kubernetes for outcome in outcomes), Counter())
    calls = failed.total() - failed[CONFLICT]  # which comes on top of whatever befalls the call
    assert abs(calls / seen.total() - RATE) < TOLERANCE
    share = f"{calls} of {seen.total()} calls failed ({RATE:.0%} asked for), {failed[CONFLICT]} conflicts on top"
    slowest = max(max(outcome.settled, outcome.gone) for outcome in outcomes) / LOOKS.slow
    figures.put(PART, which, f"{share}, settled within {slowest:.1f} intervals")
    kinds = sorted(by_kind(failed).items())
    figures.put(PART, f"{which}, by kind", ", ".join(f"{kind} {times}" for kind, times in kinds))
