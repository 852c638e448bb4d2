"""What all scenarios of a run share: one API server and two simulated clouds, each with an operator of its own.

While one scenario plays, the operator of the next starts: it watches a namespace that is still empty, and asks the
other cloud. So each scenario has a process that remembers nothing, at the cost of none, and each process ends with a
SIGTERM that it has to heed. The processes are forks of one that has imported netgw: that is most of what a start costs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from support.cluster import Cluster
from support.operator import DRAIN_SECONDS, Operator, Simulator, ended
from support.recorder import Recorder
from support.scenario import Scenario
from support.zygote.forks import ForkedOperator, Zygote

SAMPLE_ROUTER = "04f55cc1-bcd9-49eb-bd56-d65d7e3f2156"
"""That of deploy/samples; both clouds have it."""


@dataclass
class Cast:
    """An operator that has begun, for one scenario to come; `closing` ends its namespace."""

    namespace: str
    cloud: Simulator
    operator: Operator
    closing: contextlib.ExitStack


class Stage:
    """One scenario at a time; `close` at the end of the run."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._cluster = cluster
        self._folder = folder
        self._kubeconfig = cluster.operator_kubeconfig()
        self._zygote = Zygote(folder / "zygote.log")
        self._recorder = Recorder(cluster)
        self._recorder.start()
        self._clouds = [Simulator(folder / name, routers=[SAMPLE_ROUTER]) for name in ("cloud-1", "cloud-2")]
        self._free = list(self._clouds)
        self._leaving: dict[Simulator, Operator] = {}
        self._next: Cast | None = None

    def close(self) -> None:
        if self._next is not None:
            self._next.operator.stop()
            self._next.closing.close()
        for operator in self._leaving.values():
            operator.stop()
        for cloud in self._clouds:
            cloud.stop()
        self._recorder.stop()
        self._zygote.stop()

    @contextlib.contextmanager
    def scenario(self, *, everywhere: bool = False) -> Iterator[Scenario]:
        """A scenario on an empty cloud. `everywhere`: all namespaces are watched, and nobody else is at work in any."""
        if everywhere:
            for cloud in tuple(self._leaving):
                self._left(cloud)
        cast = self._begin(everywhere=True) if everywhere else self._next or self._begin()
        self._next = self._next if everywhere else None
        try:
            cast.operator.wait_ready()
            self._empty(cast.cloud)
            scenario = Scenario(self._cluster, cast.cloud, cast.operator, self._recorder, cast.namespace)
            self._next = self._next or self._begin()
            try:
                yield scenario
            finally:
                cast.operator.terminate()
                scenario.clear()
        finally:
            self._leaving[cast.cloud] = cast.operator
            self._free.append(cast.cloud)
            cast.closing.close()
            if everywhere:  # it would see the next one's objects
                self._empty(cast.cloud)

    @contextlib.contextmanager
    def apart(self, accounts: Mapping[str, str], **settings: str) -> Iterator[Scenario]:
        """With a cloud and an operator of its own, whose token opens the account `own`; `accounts` by token besides."""
        with contextlib.ExitStack() as closing:
            namespace = closing.enter_context(self._cluster.namespace())
            folder = self._folder / namespace
            scope = {"NETGW_NAMESPACES": namespace, "NETGW_CLUSTER_NAME": "e2e"}
            operator = ForkedOperator(self._zygote, self._kubeconfig, "", folder, **scope, **settings)
            cloud = Simulator(folder / "cloud", accounts={operator.token: "own", **accounts})
            closing.callback(cloud.stop)
            closing.callback(operator.stop)
            operator.start(cloud.url)
            yield Scenario(self._cluster, cloud, operator, self._recorder, namespace)

    def _begin(self, *, everywhere: bool = False) -> Cast:
        cloud, closing = self._free.pop(0), contextlib.ExitStack()
        namespace = closing.enter_context(self._cluster.namespace())
        scope = {} if everywhere else {"NETGW_NAMESPACES": namespace, "NETGW_CLUSTER_NAME": "e2e"}
        operator = ForkedOperator(self._zygote, self._kubeconfig, cloud.url, self._folder / namespace, **scope)
        operator.begin()
        return Cast(namespace, cloud, operator, closing)

    def _empty(self, cloud: Simulator) -> None:
        """Nothing is left in it, and nobody is who could put something there."""
        self._left(cloud)
        cloud.door("POST", "/reset")

    def _left(self, cloud: Simulator) -> None:
        """Until the operator that asked it has ended, and well."""
        if (last := self._leaving.pop(cloud, None)) is not None and not last.killed:
            status = ended(last.process, DRAIN_SECONDS)
            assert status == 0, f"the operator of an earlier scenario ended with {status}:\n{last.process.tail(30)}"
