"""Drift: each field that somebody changes by hand, put back by one call or only told; and fights without an end."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from pydantic.alias_generators import to_camel

from netgw.engine.ownership import MARK
from netgw.providers.upcloud.connection.plan import FIELDS as CONNECTION_FIELDS
from netgw.providers.upcloud.gateway.plan import FIELDS as GATEWAY_FIELDS
from netgw.providers.upcloud.tunnel.plan import FIELDS as TUNNEL_FIELDS
from netgw.providers.upcloud.tunnel.plan import PSK
from support.days import Day
from support.drifts import DRIFTS, FLOATING, IPSEC, VALUES, harms, ipsec
from support.legacy import drift, one, play, respec, writes

Sent = list[tuple[str, str, Any]]


def covered(path: str) -> str:
    """The field of the tables that a row of DRIFTS is about."""
    if path.startswith("labels["):
        return "labels[*]"
    return {"tunnel name": "name", "addresses[public].address": "addresses[*].address"}.get(path, path)


def test_every_field_that_can_change_is_here() -> None:
    fields = (*GATEWAY_FIELDS, *CONNECTION_FIELDS, *TUNNEL_FIELDS)
    assert {field.path for field in fields if field.mutable} - {PSK} == {covered(path) for path in DRIFTS}


async def managed(d: Day, **policies: Any) -> Sent:
    """Everything is set and in sync; what is sent from now on goes into the list."""
    d.world.add_floating_ip(FLOATING)
    await d.start()
    d.gateway(
        **policies,
        addresses=[{"name": "public", "address": FLOATING}, {"name": "private"}],
        configuredStatus="started",
        automaticTunnelInternalIpAllocation=False,
        labels={"env": "prod", "tier": ""},
    )
    d.connection()
    d.tunnel(
        1,
        localAddress={"name": "public"},
        tunnelInternalIp="169.254.17.1",
        internalPeerPingInterval=30,
        ipsec={to_camel(field): value for field, value in VALUES.items()},
    )
    d.secret()
    await d.settle()
    assert writes(d) == [call for call in writes(d) if call.startswith("POST")]
    assert len(writes(d)) == 3  # what was made with all its values needs no second call
    await asyncio.sleep(60)
    d.world.calls.clear()
    sent: Sent = []

    def note(request: httpx.Request) -> None:
        if request.method != "GET":
            sent.append((request.method, request.url.path, json.loads(request.content or b"null")))

    d.witness.when_answered = note
    return sent


@pytest.mark.parametrize("name", ["edge", "office", "office-1"])
def test_put_back(name: str) -> None:
    """One call with that field and its companions, one Event, and `status.drift` is empty again."""

    async def story(d: Day) -> None:
        sent = await managed(d)
        uuid = d.uuid(name)
        for number, (path, harm, body) in enumerate(harms(name), start=1):
            harm(one(d))
            await d.until(lambda number=number: len(sent) == number, 120)  # type: ignore[misc]
            await d.settle()
            await asyncio.sleep(15)  # until it counts as up again
            method, at, what = sent[-1]
            assert uuid in at
            assert body is None or what == body
            assert method == ("POST" if path.endswith(("tier]", "owner]")) else "PATCH")
            assert ("/labels" in at, "/addresses/" in at) == (path.startswith("labels"), path.startswith("addresses"))
            assert len(d.told("Drifted")) == number
            assert len(d.told("Updated")) == number
            assert all("drift" not in obj.status for obj in d.objects())

    play(story)


@pytest.mark.parametrize("name", ["edge", "office", "office-1"])
def test_only_told(name: str) -> None:
    """Report: no call, one Event each, Ready as it is; put back when the policy is another one."""

    async def story(d: Day) -> None:
        sent = await managed(d, driftPolicy="Report")
        paths = {path.removeprefix("tunnel "): (harm, body) for path, harm, body in harms(name) if MARK not in path}
        for path, (harm, _) in paths.items():
            harm(one(d))
            await d.until(lambda path=path: path in drift(d, name), 120)  # type: ignore[misc]
        assert drift(d, name).keys() == paths.keys()
        assert d.verdict(name) == ("False", "Drifted")
        d.says(name, "driftPolicy Report", next(iter(paths)))
        await asyncio.sleep(900)
        differs = drift(d, name)
        await d.restart()
        await asyncio.sleep(900)
        assert drift(d, name) == differs
        assert sent == []
        assert len(d.told("Drifted")) == len(paths)
        respec(d, "edge", driftPolicy=None)
        await d.until(lambda: bool(sent), 5)
        await d.until(lambda: "drift" not in d.object(name).status, 60)
        await asyncio.sleep(60)
        bodies: Any = [what for _, _, what in sent]
        whole: dict[str, Any] = {}
        for found in bodies:
            whole |= found
        assert len(bodies) == (4 if name == "edge" else 1)
        wanted: dict[str, Any] = {}
        for _, body in paths.values():
            wanted |= body | {"ipsec": wanted.get("ipsec", {}) | body.get("ipsec", {})}
        assert whole == {field: value for field, value in wanted.items() if value != {}}

    play(story)


def test_our_mark_is_put_back_also_with_report() -> None:
    async def story(d: Day) -> None:
        sent = await managed(d, driftPolicy="Report")
        one(d).labels.pop(MARK)
        await d.until(lambda: bool(sent), 120)
        await d.settle()
        assert len(sent) == 1

    play(story)


def test_with_report_what_the_spec_newly_says_is_sent() -> None:
    """And nothing else: what drifted before goes on to be told, until the spec says something else of it."""

    async def story(d: Day) -> None:
        sent = await managed(d, driftPolicy="Report")
        ipsec("rekey_time", 2000)(one(d))
        one(d).plan = "advanced"
        await d.becomes("office-1", "Drifted")
        await d.becomes("edge", "Drifted")
        had = dict(d.object("office-1").spec["ipsec"])
        respec(d, "office-1", ipsec=had | {"dpdDelay": 25})
        respec(d, "edge", labels={"env": "prod"})
        await d.until(lambda: len(sent) == 2, 30)
        await asyncio.sleep(300)
        assert {"name": "office-1", "ipsec": IPSEC | {"dpd_delay": 25}} in [what for _, _, what in sent]
        assert len(sent) == 2
        assert drift(d, "office-1") == {"ipsec.rekeyTime": ("1000", "2000")}
        assert list(drift(d, "edge")) == ["plan"]
        respec(d, "office-1", ipsec=had | {"dpdDelay": 25, "rekeyTime": 3000})
        await d.until(lambda: len(sent) == 3, 30)
        await d.until(lambda: d.verdict("office-1") == ("True", "InSync"), 60)
        assert sent[2][2] == {"name": "office-1", "ipsec": IPSEC | {"rekey_time": 3000}}
        assert d.verdict("edge") == ("False", "Drifted")
        assert len(sent) == 3

    play(story)


def test_a_pause_promises_no_change_that_the_policy_would_not_make() -> None:
    async def story(d: Day) -> None:
        await managed(d, driftPolicy="Report")
        d.annotate("edge", "paused", "true")
        one(d).plan = "advanced"
        await d.until(lambda: "Also: Drifted." in d.condition("edge").get("message", ""), 120)
        assert d.verdict("edge") == ("False", "Paused")
        respec(d, "edge", labels={"env": "prod"})
        await d.until(lambda: "To be changed: labels" in d.condition("edge")["message"], 30)
        assert "plan" not in d.condition("edge")["message"]

    play(story)


def test_drift_while_nobody_looks() -> None:
    async def story(d: Day) -> None:
        sent = await managed(d, driftPolicy="Report")
        await d.kill()
        one(d).connections[0].remote_routes = []
        await d.start()
        await d.becomes("office", "Drifted")
        await asyncio.sleep(300)
        assert sent == []

    play(story)


@pytest.mark.parametrize("path", ["plan", "labels[env]", "remoteRoutes", "ipsec.rekeyTime"])
def test_a_fight(path: str) -> None:
    """Three corrections in an hour, then it stops, until the hour is over, or somebody says so."""
    name, harm, _ = DRIFTS[path]

    async def story(d: Day) -> None:
        sent = await managed(d)
        for number in (1, 2, 3):
            harm(one(d))
            await d.until(lambda number=number: len(sent) == number, 120)  # type: ignore[misc]
            await d.settle()
        harm(one(d))
        await d.becomes(name, "DriftFight")
        d.says(name, "3 times within an hour", path, "Find out what else changes it")
        assert d.verdict(name, "Ready")[0] == "True"
        await asyncio.sleep(1800)
        assert len(sent) == 3
        d.annotate(name, "reconcile-requested-at")
        await d.until(lambda: len(sent) == 4, 60)
        await d.settle()

    play(story)
