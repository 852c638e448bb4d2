"""One gateway of an account is changed at a time: the next one when the first runs again."""

from __future__ import annotations

import asyncio

import pytest

from support.days import Day
from support.legacy import play, respec, writes


async def two_gateways(d: Day) -> None:
    made = await d.ask("POST", "/router", {"router": {"name": "second"}})
    await d.made(1)
    spec = dict(d.object("edge").spec)
    d.kubernetes.apply("NetworkGateway", "legacy", spec | {"routerRef": {"uuid": made["router"]["uuid"]}})
    await d.settle()
    await asyncio.sleep(30)
    d.world.calls.clear()


def test_one_gateway_of_an_account_at_a_time() -> None:
    async def story(d: Day) -> None:
        await two_gateways(d)
        for name in ("edge", "legacy"):
            respec(d, name, plan="advanced")
        await d.until(lambda: len(writes(d)) == 1, 10)
        first = "edge" if d.uuid("edge") in writes(d)[0] else "legacy"
        second = "legacy" if first == "edge" else "edge"
        await d.becomes(second, "RolloutHeld", seconds=5)
        d.says(second, first, "one after the other")
        assert d.object(first).status["interruptedAt"]
        await d.until(lambda: len(writes(d)) == 2, 120)
        at = [call.at for call in d.world.calls if call.method == "PATCH"]
        assert (at[1] - at[0]).total_seconds() >= 10
        await d.settle()
        await d.until(lambda: not any("interruptedAt" in obj.status for obj in d.objects()), 60)
        assert len(writes(d)) == 2

    play(story)


@pytest.mark.parametrize("status", [400, 402, 409, 503])
def test_a_change_that_is_refused_holds_no_other_gateway(status: int) -> None:
    async def story(d: Day) -> None:
        await two_gateways(d)
        d.world.faults.add(f"PATCH /1.3/gateway/{d.uuid('edge')}", status=status, times=1)
        respec(d, "edge", plan="advanced")
        await d.until(lambda: len(writes(d)) == 1, 10)
        respec(d, "legacy", plan="advanced")
        await d.until(lambda: any(d.uuid("legacy") in call for call in writes(d)), 120)

    play(story)
