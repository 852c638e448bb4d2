"""disruptionPolicy Ask: what may interrupt waits for a yes to just this plan, then for its window."""

from __future__ import annotations

import asyncio
import re

import pytest

from support.days import Day
from support.history import OTHER_KEY
from support.legacy import drift, one, play, respec, writes

FLOATING = "198.51.100.77"
APPROVAL = re.compile(r"netgw\.dev/approve=(\w{12})")


def plan(d: Day, name: str) -> str:
    """The hash that the message asks to approve."""
    found = APPROVAL.search(d.condition(name)["message"])
    assert found is not None, d.condition(name)
    return found[1]


async def asking(d: Day, tunnels: int = 1) -> None:
    d.world.add_floating_ip(FLOATING)
    await d.made(tunnels)
    respec(d, "edge", disruptionPolicy="Ask", labels={"env": "prod"})
    await d.until(lambda: len(writes(d)) == 1, 10)
    await d.settle()
    await asyncio.sleep(15)
    d.world.calls.clear()


def test_a_plan_waits_until_it_is_approved_and_is_then_used_up() -> None:
    async def story(d: Day) -> None:
        await asking(d)
        respec(d, "edge", plan="advanced", labels={"env": "test"})
        await d.becomes("edge", "AwaitingApproval")
        d.says("edge", 'plan: "production" → "advanced"', "interrupts: unknown")
        assert d.verdict("edge", "Ready") == ("True", "Running")
        await d.until(lambda: one(d).labels["env"] == "test", 5)  # what does not interrupt is not held
        await d.until(lambda: "AwaitingApproval" in d.verdict("edge"), 5)
        key = plan(d, "edge")
        await asyncio.sleep(3600)
        await d.restart()
        await asyncio.sleep(300)
        assert plan(d, "edge") == key
        assert d.calls("PATCH") == [f"PATCH /1.3/gateway/{d.uuid('edge')}/labels/env"]
        d.annotate("edge", "approve", "0123456789ab")  # of nothing that is wanted
        await asyncio.sleep(60)
        assert len(d.calls("PATCH")) == 1
        d.annotate("edge", "approve", key)
        await d.until(lambda: one(d).plan == "advanced", 10)
        await d.settle()
        assert len(d.told("Approved")) == 1
        assert d.object("edge").status["approval"] == {"hash": key}
        one(d).plan = "production"  # the same plan again, by drift
        await d.becomes("edge", "AwaitingApproval")
        assert plan(d, "edge") == key
        d.says("edge", "Take the annotation off first")
        await asyncio.sleep(600)
        await d.restart()
        await asyncio.sleep(120)
        assert one(d).plan == "production"
        d.annotate("edge", "approve", None)
        await d.until(lambda: "approval" not in d.object("edge").status, 5)
        d.annotate("edge", "approve", key)
        await d.until(lambda: one(d).plan == "advanced", 10)
        await d.settle()
        assert drift(d, "edge") == {}

    play(story)


def test_several_calls_under_one_approval() -> None:
    """Also when the process dies between them."""

    async def story(d: Day) -> None:
        await asking(d)
        respec(d, "edge", plan="advanced", addresses=[{"name": "public", "address": FLOATING}])
        await d.becomes("edge", "AwaitingApproval")
        d.says("edge", "plan", FLOATING)
        d.witness.when_answered = lambda request: None if request.method == "GET" or len(writes(d)) > 1 else d.die()
        d.annotate("edge", "approve", plan(d, "edge"))
        await d.life.ended.wait()
        assert len(writes(d)) == 1
        await d.restart()
        await d.until(lambda: len(writes(d)) == 2, 30)
        await d.settle()
        assert [address.value for address in one(d).addresses] == [FLOATING]
        await asyncio.sleep(120)
        assert len(writes(d)) == 2

    play(story)


def test_what_is_added_to_an_approved_plan_waits() -> None:
    async def story(d: Day) -> None:
        await asking(d)
        respec(d, "edge", plan="advanced")
        await d.becomes("edge", "AwaitingApproval")
        d.annotate("edge", "approve", plan(d, "edge"))
        respec(d, "edge", name="rim")
        await d.until(lambda: "rim" in d.condition("edge")["message"], 10)
        await asyncio.sleep(60)
        assert {one(d).plan, one(d).name} & {"advanced", "rim"} <= {"advanced"}
        assert len(writes(d)) <= 1
        d.annotate("edge", "approve", plan(d, "edge"))
        await d.settle()
        assert (one(d).plan, one(d).name) == ("advanced", "rim")

    play(story)


def test_the_order_of_a_list_is_no_part_of_the_plan() -> None:
    routes = [{"name": name, "staticNetwork": f"10.0.{n}.0/24"} for n, name in enumerate(("a", "b", "c"), start=20)]

    async def story(d: Day) -> None:
        await asking(d)
        respec(d, "office", localRoutes=routes)
        await d.becomes("office", "AwaitingApproval")
        key = plan(d, "office")
        respec(d, "office", localRoutes=routes[::-1])
        await asyncio.sleep(10)
        assert plan(d, "office") == key
        d.annotate("office", "approve", key)
        await d.settle()
        assert len(writes(d)) == 1
        one(d).connections[0].local_routes = []
        await d.becomes("office", "AwaitingApproval")
        respec(d, "office", localRoutes=routes)
        await asyncio.sleep(60)
        assert len(writes(d)) == 1
        d.says("office", "Take the annotation off first")

    play(story)


@pytest.mark.parametrize("tunnels", [1, 2])
def test_a_new_key_is_approved_tunnel_by_tunnel(tunnels: int) -> None:
    async def story(d: Day) -> None:
        await asking(d, tunnels)
        names = [f"office-{number}" for number in range(1, tunnels + 1)]
        d.secret(OTHER_KEY)
        for name in names:
            await d.becomes(name, "AwaitingApproval")
            d.says(name, "ipsec.authentication.psk: a new key")
            assert d.verdict(name, "PskInSync") == ("False", "KeyChanged")
        await asyncio.sleep(600)
        assert writes(d) == []
        for number, name in enumerate(names, start=1):
            d.annotate(name, "approve", plan(d, name))
            await d.until(lambda name=name: d.verdict(name, "PskInSync")[0] == "True", 60)  # type: ignore[misc]
            await asyncio.sleep(120)
            assert len(writes(d)) == number
        await d.settle()
        d.secret("madeup_psk_for_tests_3")
        await d.becomes("office-1", "AwaitingApproval")
        assert len(writes(d)) == tunnels

    play(story)


@pytest.mark.parametrize("policy", ["Allow", "Ask"])
def test_a_window(policy: str) -> None:
    async def story(d: Day) -> None:
        await asking(d)
        respec(d, "edge", disruptionPolicy=policy)
        d.annotate("edge", "apply-at", "2026-11-22T05:30:00Z")
        respec(d, "edge", plan="advanced", labels={})
        await d.becomes("edge", "AwaitingApproval")
        if policy == "Ask":
            d.annotate("edge", "approve", plan(d, "edge"))
        await d.until(lambda: "apply-at=2026-11-22T05:30:00Z" in d.condition("edge")["message"], 10)
        await asyncio.sleep(3600)
        assert len(writes(d)) == 1  # the label
        await d.restart()
        await d.until(lambda: len(writes(d)) == 2, 2 * 3600)
        at = [call.at for call in d.world.calls if call.method != "GET"]
        assert at[-1].strftime("%H:%M") == "05:30"
        assert at[-1].second <= 5
        await d.settle()

    play(story)


@pytest.mark.parametrize("text", ["2026-11-21T03:00:00Z", "2026-11-21T03:00:00+02:00"])
def test_a_window_that_has_begun(text: str) -> None:
    async def story(d: Day) -> None:
        await asking(d)
        respec(d, "edge", disruptionPolicy=None)
        d.annotate("edge", "apply-at", text)
        respec(d, "edge", plan="advanced")
        await d.until(lambda: len(writes(d)) == 1, 10)

    play(story)


@pytest.mark.parametrize("text", ["tonight", "", "25:00", "2026-13-01T00:00:00Z"])
def test_a_window_that_nobody_understands(text: str) -> None:
    """A mistyped time is no yes."""

    async def story(d: Day) -> None:
        await asking(d)
        respec(d, "edge", disruptionPolicy=None)
        d.annotate("edge", "apply-at", text)
        respec(d, "edge", plan="advanced")
        await d.becomes("edge", "AwaitingApproval")
        d.says("edge", "apply-at", "no time", "2026-11-22T03:00:00Z")
        await d.calm(calls=130)
        assert writes(d) == []
        d.annotate("edge", "apply-at", None)
        await d.until(lambda: len(writes(d)) == 1, 10)

    play(story)
