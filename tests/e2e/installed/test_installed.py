"""The chart, installed: what its pods say is started as a process, under its ServiceAccount and its roles.

`support.pod` says what of a pod is not played.
"""

from __future__ import annotations

import base64
import json
import secrets
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import yaml
from pydantic import SecretBytes

from netgw.kube.fingerprint import FingerprintKey
from support.checker import check
from support.cluster import OPERATOR_NAMESPACE, ROOT
from support.installed import Installation, quick
from support.operator import DRAIN_SECONDS, Simulator, ended, made_up
from support.pod import Kubelet
from support.shell_page import blocks

EXISTING = {"upcloud": {"existingSecret": "upcloud"}}
PAGE = ROOT / "docs" / "uninstall.md"
BASH, JQ = shutil.which("bash"), shutil.which("jq")


def test_a_story_and_the_look_before_an_uninstall(
    installed: Installation, cloud: Simulator, tell: Callable[[str], None]
) -> None:
    token = made_up("token")
    installed.secret("upcloud", token=token)
    installed.install(quick(cloud.url), EXISTING)
    operator = installed.operator(token)
    operator.begin()
    with installed.cluster.namespace() as namespace, installed.scenario(cloud, operator, namespace) as scenario:
        for probe in ("livenessProbe", "readinessProbe"):
            assert httpx.get(operator.started.probe(probe), trust_env=False).status_code == 200, probe
        scenario.site_to_site()
        check(scenario)

        held = installed.hook()
        assert held.returncode == 1, held.stdout + held.stderr
        assert f"VpnTunnel {namespace}/office-1" in held.stdout
        assert "netgw: 4 with a finalizer of netgw" in held.stderr
        scenario.delete_all()
        scenario.wait("all are gone", lambda: not scenario.objects())
        free = installed.hook()
        assert free.returncode == 0, free.stdout + free.stderr
        assert "No object has a finalizer of netgw." in free.stdout

        assert installed.pod()["terminationGracePeriodSeconds"] >= DRAIN_SECONDS
        operator.terminate()
        assert ended(operator.process, DRAIN_SECONDS) == 0
    way = "a mount namespace" if operator.started.before else "a kubeconfig"
    tell(f"credentials of the ServiceAccount by {way}")


def test_everything_that_is_mounted(installed: Installation, cloud: Simulator) -> None:
    """A user name and a password, a key for fingerprints, a bundle of CAs, and rights in one namespace alone."""
    password, key = made_up("token"), secrets.token_hex(32)
    installed.secret("upcloud", user="somebody", password=password)
    installed.secret("netgw-key", key=key)
    config_map(installed, "company-ca", "ca.crt", authority(installed))
    with installed.cluster.namespace() as namespace:
        installed.install(
            quick(cloud.url),
            {
                "upcloud": {
                    "existingSecret": "upcloud",
                    "secretKeys": {"token": "", "username": "user", "password": "password"},
                },
                "fingerprintKey": {"existingSecret": "netgw-key"},
                "privateCA": {"existingConfigMap": "company-ca"},
                "watchNamespaces": [namespace],
                "clusterName": "e2e",
            },
        )
        operator = installed.operator(password, mounted=False)
        assert not operator.started.before
        environment = operator.started.environment
        assert "UPCLOUD_TOKEN" not in environment
        assert Path(environment["SSL_CERT_FILE"]).read_text() == authority(installed)
        operator.begin()
        with installed.scenario(cloud, operator, namespace) as scenario:
            scenario.site_to_site(tunnels=1)
            check(scenario)
            used = FingerprintKey(SecretBytes(key.encode())).key_id
            assert f'"v1:{used}:' in json.dumps(scenario.get("VpnTunnel", "office-1").status)

            core = f"/api/v1/namespaces/{OPERATOR_NAMESPACE}"
            for gone in ("secrets/upcloud", "secrets/netgw-key", "configmaps/company-ca"):
                installed.cluster.api("DELETE", f"{core}/{gone}").raise_for_status()
            held = installed.hook()
            assert held.returncode == 1, held.stdout + held.stderr
            assert "netgw: 3 with a finalizer of netgw" in held.stderr


def test_a_token_among_the_values(installed: Installation, cloud: Simulator) -> None:
    token = made_up("token")
    installed.install(quick(cloud.url), {"upcloud": {"token": token}})
    operator = installed.operator(token)
    assert operator.started.environment["UPCLOUD_TOKEN"] == token
    operator.begin()
    with installed.cluster.namespace() as namespace, installed.scenario(cloud, operator, namespace) as scenario:
        scenario.gateway()
        scenario.wait_all_ready()
        check(scenario)


@pytest.mark.skipif(BASH is None or JQ is None, reason="the page uses jq")
def test_the_job_that_the_page_makes_releases(installed: Installation, cloud: Simulator, tmp_path: Path) -> None:
    """The commands of docs/uninstall.md as they stand there; what the Job says is started here."""
    token = made_up("token")
    installed.secret("upcloud", token=token)
    installed.install(quick(cloud.url), EXISTING)
    operator = installed.operator(token)
    operator.begin()
    with installed.cluster.namespace() as namespace, installed.scenario(cloud, operator, namespace) as scenario:
        scenario.gateway()
        scenario.wait_all_ready()
        operator.stop()
        play_page(installed)
        job = f"/apis/batch/v1/namespaces/{OPERATOR_NAMESPACE}/jobs/netgw-release"
        pod = installed.cluster.api("GET", job).raise_for_status().json()["spec"]["template"]["spec"]
        started = Kubelet(installed.cluster, OPERATOR_NAMESPACE, tmp_path).prepare(pod)
        released = subprocess.run(
            started.argv, env=dict(started.environment), capture_output=True, text=True, timeout=60, check=False
        )
        assert released.returncode == 0, released.stdout + released.stderr
        assert f"NetworkGateway {namespace}/edge: " in released.stdout
        assert "Released: " in released.stdout
        assert "finalizers" not in scenario.get("NetworkGateway", "edge").body["metadata"]
        scenario.delete_all()
        assert scenario.objects() == []
        assert [gateway["name"] for gateway in scenario.cloud.gateways()] == ["edge"]
        installed.cluster.api("DELETE", job).raise_for_status()


def play_page(installed: Installation) -> None:
    """What stands under the heading, up to the log, which no pod writes here."""
    assert BASH is not None
    section = PAGE.read_text().partition("\n### In the cluster\n")[2]
    commands, last = blocks(section)[0].text.split("kubectl --namespace netgw-system logs ")
    assert last.endswith(" job/netgw-release\n")
    access = installed.cluster.access
    environment = access.kubectl_environment()
    environment["PATH"] = f"{access.kubectl_binary.parent}:{environment['PATH']}"
    played = subprocess.run(
        [BASH, "-euo", "pipefail", "-c", commands],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert played.returncode == 0, played.stdout + played.stderr


def test_without_the_roles_the_pod_does_nothing(installed: Installation, cloud: Simulator) -> None:
    """So that the stories above are known to run with the rights of the chart and no others."""
    installed.install(quick(cloud.url), {"rbac": {"create": False}})
    operator = installed.operator(made_up("token"))
    operator.begin()
    try:
        assert ended(operator.process, 60) == 1
        last = operator.process.tail(1)
        assert last.startswith("netgw: ")
        assert ": 403 " in last
        assert f"system:serviceaccount:{OPERATOR_NAMESPACE}:netgw" in last
    finally:
        operator.stop()


def config_map(installed: Installation, name: str, key: str, text: str) -> None:
    path = f"/api/v1/namespaces/{OPERATOR_NAMESPACE}/configmaps"
    body = {"metadata": {"name": name}, "data": {key: text}}
    installed.cluster.api("POST", path, json=body).raise_for_status()


def authority(installed: Installation) -> str:
    """Some valid bundle: that of the API server."""
    (cluster,) = yaml.safe_load(installed.cluster.kubeconfig.read_text())["clusters"]
    return base64.b64decode(cluster["cluster"]["certificate-authority-data"]).decode()
