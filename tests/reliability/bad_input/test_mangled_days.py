"""The operator on mangled answers, in virtual time: no pass dies of them, and nothing is deleted or made anew."""

from __future__ import annotations

import asyncio
import random

import httpx
import pytest

from support.audit import audited
from support.effort import effort
from support.figures import Figures
from support.fuzz.mangle import Mangler
from support.history import History

SEEDS = effort(test=12, soak=150)
HOUR = 3600.0


class Road:
    """Puts a `Mangler` on the way of each life of the operator."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.mangler: Mangler | None = None

    def __call__(self, cloud: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        self.mangler = Mangler(cloud, self.rng)
        return self.mangler

    def mangle(self, part: float) -> None:
        assert self.mangler is not None
        self.mangler.part = part


@pytest.mark.parametrize("seed", range(SEEDS))
def test_what_stands_is_left_alone(seed: int, figures: Figures) -> None:
    road = Road(seed)

    async def story(h: History) -> None:
        h.road = road
        await h.start()
        h.apply_all()
        await h.settle()
        before = len(h.world.calls)
        road.mangle(0.5)
        await asyncio.sleep(HOUR / 2)
        road.mangle(0.0)
        await _heal(h)
        await h.settle(2 * HOUR)
        forbidden = [call for call in h.world.calls[before:] if call.method in ("POST", "DELETE")]
        assert [call for call in forbidden if not call.path.endswith("/labels")] == []

    audited(story, seed=seed)
    assert road.mangler is not None
    assert road.mangler.mangled > 20
    figures.put("bad input", f"mangled answers to an operator at rest, day {seed:03}", road.mangler.mangled)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_what_is_being_made_is_made_once(seed: int) -> None:
    road = Road(1000 + seed)

    async def story(h: History) -> None:
        h.road = road
        await h.start()
        road.mangle(0.3)
        h.apply_all()
        await asyncio.sleep(HOUR / 4)
        road.mangle(0.0)
        await _heal(h)
        await h.settle(2 * HOUR)
        [gateway] = h.world.gateways.values()
        assert (len(gateway.connections), len(list(gateway.tunnels))) == (1, 2)
        assert h.calls("DELETE") == []

    audited(story, seed=seed)


async def _heal(h: History) -> None:
    """What was refused is tried again when somebody asks."""
    for obj in h.objects():
        h.kubernetes.annotate(obj.kind, obj.name, "reconcile-requested-at", "2026-11-22T09:00:00Z")
    await asyncio.sleep(60)
