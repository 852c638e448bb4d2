"""What the cloud and the cluster may hold and should not: no crash, no harm, and it is said."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Callable
from typing import Any

import pytest

from netgw.engine.objects import Name
from netgw.providers.upcloud.simulator.records import Router
from support.days import KINDS, Day, day
from support.history import GATEWAY

LIST = "GET /1.3/gateway"


def crowd(d: Day, number: int) -> None:
    """So many gateways of others, in the same account."""
    like = next(iter(d.world.gateways.values()))
    for n in range(number):
        other = copy.deepcopy(like)
        other.uuid, other.router = d.world.new_uuid("10"), d.world.new_uuid("04")
        other.name, other.labels = f"others-{n}", {}
        for connection in other.connections:
            connection.uuid = d.world.new_uuid("10")
            for tunnel in connection.tunnels:
                tunnel.uuid = d.world.new_uuid("10")
        d.world.routers[other.router] = Router("alice", other.router, f"r-{n}")
        d.world.gateways[other.uuid] = other


def looks(d: Day) -> list[str]:
    return [call for call in d.calls("GET") if call.startswith(f"{LIST}?")]


def test_account_with_a_thousand_gateways() -> None:
    """Five are ours: floor(1000/100) + 1 calls per interval, no write, and a look takes no noticeable time."""

    async def story(d: Day) -> None:
        await d.made()
        for n in range(4):
            router = d.world.new_uuid("04")
            d.world.routers[router] = Router("simulator", router, f"more-{n}")
            d.kubernetes.apply("NetworkGateway", f"more-{n}", {**GATEWAY, "routerRef": {"uuid": router}})
        await d.settle()
        await asyncio.sleep(1300)
        crowd(d, 995)
        await asyncio.sleep(90)
        d.world.calls.clear()
        had = await d.passes(300)
        rounds = [call for call in looks(d) if call.endswith("offset=0")]
        assert 4 <= len(rounds) <= 6
        assert 11 * (len(rounds) - 1) < had[0] <= 11 * len(rounds)
        assert had[1] == 0
        assert d.app is not None
        begun = time.process_time()
        for backend in d.app._backends:  # noqa: SLF001  a look of its own, to be timed
            await backend.poll()
        assert time.process_time() - begun < 10, "seconds of CPU for one look, the simulator's share included"
        d.delete("office-1")
        await d.until(lambda: len(d.calls("DELETE")) == 1, 60)

    day(story)


@pytest.mark.parametrize("times", [1, None], ids=["once", "for ever"])
def test_paging_skips_one_that_lives(times: int | None) -> None:
    """Ours is on the page that comes short: it answers itself, so nothing is lost and nothing made."""

    async def story(d: Day) -> None:
        await d.made()
        crowd(d, 150)
        d.world.gateways = dict(reversed(d.world.gateways.items()))
        edge = d.world.gateways.pop(d.uuid("edge"))
        items = list(d.world.gateways.items())
        d.world.gateways = dict([*items[:100], (edge.uuid, edge), *items[100:]])
        await asyncio.sleep(1300)
        d.world.calls.clear()
        writes = len(d.kubernetes.writes)
        if times is None:
            d.world.faults.add(LIST, skip=1, times=None)
        else:
            d.world.faults.add(LIST, skip=1)
        await asyncio.sleep(900)
        assert not d.calls("POST", "PATCH", "DELETE")
        assert len(d.kubernetes.writes) == writes
        for name in KINDS:
            assert d.verdict(name) == ("True", "InSync")

    day(story)


def test_list_that_is_one_short() -> None:
    """Of two gateways one is missing from the list, once and then for ever; neither is touched."""

    async def story(d: Day) -> None:
        await d.made()
        router = d.world.new_uuid("04")
        d.world.routers[router] = Router("simulator", router, "more")
        d.kubernetes.apply("NetworkGateway", "more", {**GATEWAY, "routerRef": {"uuid": router}})
        await d.settle()
        more = await d.ask("GET", f"/gateway/{d.get('NetworkGateway', 'more').uuid}")
        await asyncio.sleep(1300)
        d.world.calls.clear()
        writes = len(d.kubernetes.writes)
        for times in (1, None):
            d.world.faults.add(LIST, status=200, body=[more], times=times)
            await asyncio.sleep(900)
        assert not d.calls("POST", "PATCH", "DELETE")
        assert len(d.kubernetes.writes) == writes
        d.world.faults.clear()
        await d.settle(120)

    day(story)


@pytest.mark.parametrize("when", ["from the start", "later"])
def test_no_plans(when: str) -> None:
    """The list of plans is empty: what needs no number of a plan goes on."""

    async def story(d: Day) -> None:
        if when == "from the start":
            d.world.plans = {}
            await d.start()
            d.gateway()
            d.connection()
            await asyncio.sleep(60)
            assert d.verdict("edge") == ("False", "Rejected")
            assert len(d.calls("POST")) == 1  # it is UpCloud's to say
        else:
            await d.made()
            d.world.plans = {}
            await d.restart()
            await asyncio.sleep(900)
            for name in KINDS:
                assert d.verdict(name) == ("True", "InSync")
                assert d.verdict(name, "Ready")[0] == "True"
            assert d.get("NetworkGateway", "edge").status.get("tunnelQuota") in (None, "2/?", "2")
        await d.calm(calls=75, writes=6)

    day(story)


def test_plan_that_nobody_knows() -> None:
    """A gateway has a plan of which the list of plans says nothing: it is looked at and managed as ever."""

    async def story(d: Day) -> None:
        await d.made(1)
        d.world.gateways[d.uuid("edge")].plan = "legendary"
        d.gateway(plan="legendary")
        await asyncio.sleep(1000)
        d.world.calls.clear()
        await d.calm(calls=70, writes=0)
        assert not d.calls("POST", "PATCH", "DELETE")
        assert d.verdict("edge", "Ready") == ("True", "Running")
        assert d.object("edge").status["plan"] == "legendary"

    day(story)


METRICS: dict[str, Any] = {
    "empty": {},
    "null": {"ipsec_metrics": None, "nat_metrics": None},
    "no SAs": {"ipsec_metrics": {"ike_sas": []}},
    "SAs of others": {"ipsec_metrics": {"ike_sas": [{"name": "nobody/knows", "state": "ESTABLISHED"}]}},
    "down, it says": {
        "ipsec_metrics": {
            "ike_sas": [
                {
                    "name": "office/office-1",
                    "state": "CONNECTING",
                    "heuristic_state": {"tunnel_up": False, "tunnel_healthy": False, "last_down_message": "peer gone"},
                }
            ]
        }
    },
}


@pytest.mark.parametrize("case", METRICS)
def test_metrics_that_contradict_the_list(case: str) -> None:
    """The list decides. What the metrics say only explains a tunnel that is down there."""

    async def story(d: Day) -> None:
        await d.made(1)
        await asyncio.sleep(1300)
        assert d.world.force_gateway(d.uuid("edge"), metrics=METRICS[case])
        assert d.app is not None
        for _ in range(20):
            d.app.samples()  # somebody scrapes
            await asyncio.sleep(30)
        assert d.verdict("office-1", "Ready") == ("True", "Up")
        d.world.force_tunnel(d.uuid("office-1"), operational_state="connecting", tunnel_up=False)
        await d.becomes("office-1", "TunnelDown", "Ready")
        d.app.samples()
        await d.calm(calls=900, writes=4)

    day(story)


INVALID: dict[str, Callable[[Day], None]] = {
    "edge": lambda d: d.gateway(plan=7, features="vpn", addresses={"name": 1}, routerRef=[]),
    "office": lambda d: d.connection(localRoutes=[{"name": "cloud"}], remoteRoutes="none", gatewayRef={"name": "edge"}),
    "office-1": lambda d: d.tunnel(1, remoteAddress="100.10.0.111", ipsec={"rekeyTime": "soon"}),
}


@pytest.mark.parametrize("name", INVALID)
def test_spec_that_an_older_crd_let_in(name: str) -> None:
    """InvalidSpec with each field; the others go on, status stays live, and it can be deleted."""

    async def story(d: Day) -> None:
        await d.made()
        INVALID[name](d)
        await d.becomes(name, "InvalidSpec")
        assert d.object(name).status["observedGeneration"] == 2
        assert d.verdict(name, "Ready")[0] == "True"
        for other in KINDS.keys() - {name}:
            assert d.verdict(other) == ("True", "InSync")
        d.secret("madeup_psk_for_tests_2")
        await d.until(lambda: len(d.calls("PATCH")) == (1 if name == "office-1" else 2))
        d.world.force_tunnel(d.uuid("office-1"), operational_state="connecting", tunnel_up=False)
        await d.becomes("office-1", "TunnelDown", "Ready")
        await d.calm(calls=500, writes=8)
        d.delete("office-1", "office-2", "office", "edge")
        await d.until(lambda: not d.objects())
        assert not d.world.gateways

    day(story)


@pytest.mark.parametrize("name", INVALID)
def test_invalid_from_the_start(name: str) -> None:
    """Nothing of it is made; the rest is, as far as it does not need it; it goes at once when it is deleted."""

    async def story(d: Day) -> None:
        await d.start()
        d.apply_all(2)
        d.kubernetes.objects.clear()
        d.apply_all(2)
        INVALID[name](d)
        await d.becomes(name, "InvalidSpec")
        await asyncio.sleep(120)
        assert d.object(name).uuid is None
        made = {"edge": 0, "office": 1, "office-1": 3}[name]
        assert len(d.calls("POST")) == made
        d.delete(name)
        await d.until(lambda: name not in [obj.name for obj in d.objects()], 60)

    day(story)


SHAPES: dict[str, Any] = {
    "null": None,
    "text": "text",
    "number": 7,
    "list": [],
    "list of nulls": [None],
    "list of texts": ["text"],
    "list of empties": [{}],
    "empty": {},
    "mapping": {"text": 7},
    "nested": {"name": {"name": None}},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_status_of_every_shape(shape: str) -> None:
    """Each field of each status in turn, and the status itself: no pass fails, nothing is made or deleted."""

    async def story(d: Day) -> None:
        await d.made(1)
        await asyncio.sleep(700)
        names = ("edge", "office", "office-1")
        whole = {name: copy.deepcopy(dict(d.object(name).status)) for name in names}
        optional = ["create", "drift", "approval", "credentialsSecretRef", "interruptedAt", "ownLabelKeys"]
        for field in [*sorted({field for status in whole.values() for field in status} | {*optional}), None]:
            if field == "uuid" or (field in ("gatewayUuid", "connectionUuid") and shape == "text"):
                continue  # a wrong one is another story: what it means is told of as gone
            for name in names:
                body = d.kubernetes.objects[Name(KINDS[name], "default", name)]
                broken = {**whole[name], field: SHAPES[shape]} if field else SHAPES[shape]
                body["status"] = copy.deepcopy(broken)
                d.kubernetes._moved(Name(KINDS[name], "default", name), "MODIFIED")  # noqa: SLF001  by hand
            await asyncio.sleep(1)
            await d.restart()
            await d.settle(120)
        assert not d.calls("POST", "DELETE")
        assert len(d.world.gateways) == 1

    day(story)
