"""What six sets of values render to, word for word. `NETGW_GOLDEN=write` (`make generate`) writes it anew.

CRDs are shortened to their names: they are compared with `crds/` elsewhere. The dashboards and rules too: they are
compared with their files here, and have tests of their own.
"""

from __future__ import annotations

import json
import os
import re

import pytest
import yaml

from support.chart import CHART, SETS, objects, one, rendered
from support.cluster import ROOT

GOLDEN = ROOT / "tests" / "chart" / "golden"
LONG = ("kind: CustomResourceDefinition\n", "kind: PrometheusRule\n", "-dashboards\n")


def shortened(text: str) -> str:
    """Without the inside of what is long."""
    documents = re.split(r"^---\n", text, flags=re.MULTILINE)
    return "---\n".join(
        re.sub(r"^(spec|data):\n.*", r"\1: …\n", document, flags=re.MULTILINE | re.DOTALL)
        if any(mark in document for mark in LONG)
        else document
        for document in documents
    )


@pytest.mark.parametrize("values", SETS)
def test_golden(values: str) -> None:
    text = shortened(rendered(values))
    path = GOLDEN / f"{values}.yaml"
    if os.environ.get("NETGW_GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(text)
    assert path.read_text() == text, "run `make generate` and look at what changes"


def test_there_are_six() -> None:
    assert len(SETS) == 6
    assert sorted(path.stem for path in GOLDEN.glob("*.yaml")) == SETS


def test_alerts_are_those_of_the_files() -> None:
    files = sorted((CHART / "rules").glob("*.yaml"))
    wanted = [group for path in files for group in yaml.safe_load(path.read_text())["groups"]]
    assert wanted
    assert one("PrometheusRule", objects("watched"))["spec"] == {"groups": wanted}


def test_their_pages_are_where_a_value_says() -> None:
    site = "https://docs.example.com/runbooks/"
    rule = one("PrometheusRule", objects("watched", f'metrics.prometheusRule.runbooks="{site}"'))
    urls = {alert["annotations"]["runbook_url"] for group in rule["spec"]["groups"] for alert in group["rules"]}
    assert all(url.startswith(f"{site}Netgw") for url in urls)


def test_dashboards_are_those_of_the_files() -> None:
    wanted = {path.name: json.loads(path.read_text()) for path in (CHART / "dashboards").glob("*.json")}
    assert wanted
    data = one("ConfigMap", objects("watched"))["data"]
    assert {name: json.loads(text) for name, text in data.items()} == wanted
