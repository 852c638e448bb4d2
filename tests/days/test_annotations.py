"""What is asked for once: a NAT flush, done once and told, whatever is killed; and what vanished, made again."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from support.days import Day
from support.legacy import one, play, respec, writes

FIRST, SECOND = "2026-11-22T03:30:00Z", "2026-11-22T04:00:00Z"
FLUSH = "PATCH /1.3/gateway/*/actions/nat-flush-connections"


def flushes(d: Day) -> list[int | None]:
    """The status of each that was asked for."""
    return [call.status for call in d.world.calls if call.path.endswith("nat-flush-connections")]


async def running(d: Day) -> None:
    await d.made(0)
    d.world.calls.clear()


def test_flushed_once() -> None:
    async def story(d: Day) -> None:
        await running(d)
        d.annotate("edge", "flush-nat-requested-at", FIRST)
        await d.until(lambda: one(d).nat_flushed_at is not None, 5)
        await d.settle()
        assert d.told("NatFlushed") == [
            f"NAT connections dropped, as asked for by netgw.dev/flush-nat-requested-at={FIRST}."
        ]
        assert d.object("edge").status["lastHandledFlushNatAt"] == FIRST
        await d.restart()
        await asyncio.sleep(900)
        assert flushes(d) == [200] or flushes(d) == [204]
        d.annotate("edge", "flush-nat-requested-at", None)
        d.annotate("edge", "flush-nat-requested-at", SECOND)
        await d.until(lambda: len(flushes(d)) == 2, 5)
        assert writes(d) == [f"PATCH /1.3/gateway/{d.uuid('edge')}/actions/nat-flush-connections"] * 2

    play(story)


@pytest.mark.parametrize("when", ["asked", "answered"])
def test_killed_around_the_call(when: str) -> None:
    """Never twice: one that was perhaps done counts as done."""

    async def story(d: Day) -> None:
        await running(d)
        writes_before = len(d.kubernetes.writes)
        if when == "answered":
            d.witness.when_answered = lambda request: d.die() if request.method == "PATCH" else None
        d.annotate("edge", "flush-nat-requested-at", FIRST)
        if when == "asked":
            await d.until(lambda: len(d.kubernetes.writes) > writes_before, 5)
            d.die()
        await d.life.ended.wait()
        await d.restart()
        await asyncio.sleep(900)
        assert len(flushes(d)) <= 1
        assert d.verdict("edge") == ("True", "InSync")

    play(story, latency=0.4)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"status": 400}, "It was not done"),
        ({"status": 403}, "It was not done"),
        ({"status": 500}, "may have been done"),
        ({"timeout": 60.0}, "may have been done"),
        ({"reset": True}, "may have been done"),
        ({"status": 502, "body": "<html>"}, "may have been done"),
    ],
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_refused_or_lost(fault: dict[str, Any], words: str, when: Any) -> None:
    """Told, and not repeated: a new time asks again."""

    async def story(d: Day) -> None:
        await running(d)
        d.world.faults.add(FLUSH, when=when, times=1, **fault)
        d.annotate("edge", "flush-nat-requested-at", FIRST)
        await d.until(lambda: bool(d.told("NatNotFlushed")), 90)
        assert words in d.told("NatNotFlushed")[0]
        await asyncio.sleep(3600)
        assert len(flushes(d)) == 1
        assert d.verdict("edge") == ("True", "InSync")
        d.annotate("edge", "flush-nat-requested-at", SECOND)
        await d.until(lambda: len(d.told("NatFlushed")) == 1, 10)

    play(story)


def test_not_sent_at_all_it_is_tried_again() -> None:
    async def story(d: Day) -> None:
        await running(d)
        d.world.faults.add(FLUSH, times=3, status=429, headers={"Retry-After": "20"})
        d.annotate("edge", "flush-nat-requested-at", FIRST)
        await d.until(lambda: len(d.told("NatFlushed")) == 1, 300)
        await d.settle()
        assert len(d.told("NatNotFlushed")) == 0
        assert [status for status in flushes(d) if status != 429] in ([200], [204])

    play(story)


def test_only_gateways_have_nat() -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        for name in ("office", "office-1"):
            d.annotate(name, "flush-nat-requested-at", FIRST)
        await asyncio.sleep(60)
        assert writes(d) == []

    play(story)


def approval(d: Day, name: str) -> str:
    found = re.search(r"netgw\.dev/approve=(\w+)", d.condition(name)["message"])
    assert found is not None
    return found[1]


def path(d: Day, name: str) -> str:
    gateway = f"/gateway/{d.uuid('edge')}"
    connection = f"{gateway}/connections/{d.uuid('office')}"
    return {"edge": gateway, "office": connection, "office-1": f"{connection}/tunnels/{d.uuid('office-1')}"}[name]


@pytest.mark.parametrize("name", ["edge", "office", "office-1"])
def test_vanished_and_made_again_unasked(name: str) -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        respec(d, "edge", recreatePolicy="Always")
        await asyncio.sleep(5)
        before = d.uuid(name)
        await d.ask("DELETE", path(d, name))
        await d.until(lambda: d.get(*NAMES[name]).uuid not in (before, None), 300)
        await d.settle()
        assert len(d.calls("POST")) == 3 - ["edge", "office", "office-1"].index(name)
        assert len(d.told("ExternallyDeleted")) >= 1

    play(story)


@pytest.mark.parametrize("name", ["edge", "office", "office-1"])
def test_vanished_and_made_again_when_somebody_says_so(name: str) -> None:
    """Not before; and a yes to the one that vanished is none to the next."""

    async def story(d: Day) -> None:
        await d.made(1)
        respec(d, "edge", recreatePolicy="Never")
        await asyncio.sleep(5)
        await d.ask("DELETE", path(d, name))
        await d.becomes(name, "ExternallyDeleted")
        key = approval(d, name)
        await asyncio.sleep(1800)
        await d.restart()
        await asyncio.sleep(60)
        assert d.calls("POST") == []
        assert approval(d, name) == key
        d.annotate(name, "approve", key)
        await d.until(lambda: len(d.calls("POST")) == 1, 60)
        await d.until(lambda: d.ready(d.object("edge")), 60)
        below = ["edge", "office", "office-1"][["edge", "office", "office-1"].index(name) + 1 :]
        for child in below:
            await d.becomes(child, "ExternallyDeleted")
            d.annotate(child, "approve", approval(d, child))
            await d.until(lambda child=child: d.object(child).reason == "InSync", 60)  # type: ignore[misc]
        await d.settle()
        await d.ask("DELETE", path(d, name))
        await d.becomes(name, "ExternallyDeleted")
        assert approval(d, name) != key
        await asyncio.sleep(600)
        assert len(d.calls("POST")) == 1 + len(below)

    play(story)


NAMES = {
    "edge": ("NetworkGateway", "edge"),
    "office": ("VpnConnection", "office"),
    "office-1": ("VpnTunnel", "office-1"),
}
