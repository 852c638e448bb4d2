"""When metrics are asked for, at what price, and what a scrape shows: one account, many answers, virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from itertools import pairwise
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from netgw.engine.outcome import Hold, Waiting
from netgw.kube.provider import Listener, Sampling
from netgw.kube.telemetry import CallSample, GatewaySample, Traffic, TunnelSample
from netgw.providers.upcloud.api import Credentials, Gateway, Plan, UpCloud
from netgw.providers.upcloud.gateway.snapshot import Entry
from netgw.providers.upcloud.telemetry.asking import Telemetry
from support.virtual_time import VirtualClock, VirtualLoop, run
from support.wire import CONNECTION_UUID, GATEWAY_UUID, NOW, TUNNEL_UUID, connection, gateway, tunnel

NAME = "office/office-1"
MESSAGE = "received AUTHENTICATION_FAILED notify error"
LATENCY = 0.1


def sa(amount: int = 100, **over: Any) -> dict[str, Any]:
    counters = dict.fromkeys(("bytes_in", "bytes_out", "packets_in", "packets_out"), amount)
    child = {"name": NAME, "unique_id": "1", "state": "installed", "rekey_time": 700, "life_time": 800, **counters}
    return {"name": NAME, "operational_state": "established", "rekey_time": 4000, "child_sas": [child], **over}


def nat(**over: Any) -> dict[str, Any]:
    counts = {"active_connections": 15, "total_accepted_connections": 8773, "total_rejected_sessions": 3}
    return {"name": "edge", **counts, **over}


def one(**over: Any) -> Gateway:
    """A gateway with one tunnel."""
    return gateway(connections=[connection(tunnel(**over))])


class Account:
    """What telemetry needs of an account, and a cloud that answers what a test says."""

    def __init__(self, loop: VirtualLoop, interval: float = 60.0, share: float = 0.25) -> None:
        self.clock = VirtualClock(loop)
        self.username: str | None = "alice"
        self.plans: dict[str, Plan] = {}
        self.gateways = [one()]
        self.answer: dict[str, Any] = {"gateways": [nat()], "ipsec_metrics": {"ike_sas": [sa()]}}
        self.status = 200
        self.asked: list[tuple[float, str]] = []
        self.changed: list[frozenset[str]] = []
        self.unmanaged: set[str] = set()
        self.held: Hold | None = None
        self.blind = False
        credentials = Credentials(token=SecretStr("madeup-token"))
        self._api = UpCloud(credentials, base_url="http://simulator", transport=httpx.MockTransport(self._handle))
        listener = Listener(
            managed=lambda uuid: uuid not in self.unmanaged,
            changed=lambda uuids, _: self.changed.append(uuids),
            refused=lambda: None,
            recovered=lambda: None,
            blinded=lambda _: None,
        )
        self.telemetry = Telemetry(self, self, self.clock, listener, Sampling(interval, share))
        self._api.listen(self.telemetry.called)

    @property
    def api(self) -> UpCloud:
        return self._api

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((self.clock.now(), request.url.path.split("/")[3]))
        await asyncio.sleep(LATENCY)
        return httpx.Response(self.status, json=self.answer)

    def entries(self) -> list[Entry]:
        return [self._entry(seen) for seen in self.gateways]

    def known(self, uuid: str) -> Entry | None:
        return next((self._entry(seen) for seen in self.gateways if seen.uuid == uuid), None)

    def _entry(self, seen: Gateway) -> Entry:
        return Entry(seen, self.clock.now(), self.clock.wall())

    def hold(self) -> Hold | None:
        return self.held

    def is_blind(self) -> bool:
        return self.blind

    # ---- what a test does

    async def scrape(self, seconds: float, every: float = 15.0) -> None:
        for _ in range(int(seconds / every)):
            self.telemetry.samples()
            await asyncio.sleep(every)

    async def list(self) -> frozenset[str]:
        """A look of the account's poller."""
        return await self.telemetry.ask(self.gateways)

    def tunnel(self) -> TunnelSample:
        return next(sample for sample in self.telemetry.samples() if isinstance(sample, TunnelSample))

    def gateway(self) -> GatewaySample:
        return next(sample for sample in self.telemetry.samples() if isinstance(sample, GatewaySample))


def play(story: Callable[[Account], Awaitable[None]], **options: Any) -> Account:
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    account = Account(loop, **options)

    async def whole() -> None:
        running = asyncio.create_task(account.telemetry.run())
        await story(account)
        assert not running.done()
        await account.api.aclose()

    try:
        run(whole(), loop)
    finally:
        asyncio.set_event_loop(None)
    return account


def times(account: Account) -> list[float]:
    return [at for at, _ in account.asked]


# ---- while somebody scrapes


def test_nobody_scrapes() -> None:
    async def story(a: Account) -> None:
        for _ in range(60):
            assert await a.list() == frozenset()
            await asyncio.sleep(60)

    assert play(story).asked == []


def test_one_call_per_interval_while_somebody_scrapes() -> None:
    async def story(a: Account) -> None:
        await asyncio.sleep(1000)
        await a.scrape(600)
        await asyncio.sleep(3600)

    assert times(play(story)) == pytest.approx([1000 + 60 * n for n in range(15)], abs=0.01)


def test_interval_of_zero_is_never() -> None:
    async def story(a: Account) -> None:
        await a.scrape(600)
        assert a.tunnel().up is True
        assert a.tunnel().age is None

    assert play(story, interval=0).asked == []


def test_begins_again_with_the_next_scrape() -> None:
    async def story(a: Account) -> None:
        await a.scrape(15)
        await asyncio.sleep(5000)
        asked = len(a.asked)
        assert a.tunnel().traffic == Traffic(100, 100, 100, 100)
        assert a.tunnel().rekey_seconds == ()
        assert (a.tunnel().age or 0) > 4000
        await asyncio.sleep(1)
        assert len(a.asked) == asked + 1
        assert a.tunnel().rekey_seconds == (("ike", 4000), ("child", 700))

    play(story)


def test_calls_are_spread_over_the_interval() -> None:
    async def story(a: Account) -> None:
        a.gateways = [gateway(uuid=f"10-{number}", name=f"edge-{number}") for number in range(12)]
        await a.scrape(600)

    account = play(story)
    gaps = [later - earlier for earlier, later in pairwise(times(account))]
    assert min(gaps) > 4.5
    assert len(account.asked) == 12 * 10


@pytest.mark.parametrize(("share", "rate"), [(0.25, 1.25), (1.0, 5.0), (0.01, 0.05)])
def test_never_more_than_the_share(share: float, rate: float) -> None:
    """A thousand gateways: each in turn, and samples that are older are not taken for old."""

    async def story(a: Account) -> None:
        a.gateways = [gateway(uuid=f"10-{number}", name=f"edge-{number}") for number in range(1000)]
        await a.scrape(600)

    account = play(story, share=share)
    seen = times(account)
    for begin in range(0, 600, 60):
        assert len([at for at in seen if begin <= at < begin + 60]) <= 60 * rate + 20 * share + 1
    assert len(seen) == pytest.approx(600 * rate + 20 * share, rel=0.1)
    for uuid in {uuid for _, uuid in account.asked}:
        own = [at for at, asked in account.asked if asked == uuid]
        assert all(later - earlier >= 59.9 for earlier, later in pairwise(own))


def test_old_is_what_is_older_than_three_rounds() -> None:
    async def story(a: Account) -> None:
        a.gateways = [gateway(uuid=f"10-{number}", name="edge") for number in range(400)]
        await a.scrape(705)
        nats = [sample for sample in a.telemetry.samples() if isinstance(sample, GatewaySample)]
        assert all(sample.active_connections == 15 for sample in nats)

    play(story)


def test_only_what_an_object_records() -> None:
    async def story(a: Account) -> None:
        a.gateways = [one(), gateway(uuid="10-foreign", name="foreign")]
        a.unmanaged = {"10-foreign"}
        await a.scrape(105)
        assert {uuid for _, uuid in a.asked} == {GATEWAY_UUID}
        a.unmanaged = {"10-foreign", GATEWAY_UUID}
        await a.scrape(105)
        asked = len(a.asked)
        a.unmanaged = {"10-foreign", GATEWAY_UUID, TUNNEL_UUID}
        await a.list()
        await a.scrape(600)
        assert len(a.asked) == asked

    assert len(play(story).asked) == 4


def test_a_gateway_that_comes_while_somebody_scrapes_is_asked_at_once() -> None:
    async def story(a: Account) -> None:
        await a.scrape(120)
        a.gateways = [*a.gateways, gateway(uuid="10-new", name="new")]
        await a.list()
        await asyncio.sleep(1)
        assert a.asked[-1][1] == "10-new"

    play(story)


def test_no_call_while_the_account_does_not_answer() -> None:
    async def story(a: Account) -> None:
        a.held = Waiting("CloudUnavailable", "UpCloud does not answer.", 1.0)
        await a.scrape(600)
        assert a.asked == []
        a.held = None
        await a.scrape(30)
        assert len(a.asked) == 1

    play(story)


@pytest.mark.parametrize("status", [404, 429, 500, 503])
def test_a_sample_that_fails_is_not_tried_again(status: int, caplog: pytest.LogCaptureFixture) -> None:
    async def story(a: Account) -> None:
        await a.scrape(30)
        a.status = status
        with caplog.at_level("INFO", logger="netgw"):
            await a.scrape(600)
        assert (a.tunnel().age or 0) > 590
        assert a.tunnel().traffic == Traffic(100, 100, 100, 100)
        a.status = 200
        await a.scrape(120)
        assert (a.tunnel().age or 0) < 61

    assert times(play(story)) == pytest.approx([60 * n for n in range(13)], abs=1)
    assert len([line for line in caplog.messages if line.startswith("metrics: ")]) == 1


# ---- what a scrape shows


def test_everything_about_a_tunnel_and_a_gateway() -> None:
    async def story(a: Account) -> None:
        heuristic = {"tunnel_up": True, "tunnel_healthy": False, "up_events": 5, "down_events": 4}
        a.answer["ipsec_metrics"]["ike_sas"] = [sa(heuristic_state=heuristic), sa(name="gone/gone", child_sas=None)]
        await a.scrape(30)
        seen, nats = a.tunnel(), a.gateway()
        assert (seen.tunnel.uuid, seen.connection.uuid, seen.gateway.uuid) == (
            TUNNEL_UUID,
            CONNECTION_UUID,
            GATEWAY_UUID,
        )
        assert (seen.tunnel.name, seen.connection.name, seen.gateway.name) == ("office-1", "office", "edge")
        assert (seen.up, seen.healthy) == (True, True)  # the list stands above the metrics
        assert (seen.up_events, seen.down_events, seen.life_seconds) == (5, 4, 800)
        assert seen.traffic == Traffic(100, 100, 100, 100)
        assert seen.age == pytest.approx(30, abs=0.1)
        assert (nats.active_connections, nats.accepted_connections, nats.rejected_sessions) == (15, 8773, 3)
        assert nats.unknown_sas == 1

    play(story)


@pytest.mark.parametrize("metrics", [None, {}, {"ike_sas": None}, {"ike_sas": []}])
def test_tunnel_without_an_sa_has_its_series(metrics: Any) -> None:
    async def story(a: Account) -> None:
        a.gateways = [one(tunnel_up=False, operational_state="idle")]
        a.answer = {"gateways": [], "ipsec_metrics": metrics}
        await a.scrape(30)
        assert (a.tunnel().up, a.tunnel().healthy) == (False, None)
        assert a.tunnel().traffic == Traffic()
        assert a.tunnel().up_events is None

    play(story)


@pytest.mark.parametrize(
    ("listed", "up"),
    [
        ({"tunnel_up": False, "operational_state": "idle"}, False),
        ({"tunnel_up": True}, True),
        ({"tunnel_up": None, "operational_state": "a new word"}, None),
    ],
)
@pytest.mark.parametrize("measured", [True, False])
def test_the_list_wins(listed: dict[str, Any], up: bool | None, measured: bool) -> None:
    async def story(a: Account) -> None:
        a.gateways = [one(**listed)]
        a.answer["ipsec_metrics"]["ike_sas"] = [sa(heuristic_state={"tunnel_up": measured})]
        await a.list()
        await a.scrape(30)
        assert a.tunnel().up is up
        assert a.tunnel().traffic == Traffic(100, 100, 100, 100)

    play(story)


def test_health_comes_from_the_metrics_where_the_list_does_not_tell() -> None:
    async def story(a: Account) -> None:
        a.gateways = [one(tunnel_healthy=None, tunnel_up=None)]
        a.answer["ipsec_metrics"]["ike_sas"] = [sa(heuristic_state={"tunnel_healthy": False})]
        await a.scrape(30)
        assert (a.tunnel().up, a.tunnel().healthy) == (True, False)

    play(story)


def test_nothing_is_said_of_now_when_blind() -> None:
    async def story(a: Account) -> None:
        await a.scrape(30)
        a.blind = True
        assert (a.tunnel().up, a.tunnel().healthy) == (None, None)
        assert a.tunnel().traffic == Traffic(100, 100, 100, 100)

    play(story)


def test_counters_outlive_a_list_that_is_too_short_but_not_the_object() -> None:
    async def story(a: Account) -> None:
        await a.scrape(30)
        whole, a.gateways = a.gateways, []
        await a.list()
        a.gateways = whole
        await a.list()
        a.answer["ipsec_metrics"]["ike_sas"] = [sa(10)]
        await a.scrape(120)
        assert a.tunnel().traffic == Traffic(110, 110, 110, 110)
        assert a.gateway().accepted_connections == 8773
        a.unmanaged = {TUNNEL_UUID}
        await a.list()
        a.unmanaged = set()
        await a.scrape(120)
        assert a.tunnel().traffic == Traffic(10, 10, 10, 10)

    play(story)


def test_calls_are_counted_by_route() -> None:
    async def story(a: Account) -> None:
        a.username = None
        await a.scrape(120)
        (calls,) = [sample for sample in a.telemetry.samples() if isinstance(sample, CallSample)]
        assert (calls.account, calls.method, calls.route) == ("", "GET", "/gateway/{gateway}/metrics")
        assert (calls.status, calls.count) == (200, 2)
        assert calls.seconds == pytest.approx(2 * LATENCY)
        assert (sum(calls.buckets), calls.buckets[1] + calls.buckets[2]) == (2, 2)

    play(story)


# ---- why is a tunnel down?


def fallen(message: str | None = MESSAGE, at: datetime = NOW) -> dict[str, Any]:
    state = {"tunnel_up": False, "last_down_message": message, "last_down_message_updated_at": at.isoformat()}
    return sa(operational_state="connecting", child_sas=None, heuristic_state=state)


def test_a_fall_is_asked_about_at_once_and_then_less_and_less_often() -> None:
    """With interval 0 and without a scrape; at last every five minutes."""

    async def story(a: Account) -> None:
        await a.list()
        a.gateways = [one(tunnel_up=False)]
        a.answer["ipsec_metrics"]["ike_sas"] = [fallen()]
        assert await a.list() == {TUNNEL_UUID}
        message = a.telemetry.message(TUNNEL_UUID)
        assert message is not None
        assert (message.text, message.at) == (MESSAGE, NOW)
        for _ in range(220):
            await asyncio.sleep(5)
            assert await a.list() == frozenset()
        assert a.changed == []

    assert times(play(story, interval=0)) == pytest.approx([0, 15, 45, 105, 225, 465, 765, 1065], abs=20)


def test_what_the_peer_refuses_after_the_fall_is_told_soon() -> None:
    """A tunnel with a new key is down at once; that the peer has another one is known a moment later."""

    async def story(a: Account) -> None:
        await a.list()
        a.gateways = [one(tunnel_up=False)]
        a.answer["ipsec_metrics"]["ike_sas"] = [fallen(None)]
        assert await a.list() == frozenset()
        a.answer["ipsec_metrics"]["ike_sas"] = [fallen()]
        await asyncio.sleep(20)
        assert await a.list() == {TUNNEL_UUID}
        message = a.telemetry.message(TUNNEL_UUID)
        assert message is not None
        assert message.text == MESSAGE

    play(story, interval=0)


def test_a_sample_from_after_the_fall_is_enough() -> None:
    async def story(a: Account) -> None:
        scraping = asyncio.create_task(a.scrape(900))
        await asyncio.sleep(30)
        await a.list()
        await asyncio.sleep(20)
        a.answer["ipsec_metrics"]["ike_sas"] = [fallen()]  # the sample at 60 sees it before the list does
        await asyncio.sleep(20)
        a.gateways = [one(tunnel_up=False)]
        for _ in range(80):
            await a.list()
            await asyncio.sleep(10)
        assert a.telemetry.message(TUNNEL_UUID) is not None
        await scraping

    # Two between the samples, for what the peer says after the fall; then they come often enough.
    asked = times(play(story))
    assert asked[:4] == pytest.approx([0, 60, 80, 110], abs=2)
    assert [later - sooner for sooner, later in pairwise(asked[3:])] == pytest.approx([60] * 13, abs=1)


def test_a_sample_from_before_the_fall_is_not_enough() -> None:
    async def story(a: Account) -> None:
        scraping = asyncio.create_task(a.scrape(60))
        await a.list()
        await asyncio.sleep(5)
        a.answer["ipsec_metrics"]["ike_sas"] = [fallen()]
        a.gateways = [one(tunnel_up=False)]
        assert await a.list() == {TUNNEL_UUID}
        assert len(a.asked) == 2
        await scraping

    play(story)


def test_news_of_a_tunnel_that_is_down_wakes_it() -> None:
    """Also when it comes with a sample for the scrapers; of one that is up nobody has to hear."""

    async def story(a: Account) -> None:
        a.gateways = [one(tunnel_up=False)]
        await a.list()
        scraping = asyncio.create_task(a.scrape(300))
        await asyncio.sleep(70)
        a.answer["ipsec_metrics"]["ike_sas"] = [fallen()]
        await asyncio.sleep(70)
        assert a.changed == [{TUNNEL_UUID}]
        a.gateways = [one()]
        a.answer["ipsec_metrics"]["ike_sas"] = [sa(heuristic_state={"last_down_message": "another"})]
        await asyncio.sleep(70)
        assert a.changed == [{TUNNEL_UUID}]
        await scraping

    play(story)


def test_a_failing_question_is_asked_again_less_and_less_often() -> None:
    async def story(a: Account) -> None:
        a.gateways, a.status = [one(tunnel_up=False)], 500
        for _ in range(60):
            assert await a.list() == frozenset()
            await asyncio.sleep(10)

    assert len(play(story).asked) == 6


def test_a_stopped_gateway_needs_no_cause() -> None:
    async def story(a: Account) -> None:
        a.gateways = [one(tunnel_up=False).model_copy(update={"configured_status": "stopped"})]
        await a.list()

    assert play(story).asked == []


def test_many_falls_stay_within_the_share() -> None:
    """The poller is not held up; what it could not ask comes after, and is told."""

    async def story(a: Account) -> None:
        down = tunnel(tunnel_up=False)
        a.gateways = [
            gateway(
                uuid=f"10-{number}",
                connections=[connection(down.model_copy(update={"uuid": f"10-t{number}"}), uuid=f"10-c{number}")],
            )
            for number in range(100)
        ]
        a.answer["ipsec_metrics"]["ike_sas"] = [fallen()]
        began = a.clock.now()
        assert len(await a.list()) == 5
        assert a.clock.now() - began < 1
        for _ in range(9):
            await asyncio.sleep(10)
            await a.list()
        assert len(set().union(*a.changed)) + 5 + a_few >= 100

    a_few = 20  # those that a look of the poller asked for
    account = play(story, interval=0)
    assert len({uuid for _, uuid in account.asked[:100]}) == 100  # nobody is asked about again before
    assert times(account)[99] > 70


def test_nothing_comes_of_a_second_look_while_one_is_under_way() -> None:
    async def story(a: Account) -> None:
        a.gateways = [one(tunnel_up=False)]
        a.answer["ipsec_metrics"]["ike_sas"] = [fallen()]
        told = await asyncio.gather(a.list(), a.list())
        assert told[0] | told[1] == {TUNNEL_UUID}

    assert len(play(story).asked) == 1
