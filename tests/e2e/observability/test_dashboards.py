"""A real Prometheus scrapes the running operator: every query of both dashboards has data, and no alert is wrong."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from support.cluster import ROOT
from support.operator import PROBES, announced
from support.promtool import Prometheus, prometheus, promtool
from support.scenario import Scenario
from support.stage import Stage

FOLDER = ROOT / "helm" / "netgw"
RULES = FOLDER / "rules" / "netgw.yaml"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
SERIES = re.compile(r"\b(?:netgw|process)_\w+")
LABEL_VALUES = re.compile(r"label_values\((.+), (\w+)\)")
WITHIN = 60.0


def expressions(name: str) -> list[str]:
    """Every query, with what Grafana would put in for its variables."""
    board = json.loads((FOLDER / "dashboards" / f"{name}.json").read_text())
    found = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    values = {"$__rate_interval": "10s", "$tunnel": "office-1", "$namespace": "NAMESPACE"}
    for variable, value in values.items():
        found = [expr.replace(variable, value) for expr in found]
    return found


@pytest.fixture(scope="module")
def lived(stage: Stage) -> Iterator[Scenario]:
    """With NAT and traffic, a key that was changed, drift that was put back, and credentials that expire."""
    expiry = {
        "UPCLOUD_TOKEN_EXPIRES_AT": "2999-01-01T00:00:00Z",
        "NETGW_LOG_FORMAT": "json",
        "NETGW_METRICS_INTERVAL": "1",
    }
    with stage.apart({}, **expiry) as scenario:
        scenario.secret()
        scenario.gateway(features=["nat", "vpn"], addresses=[{"name": "public"}])
        scenario.connection(remoteRoutes=[{"name": "office", "staticNetwork": "10.0.2.0/24"}])
        scenario.tunnel()
        scenario.wait_all_ready()
        yield scenario


@pytest.fixture(scope="module")
def scraping(lived: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    target = announced(lived.operator.process, PROBES).removeprefix("http://")
    with prometheus(target, tmp_path_factory.mktemp("watch") / "prometheus", RULES) as opened:
        wait(opened, "netgw_tunnel_up == 1")
        lived.secret()
        lived.wait_event("PskRotated")
        uuids = (lived.uuid("NetworkGateway", "edge"), lived.uuid("VpnConnection", "office"))
        path = "/gateway/{}/connections/{}".format(*uuids)
        lived.cloud.api("PATCH", path, {"remote_routes": []}, token=lived.operator.token)
        lived.wait_event("Drifted")
        lived.wait_all_ready()
        yield opened


def read(text: str) -> list[Metric]:
    """As OpenMetrics, whose parser is strict."""
    return list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]


def wait(opened: Prometheus, expr: str) -> list[dict[str, Any]]:
    deadline = time.monotonic() + WITHIN
    while not (found := opened.query(expr)):
        assert time.monotonic() < deadline, f"no data: {expr}"
        time.sleep(0.2)
    return found


@pytest.mark.parametrize("name", ["fleet", "tunnel"])
def test_every_query_has_data(name: str, scraping: Prometheus, lived: Scenario) -> None:
    """Values, and not nothing divided by nothing."""
    for expr in expressions(name):
        whole = expr.replace("NAMESPACE", lived.namespace)
        deadline = time.monotonic() + WITHIN
        while all(series["value"][1] == "NaN" for series in wait(scraping, whole)):
            assert time.monotonic() < deadline, f"nothing but NaN: {whole}"
            time.sleep(0.2)


def test_every_variable_has_the_values_that_there_are(scraping: Prometheus, lived: Scenario) -> None:
    """Each with what is chosen for those before it; without a value Grafana shows nothing at all."""
    chosen: dict[str, str] = {}
    board = json.loads((FOLDER / "dashboards" / "tunnel.json").read_text())
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            found = LABEL_VALUES.fullmatch(variable["query"]["query"])
            assert found, variable
            series, label = found.groups()
            for name, value in chosen.items():
                series = series.replace(f"${name}", value)
            # group by has the same values as label_values, of series that there are now
            shown = [one["metric"].get(label) for one in wait(scraping, f"group by ({label}) ({series})")]
            chosen[variable["name"]] = {"namespace": lived.namespace, "name": "office-1"}[label]
            assert shown == [chosen[variable["name"]]]
    assert list(chosen) == ["namespace", "tunnel"]


def test_counters_say_what_happened(scraping: Prometheus) -> None:
    assert wait(scraping, 'netgw_drift_fields_total{event="corrected"} >= 1')
    assert wait(scraping, "netgw_secret_rotations_total >= 1")
    assert wait(scraping, 'netgw_cloud_calls_total{route="/gateway/{gateway}/metrics"} >= 1')  # an alert names it
    assert wait(scraping, "netgw_credentials_expiry_timestamp_seconds - time() > 900 * 365 * 86400")


def test_every_series_of_alerts_and_dashboards_is_exported(scraping: Prometheus) -> None:
    """A name that is written wrongly has no data and never fires."""
    texts = [RULES.read_text(), *(path.read_text() for path in (FOLDER / "dashboards").glob("*.json"))]
    exported = {series["metric"]["__name__"] for series in scraping.query('{__name__=~"netgw_.*|process_.*"}')}
    told = {name for text in texts for name in SERIES.findall(text)}
    assert told - exported == {"netgw_account_hold"}  # there is none while all is well


def test_nothing_is_alarming(scraping: Prometheus) -> None:
    """Not even about to be, when all is well."""
    deadline = time.monotonic() + WITHIN
    while alarming := scraping.alerts():
        assert time.monotonic() < deadline, alarming
        time.sleep(0.2)


def test_a_scrape_is_as_prometheus_wants_it(scraping: Prometheus, lived: Scenario) -> None:
    text = lived.operator.metrics()
    ours = "".join(line + "\n" for line in text.splitlines() if "netgw_" in line)
    checked = promtool("check", "metrics", stdin=ours)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    url = announced(lived.operator.process, PROBES)
    answer = httpx.get(f"{url}/metrics", headers={"Accept": OPENMETRICS}, trust_env=False)
    names = {family.name for family in read(answer.text)}
    assert len([name for name in names if name.startswith("netgw_")]) > 40


def test_lines_of_the_log_say_which_pass_they_are_from(lived: Scenario) -> None:
    lines = [json.loads(line) for line in lived.operator.log().splitlines()]
    uid = lived.get("VpnTunnel", "office-1").body["metadata"]["uid"]
    ours = [line for line in lines if line.get("uid") == uid]
    assert {line["object"] for line in ours} == {f"VpnTunnel {lived.namespace}/office-1"}
    assert {(line["kind"], line["namespace"], line["name"]) for line in ours} == {
        ("VpnTunnel", lived.namespace, "office-1")
    }
    passes = {line["reconcile"] for line in ours}
    assert len(passes) > 1
    assert all(name.startswith(uid[:8]) for name in passes)


def test_what_the_cloud_refuses_has_its_correlation_id_in_the_log(lived: Scenario) -> None:
    lived.cloud.faults({"match": "POST /*/tunnels", "status": 409})
    lived.tunnel("office-2", remoteAddress={"address": "100.10.0.112"})
    lived.wait_for("VpnTunnel", "office-2", Synced="Conflict")
    uid = lived.get("VpnTunnel", "office-2").body["metadata"]["uid"]
    lines = [json.loads(line) for line in lived.operator.log().splitlines()]
    refused = [line for line in lines if line.get("uid") == uid and "409" in line["message"]]
    assert refused
    assert re.fullmatch(r"[0-9A-Z]{26}", refused[0]["correlation_id"])
