"""Who scrapes, what it costs and what is seen, over hours; and why a tunnel fell, with a scrape and without."""

from __future__ import annotations

import asyncio

from prometheus_client import generate_latest, parser

from netgw.kube.provider import Sampling
from netgw.metrics import Found, families
from support.days import HOUR, SECRETS, SPARE, Day, day
from support.history import OTHER_KEY
from support.tenants import BOB, REF, SECRET, TENANT, Tenants, play

AUTHENTICATION = "received AUTHENTICATION_FAILED notify error"
TUNNEL = {"namespace": "default", "name": "office-1", "connection": "office", "gateway": "edge"}

BYTES = "netgw_tunnel_receive_bytes_total"
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(d: Day) -> Series:
    """Every sample by name and labels. Nothing secret is in it, whatever happened before."""
    assert d.app is not None
    body = generate_latest(Found(families(d.app))).decode()
    for secret in SECRETS:
        assert secret not in body
    found = [sample for family in parser.text_string_to_metric_families(body) for sample in family.samples]
    return {(sample.name, frozenset(sample.labels.items())): sample.value for sample in found}


async def scraped(d: Day, seconds: float, every: float = 30.0) -> Series:
    """Somebody scrapes for a while. No counter goes back."""
    last: Series = {}
    for _ in range(int(seconds / every)):
        now = scrape(d)
        for series, value in last.items():
            assert not series[0].endswith("_total") or now.get(series, value) >= value, series
        last = now
        await asyncio.sleep(every)
    return last


def of(series: Series, metric: str, **over: str) -> float | None:
    """The value of a series of the first tunnel."""
    return series.get((metric, frozenset({**TUNNEL, **over}.items())))


def metrics(d: Day) -> int:
    return len([call for call in d.calls("GET") if call.endswith("/metrics")])


def test_nobody_scrapes_and_nothing_is_asked() -> None:
    async def story(d: Day) -> None:
        await d.made()
        await asyncio.sleep(1300)
        d.world.calls.clear()
        await d.calm(calls=62)
        assert metrics(d) == 0

    day(story)


def test_a_scraper_costs_one_call_per_gateway_and_interval() -> None:
    """And no write to Kubernetes; when it goes, the calls go."""

    async def story(d: Day) -> None:
        await d.made()
        await asyncio.sleep(1300)
        d.world.calls.clear()
        writes = len(d.kubernetes.writes)
        await scraped(d, HOUR)
        assert 58 <= metrics(d) <= 61
        assert len(d.kubernetes.writes) == writes
        await asyncio.sleep(400)
        d.world.calls.clear()
        await d.calm(calls=62)
        assert metrics(d) == 0

    day(story)


def test_what_is_seen_of_a_tunnel() -> None:
    async def story(d: Day) -> None:
        await d.made()
        first = scrape(d)
        assert of(first, "netgw_tunnel_up") == 1
        assert of(first, "netgw_tunnel_receive_bytes_total") is None
        seen = await scraped(d, 600)
        assert of(seen, "netgw_tunnel_healthy") == 1
        assert (of(seen, "netgw_tunnel_receive_bytes_total") or 0) > 400_000
        assert of(seen, "netgw_tunnel_up_events_total") == 1
        assert of(seen, "netgw_tunnel_rekey_seconds", sa="child") is not None
        assert (of(seen, "netgw_tunnel_sample_age_seconds") or 0) < 61
        edge = frozenset({"namespace": "default", "name": "edge"}.items())
        assert ("netgw_gateway_nat_active_connections", edge) not in seen
        assert seen["netgw_gateway_unknown_sas", edge] == 0
        lists = {"account": "simulator", "method": "GET", "route": "/gateway", "status": "200"}
        assert seen["netgw_cloud_calls_total", frozenset(lists.items())] > 10

    day(story)


def test_rotation_and_restart_of_a_tunnel_never_take_a_counter_back() -> None:
    """A new child begins at zero: what is exported does not."""

    async def story(d: Day) -> None:
        await d.made()
        before = of(await scraped(d, 600), "netgw_tunnel_transmit_bytes_total")
        assert before is not None
        scraping = asyncio.create_task(scraped(d, 1800))
        await asyncio.sleep(100)
        d.secret(OTHER_KEY)
        await asyncio.sleep(700)
        d.world.force_tunnel(d.uuid("office-1"), operational_state="connecting", last_down_message=AUTHENTICATION)
        await asyncio.sleep(400)
        d.world.force_tunnel(d.uuid("office-1"))
        after = await scraping
        assert (of(after, "netgw_tunnel_transmit_bytes_total") or 0) > before + 500_000
        assert (of(after, "netgw_tunnel_down_events_total") or 0) >= 2

    day(story)


def test_a_fall_without_a_scraper_is_asked_about_less_and_less_often() -> None:
    async def story(d: Day) -> None:
        await d.made()
        d.world.force_tunnel(d.uuid("office-1"), operational_state="connecting", last_down_message=AUTHENTICATION)
        await d.becomes("office-1", "AuthenticationFailed", "Ready")
        assert metrics(d) == 1
        await asyncio.sleep(300)
        assert 3 <= metrics(d) <= 5
        await asyncio.sleep(1000)
        assert 6 <= metrics(d) <= 9

    day(story, app={"sampling": Sampling(interval=0, share=0.25)})


def test_what_the_peer_refuses_after_the_fall_is_told_within_a_minute() -> None:
    """A new key takes a tunnel down at once. What the peer says to it comes later, and without a change of state."""

    async def story(d: Day) -> None:
        await d.made()
        d.world.force_tunnel(d.uuid("office-1"), operational_state="connecting")
        await d.becomes("office-1", "TunnelDown", "Ready")
        assert metrics(d) == 1
        d.world.force_tunnel(d.uuid("office-1"), operational_state="connecting", last_down_message=AUTHENTICATION)
        await asyncio.sleep(60)
        assert d.condition("office-1", "Ready")["reason"] == "AuthenticationFailed"

    day(story, app={"sampling": Sampling(interval=0, share=0.25)})


def test_a_fall_with_a_scraper_costs_little_more() -> None:
    async def story(d: Day) -> None:
        await d.made()
        await asyncio.sleep(1300)
        scraping = asyncio.create_task(scraped(d, 1800))
        await asyncio.sleep(630)
        d.world.calls.clear()
        d.world.force_tunnel(d.uuid("office-1"), operational_state="connecting", last_down_message=AUTHENTICATION)
        await d.becomes("office-1", "AuthenticationFailed", "Ready")
        writes = len(d.kubernetes.writes)
        seen = await scraping
        assert metrics(d) <= 3 + 1170 / 60 + 1
        assert len(d.kubernetes.writes) == writes
        assert of(seen, "netgw_tunnel_up") == 0
        assert of(seen, "netgw_tunnel_healthy") is None
        assert of(seen, "netgw_tunnel_receive_bytes_total") is not None
        assert d.condition("office-1", "Ready")["reason"] == "AuthenticationFailed"

    day(story)


def test_tunnel_that_never_came_up_has_its_series() -> None:
    async def story(d: Day) -> None:
        await d.start()
        d.world.tunnels = "idle"
        d.apply_all(1)
        await d.becomes("office-1", "PeerNeverConnected", "Ready")
        seen = await scraped(d, 300)
        assert of(seen, "netgw_tunnel_up") == 0
        assert of(seen, "netgw_tunnel_receive_bytes_total") == 0

    day(story)


def test_series_go_when_the_object_goes() -> None:
    async def story(d: Day) -> None:
        await d.made()
        await scraped(d, 120)
        d.delete("office-1")
        await d.until(lambda: len(d.objects()) == 3)
        seen = await scraped(d, 120)
        assert not [name for name, labels in seen if ("name", "office-1") in labels]
        assert of(seen, "netgw_tunnel_up", name="office-2") == 1

    day(story)


def test_up_is_not_told_when_the_cloud_is_silent() -> None:
    """Credentials that are refused: no metrics call either."""

    async def story(d: Day) -> None:
        await d.made()
        await scraped(d, 120)
        d.world.tokens = {}
        await scraped(d, 300)
        d.world.calls.clear()
        seen = await scraped(d, 900)
        assert of(seen, "netgw_tunnel_up") is None
        assert metrics(d) == 0
        tunnel = {"kind": "VpnTunnel", "namespace": "default", "name": "office-1", "account": "alice"}
        unknown = {**tunnel, "type": "Ready", "status": "Unknown", "reason": "CannotObserve"}
        assert seen["netgw_object_condition", frozenset(unknown.items())] == 1

    day(story, tokens={"madeup-token": "alice"})


def test_nat_alone() -> None:
    async def story(d: Day) -> None:
        await d.start()
        d.gateway(features=["nat"], plan="development")
        await d.settle()
        seen = await scraped(d, 120)
        edge = frozenset({"namespace": "default", "name": "edge"}.items())
        assert seen["netgw_gateway_nat_active_connections", edge] == 15
        assert seen["netgw_gateway_nat_accepted_connections_total", edge] > 0
        assert ("netgw_gateway_nat_rejected_sessions_total", edge) in seen

    day(story)


def test_rekeying_doubles_nothing_and_loses_little() -> None:
    """Five children of 24 minutes each; what went through after the last sample of each is not seen."""

    async def story(d: Day) -> None:
        await d.made()
        began = d.clock.now()
        first = await scraped(d, 60)
        last = await scraped(d, 2 * HOUR)
        went = (of(last, BYTES) or 0) - (of(first, BYTES) or 0)
        assert 0.95 < went / (1000 * (d.clock.now() - began)) <= 1
        for rekeying in ("child", "ike", None):
            d.world.force_tunnel(d.uuid("office-1"), rekeying=rekeying)
            seen = await scraped(d, 300)
            assert of(seen, "netgw_tunnel_up") == 1
            assert (of(seen, "netgw_tunnel_rekey_seconds", sa="child") or 0) > 0
            assert (of(seen, "netgw_tunnel_rekey_seconds", sa="ike") or 0) > 0

    day(story)


def test_metrics_that_contradict_the_list() -> None:
    """Nulls, tunnels that nobody knows, a tunnel that is down: no harm, and the list says what is up."""
    strange = {"name": "ghost/ghost", "operational_state": "established", "child_sas": None}
    down = {"name": "office/office-1", "heuristic_state": {"tunnel_up": False}}

    async def story(d: Day) -> None:
        await d.made()
        before = of(await scraped(d, 300), BYTES)
        edge = frozenset({"namespace": "default", "name": "edge"}.items())
        writes = len(d.kubernetes.writes)
        for sas in (None, [], [strange, down]):
            d.world.force_gateway(d.uuid("edge"), metrics={"gateways": None, "ipsec_metrics": {"ike_sas": sas}})
            seen = await scraped(d, 300)
            assert of(seen, "netgw_tunnel_up") == 1
            assert (of(seen, BYTES) or 0) >= (before or 0) > 0
            assert seen["netgw_gateway_unknown_sas", edge] == (1 if sas else 0)
        d.world.force_gateway(d.uuid("edge"))
        assert (of(await scraped(d, 300), BYTES) or 0) > (before or 0)
        assert len(d.kubernetes.writes) == writes

    day(story)


def total(series: Series, metric: str, **labels: str) -> float:
    """The sum over all series that have these labels."""
    return sum(v for (name, at), v in series.items() if name == metric and labels.items() <= dict(at).items())


def test_what_the_operator_does_is_counted() -> None:
    """From nothing to ready, a new key, and a field that somebody changes by hand."""

    async def story(d: Day) -> None:
        await d.made()
        first = scrape(d)
        for kind, count in {"NetworkGateway": 1, "VpnConnection": 1, "VpnTunnel": 2}.items():
            assert total(first, "netgw_time_to_ready_seconds_count", kind=kind) == count
            assert total(first, "netgw_reconciles_total", kind=kind, outcome="settled") >= count
            assert total(first, "netgw_reconcile_duration_seconds_count", kind=kind) >= count
        assert total(first, "netgw_time_to_ready_seconds_sum", kind="VpnTunnel") > 1
        assert total(first, "netgw_secret_rotations_total") == 0
        assert total(first, "netgw_account_credits", account="simulator") == 10_000
        assert total(first, "netgw_account_hold") == 0
        assert total(first, "netgw_account_budget_calls", account="simulator", secret="") == 20
        assert total(first, "netgw_account_last_look_timestamp_seconds") > 0
        d.secret(OTHER_KEY)
        await d.until(lambda: total(scrape(d), "netgw_secret_rotations_total", kind="VpnTunnel") == 2)
        await d.ask("PATCH", f"/gateway/{d.uuid('edge')}/connections/{d.uuid('office')}", {"remote_routes": []})
        await d.until(lambda: total(scrape(d), "netgw_drift_fields_total", event="corrected") >= 1)
        assert total(scrape(d), "netgw_drift_fields_total", kind="VpnConnection", event="detected") >= 1
        await d.settle()
        assert total(scrape(d), "netgw_object_drift_fields") == 0

    day(story)


def test_series_of_work_do_not_grow_with_objects_and_credits_cost_a_call_an_hour() -> None:
    async def story(d: Day) -> None:
        await d.made()
        await asyncio.sleep(1300)
        before = set(await scraped(d, 600, every=120))
        d.world.calls.clear()
        after = set(await scraped(d, 1.5 * HOUR, every=200))
        assert after - before == set()
        assert 1 <= len([call for call in d.calls("GET") if call.endswith("/account")]) <= 2

    day(story)


def test_when_credentials_expire_and_that_they_are_refused() -> None:
    """Said by the Secret, and by UpCloud. What is no time says nothing, and harms nothing."""
    secret = {"namespace": TENANT, "secret": SECRET}

    def expiry(d: Tenants) -> float:
        return total(scrape(d), "netgw_credentials_expiry_timestamp_seconds", account="bob", **secret)

    async def story(d: Tenants) -> None:
        d.kubernetes.put_data(SECRET, {"token": BOB.encode(), "expires-at": b"2026-11-22T03:00:00Z\n"}, TENANT)
        d.tree(TENANT, **REF)
        await d.start()
        await d.until(lambda: d.in_sync(TENANT))
        assert expiry(d) == 1795316400
        d.kubernetes.put_data(SECRET, {"token": BOB.encode(), "expires-at": b"soon"}, TENANT)
        await d.until(lambda: expiry(d) == 0)
        d.hand(SPARE)
        refused = {**secret, "reason": "CredentialsRefused"}
        await d.until(lambda: total(scrape(d), "netgw_account_hold", account="bob", **refused) == 1)
        d.hand(BOB)
        await d.until(lambda: total(scrape(d), "netgw_account_hold", account="bob") == 0)

    play(story)
