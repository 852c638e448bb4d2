"""Two replicas and one Lease, as two processes: who waits is ready, one works, an old leader changes nothing more."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from support.cluster import MERGE_PATCH, OPERATOR_NAMESPACE, Cluster
from support.figures import Figures
from support.operator import PROBES, Operator, announced, ended
from support.scenario import Scenario, cloud_objects
from support.stage import Stage

LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{OPERATOR_NAMESPACE}/leases/netgw"
TAKEN_OVER_WITHIN = 20.0
ENDS_WITHIN = 20.0
GATEWAYS = 12
BUSY = 20
"""Calls after which a credential has used up its burst, so that further ones queue for their turn."""
HELD = 60.0


@dataclass
class Pair:
    """`scenario.operator` is the leader."""

    scenario: Scenario
    standby: Operator

    def swap(self) -> Operator:
        """The standby leads now; who led before."""
        old, self.scenario.operator = self.scenario.operator, self.standby
        self.standby = old
        return old

    def taken_over(self, since: float) -> float:
        """Seconds from `since` until the standby works; it leads from then on."""
        self.swap()
        self.scenario.wait("the standby works", lambda: said(self.scenario.operator) == "working", seconds=60)
        return time.monotonic() - since


def said(operator: Operator) -> str:
    """What `/readyz` says, with 200."""
    answer = httpx.get(f"{announced(operator.process, PROBES)}/readyz", trust_env=False)
    return answer.text.strip() if answer.status_code == 200 else ""


@pytest.fixture(scope="module")
def pair(stage: Stage, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    cluster.api("DELETE", LEASE)
    with stage.apart({}, NETGW_LEADER_ELECTION="true") as scenario:
        first = scenario.operator
        names = ("NETGW_NAMESPACES", "NETGW_CLUSTER_NAME", "NETGW_LEADER_ELECTION")
        shared = {name: first.settings()[name] for name in names}
        folder = tmp_path_factory.mktemp("ha") / "second"
        second = Operator(cluster.operator_kubeconfig(), scenario.cloud.url, folder, **shared)
        second.token = first.token
        try:
            second.start(UPCLOUD_TOKEN=first.token)
            yield Pair(scenario, second)
        finally:
            for operator in (first, second):
                operator.process.signal(signal.SIGCONT)
                operator.stop()


def once(scenario: Scenario) -> int:
    """How many there are in the cloud, each of which is there once."""
    names = Counter(body["name"] for body in cloud_objects(scenario.cloud.gateways()))
    assert [name for name, number in names.items() if number > 1] == [], scenario.picture()
    return len(names)


def test_who_waits_is_ready(pair: Pair) -> None:
    """Else a rollout would never end."""
    pair.scenario.wait("the leader works", lambda: said(pair.scenario.operator) == "working")
    assert said(pair.standby) == "standing by"
    pair.scenario.site_to_site()
    assert "objects known" not in pair.standby.log()


def test_an_old_leader_that_was_frozen_changes_nothing(pair: Pair, figures: Figures) -> None:
    """It stands still while several of its calls queue for their turn, and wakes up when another has done the work."""
    scenario = pair.scenario
    since = len(scenario.cloud.calls())
    for number in range(GATEWAYS):
        scenario.gateway(f"site-{number}", routerRef={"uuid": scenario.cloud.router()})
    scenario.wait("its calls queue", lambda: len(scenario.cloud.calls(since=since)) >= GATEWAYS + BUSY)
    scenario.operator.process.signal(signal.SIGSTOP)
    frozen = time.monotonic()
    figures.put("ha", "leader frozen, the other works after", f"{pair.taken_over(frozen):.1f} s")
    old = pair.standby
    scenario.wait_all_ready(seconds=90)
    made = once(scenario)
    since = len(scenario.cloud.calls())
    old.process.signal(signal.SIGCONT)
    woken = time.monotonic()
    assert ended(old.process, ENDS_WITHIN) == 1
    figures.put("ha", "frozen leader, ended after it woke", f"{time.monotonic() - woken:.1f} s")
    assert scenario.cloud.writes(since) == [], old.process.tail(30)
    assert once(scenario) == made
    old.start(cloud=scenario.cloud.url)


def test_the_leader_is_killed(pair: Pair, figures: Figures) -> None:
    """In the middle of a create, whose answer never comes."""
    scenario = pair.scenario
    posts = len(scenario.cloud.writes())
    scenario.cloud.faults({"match": "POST /1.3/gateway", "timeout": HELD, "when": "after"})
    scenario.gateway("last", routerRef={"uuid": scenario.cloud.router()})
    scenario.wait("the POST", lambda: len(scenario.cloud.writes()) > posts)
    killed = time.monotonic()
    scenario.operator.kill()
    scenario.cloud.door("DELETE", "/faults")
    took = pair.taken_over(killed)
    figures.put("ha", "leader killed, the other works after", f"{took:.1f} s")
    assert took <= TAKEN_OVER_WITHIN
    scenario.wait_all_ready()
    assert len(scenario.cloud.writes()) == posts + 1
    once(scenario)


def test_a_leader_that_loses_its_lease_ends(pair: Pair, figures: Figures) -> None:
    pair.standby.start(cloud=pair.scenario.cloud.url)
    lost = time.monotonic()
    taken = {"spec": {"holderIdentity": "somebody-else"}}
    pair.scenario.cluster.api("PATCH", LEASE, json=taken, content_type=MERGE_PATCH).raise_for_status()
    assert ended(pair.scenario.operator.process, ENDS_WITHIN) == 1
    figures.put("ha", "Lease lost, ended after", f"{time.monotonic() - lost:.1f} s")
    assert "The Lease was lost to another replica." in pair.scenario.operator.process.tail(3)
    assert said(pair.standby) == "standing by"
