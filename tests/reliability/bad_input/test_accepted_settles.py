"""What admission accepts, given to a running operator in virtual time: it settles, or stalls with a reason.

Many objects at once, beside a gateway, a connection and a Secret of whose names they speak. None stays without
conditions, none is looked at without an end, nothing is logged as an error.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from netgw.engine.objects import Object
from support.cluster import Cluster
from support.effort import effort
from support.figures import Figures
from support.fuzz import manifests
from support.fuzz.dry_run import asked
from support.history import History, play

INPUTS = effort(test=120, soak=3000)
AT_ONCE = 20
SECONDS = 900.0
WATCHED, WRITES_APART, CALLS_APART = 600.0, 150.0, 15.0
"""In the end it is watched for so long. What was refused is tried again every five minutes at most: two writes."""
BEGIN = "input-"


@pytest.fixture
def accepted(cluster: Cluster) -> list[tuple[str, Any]]:
    """Kinds and specs, as the API server would store them, but for names of what there is."""
    with cluster.namespace() as namespace:
        answers = asked(cluster, namespace, manifests.some(seed=11, number=INPUTS))
        found = [(answer.kind, answer.stored.get("spec", {})) for answer in answers if answer.stored is not None]
    return [(kind, _led(spec, number)) for number, (kind, spec) in enumerate(found)]


def _led(spec: Any, number: int) -> Any:
    """Where it names what is not there, it stalls at once: every other one is led to what is there."""
    if number % 2 and spec.get("credentialsSecretRef") == {"name": "c"}:
        spec = {key: value for key, value in spec.items() if key != "credentialsSecretRef"}
    if number % 4 and spec.get("connectionRef") == {"name": "edge-to-office"}:
        spec = spec | {"connectionRef": {"name": "office"}}
    return spec


def test_what_is_accepted_settles_or_stalls_with_a_reason(
    accepted: list[tuple[str, Any]], figures: Figures, caplog: pytest.LogCaptureFixture
) -> None:
    ends = Counter[str]()
    for some in _batches(accepted):
        play(lambda history, some=some: _all_end(history, some, ends))  # type: ignore[misc]
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert len(accepted) > INPUTS / 10
    figures.put("bad input", "accepted manifests given to a running operator", len(accepted))
    figures.put("bad input", "where they ended", dict(ends.most_common()))


def _batches(accepted: Sequence[tuple[str, Any]]) -> Iterator[Sequence[tuple[str, Any]]]:
    every = iter(accepted)
    while some := list(itertools.islice(every, AT_ONCE)):
        yield some


async def _all_end(history: History, some: Sequence[tuple[str, Any]], ends: Counter[str]) -> None:
    app = await history.start()
    history.apply_all(tunnels=1)
    await history.settle()
    for number, (kind, spec) in enumerate(some):
        history.kubernetes.apply(kind, f"{BEGIN}{number}", spec)

    def unfinished() -> list[str]:
        return [f"{obj.ref}: {problem}" for obj in _inputs(history) if (problem := _problem(obj))]

    await asyncio.sleep(SECONDS)
    await history.until(lambda: not unfinished(), SECONDS)
    writes, calls = len(history.kubernetes.writes), len(history.calls())
    await asyncio.sleep(WATCHED)
    objects = len(history.objects())
    assert len(history.kubernetes.writes) - writes <= objects * WATCHED / WRITES_APART
    assert len(history.calls()) - calls <= objects * WATCHED / CALLS_APART
    assert app.failed() is None
    assert app.alive()
    ends.update(_reason(obj) for obj in _inputs(history))


def _inputs(history: History) -> list[Object]:
    return [obj for obj in history.objects() if obj.ref.name.startswith(BEGIN)]


def _problem(obj: Object) -> str | None:
    """Why this is no end: a condition without a reason and words, or a spec that was not looked at."""
    found = [obj.condition("Ready"), obj.condition("Synced")]
    if any(each is None or not each.get("reason") or not each.get("message") for each in found):
        return f"conditions {found}"
    if obj.status.get("observedGeneration") != obj.generation:
        return "was not looked at"
    return None


def _reason(obj: Object) -> str:
    ready, synced = obj.condition("Ready") or {}, obj.condition("Synced") or {}
    return "in sync" if synced.get("status") == "True" else str(synced.get("reason") or ready.get("reason"))
