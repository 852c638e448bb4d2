"""What stays in the cloud when objects are deleted, and what a deletion waits for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from netgw.engine.ownership import MARK
from support.days import Day
from support.legacy import one, play, respec, writes

ALL = ("office-1", "office", "edge")
KEEPING = {"Retain": {"deletionPolicy": "Retain"}, "Observe": {"managementPolicy": "Observe"}}


async def gone(d: Day, seconds: float = 120) -> None:
    await d.until(lambda: not d.objects(), seconds)


def test_all_is_kept() -> None:
    """Our mark goes, and nothing else; labels that the spec set stay."""

    async def story(d: Day) -> None:
        await d.made(1)
        respec(d, "edge", deletionPolicy="Retain", labels={"env": "prod"}, deletionProtection=True)
        await d.until(lambda: "env" in one(d).labels, 10)
        await d.settle()
        d.world.calls.clear()
        d.delete("edge")
        await d.becomes("edge", "ChildrenExist")
        d.delete(*ALL)
        await gone(d)
        assert len(writes(d)) == 1
        assert one(d).labels == {"env": "prod"}
        assert len(one(d).tunnels) == 1
        assert len(d.told("Retained")) == 3

    play(story)


@pytest.mark.parametrize("keeping", KEEPING)
@pytest.mark.parametrize("child", ["office", "office-1"])
def test_a_child_that_is_kept_stops_the_cascade(keeping: str, child: str) -> None:
    """Until it is allowed for just this uuid, or the child is gone."""

    async def story(d: Day) -> None:
        await d.made(1)
        for name in ("office", "office-1")[("office", "office-1").index(child) :]:
            respec(d, name, **KEEPING[keeping])
        await asyncio.sleep(5)
        d.delete(*ALL)
        holder = "edge" if child == "office" else "office"
        await d.becomes(holder, "CascadeBlocked")
        kind = "connection" if child == "office" else "tunnel"
        d.says(holder, f"{kind} {child}", f"allow-cascade: {d.uuid(holder)}")
        assert len(d.objects()) == (1 if holder == "edge" else 2)
        d.annotate(holder, "allow-cascade", "true")
        await d.calm(calls=250, writes=2)
        assert d.verdict(holder)[1] == "CascadeBlocked"
        assert len(one(d).tunnels) == 1
        d.annotate(holder, "allow-cascade", d.uuid(holder))
        await gone(d)
        assert not d.world.gateways

    play(story)


def test_a_kept_gateway_with_children_that_go() -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        respec(d, "edge", deletionPolicy="Retain")
        for name in ("office", "office-1"):
            respec(d, name, deletionPolicy="Delete")
        await asyncio.sleep(5)
        d.delete(*ALL)
        await gone(d)
        assert one(d).connections == []
        assert MARK not in one(d).labels
        assert len(d.calls("DELETE")) == 3  # tunnel, connection, mark

    play(story)


def test_the_namespace_keeps_and_a_tunnel_does_not() -> None:
    async def story(d: Day) -> None:
        await d.made(2)
        d.kubernetes.annotate_namespace("default-policies", '{"deletionPolicy": "Retain"}')
        d.tunnel(2, deletionPolicy="Delete")
        await asyncio.sleep(5)
        d.delete("office-2", *ALL)
        await gone(d)
        assert [tunnel.name for tunnel in one(d).tunnels] == ["office-1"]

    play(story)


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 401}, {"status": 404}, {"reset": True}])
def test_the_mark_cannot_be_taken_off(fault: dict[str, Any]) -> None:
    """It is tried, no more: an object is not held by a label."""

    async def story(d: Day) -> None:
        await d.made(0)
        respec(d, "edge", deletionPolicy="Retain")
        await asyncio.sleep(5)
        d.world.faults.add("DELETE *", times=9, **fault)
        d.delete("office", "edge")
        await gone(d)
        assert len(d.told("Retained")) == 2
        assert len(d.calls("DELETE")) <= 1

    play(story)


def test_kept_without_credentials() -> None:
    """Nobody needs the cloud to leave it as it is."""

    async def story(d: Day) -> None:
        await d.made(1)
        respec(d, "edge", deletionPolicy="Retain")
        await asyncio.sleep(5)
        d.world.faults.add("* *", status=401, times=10_000)
        await asyncio.sleep(600)
        d.delete(*ALL)
        await gone(d)

    play(story)


def test_kept_while_it_was_being_made() -> None:
    """Whether it was made has to be known first: else the mark of nobody is left."""

    async def story(d: Day) -> None:
        d.world.faults.add("POST /1.3/gateway", when="after", timeout=60.0)
        await d.start()
        d.gateway(deletionPolicy="Retain")
        await d.until(lambda: bool(d.calls("POST")))
        await asyncio.sleep(1)
        d.delete("edge")
        await gone(d, 300)
        assert MARK not in one(d).labels
        assert len(d.calls("POST")) == 1

    play(story)


def test_protected() -> None:
    """Held until its own uuid is confirmed; children go all the same; Retain needs no confirmation."""

    async def story(d: Day) -> None:
        await d.made(1)
        respec(d, "edge", deletionProtection=True)
        await asyncio.sleep(2)
        d.delete(*ALL)
        await d.becomes("edge", "DeletionProtected")
        uuid = d.uuid("edge")
        d.says("edge", "deletionProtection", "203.0.113.1", "deletionPolicy: Retain", f"confirm-deletion: {uuid}")
        assert len(d.objects()) == 1
        d.annotate("edge", "confirm-deletion", "true")
        d.world.calls.clear()
        await d.calm(calls=250, writes=2)
        assert writes(d) == []
        d.annotate("edge", "confirm-deletion", uuid)
        await gone(d)
        assert not d.world.gateways

    play(story)


@pytest.mark.parametrize("way", [{"deletionProtection": False}, {"deletionPolicy": "Retain"}])
def test_protected_and_then_not(way: dict[str, Any]) -> None:
    async def story(d: Day) -> None:
        await d.made(0)
        respec(d, "edge", deletionProtection=True)
        await asyncio.sleep(2)
        d.delete("office", "edge")
        await d.becomes("edge", "DeletionProtected")
        respec(d, "edge", **way)
        await gone(d)
        assert bool(d.world.gateways) == ("deletionPolicy" in way)

    play(story)


def test_left_on_purpose() -> None:
    """Whatever holds it: the finalizer goes, and so does nothing else."""

    async def story(d: Day) -> None:
        await d.made(1)
        d.kubernetes.annotate_namespace("default-policies", "nonsense")
        d.world.calls.clear()
        await asyncio.sleep(5)
        for name in ALL:
            d.annotate(name, "force-orphan", "true")
        await asyncio.sleep(5)
        assert len(d.objects()) == 3
        d.delete(*ALL)
        await gone(d, 10)
        assert writes(d) == []
        assert len(d.told("Orphaned")) == 3

    play(story)
