"""Drift: each field that somebody changes by hand, put back by one call or only told; and fights without an end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from pydantic.alias_generators import to_camel

from netgw.engine.ownership import MARK
from netgw.providers.upcloud.connection.plan import FIELDS as CONNECTION_FIELDS
from netgw.providers.upcloud.gateway.plan import FIELDS as GATEWAY_FIELDS
from netgw.providers.upcloud.simulator.records import Gateway, Route
from netgw.providers.upcloud.tunnel.plan import FIELDS as TUNNEL_FIELDS
from netgw.providers.upcloud.tunnel.plan import PSK, SETS, TIMERS
from support.days import Day
from support.legacy import drift, one, play, respec, writes

FLOATING = "198.51.100.77"
ALGORITHMS, INTEGRITY, GROUPS = ["aes256", "aes128"], ["sha512", "sha256"], [21, 14]
VALUES: dict[str, Any] = {
    **{name: GROUPS if "dh" in name else INTEGRITY if "integrity" in name else ALGORITHMS for name in SETS},
    **dict.fromkeys(TIMERS, 1000),
}
Sent = list[tuple[str, str, Any]]
Harm = Callable[[Gateway], None]


def _ipsec(field: str, value: Any) -> Harm:
    return lambda gateway: gateway.tunnels[0].ipsec.update({field: value})


def _set(part: Callable[[Gateway], Any], field: str, value: Any) -> Harm:
    return lambda gateway: setattr(part(gateway), field, value)


def _itself(gateway: Gateway) -> Any:
    return gateway


def _office(gateway: Gateway) -> Any:
    return gateway.connections[0]


def _first(gateway: Gateway) -> Any:
    return gateway.tunnels[0]


def _address(gateway: Gateway) -> None:
    gateway.addresses = [replace(each, value="203.0.113.99", floating=False) for each in gateway.addresses]


OTHER_ROUTE = [Route("other", "10.0.99.0/24")]
TUNNEL = {"name": "office-1"}
IPSEC = {"authentication": {"authentication": "psk"}}
DRIFTS: dict[str, tuple[str, Harm, Any]] = {
    "name": ("edge", _set(_itself, "name", "rim"), {"name": "edge"}),
    "plan": ("edge", _set(_itself, "plan", "advanced"), {"plan": "production"}),
    "features": ("edge", _set(_itself, "features", ["nat", "vpn"]), {"features": ["vpn"]}),
    "configuredStatus": ("edge", _set(_itself, "configured_status", "stopped"), {"configured_status": "started"}),
    "automaticTunnelInternalIpAllocation": (
        "edge",
        _set(_itself, "automatic_internal_ips", True),
        {"automatic_tunnel_internal_ip_allocation": False},
    ),
    "addresses[public].address": ("edge", _address, {"address": FLOATING}),
    "labels[env]": ("edge", lambda gateway: gateway.labels.update(env="test"), {"value": "prod"}),
    "labels[tier]": ("edge", lambda gateway: gateway.labels.pop("tier"), {"key": "tier", "value": ""}),
    f"labels[{MARK}]": ("edge", lambda gateway: gateway.labels.pop(MARK), None),
    "localRoutes": (
        "office",
        _set(_office, "local_routes", OTHER_ROUTE),
        {"local_routes": [{"name": "cloud", "type": "static", "static_network": "10.0.1.0/24"}]},
    ),
    "remoteRoutes": (
        "office",
        _set(_office, "remote_routes", []),
        {"remote_routes": [{"name": "office", "type": "static", "static_network": "10.0.2.0/24"}]},
    ),
    "tunnel name": ("office-1", _set(_first, "name", "paris-1"), TUNNEL),
    "localAddress.name": (
        "office-1",
        _set(_first, "local_address", "private"),
        TUNNEL | {"local_address": {"name": "public"}},
    ),
    "remoteAddress.address": (
        "office-1",
        _set(_first, "remote_address", "100.10.0.5"),
        TUNNEL | {"remote_address": {"address": "100.10.0.111"}},
    ),
    "tunnelInternalIp": (
        "office-1",
        _set(_first, "internal_ip", "169.254.99.1"),
        TUNNEL | {"tunnel_internal_ip": "169.254.17.1"},
    ),
    "internalPeerPingInterval": (
        "office-1",
        _set(_first, "ping_interval", 0),
        TUNNEL | {"internal_peer_ping_interval": 30},
    ),
    **{
        f"ipsec.{to_camel(field)}": (
            "office-1",
            _ipsec(field, value[:1] if isinstance(value, list) else 2000),
            TUNNEL | {"ipsec": IPSEC | {field: value}},
        )
        for field, value in VALUES.items()
    },
}


def covered(path: str) -> str:
    """The field of the tables that a row of DRIFTS is about."""
    if path.startswith("labels["):
        return "labels[*]"
    return {"tunnel name": "name", "addresses[public].address": "addresses[*].address"}.get(path, path)


def test_every_field_that_can_change_is_here() -> None:
    fields = (*GATEWAY_FIELDS, *CONNECTION_FIELDS, *TUNNEL_FIELDS)
    assert {field.path for field in fields if field.mutable} - {PSK} == {covered(path) for path in DRIFTS}


def harms(name: str) -> list[tuple[str, Harm, Any]]:
    return [(path, harm, body) for path, (whom, harm, body) in DRIFTS.items() if whom == name]


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
        _ipsec("rekey_time", 2000)(one(d))
        one(d).plan = "advanced"
        await d.becomes("office-1", "Drifted")
        await d.becomes("edge", "Drifted")
        ipsec = dict(d.object("office-1").spec["ipsec"])
        respec(d, "office-1", ipsec=ipsec | {"dpdDelay": 25})
        respec(d, "edge", labels={"env": "prod"})
        await d.until(lambda: len(sent) == 2, 30)
        await asyncio.sleep(300)
        assert {"name": "office-1", "ipsec": IPSEC | {"dpd_delay": 25}} in [what for _, _, what in sent]
        assert len(sent) == 2
        assert drift(d, "office-1") == {"ipsec.rekeyTime": ("1000", "2000")}
        assert list(drift(d, "edge")) == ["plan"]
        respec(d, "office-1", ipsec=ipsec | {"dpdDelay": 25, "rekeyTime": 3000})
        await d.until(lambda: len(sent) == 3, 30)
        await d.until(lambda: d.verdict("office-1") == ("True", "InSync"), 60)
        assert sent[2][2] == {"name": "office-1", "ipsec": IPSEC | {"rekey_time": 3000}}
        assert d.verdict("edge") == ("False", "Drifted")
        assert len(sent) == 3

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
