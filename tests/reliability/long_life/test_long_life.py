"""One process, many trees, for long: what it holds of the machine is flat, and at the end nothing is half done.

In `make test` some trees for some rounds, with the judgements that need no hours; in `make soak` 200 trees for two and
a half hours, and then the slope of the memory too: within less a few steps of an arena of 1 MiB would decide it.
"""

from __future__ import annotations

import random
import statistics
import time
from pathlib import Path

import pytest

from support.cluster import Cluster
from support.effort import SOAKING, effort
from support.figures import Figures
from support.long_life.churn import Churn
from support.long_life.life import LATE, VERY_LATE, Life, lived
from support.long_life.pulse import Pulse, Sample, Scrape
from support.long_life.slope import slope

PART = "long life"
SEED = 5
TREES = effort(test=8, soak=200)
ACCOUNTS = 4
"""POSTs of gateways follow one another within an account: so many can be under way at a time."""
SECONDS = effort(test=6.0, soak=9000.0)
ROUND = effort(test=1.0, soak=15.0)
SHARE = effort(test=0.7, soak=0.12)
REST = effort(test=2.0, soak=4.0)
"""Seconds, longer than a worker of kopf waits for more to do before it ends, which is one (`idle_timeout`)."""
NEW = effort(test=4, soak=16)
ROUNDS_AT_LEAST = 2
WARM_UP = 0.4
"""The part of a life in which memory may still find its level: pools, caches, Events told within ten minutes."""
BLOCK = 128
"""Bytes of one of Python's blocks, rather more than it is on average (resident memory by blocks is 2/3 of that)."""
LOOKS = 4
"""At each rest the least of so many: what nobody refers to stays until it is collected, a task until it has ended."""
GROWTH = 1.0
"""MiB in an hour that are still flat."""
SERIES_OF_A_TREE = 40
MIB, HOUR = 2**20, 3600.0
DRAIN = 20.0
AT_ONCE = 3
"""POSTs under way when the process is told to end."""

BAD_WORDS = (
    "was never retrieved",
    "was never awaited",
    "destroyed but it is pending",
    "Unclosed",
    "ResourceWarning",
    "Traceback",
    "RuntimeError",
)


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("long-life")


def test_a_long_life_is_flat_and_ends_clean(cluster: Cluster, folder: Path, figures: Figures) -> None:
    pace = effort(test=(1.0, 0.5), soak=(5.0, 2.0))
    with lived(cluster, folder, accounts=ACCOUNTS, pace=pace) as life:
        rests = grow_old(life, figures)
        flat(rests, figures)
        end_under_load(life, figures)
        told = [line for line in life.operator.log().splitlines() if any(word in line for word in BAD_WORDS)]
        assert told == []
        figures.put(PART, "tasks whose exception nobody took, coroutines never awaited, tracebacks", 0)


def grow_old(life: Life, figures: Figures) -> list[tuple[Sample, Scrape]]:
    """Rounds of churn; what was used at each rest between them."""
    churn = Churn(life.forest, life.cloud, random.Random(SEED), share=SHARE)
    pulse = Pulse(life.operator.process.pid, life.operator.metrics)
    rests: list[tuple[Sample, Scrape]] = []
    try:
        life.forest.plant(TREES)
        life.forest.settle(60 + TREES * 2)
        figures.put(PART, f"{TREES} trees from nothing to ready", f"{pulse.age:.0f} s")
        while pulse.age < SECONDS or len(rests) < ROUNDS_AT_LEAST:
            churn.play(ROUND)
            since = pulse.age
            scrape = Scrape.least([look(pulse) for _ in range(LOOKS)])
            life.forest.settle(SECONDS)
            rests.append((pulse.least_since(since), scrape))
            no_leftovers(life, scrape)
    finally:
        pulse.stop()
        if SOAKING:
            rows = [f"{s.at:.0f} {s.rss} {s.fds} {s.threads} {m.tasks} {len(m.series)} {m.blocks}" for s, m in rests]
            table = Path("build") / "long-life.txt"
            table.parent.mkdir(exist_ok=True)
            table.write_text("\n".join(rows) + "\n")
    figures.put(PART, "one process, its age at the end", f"{pulse.age / 60:.1f} min, {len(rests)} rounds")
    figures.put(PART, "what happened to it", churn)
    (first, begun), (last, over) = rests[0], rests[-1]
    figures.put(PART, "processor", f"{(over.cpu - begun.cpu) / (last.at - first.at):.3f} of a core, on average")
    return rests


def look(pulse: Pulse) -> Scrape:
    """After a while in which nothing is waited for: it is what is measured."""
    time.sleep(REST / LOOKS)
    return pulse.now()


def no_leftovers(life: Life, scrape: Scrape) -> None:
    """No series of what is gone, none that names what comes and goes."""
    here = {name for tree in life.forest.trees for name in tree.names}
    assert scrape.names <= here, f"series of what is gone: {sorted(scrape.names - here)[:5]}"
    assert scrape.conditions == sum(len(body["status"]["conditions"]) for body in life.forest.objects())
    assert scrape.of_objects <= SERIES_OF_A_TREE * len(life.forest.trees)
    assert scrape.uuids == []


def flat(rests: list[tuple[Sample, Scrape]], figures: Figures) -> None:
    """The last third of the rests uses no more than the time before."""
    aged = [rest for rest in rests if rest[0].at >= WARM_UP * rests[-1][0].at]
    third = max(1, len(aged) // 3)
    uses: dict[str, tuple[list[int], int]] = {
        "open files": ([sample.fds for sample, _ in aged], 4),
        "threads": ([sample.threads for sample, _ in aged], 2),
        "tasks": ([scrape.tasks for _, scrape in aged], 4),
        # Until each route has had each answer once, and each gateway a sample: a short life is too short for that.
        "series about objects": ([scrape.of_objects for _, scrape in aged], effort(test=99 * TREES, soak=2 * TREES)),
        "series about calls": ([scrape.of_calls for _, scrape in aged], effort(test=999, soak=30 * ACCOUNTS)),
    }
    for what, (values, slack) in uses.items():
        early, late = values[:third], values[-third:]
        figures.put(PART, f"{what} at rest", f"{min(early)}–{max(early)} early, {min(late)}–{max(late)} late")
        assert statistics.median(late) <= max(early) + slack, f"{what} grow: {values}"
    if SOAKING:
        memory_is_flat(aged, figures)


def memory_is_flat(aged: list[tuple[Sample, Scrape]], figures: Figures) -> None:
    """The resident memory, in steps of an arena of 1 MiB, and what Python's objects hold, in which there are none."""
    uses = {
        "resident memory": [(sample.at / HOUR, sample.rss / MIB) for sample, _ in aged],
        "memory of Python's objects": [(sample.at / HOUR, scrape.blocks * BLOCK / MIB) for sample, scrape in aged],
    }
    for what, points in uses.items():
        grown, mean = slope(points), statistics.mean(value for _, value in points)
        figures.put(PART, f"{what} at rest", f"{mean:.1f} MiB, {len(aged)} rests after warm-up")
        figures.put(PART, f"slope of {what}, MiB per hour", grown)
        figures.put(PART, f"{what} grows by at most {GROWTH:g} MiB per hour", grown.verdict(GROWTH))
        assert not grown.exceeds(GROWTH), f"{what} grows by {grown} MiB per hour"


def end_under_load(life: Life, figures: Figures) -> None:
    """SIGTERM while POSTs are under way: each is recorded, and the next process makes nothing twice."""
    before, adopted = life.forest.recorded(), life.forest.events("Adopted")
    life.late.seconds = VERY_LATE
    life.forest.plant(NEW)
    ended = life.end_amid_posts(AT_ONCE)
    life.late.seconds = LATE
    assert ended.status == 0
    assert ended.seconds <= DRAIN
    figures.put(PART, "shutdown under load", f"{ended.seconds:.1f} s, {ended.under_way} POSTs under way, all recorded")
    recorded = life.forest.recorded()
    assert before.items() <= recorded.items()
    assert sorted(recorded.values()) == sorted(life.in_cloud()), "made and not recorded, or recorded and not made"

    life.cloud.door("DELETE", "/calls")
    life.operator.start(life.line)
    life.forest.settle(60 + TREES)
    after = life.forest.recorded()
    assert recorded.items() <= after.items()
    assert sorted(after.values()) == sorted(life.in_cloud())
    made = [call for call in life.cloud.calls("POST") if call.path.startswith("/1.3/gateway")]
    assert len(made) == len(after) - len(recorded), "something was made twice"
    assert life.forest.events("Adopted") == adopted  # by creates that were cut in the churn before
    figures.put(PART, "made twice, lost or adopted after it", 0)
    life.operator.stop()
    assert life.operator.process.returncode == 0
