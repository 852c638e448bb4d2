"""An operator with every feature that holds secrets, at DEBUG, and a recorder of all that it says."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cluster import OPERATOR_NAMESPACE, OPERATOR_SERVICE_ACCOUNT, Cluster
from support.grants import granted
from support.operator import Operator, Simulator, made_up
from support.recorder import Recorder
from support.scenario import Scenario
from support.secrecy.told import Told

ACCOUNT = f"{OPERATOR_NAMESPACE}:{OPERATOR_SERVICE_ACCOUNT}"
ROLES = ("rbac-secret-watch.yaml", "rbac-key-generation.yaml", "rbac-credentials-finalizer.yaml")


@pytest.fixture
def told(cluster: Cluster, tmp_path: Path) -> Iterator[Told]:
    token, password = made_up("token"), made_up("password")
    with contextlib.ExitStack() as stack:
        namespace = stack.enter_context(cluster.namespace())
        kubeconfig = cluster.operator_kubeconfig()
        for role in ROLES:
            stack.enter_context(granted(cluster, role, None, ACCOUNT))
        recorder = Recorder(cluster)
        recorder.start()
        stack.callback(recorder.stop)
        operator = Operator(kubeconfig, "", tmp_path / "operator", NETGW_NAMESPACES=namespace, NETGW_CLUSTER_NAME="e2e")
        accounts = {operator.token: "own", token: "alice", password: "bob"}
        cloud = Simulator(tmp_path / "cloud", accounts=accounts)
        stack.callback(cloud.stop)
        home = tmp_path / "home"
        home.mkdir()
        stack.callback(operator.stop)
        operator.start(
            cloud.url,
            NETGW_LOG_LEVEL="debug",
            NETGW_SECRET_WATCH="true",
            NETGW_CREDENTIALS_FINALIZER="true",
            PYTHONFAULTHANDLER="1",
            HOME=str(home),
            TMPDIR=str(home),
        )
        scenario = Scenario(cluster, cloud, operator, recorder, namespace)
        yield Told(scenario, token, password, [operator.token, token, password], home)
