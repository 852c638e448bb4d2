"""Observe: look and tell. No call but GET, whatever the spec says and whatever becomes of the object."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from support.days import LEGACY, Day
from support.history import KEY
from support.legacy import FULL, adopt, drift, one, play, respec, tree, writes

WAYS: dict[str, Any] = {
    "its own spec": lambda d: None,
    "the gateway's spec": lambda d: d.gateway(managementPolicy="Observe"),
    "the namespace": lambda d: d.kubernetes.annotate_namespace("default-policies", '{"managementPolicy": "Observe"}'),
}


@pytest.mark.parametrize("by", ["name", "uuid"])
def test_a_tree_made_by_hand(by: str) -> None:
    """Two lines each: bound, told of traffic, left alone until the last of the objects is gone."""

    async def story(d: Day) -> None:
        made = await tree(d)
        await d.start()
        imported = {"legacy": {"import": {"uuid": made.gateway}}} if by == "uuid" else {}
        adopt(d, over=imported)
        await d.settle()
        assert (d.uuid("legacy"), d.uuid("legacy-conn"), d.uuid("legacy-1")) == (
            made.gateway,
            made.connection,
            made.tunnel,
        )
        for name, ready in (("legacy", "Running"), ("legacy-conn", "TunnelsUp"), ("legacy-1", "Up")):
            assert d.verdict(name) == ("True", "ObserveOnly")
            assert d.verdict(name, "Ready") == ("True", ready)
            assert d.condition(name, "Stalled") == {}
            assert drift(d, name) == {}
            assert d.object(name).status["policies"]["managementPolicy"] == "Observe"
        assert "ownLabelKeys" not in d.object("legacy").status
        assert d.object("legacy-1").status["gatewayUuid"] == made.gateway
        await asyncio.sleep(900)
        await d.calm(calls=70)
        d.delete("legacy-1", "legacy-conn", "legacy")
        await d.until(lambda: not d.objects(), 60)
        assert len(d.told("Retained")) == 3
        assert writes(d) == []
        assert len(one(d).tunnels) == 1

    play(story)


def test_drift_is_what_the_spec_says_and_the_cloud_does_not() -> None:
    async def story(d: Day) -> None:
        await tree(d)
        await d.start()
        d.secret(KEY)
        over: dict[str, Any] = {
            "legacy": {"plan": "advanced", "zone": "fi-hel1", "labels": {"team": "web", "env": "prod"}, "name": "rim"},
            "legacy-conn": {"localRoutes": []},
            "legacy-1": {
                "remoteAddress": {"address": "100.10.0.112"},
                "ipsec": {"authentication": {"pskSecretRef": {"name": "office-psk", "key": "psk"}}, "rekeyTime": 14400},
            },
        }
        adopt(d, over=over)
        await d.settle()
        assert drift(d, "legacy") == {
            "name": ("rim", "legacy"),
            "plan": ("advanced", "production"),
            "labels[team]": ("web", "net"),
            "labels[env]": ("prod", "unset"),
        }
        assert list(drift(d, "legacy-conn")) == ["localRoutes"]
        assert drift(d, "legacy-1") == {"remoteAddress.address": ("100.10.0.112", "100.10.0.111")}
        assert len(d.told("Drifted")) == 6
        assert d.verdict("legacy-1", "PskInSync") == ("Unknown", "NeverPushed")
        d.secret("madeup_another_key_1")
        respec(d, "legacy", plan="production", labels=None, labelPolicy="Replace")
        await d.until(lambda: list(drift(d, "legacy")) == ["name", "labels[team]"], 60)
        respec(d, "legacy", labelPolicy=None, name=None)
        await d.until(lambda: drift(d, "legacy") == {}, 60)
        d.annotate("legacy", "flush-nat-requested-at")
        d.annotate("legacy-1", "push-psk-requested-at")
        d.annotate("legacy", "take-over", "true")
        await asyncio.sleep(1200)
        await d.calm(calls=70)
        assert all(d.verdict(name) == ("True", "ObserveOnly") for name in LEGACY)
        assert writes(d) == []

    play(story)


@pytest.mark.parametrize("way", WAYS)
def test_hands_off_what_is_managed_and_on_again(way: str) -> None:
    """Switched on a bound object: changes wait, a rotation too, and all are made when it is switched back."""

    async def story(d: Day) -> None:
        await d.made(1)
        own = {"managementPolicy": "Observe"} if way == "its own spec" else {}
        if own:
            respec(d, "edge", **own)
            respec(d, "office", **own)
            respec(d, "office-1", **own)
        WAYS[way](d)
        await d.until(lambda: all(d.verdict(name)[1] == "ObserveOnly" for name in ("edge", "office", "office-1")), 5)
        respec(d, "edge", plan="advanced", labels={"env": "prod"})
        respec(d, "office-1", remoteAddress={"address": "100.10.0.119"})
        d.secret("madeup_another_key_1")
        await d.until(lambda: bool(drift(d, "edge")) and bool(drift(d, "office-1")), 60)
        await asyncio.sleep(600)
        await d.restart()
        await asyncio.sleep(600)
        assert writes(d) == []
        assert list(drift(d, "edge")) == ["plan", "labels[env]"]
        d.kubernetes.annotate_namespace("default-policies", None)
        for name in ("edge", "office", "office-1"):
            respec(d, name, managementPolicy=None)
        await d.until(lambda: len(writes(d)) == 3, 60)
        await d.settle()
        assert len(d.calls("PATCH")) == 2  # of the gateway, and of the tunnel with its key
        assert len(d.calls("POST")) == 1  # the label
        assert "drift" not in d.object("edge").status

    play(story)


def test_deleted_while_observed() -> None:
    """Retain would take the mark off; Observe does not even do that."""

    async def story(d: Day) -> None:
        await d.made(1)
        for name in ("edge", "office", "office-1"):
            respec(d, name, managementPolicy="Observe", deletionPolicy="Delete")
        await d.until(lambda: all(d.verdict(name)[1] == "ObserveOnly" for name in ("edge", "office", "office-1")))
        d.delete("edge", "office", "office-1")
        await d.until(lambda: not d.objects(), 60)
        assert writes(d) == []
        assert "netgw.dev/owner" in one(d).labels

    play(story)


@pytest.mark.parametrize("where", ["spec", "namespace", "operator"])
def test_nothing_to_observe(where: str) -> None:
    """Without import and never made: Observe makes nothing, and does not say which one to look at."""
    policies = {"managementPolicy": "Observe"} if where == "operator" else {}

    async def story(d: Day) -> None:
        if where == "namespace":
            d.kubernetes.annotate_namespace("default-policies", '{"managementPolicy": "Observe"}')
        await d.start()
        d.gateway(**({"managementPolicy": "Observe"} if where == "spec" else {}))
        await d.becomes("edge", "InvalidSpec")
        d.says("edge", "Observe makes nothing", "spec.import")
        await d.calm(calls=70)
        respec(d, "edge", **FULL)
        await d.settle()
        assert len(d.calls("POST")) == 1

    play(story, app={"policies": policies})


def test_the_defaults_of_an_import_are_not_those_of_its_children() -> None:
    """A gateway that is only observed because it is imported may have connections that are managed."""

    async def story(d: Day) -> None:
        await tree(d)
        await d.start()
        adopt(d, over={"legacy-conn": FULL})
        d.kubernetes.apply(
            "VpnConnection",
            "lab",
            {"gatewayRef": {"name": "legacy"}, "localRoutes": [{"name": "lab", "staticNetwork": "10.0.7.0/24"}]},
        )
        await d.settle()
        assert d.object("lab").status["policies"]["managementPolicy"] == "Full"
        assert len(d.calls("POST")) == 1
        respec(d, "legacy", managementPolicy="Observe")  # said by the spec: now it counts for what is below
        await d.becomes("lab", "ObserveOnly", seconds=5)
        respec(d, "lab", localRoutes=[])
        await d.until(lambda: list(drift(d, "lab")) == ["localRoutes"], 5)
        assert len(writes(d)) == 1

    play(story)


def test_what_was_observed_and_vanished_is_not_made_again() -> None:
    async def story(d: Day) -> None:
        made = await tree(d)
        await d.start()
        adopt(d, recreatePolicy="Always")
        await d.settle()
        await d.ask("DELETE", made.paths["legacy-1"])
        await d.becomes("legacy-1", "ExternallyDeleted")
        d.says("legacy-1", "only observed")
        assert d.verdict("legacy-1", "Ready") == ("False", "ExternallyDeleted")
        await asyncio.sleep(900)
        await d.calm(calls=70)
        d.delete("legacy-1")
        await d.until(lambda: len(d.objects()) == 2, 10)
        assert writes(d) == []

    play(story)
