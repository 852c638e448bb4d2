"""The chart as a release on an API server of its own that writes an audit log, and its pods as processes."""

from __future__ import annotations

import contextlib
import random
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import yaml

from netgw_dev.control_plane import ControlPlane
from netgw_dev.process import Process
from support.chart import CHART, CRD, run
from support.cluster import OPERATOR_NAMESPACE, Cluster
from support.life import Life
from support.operator import FAST_POLL_INTERVAL, POLL_INTERVAL, SECRET_INTERVAL, Operator, Simulator
from support.pod import Kubelet, Started
from support.recorder import Recorder
from support.rights import Grant, grants, until
from support.scenario import Scenario

RELEASE = "netgw"
PORTS = (20000, 30000)
"""Below those that the system gives to clients, which come and go."""
POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "None", "resources": [{"group": "authorization.k8s.io"}]},  # what everybody may ask
        {"level": "Metadata", "users": [f"system:serviceaccount:{OPERATOR_NAMESPACE}:{RELEASE}"]},
        {"level": "None"},
    ],
}

Values = Mapping[str, Any]


class PodOperator(Operator):
    """The operator of the rendered pod."""

    def __init__(self, started: Started, folder: Path, token: str) -> None:
        """`token`: the secret that it has of the cloud."""
        super().__init__(Path("/dev/null"), "", folder)
        self._environment = dict(started.environment)
        self.started = started
        self.token = token

    def command(self, *args: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Another command of netgw in the same pod."""
        environment = self._environment | settings
        argv = self.started.instead(*args)
        return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)

    def _launch(self, log: Path, environment: Mapping[str, str]) -> Life:
        return Process("operator", self.started.argv, log=log, env=environment)


class Installation:
    """One API server. A release comes and changes by `install`; what it is told goes as values, never beside them."""

    account: httpx.Client
    """The API server as the ServiceAccount of the release."""

    def __init__(self, cluster: Cluster, recorder: Recorder, audit: Path, folder: Path) -> None:
        self.cluster, self.audit = cluster, audit
        self.given: frozenset[Grant] = frozenset()
        self._recorder, self._folder = recorder, folder
        self._values: list[Values] = []
        self._pods = 0

    def install(self, *values: Values) -> None:
        """With these values and no others, the later before the earlier; until the API server knows of the rights."""
        if self._values == list(values):
            return
        before = self.given
        self._upgrade(*values)
        self._values, self.given = list(values), frozenset(grants(self.manifest(), OPERATOR_NAMESPACE))
        for one in self.given:
            until(self.account, one.request(), allowed=True)
        for one in before:
            if not any(now.covers(one.request()) for now in self.given):
                until(self.account, one.request(), allowed=False)

    def _upgrade(self, *values: Values) -> None:
        files: list[Path | str] = []
        for number, one in enumerate(values):
            path = self._folder / f"values-{number}.yaml"
            path.write_text(yaml.safe_dump(dict(one)))
            files += ["-f", path]
        self.helm("upgrade", "--install", RELEASE, CHART, *files)
        if not hasattr(self, "account"):
            kubeconfig = self.cluster.access.kubeconfig_for(RELEASE, OPERATOR_NAMESPACE)
            self.account = replace(self.cluster.access, kubeconfig=kubeconfig).client()

    def close(self) -> None:
        """Give back the connections."""
        self.account.close()

    def manifest(self) -> list[dict[str, Any]]:
        """What is installed, but CRDs, which are long."""
        documents = self.helm("get", "manifest", RELEASE).split("\n---\n")
        return [yaml.safe_load(document) for document in documents if f"\nkind: {CRD}\n" not in document]

    def secret(self, name: str, **data: str) -> None:
        """In the namespace of the release, new or anew."""
        path = f"/api/v1/namespaces/{OPERATOR_NAMESPACE}/secrets"
        self.cluster.api("DELETE", f"{path}/{name}")
        body = {"metadata": {"name": name}, "stringData": data}
        self.cluster.api("POST", path, json=body).raise_for_status()

    def helm(self, *args: str | Path) -> str:
        """In the namespace of the release, without hooks, for there is no kubelet."""
        home = self._folder / "helm"
        hooks = [] if args[0] == "get" else ["--no-hooks"]
        return run("helm", *args, "-n", OPERATOR_NAMESPACE, *hooks, kubeconfig=self.cluster.kubeconfig, home=home)

    def pod(self) -> dict[str, Any]:
        """The spec of the Deployment's pods, as the API server has it."""
        path = f"/apis/apps/v1/namespaces/{OPERATOR_NAMESPACE}/deployments/{RELEASE}"
        deployment = self.cluster.api("GET", path).raise_for_status().json()
        return dict(deployment["spec"]["template"]["spec"])

    def operator(self, token: str, *, mounted: bool = True) -> PodOperator:
        """Such a pod. Not `mounted`: as where no mount namespace can be had."""
        started = self._prepared(self.pod(), mounted=mounted)
        return PodOperator(started, self._folder / f"operator-{self._pods}", token)

    def hook(self) -> subprocess.CompletedProcess[str]:
        """The Job before an uninstall, run to its end."""
        (job,) = yaml.safe_load_all(self.helm("get", "hooks", RELEASE))
        assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-delete"
        spec = job["spec"]["template"]["spec"]
        assert spec["restartPolicy"] == "Never"
        started = self._prepared(spec)
        return subprocess.run(
            started.argv,
            env=dict(started.environment),
            capture_output=True,
            text=True,
            timeout=job["spec"]["activeDeadlineSeconds"],
            check=False,
        )

    @contextlib.contextmanager
    def scenario(self, cloud: Simulator, operator: Operator, namespace: str) -> Iterator[Scenario]:
        """A story in a namespace; the operator, which has begun, ends with it."""
        try:
            operator.wait_ready()
            cloud.door("POST", "/reset")
            opened = Scenario(self.cluster, cloud, operator, self._recorder, namespace)
            try:
                yield opened
            finally:
                operator.stop()
                opened.clear()
        finally:
            operator.stop()

    def _prepared(self, spec: Mapping[str, Any], *, mounted: bool = True) -> Started:
        self._pods += 1
        folder = self._folder / f"pod-{self._pods}"
        folder.mkdir()
        return Kubelet(self.cluster, OPERATOR_NAMESPACE, folder, mounted=mounted).prepare(spec)


@contextlib.contextmanager
def installation(folder: Path) -> Iterator[Installation]:
    """An empty API server with the namespace of the release."""
    policy, audit = folder / "policy.yaml", folder / "audit.json"
    policy.write_text(yaml.safe_dump(POLICY))
    with contextlib.ExitStack() as stack:
        flags = [f"--audit-policy-file={policy}", f"--audit-log-path={audit}"]
        cluster = Cluster(stack.enter_context(ControlPlane(flags=flags)).access)
        stack.callback(cluster.close)
        body = {"metadata": {"name": OPERATOR_NAMESPACE}}
        cluster.api("POST", "/api/v1/namespaces", json=body).raise_for_status()
        recorder = Recorder(cluster)
        opened = Installation(cluster, recorder, audit, folder)
        opened.install(quick("http://127.0.0.1:9"))  # brings the CRDs
        stack.callback(opened.close)
        crds = [f"crd/{crd}" for crd in _names(cluster)]
        cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s", *crds)
        recorder.start()
        stack.callback(recorder.stop)
        yield opened


def _names(cluster: Cluster) -> list[str]:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    return [item["metadata"]["name"] for item in cluster.api("GET", path).raise_for_status().json()["items"]]


def quick(cloud: str) -> dict[str, Any]:
    """Values for the simulator at that address, on a free port, and in a hurry."""
    return {
        "upcloud": {"apiBaseUrl": cloud},
        "listen": {"host": "127.0.0.1", "port": free_port()},
        "settings": {
            "pollInterval": POLL_INTERVAL,
            "fastPollInterval": FAST_POLL_INTERVAL,
            "secretInterval": SECRET_INTERVAL,
            "metricsInterval": 0,
        },
    }


def free_port() -> int:
    """One that nobody listens on."""
    while True:
        port = random.randrange(*PORTS)
        with socket.socket() as tried, contextlib.suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return port
