"""Whose word counts: the object's, the gateway's, the namespace's, the operator's; and what pauses or forbids."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from support.days import Day
from support.history import OTHER_KEY
from support.legacy import FULL, adopt, drift, one, play, respec, tree, writes

ALL = ("edge", "office", "office-1")


def in_effect(d: Day, name: str, field: str) -> Any:
    return d.object(name).status["policies"][field]


def namespace(d: Day, **policies: str) -> None:
    d.kubernetes.annotate_namespace("default-policies", json.dumps(policies) if policies else None)


def test_each_layer_reaches_everything_without_a_poll() -> None:
    """The first that says something, at once, and the next one when it says nothing any more."""

    async def story(d: Day) -> None:
        await d.made(1)
        assert {in_effect(d, name, "deletionPolicy") for name in ALL} == {"Retain"}
        ways: list[tuple[Callable[[], None], tuple[str, str]]] = [
            (lambda: namespace(d, deletionPolicy="Delete", driftPolicy="Report"), ("Delete", "Report")),
            (lambda: respec(d, "edge", deletionPolicy="Retain"), ("Retain", "Report")),
            (lambda: namespace(d), ("Retain", "Correct")),
            (lambda: respec(d, "edge", deletionPolicy="Delete"), ("Delete", "Correct")),
            (lambda: respec(d, "edge", deletionPolicy=None), ("Retain", "Correct")),
        ]
        for way, wanted in ways:
            way()
            await asyncio.sleep(2)
            for name in ALL:
                had = in_effect(d, name, "deletionPolicy"), in_effect(d, name, "driftPolicy")
                assert had == wanted, name
        respec(d, "office-1", deletionPolicy="Delete")
        await asyncio.sleep(2)
        assert [in_effect(d, name, "deletionPolicy") for name in ALL] == ["Retain", "Retain", "Delete"]
        assert in_effect(d, "edge", "recreatePolicy") == "Never"
        assert in_effect(d, "office", "recreatePolicy") == "Always"
        assert writes(d) == []

    play(story, app={"policies": {"deletionPolicy": "Retain"}})


def test_below_a_gateway_that_nobody_manages_the_namespace_counts() -> None:
    """Also when it says something else later: what was in effect once is no rule of its own."""

    async def story(d: Day) -> None:
        made = await tree(d)
        await d.start()
        d.secret()
        d.kubernetes.apply(
            "VpnConnection",
            "legacy-conn",
            {"gatewayRef": {"uuid": made.gateway}, "import": {"name": "legacy-conn"}, **FULL},
        )
        d.kubernetes.apply(
            "VpnTunnel", "legacy-1", {"connectionRef": {"name": "legacy-conn"}, "import": {"name": "legacy-1"}, **FULL}
        )
        await d.settle()
        for name in ("legacy-conn", "legacy-1"):
            assert in_effect(d, name, "disruptionPolicy") == "Allow"
        namespace(d, disruptionPolicy="Ask")
        respec(d, "legacy-conn", managementPolicy="Observe")
        await asyncio.sleep(2)
        for name in ("legacy-conn", "legacy-1"):
            assert in_effect(d, name, "disruptionPolicy") == "Ask"
        namespace(d, managementPolicy="Observe", disruptionPolicy="Allow")
        psk = {"authentication": {"pskSecretRef": {"name": "office-psk", "key": "psk"}}}
        respec(
            d, "legacy-1", managementPolicy=None, **{"import": None}, remoteAddress={"address": "100.10.0.7"}, ipsec=psk
        )
        await d.until(lambda: bool(drift(d, "legacy-1")) or bool(writes(d)), 5)
        assert in_effect(d, "legacy-1", "disruptionPolicy") == "Allow"
        assert writes(d) == []

    play(story)


def test_a_child_that_was_there_before_its_gateway() -> None:
    async def story(d: Day) -> None:
        await d.start()
        d.connection()
        await d.becomes("office", "ParentNotFound")
        namespace(d, deletionPolicy="Retain")
        await asyncio.sleep(2)
        assert in_effect(d, "office", "deletionPolicy") == "Retain"

    play(story)


def test_what_a_gateway_said_counts_when_its_object_is_gone() -> None:
    """Taken away by hand with its finalizer: its children must not become anybody's to delete."""

    async def story(d: Day) -> None:
        await d.made(1)
        respec(d, "edge", deletionPolicy="Retain", managementPolicy="Observe")
        await d.until(lambda: all(in_effect(d, name, "managementPolicy") == "Observe" for name in ALL), 5)
        d.kubernetes.take_finalizer("NetworkGateway", "edge")
        d.delete("edge")
        await asyncio.sleep(120)
        respec(d, "office", localRoutes=[])
        await asyncio.sleep(120)
        d.delete("office-1", "office")
        await d.until(lambda: not d.objects(), 120)
        assert writes(d) == []

    play(story)


UNREADABLE = {
    "no JSON": "Retain",
    "a list": "[]",
    "a word": '{"deletionPolicy": "Keep"}',
    "a field": '{"deletePolicy": "Retain"}',
}


@pytest.mark.parametrize("text", UNREADABLE)
def test_a_default_that_nobody_can_read(text: str) -> None:
    """It may have been meant to keep our hands off: nothing is written, nothing deleted, until it is mended."""

    async def story(d: Day) -> None:
        await d.made(1)
        d.kubernetes.annotate_namespace("default-policies", UNREADABLE[text])
        respec(d, "edge", plan="advanced")
        d.secret(OTHER_KEY)
        d.tunnel(2)
        for name in (*ALL, "office-2"):
            await d.becomes(name, "InvalidSpec")
            d.says(name, "default-policies of namespace default", "Nothing is changed in the cloud")
        for name in ALL:
            assert d.verdict(name, "Ready")[0] == "True"
        d.delete("office-1")
        await asyncio.sleep(300)
        assert d.verdict("office-1")[1] == "InvalidSpec"
        await d.restart()
        await asyncio.sleep(900)
        await d.calm(calls=70)
        assert writes(d) == []
        namespace(d, deletionPolicy="Retain")
        await d.until(lambda: len(d.objects()) == 3, 60)
        await d.until(lambda: len(one(d).tunnels) == 2, 60)
        await d.settle()
        assert d.calls("DELETE") == []

    play(story)


@pytest.mark.parametrize("until", ["true", "2026-11-22T09:00:00Z", "on"])
def test_paused(until: str) -> None:
    """No write but for a deletion; status is live; it ends at its time, or when the annotation goes."""

    async def story(d: Day) -> None:
        await d.made(2)
        for name in (*ALL, "office-2"):
            d.annotate(name, "paused", until)
        await d.becomes("office-1", "Paused", seconds=5)
        respec(d, "edge", plan="advanced", labels={"env": "prod"})
        d.annotate("edge", "flush-nat-requested-at")
        d.secret(OTHER_KEY)
        d.world.force_tunnel(d.uuid("office-1"), operational_state="connecting")
        await d.until(lambda: d.verdict("office-1", "Ready")[1] == "TunnelDown", 120)
        await d.ask("DELETE", f"/gateway/{d.uuid('edge')}/connections/{d.uuid('office')}/tunnels/{d.uuid('office-1')}")
        await d.until(lambda: d.verdict("office-1", "Ready") == ("False", "Paused"), 120)
        await asyncio.sleep(1800)
        assert writes(d) == []
        d.says("edge", "netgw.dev/paused", 'plan: "production" → "advanced"')
        d.delete("office-2")
        await d.until(lambda: len(d.objects()) == 3, 60)
        assert len(d.calls("DELETE")) == 1
        if until[0] != "2":
            for name in ALL:
                d.annotate(name, "paused", "false")
        await d.until(lambda: one(d).plan == "advanced", 6 * 3600)
        await d.settle()
        assert until[0] != "2" or d.clock.wall().hour == 9

    play(story)


@pytest.mark.parametrize("value", ["false", "2026-11-22T02:00:00Z"])
def test_not_paused(value: str) -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        d.annotate("edge", "paused", value)
        respec(d, "edge", plan="advanced")
        await d.until(lambda: len(writes(d)) == 1, 10)

    play(story)


def test_read_only() -> None:
    """Imports are bound and seen, nothing is written, a deletion waits; Retain lets go."""

    async def story(d: Day) -> None:
        await tree(d)
        await d.start()
        d.secret()
        adopt(d, over={"legacy-1": {"deletionPolicy": "Delete"}}, **FULL)
        d.gateway(name="other")
        await d.becomes("edge", "ReadOnly")
        for name in ("legacy", "legacy-conn", "legacy-1"):
            await d.until(lambda name=name: d.verdict(name, "Ready")[0] == "True", 120)  # type: ignore[misc]
            assert d.verdict(name) == ("False", "ReadOnly")
        respec(d, "legacy", plan="advanced", labels={"env": "prod"})
        d.annotate("legacy", "flush-nat-requested-at")
        await d.until(lambda: "advanced" in d.condition("legacy")["message"], 5)
        await asyncio.sleep(900)
        await d.calm(calls=70)
        d.delete("legacy-1", "edge")
        await d.until(lambda: d.object("legacy-1").reason == "ReadOnly", 60)
        respec(d, "legacy-1", deletionPolicy="Retain")
        d.delete("legacy-conn", "legacy")
        await d.until(lambda: not d.objects(), 120)
        assert writes(d) == []

    play(story, app={"read_only": True})
