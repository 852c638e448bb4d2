"""What a scrape shows: names, labels and values, in both formats, over a real socket."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from prometheus_client import openmetrics, parser
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import parser as openmetrics_parser

from netgw import __version__
from netgw.engine.objects import Key
from netgw.engine.outcome import Settled, Stalled
from netgw.engine.queue import Queue
from netgw.engine.store import Store
from netgw.engine.tally import Tally
from netgw.kube.telemetry import BUCKETS, AccountSample, CallLog, GatewaySample, Part, Sample, Traffic, TunnelSample
from netgw.metrics import Exporter, families
from netgw.probes import ProbeServer, probes_app
from netgw.settings import Address
from support.cluster import ROOT
from support.made import LINKS, made

GATEWAY, CONNECTION, TUNNEL = Part("10-g", "edge-cloud"), Part("10-c", "office-cloud"), Part("10-t", "office-1-cloud")
TEXT = "text/plain; version=0.0.4"
OF_THE_PROCESS = ("netgw_build_info", "netgw_asyncio_tasks", "netgw_python_blocks", "netgw_leader")
OPENMETRICS = "application/openmetrics-text; version=1.0.0"

WHEN = datetime(2026, 11, 22, 3, tzinfo=UTC)
ACCOUNT = AccountSample("alice", "default", "upcloud", "CredentialsRefused", None, WHEN.timestamp(), 25.5, 0, 3)
OWN = AccountSample("alice", "", "", None, 1700000000.0, None, 25.5, 20, 0)

WHOLE = TunnelSample(
    TUNNEL,
    CONNECTION,
    GATEWAY,
    up=True,
    healthy=False,
    traffic=Traffic(2**53 - 1, 2, 3, 4),
    up_events=5,
    down_events=4,
    rekey_seconds=(("ike", 4000), ("child", 700)),
    life_seconds=800,
    age=12.5,
)
NAT = GatewaySample(GATEWAY, 15, 8773, 3, unknown_sas=0, connections_limit=50_000, age=12.5)


async def _nothing(_: Key) -> None:
    """No pass is made here."""


class Source:
    """An app with these objects and samples."""

    def __init__(self, *samples: Sample) -> None:
        self.store = Store(LINKS)
        self.tally = Tally()
        self.queue: Queue[Key] = Queue(_nothing, workers=1, rng=random.Random(0))
        self._samples = list(samples)
        conditions = [
            {"type": "Ready", "status": "True", "reason": "Up"},
            {"type": "Synced", "status": "False", "reason": "Updating"},
        ]
        status: dict[str, Any] = {"drift": [{"path": "plan"}], "policies": {"driftPolicy": "Report"}}
        status |= {"uuid": "10-t", "account": "alice", "since": "2026-11-22T03:00:00Z", "conditions": conditions}
        self.store.apply(made("edge", status={"uuid": "10-g"}))
        self.store.apply(made("office", kind="VpnConnection", status={"uuid": "10-c"}))
        self.store.apply(made("office-1", kind="VpnTunnel", status=status))

    def samples(self) -> list[Sample]:
        return self._samples


def calls(account: str = "alice") -> list[Sample]:
    log = CallLog()
    for seconds in (0.01, 0.05, 0.3, 20.0):
        log.add("GET", "/gateway", 200, seconds)
    log.add("GET", "/gateway", None, 15.0)
    log.add("GET", "/gateway/{gateway}/metrics", 200, 0.2)
    return list(log.samples(account))


def shown(source: Source | None, accept: str = TEXT) -> dict[str, Metric]:
    """Families by name, read back."""
    kind, body = asyncio.run(Exporter(lambda: source).expose(accept))
    assert kind.startswith(accept.partition(";")[0])
    read = openmetrics_parser if "openmetrics" in accept else parser
    return {family.name: family for family in read.text_string_to_metric_families(body.decode())}


def values(found: Mapping[str, Metric], name: str) -> list[tuple[dict[str, str], float]]:
    """Labels and value of each sample of one name."""
    return [(s.labels, s.value) for family in found.values() for s in family.samples if s.name == name]


SUM = "netgw_cloud_call_duration_seconds_sum"
LABELS = {"namespace": "default", "name": "office-1", "connection": "office", "gateway": "edge"}


@pytest.mark.parametrize("accept", [TEXT, OPENMETRICS, ""])
def test_everything(accept: str) -> None:
    found = shown(Source(WHOLE, NAT, *calls()), accept)
    one = {
        "netgw_tunnel_up": 1,
        "netgw_tunnel_healthy": 0,
        "netgw_tunnel_since_timestamp_seconds": 1795316400,
        "netgw_tunnel_receive_bytes_total": 2**53 - 1,
        "netgw_tunnel_transmit_bytes_total": 2,
        "netgw_tunnel_receive_packets_total": 3,
        "netgw_tunnel_transmit_packets_total": 4,
        "netgw_tunnel_up_events_total": 5,
        "netgw_tunnel_down_events_total": 4,
        "netgw_tunnel_life_seconds": 800,
        "netgw_tunnel_sample_age_seconds": 12.5,
    }
    for name, value in one.items():
        assert values(found, name) == [(LABELS, value)], name
    rekey = [({**LABELS, "sa": "ike"}, 4000), ({**LABELS, "sa": "child"}, 700)]
    assert values(found, "netgw_tunnel_rekey_seconds") == rekey
    edge = {"namespace": "default", "name": "edge"}
    assert values(found, "netgw_gateway_nat_active_connections") == [(edge, 15)]
    assert values(found, "netgw_gateway_nat_accepted_connections_total") == [(edge, 8773)]
    assert values(found, "netgw_gateway_nat_rejected_sessions_total") == [(edge, 3)]
    assert values(found, "netgw_gateway_unknown_sas") == [(edge, 0)]
    assert values(found, "netgw_gateway_connections_limit") == [(edge, 50_000)]
    tunnel = {"kind": "VpnTunnel", "namespace": "default", "name": "office-1", "account": "alice"}
    assert values(found, "netgw_object_condition") == [
        ({**tunnel, "type": "Ready", "status": "True", "reason": "Up"}, 1),
        ({**tunnel, "type": "Synced", "status": "False", "reason": "Updating"}, 1),
    ]
    assert values(found, "netgw_build_info") == [({"version": __version__}, 1)]
    assert values(found, "netgw_asyncio_tasks") == [({}, 1)]
    assert values(found, "netgw_python_blocks")[0][1] > 1000
    assert values(found, "process_start_time_seconds")


def test_the_work_of_the_operator() -> None:
    source = Source(ACCOUNT, OWN)
    tally = source.tally
    tally.ended("VpnTunnel", Settled())
    tally.ended("VpnTunnel", Settled())
    tally.ended("Router", Stalled("Rejected", "made up."))
    tally.cut("Router", "failed", "ValueError")
    tally.lasted("Router", 0.2)
    tally.drifted("VpnTunnel", "corrected", 2)
    tally.drifted("VpnTunnel", "refused", 0)
    tally.keys["VpnTunnel"] += 1
    tally.became_ready(made("new"), WHEN)
    found = shown(source)
    passes = {(s["kind"], s["outcome"], s["reason"]): v for s, v in values(found, "netgw_reconciles_total")}
    assert passes == {
        ("VpnTunnel", "settled", "InSync"): 2,
        ("Router", "stalled", "Rejected"): 1,
        ("Router", "failed", "ValueError"): 1,
    }
    assert values(found, "netgw_reconcile_duration_seconds_sum") == [({"kind": "Router"}, 0.2)]
    below = {labels["le"]: v for labels, v in values(found, "netgw_reconcile_duration_seconds_bucket")}
    assert (below["0.1"], below["0.25"], below["+Inf"]) == (0, 1, 1)
    assert values(found, "netgw_drift_fields_total") == [({"kind": "VpnTunnel", "event": "corrected"}, 2)]
    assert values(found, "netgw_secret_rotations_total") == [({"kind": "VpnTunnel"}, 1)]
    drift = {"kind": "VpnTunnel", "namespace": "default", "name": "office-1", "account": "alice", "policy": "Report"}
    assert values(found, "netgw_object_drift_fields") == [(drift, 1)]
    for name in ("depth", "active", "oldest_seconds", "longest_pass_seconds"):
        assert values(found, f"netgw_queue_{name}") == [({}, 0)]


def test_credentials_and_accounts() -> None:
    """The balance is the account's, everything else is the credential's."""
    found = shown(Source(ACCOUNT, OWN))
    secret = {"account": "alice", "namespace": "default", "secret": "upcloud"}
    own = {"account": "alice", "namespace": "", "secret": ""}
    assert values(found, "netgw_account_hold") == [({**secret, "reason": "CredentialsRefused"}, 1)]
    assert values(found, "netgw_credentials_expiry_timestamp_seconds") == [(secret, 1795316400)]
    assert values(found, "netgw_account_last_look_timestamp_seconds") == [(own, 1700000000)]
    assert values(found, "netgw_account_budget_calls") == [(secret, 0), (own, 20)]
    assert values(found, "netgw_account_held_back_calls_total") == [(secret, 3), (own, 0)]
    assert values(found, "netgw_account_credits") == [({"account": "alice"}, 25.5)]
    assert values(found, "netgw_leader") == [({}, 1)]
    assert values(shown(None), "netgw_leader") == [({}, 0)]


def test_calls_by_route_and_answer() -> None:
    """Two credentials of one account are one series."""
    found = shown(Source(*calls(), *calls(), *calls("bob")))
    route = {"account": "alice", "method": "GET", "route": "/gateway"}
    counts = values(found, "netgw_cloud_calls_total")
    assert ({**route, "status": "200"}, 8) in counts
    assert ({**route, "status": "none"}, 2) in counts
    assert ({**route, "route": "/gateway/{gateway}/metrics", "status": "200"}, 2) in counts
    assert ({**route, "account": "bob", "status": "200"}, 4) in counts
    assert len(counts) == 6
    buckets = [
        (labels["le"], value)
        for labels, value in values(found, "netgw_cloud_call_duration_seconds_bucket")
        if labels["account"] == "bob" and labels["route"] == "/gateway"
    ]
    upto = dict.fromkeys(BUCKETS, 3.0) | {0.05: 2.0, 0.1: 2.0, 0.25: 2.0, 15.0: 4.0}
    assert buckets == [*((str(bound), count) for bound, count in upto.items()), ("+Inf", 5)]
    sums = {labels["account"]: value for labels, value in values(found, SUM) if labels["route"] == "/gateway"}
    assert sums == pytest.approx({"alice": 70.72, "bob": 35.36})


def test_series_go_with_the_object() -> None:
    source = Source(WHOLE, NAT)
    tunnel = source.store.find("VpnTunnel", "default", "office-1")
    assert tunnel is not None
    source.store.remove(tunnel.key)
    found = shown(source)
    assert values(found, "netgw_tunnel_up") == []
    assert values(found, "netgw_object_condition") == []
    assert values(found, "netgw_gateway_nat_active_connections")


def test_parents_without_an_object_go_by_their_name_in_the_cloud() -> None:
    source = Source(WHOLE)
    for kind, name in (("NetworkGateway", "edge"), ("VpnConnection", "office")):
        obj = source.store.find(kind, "default", name)
        assert obj is not None
        source.store.remove(obj.key)
    labels = LABELS | {"connection": "office-cloud", "gateway": "edge-cloud"}
    assert values(shown(source), "netgw_tunnel_up") == [(labels, 1)]


def test_what_is_not_known_has_no_series() -> None:
    found = shown(Source(TunnelSample(TUNNEL, CONNECTION, GATEWAY, None, None), GatewaySample(GATEWAY)))
    series = {sample.name for family in found.values() for sample in family.samples}
    assert {name for name in series if "tunnel" in name} == {"netgw_tunnel_since_timestamp_seconds"}
    assert {name for name in series if "gateway" in name} == set()


def test_seen_twice_is_one_series_the_younger() -> None:
    """A series that is there twice makes Prometheus refuse the whole scrape."""
    never = TunnelSample(TUNNEL, CONNECTION, GATEWAY, False, None)
    old = TunnelSample(TUNNEL, CONNECTION, GATEWAY, False, None, age=99.0)
    for samples in ((WHOLE, never, old), (old, never, WHOLE)):
        assert values(shown(Source(*samples)), "netgw_tunnel_up") == [(LABELS, 1)]


@pytest.mark.parametrize("conditions", [None, [], [{}], [{"type": None, "reason": 1}]])
def test_a_mutilated_status_harms_nobody(conditions: object) -> None:
    source = Source(WHOLE)
    status = {"uuid": "10-t", "since": 5, "conditions": conditions}
    source.store.apply(made("office-1", kind="VpnTunnel", version=2, status=status))
    assert values(shown(source), "netgw_tunnel_up") == [(LABELS, 1)]


def test_a_standby_has_no_objects() -> None:
    assert [name for name in shown(None) if name.startswith("netgw")] == list(OF_THE_PROCESS)


def exported(found: Iterable[Metric]) -> set[str]:
    return {family.name + ("_total" if family.type == "counter" else "") for family in found}


def test_every_name_has_a_row_in_the_documentation_and_every_row_is_a_name() -> None:
    said = re.findall(r"^\| `(netgw_\w+)` \|", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE)
    source = Source()
    assert set(said) == exported(families(source)) | {*OF_THE_PROCESS}
    assert len(said) == len(set(said))


def test_names_follow_prometheus() -> None:
    for family in families(Source()):
        assert family.documentation.endswith(".")
        assert re.fullmatch(r"netgw_[a-z_]+", family.name)
        assert "milli" not in family.name
        assert not family.name.endswith("_total")  # it is added when rendered


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", "application/openmetrics-text; version=1.0.0"),
    ],
)
def test_scrape_over_a_socket(accept: str, content_type: str) -> None:
    exporter = Exporter(lambda: Source(WHOLE, NAT, *calls()))

    async def scrape() -> httpx.Response:
        server = ProbeServer(
            probes_app(lambda: True, lambda: (True, "working"), exporter.expose), Address("127.0.0.1", 0)
        )
        address = await server.start()
        async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client:
            answer = await client.get("/metrics", headers={"Accept": accept})
        await server.stop()
        return answer

    answer = asyncio.run(scrape())
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(content_type)
    assert ("# EOF" in answer.text) == ("openmetrics" in accept)
    read = openmetrics.parser if "openmetrics" in accept else parser
    found = {family.name: family for family in read.text_string_to_metric_families(answer.text)}
    assert values(found, "netgw_tunnel_up") == [(LABELS, 1)]
