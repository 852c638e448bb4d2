"""Between one operator and a real API server: watches cut, 410 Gone, conflicts, calls that fail; a credential refused.

The operator is one process all the while. What happens when a server ends is in test_restarts.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from support.cluster import MERGE_PATCH
from support.effort import effort
from support.figures import Figures
from support.weather.kubernetes import CONFLICT
from support.weather.sky import Sky, Weather, opened, record, work_through

ROUNDS = effort(test=1, soak=8)
RATE = 0.3


@pytest.fixture(scope="module")
def sky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sky]:
    with opened(tmp_path_factory.mktemp("weather"), seed=1) as found:
        yield found


def watch_cut(sky: Sky) -> Iterator[None]:
    for _ in range(3):
        sky.line.cut()
        yield


def gone(sky: Sky) -> Iterator[None]:
    sky.line.expired = True
    sky.line.cut()
    yield
    yield


def conflicts(sky: Sky) -> Iterator[None]:
    """Somebody annotates the object whenever its status is about to be written: every other write meets another one."""
    rng = random.Random(2)

    def annotate(path: str) -> None:
        if rng.random() < 0.5:
            sky.line.failed[CONFLICT] += 1
            note = {"metadata": {"annotations": {"example.com/seen": f"{rng.random()}"}}}
            sky.cluster.api("PATCH", path, json=note, content_type=MERGE_PATCH)

    sky.line.before_status = annotate
    yield
    yield


def a_third_fails(sky: Sky) -> Iterator[None]:
    sky.line.rate = RATE
    for _ in range(3):
        yield


def revoked(sky: Sky) -> Iterator[None]:
    sky.cloud.faults({"match": "* /1.3/*", "status": 401, "times": None})
    sky.did["credentials revoked"] += 1
    yield
    yield


WEATHER: dict[str, Weather] = {
    "watch cut": watch_cut,
    "410 Gone": gone,
    "conflicts on status": conflicts,
    f"{RATE:.0%} of the calls to Kubernetes fail": a_third_fails,
    "credentials revoked": revoked,
}


@pytest.mark.parametrize("turn", range(ROUNDS))
@pytest.mark.parametrize("kind", WEATHER)
def test_a_user_works_through_it(sky: Sky, kind: str, turn: int, figures: Figures) -> None:
    ended = work_through(sky, WEATHER[kind])
    record(figures, f"{kind}, {turn + 1}" if turn else kind, ended)
