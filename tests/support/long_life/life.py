"""The process that lives long, the cloud and the API server it lives with, and its end."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from support.cluster import OPERATOR_NAMESPACE, OPERATOR_SERVICE_ACCOUNT, Cluster
from support.grants import granted
from support.long_life.forest import Forest
from support.operator import DRAIN_SECONDS, Operator, Simulator, ended, made_up
from support.scenario import cloud_objects
from support.slow_answers import slow_answers

LATE, VERY_LATE = 0.4, 4.0
"""Seconds that the answer to each POST takes; the latter so that several are under way at one moment, at the end."""


@dataclass(frozen=True)
class End:
    """How a process ended that was told to, and how many POSTs it waited for at that moment."""

    status: int
    seconds: float
    under_way: int


@dataclass
class Lateness:
    """How long the answer to a POST takes, from the next one on."""

    seconds: float = LATE

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Life:
    """An operator that works, with everything around it. `line`: where it asks the cloud, `late`: how bad that is."""

    operator: Operator
    cloud: Simulator
    forest: Forest
    line: str
    late: Lateness

    def in_cloud(self) -> list[str]:
        """The uuid of everything there."""
        return [str(body["uuid"]) for body in cloud_objects(self.cloud.gateways())]

    def end_amid_posts(self, number: int) -> End:
        """SIGTERM as soon as answers to so many POSTs are under way."""
        deadline = time.monotonic() + 60.0
        while (under_way := self._under_way()) < number:
            assert time.monotonic() < deadline, f"no {number} POSTs at a time"
            time.sleep(0.02)
        began = time.monotonic()
        self.operator.terminate()
        status = ended(self.operator.process, DRAIN_SECONDS)
        return End(status, time.monotonic() - began, under_way)

    def _under_way(self) -> int:
        """POSTs whose effect is there and whose answer is not. The cloud runs by the clock that we run by."""
        since = datetime.now(UTC) - timedelta(seconds=self.late.seconds / 2)
        posts = [call for call in self.cloud.calls("POST") if call.path.startswith("/1.3/gateway")]
        return sum(call.time >= since for call in posts)


@contextlib.contextmanager
def lived(cluster: Cluster, folder: Path, *, accounts: int, pace: tuple[float, float]) -> Iterator[Life]:
    """`accounts`: as many Secrets with credentials. `pace`: seconds between looks in quiet and in busy times."""
    tokens = {f"account-{number}": made_up("token") for number in range(1, accounts + 1)}
    account = f"{OPERATOR_NAMESPACE}:{OPERATOR_SERVICE_ACCOUNT}"
    with contextlib.ExitStack() as stack:
        namespace = stack.enter_context(cluster.namespace())
        kubeconfig = cluster.operator_kubeconfig()
        stack.enter_context(granted(cluster, "rbac-secret-watch.yaml", None, account))
        operator = Operator(kubeconfig, "", folder / "operator", NETGW_NAMESPACES=namespace, NETGW_CLUSTER_NAME="old")
        opened = {operator.token: "own", **{token: name for name, token in tokens.items()}}
        cloud = Simulator(folder / "cloud", accounts=opened)
        stack.callback(cloud.stop)
        late = Lateness()
        line = stack.enter_context(slow_answers(cloud.url, late))
        stack.callback(operator.stop)
        quiet, busy = pace
        operator.start(
            line,
            NETGW_POLL_INTERVAL=str(quiet),
            NETGW_FAST_POLL_INTERVAL=str(busy),
            NETGW_SECRET_WATCH="true",
            NETGW_METRICS_INTERVAL=str(12 * quiet),
            NETGW_LOG_FORMAT="json",
            PYTHONWARNINGS="default",
        )
        yield Life(operator, cloud, Forest(cluster, cloud, namespace, tokens), line, late)
