"""The release on an API server of its own, empty before: install, upgrade with objects in place, uninstall.

No kubelet runs here, hence --no-hooks and no wait for pods. What the hook does is a test of `netgw release`.
"""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from netgw_dev.access import Access
from netgw_dev.control_plane import ControlPlane
from support.chart import CHART, CRD, SETS, rendered, run
from support.cluster import OPERATOR_NAMESPACE, ROOT

EARLIER = ROOT / "tests" / "chart" / "earlier" / "netgw-0.1.0.tgz"
"""The chart as it was in its first commit, as `helm package` made it."""
CRD_NAME = "networkgateways.upcloud.netgw.dev"
KINDS = "serviceaccounts,roles,rolebindings,deployments,services,secrets,networkgateways,vpnconnections,vpntunnels"
CLUSTER_KINDS = "clusterroles,clusterrolebindings,customresourcedefinitions"
OBJECTS = ("NetworkGateway", "VpnConnection", "VpnTunnel", "Secret")
"""Kinds in the sample. The chart makes no Secret here."""
RESTRICTED = "pod-security.kubernetes.io"


@pytest.fixture(scope="module")
def access() -> Iterator[Access]:
    """One that nobody else applied anything to."""
    if os.environ.get("NETGW_TEST_KUBECONFIG"):
        pytest.skip("installs and removes CRDs of the whole cluster: not on one that was given")
    with ControlPlane() as plane:
        labels = {f"{RESTRICTED}/enforce": "restricted", f"{RESTRICTED}/warn": "restricted"}
        namespace = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": OPERATOR_NAMESPACE, "labels": labels},
        }
        plane.access.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(namespace))
        yield plane.access


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The earlier chart, packaged, with an earlier CRD: one column and one field less."""
    folder = tmp_path_factory.mktemp("older")
    with tarfile.open(EARLIER) as archive:
        archive.extractall(folder, filter="data")
    path = folder / "netgw" / "files" / "crds" / "upcloud.netgw.dev_networkgateways.yaml"
    crd = yaml.safe_load(path.read_text())
    version = crd["spec"]["versions"][0]
    version["additionalPrinterColumns"].pop()
    del version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["labels"]
    del version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["deletionPolicy"]
    path.write_text("# older\n" + yaml.safe_dump(crd, sort_keys=False))
    run("helm", "package", folder / "netgw", "--version", "0.0.9", "--destination", folder)
    return folder / "netgw-0.0.9.tgz"


def helm(access: Access, *args: str | Path) -> str:
    """With the namespace and no hooks; a warning of the API server is a failure."""
    told = run(
        "helm", *args, "-n", OPERATOR_NAMESPACE, "--no-hooks", kubeconfig=access.kubeconfig, home=access.folder / "helm"
    )
    assert "warning" not in told.lower(), told
    return told


def upgrade(access: Access, chart: Path, *words: str) -> str:
    return helm(access, "upgrade", "--install", "netgw", chart, "--set", "upcloud.existingSecret=upcloud", *words)


def shown(access: Access, *words: str) -> Any:
    return yaml.safe_load(access.kubectl("get", *words, "-o", "json"))


def identities(access: Access) -> dict[tuple[str, str], str]:
    """The uid of everything of ours, that Helm's records and the server's own things are not."""
    items = shown(access, KINDS, "-n", OPERATOR_NAMESPACE)["items"] + shown(access, CLUSTER_KINDS)["items"]
    return {
        (item["kind"], item["metadata"]["name"]): item["metadata"]["uid"]
        for item in items
        if not item["metadata"]["name"].startswith(("sh.helm", "system:", "default"))
        and "kubernetes.io/bootstrapping" not in item["metadata"].get("labels", {})
    }


def columns(access: Access) -> int:
    return len(shown(access, "crd", CRD_NAME)["spec"]["versions"][0]["additionalPrinterColumns"])


def until_labels_are_kept(access: Access) -> None:
    """The field that the earlier CRD lacks; the server serves a new schema a moment after it was written."""
    patch = json.dumps({"spec": {"labels": {"env": "prod"}}})
    deadline = time.monotonic() + 30.0
    while True:
        access.kubectl("patch", "ngw/edge", "-n", OPERATOR_NAMESPACE, "--type=merge", "-p", patch)
        if "labels" in shown(access, "ngw/edge", "-n", OPERATOR_NAMESPACE)["spec"]:
            return
        assert time.monotonic() < deadline, "the CRD was not upgraded"
        time.sleep(0.1)


def test_a_release_from_an_earlier_chart_to_its_end(access: Access, older: Path) -> None:
    """Upgraded with objects in place; then uninstalled, and CRDs and objects stay."""
    upgrade(access, older)
    access.kubectl("wait", "--for=condition=Established", "--timeout=30s", f"crd/{CRD_NAME}")
    access.kubectl("apply", "-n", OPERATOR_NAMESPACE, "-f", ROOT / "deploy" / "samples" / "site-to-site.yaml")
    before, narrow = identities(access), columns(access)
    assert {kind for kind, _ in before} >= {"Deployment", "ClusterRole", "NetworkGateway", "VpnTunnel", "Secret", CRD}

    assert "REVISION: 2" in upgrade(access, CHART)
    assert columns(access) == narrow + 1
    until_labels_are_kept(access)
    after = identities(access)
    assert {name: after.get(name) for name in before} == before
    assert [name for name in after if name not in before] == []

    helm(access, "uninstall", "netgw")
    left = identities(access)
    assert left == {name: uid for name, uid in before.items() if name[0] in (*OBJECTS, CRD)}
    assert {kind for kind, _ in left} == {*OBJECTS, CRD}

    assert "REVISION: 1" in upgrade(access, CHART), "the next install takes the CRDs over"
    assert identities(access)[CRD, CRD_NAME] == before[CRD, CRD_NAME]


def dry_run(access: Access, text: str) -> subprocess.CompletedProcess[str]:
    """What the server would say to all of it."""
    return subprocess.run(
        [access.kubectl_binary, "apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-"],
        input=text,
        env=access.kubectl_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_namespace_with_restricted_pods_takes_every_set_without_a_warning(access: Access) -> None:
    """The look before an uninstall too. Kinds of the Prometheus operator are not served here, and left out."""
    namespaces = [f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n" for name in ("team-a", "monitoring")]
    access.kubectl("apply", "-f", "-", stdin="---\n".join(namespaces))
    documents = rendered("default").split("\n---\n")
    for values in SETS:
        text = rendered(values, "crds.install=false").split("\n---\n")
        documents += [document for document in text if "monitoring.coreos.com" not in document]
    told = dry_run(access, "\n---\n".join(documents))
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.count("serverside-applied") == len(documents)


def test_a_pod_that_may_more_is_warned_of(access: Access) -> None:
    """So that the test above can fail."""
    told = dry_run(
        access, rendered("default", "crds.install=false").replace("runAsNonRoot: true", "runAsNonRoot: false")
    )
    assert "would violate PodSecurity" in told.stderr
