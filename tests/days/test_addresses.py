"""Floating addresses of a gateway: attached, swapped and released through its addresses, by calls of their own."""

from __future__ import annotations

import asyncio
from typing import Any

from support.days import Day
from support.legacy import drift, one, play, respec, writes

ONE, TWO = "198.51.100.77", "198.51.100.78"


def public(address: str | None) -> list[dict[str, Any]]:
    return [{"name": "public"} if address is None else {"name": "public", "address": address}]


async def floating(d: Day, address: str | None, tunnels: int = 0) -> None:
    d.world.add_floating_ip(ONE)
    d.world.add_floating_ip(TWO)
    await d.start()
    d.apply_all(tunnels)
    respec(d, "edge", addresses=public(address))
    await d.settle()
    await asyncio.sleep(30)


def has(d: Day) -> tuple[str, bool]:
    (address,) = one(d).addresses
    return address.value, address.floating


def test_made_with_one() -> None:
    """One POST; no call beside it, also while the gateway does not tell its addresses yet."""

    async def story(d: Day) -> None:
        await floating(d, ONE)
        assert has(d) == (ONE, True)
        assert len(writes(d)) == 2
        await asyncio.sleep(1200)
        await d.calm(calls=70)
        d.delete("office", "edge")
        await d.until(lambda: not d.objects(), 120)

    play(story)


def test_attached_swapped_and_released() -> None:
    async def story(d: Day) -> None:
        await floating(d, None, tunnels=1)
        d.world.calls.clear()
        path = f"/1.3/gateway/{d.uuid('edge')}/addresses/public"
        calls = ((ONE, f"PATCH {path}"), (TWO, f"PATCH {path}"), ("", f"POST {path}/release"))
        for number, (address, call) in enumerate(calls, start=1):
            respec(d, "edge", addresses=public(address))
            await d.until(lambda number=number: len(writes(d)) == number, 60)  # type: ignore[misc]
            await asyncio.sleep(60)
            await d.settle()
            assert writes(d)[-1] == call
            assert (has(d) == (address, True)) == bool(address)
            assert d.object("edge").status["addresses"] == [{"name": "public", "address": has(d)[0]}]
            assert d.object("office-1").status["localAddress"] == has(d)[0]
        assert not has(d)[1]
        await asyncio.sleep(1200)
        await d.calm(calls=70)
        assert len(writes(d)) == 3

    play(story)


def test_not_managed_any_more() -> None:
    """Taken out of the spec it stays, and one that somebody attaches by hand is no drift."""

    async def story(d: Day) -> None:
        await floating(d, ONE)
        respec(d, "edge", addresses=public(None))
        await asyncio.sleep(300)
        assert has(d) == (ONE, True)
        await d.ask("PATCH", f"/gateway/{d.uuid('edge')}/addresses/public", {"address": TWO})
        await asyncio.sleep(300)
        assert drift(d, "edge") == {}
        assert len(writes(d)) == 2

    play(story)


def test_one_that_the_account_does_not_have() -> None:
    """Refused with UpCloud's own words, the rest of the change is made."""

    async def story(d: Day) -> None:
        await floating(d, None)
        d.world.calls.clear()
        respec(d, "edge", addresses=public("198.51.100.99"), plan="advanced")
        await d.becomes("edge", "Rejected")
        d.says("edge", "Floating IP address not found")
        await asyncio.sleep(60)
        assert one(d).plan == "advanced"
        assert "interruptedAt" not in d.object("edge").status
        await asyncio.sleep(900)
        await d.calm(calls=90, writes=6)
        assert len(writes(d)) <= 4
        d.world.add_floating_ip("198.51.100.99")
        d.annotate("edge", "reconcile-requested-at")
        await d.settle()
        assert has(d) == ("198.51.100.99", True)

    play(story)


def test_two_gateways_swap() -> None:
    """The one has to give it up before the other can have it; in the end both are as they are to be."""

    async def story(d: Day) -> None:
        await floating(d, ONE)
        made = await d.ask("POST", "/router", {"router": {"name": "second"}})
        spec = {**d.object("edge").spec, "routerRef": {"uuid": made["router"]["uuid"]}, "addresses": public(None)}
        d.kubernetes.apply("NetworkGateway", "legacy", spec)
        await d.settle()
        await asyncio.sleep(30)
        respec(d, "legacy", addresses=public(ONE))
        await d.becomes("legacy", "Rejected")
        respec(d, "edge", addresses=public(""))
        await d.until(
            lambda: d.object("edge").reason == "InSync" and not d.world.gateways[d.uuid("edge")].addresses[0].floating
        )
        d.annotate("legacy", "reconcile-requested-at")
        await d.settle()
        assert d.world.gateways[d.uuid("legacy")].addresses[0].value == ONE

    play(story)
