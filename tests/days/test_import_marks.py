"""Imports of what carries the mark of another cluster."""

from __future__ import annotations

import asyncio

from netgw.engine.ownership import MARK
from support.days import Day
from support.legacy import FULL, adopt, adopted, one, play, respec, tree, writes

ALL = ("legacy-1", "legacy-conn", "legacy")


def test_what_carries_the_mark_of_another_cluster() -> None:
    async def story(d: Day) -> None:
        await tree(d, mark="prod/default/legacy/0b6ffa3e-4d1b-4d8c-a5a8-9ab5ad3a8f11")
        await d.start()
        adopt(d, **FULL)
        await d.becomes("legacy", "OwnedByOther")
        d.says("legacy", "prod/default/legacy", "take-over")
        await d.calm(calls=130)
        assert writes(d) == []
        d.annotate("legacy", "take-over", "true")
        await d.settle(120)
        assert len(writes(d)) == 1
        assert one(d).labels[MARK].startswith("test/")
        await d.calm(calls=130)

    play(story)


def test_what_carries_the_mark_of_another_cluster_may_be_observed() -> None:
    """But not changed, should Observe end."""

    async def story(d: Day) -> None:
        await tree(d, mark="prod/default/legacy/0b6ffa3e-4d1b-4d8c-a5a8-9ab5ad3a8f11")
        await d.start()
        adopt(d)
        await d.settle(120)
        respec(d, "legacy", **FULL, plan="advanced")
        await d.becomes("legacy", "OwnedByOther")
        await asyncio.sleep(600)
        assert writes(d) == []
        respec(d, "legacy", managementPolicy=None)
        await d.settle(120)
        d.delete(*ALL)
        await d.until(lambda: not d.objects(), 60)
        assert one(d).labels[MARK].startswith("prod/")

    play(story)


def test_retained_under_the_mark_of_another_cluster() -> None:
    """It is not ours to take off."""

    async def story(d: Day) -> None:
        await adopted(d)
        one(d).labels[MARK] = "prod/default/legacy/another"
        d.world.calls.clear()
        await d.becomes("legacy", "OwnedByOther")
        d.delete(*ALL)
        await d.until(lambda: not d.objects(), 60)
        assert one(d).labels[MARK].startswith("prod/")
        assert writes(d) == []

    play(story)
