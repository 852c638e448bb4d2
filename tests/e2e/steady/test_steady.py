"""The main job with the sample manifests: four POSTs and no PATCH; then one GET per interval and not a single write."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from support.checker import steady
from support.cluster import ROOT
from support.operator import FAST_POLL_INTERVAL, LIST, POLL_INTERVAL
from support.scenario import Scenario

INTERVALS = 5
WRITES = re.compile(
    r'apiserver_request_total\{([^}]*group="upcloud\.netgw\.dev"[^}]*'
    r'verb="(?:POST|PUT|PATCH|APPLY)"[^}]*)\} (\d+)'
)


def requests_to_write(scenario: Scenario) -> Counter[str]:
    """Writes of our kinds that the API server was asked for so far, also those that changed nothing."""
    answer = scenario.cluster.api("GET", "/metrics").raise_for_status()
    return Counter({found[1]: int(found[2]) for found in WRITES.finditer(answer.text)})


def test_site_to_site(everywhere: Scenario, tell: Callable[[str], None]) -> None:
    scenario = everywhere
    sample = (ROOT / "deploy" / "samples" / "site-to-site.yaml").read_text()
    found = re.search(r"psk: (\S+)", sample)
    assert found
    scenario.keys.append(found[1])
    scenario.cluster.apply(sample, scenario.namespace)
    scenario.wait_all_ready()
    written = Counter(call.method for call in scenario.cloud.writes())
    assert written == {"POST": 4}
    tell(f"1 gateway, 1 connection, 2 tunnels: {written['POST']} POSTs, {written['PATCH']} PATCHes")
    quiet(scenario, tell, "while it looks often", FAST_POLL_INTERVAL)
    scenario.operator.stop()
    scenario.operator.start()
    quiet(scenario, tell, "when all has long been quiet", POLL_INTERVAL * 0.95)
    assert len(scenario.cloud.writes()) == 4


def quiet(scenario: Scenario, tell: Callable[[str], None], when: str, interval: float) -> None:
    """Five intervals without a request to write, once it has come to rest."""
    steady(scenario, 1)
    before = requests_to_write(scenario)
    calls = steady(scenario, INTERVALS, interval)
    asked = requests_to_write(scenario) - before
    assert not asked, asked
    assert {str(call) for call in calls} == {LIST}
    tell(f"{INTERVALS} intervals {when}: {len(calls) - 1} × {LIST}, {asked.total()} requests to write to Kubernetes")
