"""A cluster made anew from files: the same things in the cloud are found again, and those of others are not taken."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest

from netgw.engine.ownership import MARK
from support.days import KINDS, Day
from support.legacy import one, play, respec, writes

ALL = ("edge", "office", "office-1", "office-2")


async def lost(d: Day, *, status: bool = False) -> dict[Any, dict[str, Any]]:
    """The operator dies, and etcd with everything in it; `status`: a backup of all is put back under new uids."""
    await d.kill()
    had = copy.deepcopy(d.kubernetes.objects)
    d.kubernetes.objects.clear()
    for ref, body in had.items():
        d.kubernetes.apply(ref.kind, ref.name, body["spec"])
        if status:
            d.kubernetes.objects[ref]["status"] = body["status"]
    d.world.calls.clear()
    return had


@pytest.mark.parametrize("backwards", [False, True])
def test_from_files(backwards: bool) -> None:
    """New uids and no status: everything is adopted, with no write but the mark, in any order; no key is sent."""

    async def story(d: Day) -> None:
        await d.made(2)
        respec(d, "edge", labels={"env": "prod"}, addresses=[{"name": "public"}])
        await d.until(lambda: "env" in one(d).labels, 10)
        await d.settle()
        uuids = {name: d.uuid(name) for name in ALL}
        mark = one(d).labels[MARK]
        await lost(d)
        if backwards:
            d.kubernetes.objects = dict(reversed(d.kubernetes.objects.items()))
        await d.start()
        await d.settle()
        assert {name: d.uuid(name) for name in ALL} == uuids
        assert len(writes(d)) == 1
        assert one(d).labels[MARK] != mark
        assert one(d).labels[MARK].startswith("test/default/edge/")
        assert d.verdict("office-1", "PskInSync") == ("Unknown", "NeverPushed")
        assert len(d.told("Adopted")) == 4
        await asyncio.sleep(900)
        await d.calm(calls=70)
        respec(d, "edge", labels=None)  # it was set by us before all was lost
        await d.until(lambda: "env" not in one(d).labels, 10)

    play(story)


def test_from_a_backup_with_statuses() -> None:
    async def story(d: Day) -> None:
        await d.made(2)
        uuids = {name: d.uuid(name) for name in ALL}
        await lost(d, status=True)
        await d.start()
        await asyncio.sleep(60)
        await d.settle()
        assert {name: d.uuid(name) for name in ALL} == uuids
        assert len(writes(d)) == 1
        assert d.verdict("office-1", "PskInSync") == ("True", "Accepted")

    play(story)


@pytest.mark.parametrize("status", [False, True])
def test_in_another_cluster(status: bool) -> None:
    """What carries the mark of another cluster is its own, until somebody hands all of it over."""

    async def story(d: Day) -> None:
        await d.made(2)
        uuids = {name: d.uuid(name) for name in ALL}
        await lost(d, status=status)
        d.cluster = "other"
        await d.start()
        await d.becomes("edge", "OwnedByOther")
        d.says("edge", "test/default/edge", "take-over")
        await asyncio.sleep(900)
        assert writes(d) == []
        for name in ALL:
            d.annotate(name, "take-over", "true")
        await d.until(lambda: len(writes(d)) == 1, 60)
        await d.settle()
        assert {name: d.uuid(name) for name in ALL} == uuids
        assert one(d).labels[MARK].startswith("other/default/edge/")
        await asyncio.sleep(900)
        assert len(writes(d)) == 1

    play(story)


def test_handed_over_although_it_differs() -> None:
    """Then the spec counts, one PATCH each."""

    async def story(d: Day) -> None:
        await d.made(1)
        await lost(d)
        d.cluster = "other"
        await d.start()
        respec(d, "edge", plan="advanced")
        respec(d, "office", localRoutes=[])
        respec(d, "office-1", remoteAddress={"address": "100.10.0.7"})
        for name in ALL[:3]:
            d.annotate(name, "take-over", "true")
        await d.until(lambda: len(writes(d)) == 4, 120)
        await d.settle()
        assert d.calls("POST", "DELETE") == []

    play(story)


def test_the_cluster_gets_another_name() -> None:
    """On a living install: the uid in the mark is the object's, so it is ours."""

    async def story(d: Day) -> None:
        await d.made(2)
        await d.kill()
        d.cluster = "other"
        await d.start()
        await d.until(lambda: len(writes(d)) == 1, 120)
        await d.settle()
        assert one(d).labels[MARK] == f"other/default/edge/{d.object('edge').uid}"
        await asyncio.sleep(900)
        assert len(writes(d)) == 1

    play(story)


def test_a_copy_beside_the_living() -> None:
    """The same files in another cluster while the first one lives: nothing is taken, nothing is made, nobody fights."""

    async def story(d: Day) -> None:
        await d.made(1)
        other = Day(d.loop, seed=7)
        other.world, other.cluster = d.world, "other"
        for name in ALL[:3]:
            other.kubernetes.apply(KINDS[name], name, dict(d.object(name).spec))
        await other.start()
        await other.becomes("edge", "OwnedByOther")
        await asyncio.sleep(1800)
        assert writes(d) == []
        for name in ALL[:3]:
            other.delete(name)
        await other.until(lambda: not other.objects(), 120)
        await other.kill()
        assert writes(d) == []

    play(story)
