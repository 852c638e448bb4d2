"""What an operator costs while nothing happens. In `make soak`: 200 trees, at the intervals that it has by default."""

from __future__ import annotations

import time

import pytest

from support.cluster import Cluster
from support.effort import effort
from support.figures import Figures
from support.long_life.life import lived
from support.long_life.pulse import Scrape
from support.operator import LIST

PART = "long life"
TREES = effort(test=4, soak=200)  # below 100 in each account, so that a list is one call
ACCOUNTS = effort(test=1, soak=4)
QUIET, BUSY = effort(test=(1.0, 0.5), soak=(60.0, 10.0))
CALM = effort(test=0.0, soak=610.0)
"""Seconds after the last change in which it still looks often, where the intervals are those of users."""
EACH = effort(test=BUSY, soak=QUIET)
LOOKS = effort(test=6, soak=8)
SCRAPE_EVERY = effort(test=1.0, soak=15.0)
DEADLINE = 1200.0


def test_rest_costs_looks_alone(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, figures: Figures) -> None:
    """A list for each account and interval, the samples of the gateways, and not one write."""
    with lived(cluster, tmp_path_factory.mktemp("rest"), accounts=ACCOUNTS, pace=(QUIET, BUSY)) as life:
        life.forest.plant(TREES)
        life.forest.settle(DEADLINE)
        time.sleep(CALM)
        before = {body["metadata"]["uid"]: body["metadata"]["resourceVersion"] for body in life.forest.objects()}
        life.cloud.door("DELETE", "/calls")
        first, began = Scrape.of(life.operator.metrics()), time.monotonic()
        last = first
        while time.monotonic() - began < LOOKS * EACH:
            time.sleep(SCRAPE_EVERY)
            last = Scrape.of(life.operator.metrics())
        seconds = time.monotonic() - began
        calls = life.cloud.calls()
        after = {body["metadata"]["uid"]: body["metadata"]["resourceVersion"] for body in life.forest.objects()}
    assert after == before
    assert {call.method for call in calls} == {"GET"}
    lists = sum(str(call) == LIST for call in calls)
    assert lists <= (ACCOUNTS + 1) * (seconds / EACH + 1)  # those of the operator itself are one account more
    others = {str(call) for call in calls if not str(call).startswith("GET /1.3/gateway")}
    assert others <= {"GET /1.3/account"}, others
    cost = (last.cpu - first.cpu) / seconds
    figures.put(PART, f"processor at rest, {TREES} trees, a look each {EACH:g} s", f"{cost:.4f} of a core")
    figures.put(PART, "calls at rest", f"{lists} lists and {len(calls) - lists} others in {seconds:.0f} s")
