"""Random days, each from its seed: `NETGW_HISTORIES` says how many (30 when it is not set)."""

from __future__ import annotations

import os

import pytest

from support.audit import Audit, audited
from support.chaos import Chaos
from support.history import History

SEEDS = int(os.environ.get("NETGW_HISTORIES") or 30)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_random_day(seed: int) -> None:
    """Whatever happens, it heals: one of each, nothing of others touched, nothing left to do, nothing left behind."""

    async def story(h: History) -> None:
        assert isinstance(h.witness, Audit)
        day = Chaos(h, h.witness, seed)
        await day.rage(actions=30)
        await day.heal()
        await day.check()
        await day.leave()

    audited(story, seed=seed, latency=0.1)
