"""A CRD that is not there at the start is waited for; one that vanishes ends the process, which would be blind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from netgw_dev.access import Access
from netgw_dev.control_plane import ControlPlane
from support.cluster import ROOT, Cluster
from support.operator import Operator, Simulator, announced, ended

TUNNELS = "vpntunnels.upcloud.netgw.dev"


@pytest.fixture
def access() -> Iterator[Access]:
    """A control plane of its own, for CRDs are everybody's."""
    if os.environ.get("NETGW_TEST_KUBECONFIG"):
        pytest.skip("takes CRDs away, so it never runs on a cluster that was given")
    with ControlPlane() as plane:
        yield plane.access


def test_missing_at_the_start_and_vanishing(access: Access, tmp_path: Path) -> None:
    cluster = Cluster(access)
    simulator = Simulator(tmp_path / "cloud")
    operator = Operator(cluster.operator_kubeconfig(), simulator.url, tmp_path / "operator")
    try:
        operator.begin()
        probes = announced(operator.process, r"probes at (\S+)")
        announced(operator.process, r"waiting for .*(vpntunnels\.upcloud\.netgw\.dev).*kubectl apply")
        not_yet = httpx.get(f"{probes}/readyz", trust_env=False)
        assert not_yet.status_code == 503
        assert TUNNELS in not_yet.text
        assert httpx.get(f"{probes}/livez", trust_env=False).status_code == 200
        cluster.install_crds()
        announced(operator.process, r"(?m)(ready)$")
        cluster.apply(ROOT / "deploy" / "samples" / "site-to-site.yaml", "default")
        path = "/apis/upcloud.netgw.dev/v1alpha1/namespaces/default/networkgateways/edge"
        announced(operator.process, r"NetworkGateway default/edge: Ready=(False)")
        assert cluster.api("GET", path).json()["metadata"]["finalizers"] == ["netgw.dev/finalizer"]
        cluster.api("DELETE", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{TUNNELS}").raise_for_status()
        assert ended(operator.process, within=90) == 1
        last = operator.log().splitlines()[-1]
        assert last.startswith("netgw: ")
        assert TUNNELS in last
        assert operator.token not in operator.log()
    finally:
        operator.stop()
        simulator.stop()
        cluster.close()
