"""Two replicas and one Lease, as two processes: who waits is ready, one works, and an old leader changes nothing more."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

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
BUSY = 24
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
        settings = first.settings() | {"UPCLOUD_TOKEN": first.token}
        folder: Path = tmp_path_factory.mktemp("ha") / "second"
        shared = {name: settings[name] for name in ("NETGW_NAMESPACES", "NETGW_CLUSTER_NAME", "NETGW_LEADER_ELECTION")}
        second = Operator(cluster.operator_kubeconfig(), scenario.cloud.url, folder, **shared)
        second.token = first.token
        try:
            second.start(UPCLOUD_TOKEN=first.token)
            first.begin_with = None  # type: ignore[attr-defined]
            yield Pair(scenario, second)
        finally:
            first.stop()
            second.stop()


def names(scenario: Scenario) -> Counter[str]:
    return Counter(body["name"] for body in cloud_objects(scenario.cloud.gateways()))
