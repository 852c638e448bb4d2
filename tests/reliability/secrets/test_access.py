"""Who may make tunnels and not read Secrets reads none through netgw; two policies narrow which ones it may use."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import pytest

from support.cluster import ROOT, Cluster
from support.secrecy.needles import Needles
from support.secrecy.tenant import MAY_READ_ONE, Tenant, tenant_of
from support.secrecy.told import Told

DEADLINE = 20.0


def tunnel(secret: str) -> dict[str, Any]:
    reference = {"authentication": {"pskSecretRef": {"name": secret}}}
    return {"connectionRef": {"name": "office"}, "remoteAddress": {"address": "100.10.0.9"}, "ipsec": reference}


def gateway(router: str, secret: str) -> dict[str, Any]:
    common = {"zone": "fi-hel1", "plan": "production", "features": ["vpn"], "routerRef": {"uuid": router}}
    return common | {"credentialsSecretRef": {"name": secret}}


@contextlib.contextmanager
def policy(cluster: Cluster, file: str) -> Iterator[None]:
    path = ROOT / "deploy" / "policies" / file
    cluster.apply(path)
    try:
        yield
    finally:
        cluster.kubectl("delete", "-f", path)


def until_refused(tenant: Tenant, kind: str, spec: dict[str, Any], words: str) -> None:
    """A policy takes a moment to be in force."""
    deadline = time.monotonic() + DEADLINE
    while (answer := tenant.make(kind, "probe", spec, dry=True)).is_success:
        assert time.monotonic() < deadline, "the policy refuses nothing"
        time.sleep(0.2)
    assert words in answer.text


def until_allowed(tenant: Tenant, kind: str, spec: dict[str, Any]) -> None:
    """One that was deleted, as at the end of another test, is in force for a moment longer."""
    deadline = time.monotonic() + DEADLINE
    while not tenant.make(kind, "probe", spec, dry=True).is_success:
        assert time.monotonic() < deadline, "a policy still refuses"
        time.sleep(0.2)


def test_no_secret_is_read_through_netgw(told: Told) -> None:
    """Neither a key of another team nor credentials, whether they have the form of one or not."""
    scenario = told.scenario
    theirs = scenario.secret("their-psk")
    odd = scenario.secret("their-file", f"{scenario.key()} -----BEGIN {scenario.key()}\n")
    scenario.secret("their-login", f"{scenario.key()} {scenario.key()}", "token")
    scenario.gateway("edge")
    scenario.connection("office", "edge")
    with tenant_of(scenario.cluster, scenario.namespace) as tenant:
        assert tenant.get("secrets/their-psk").status_code == 403
        assert tenant.make("VpnTunnel", "uses", tunnel("their-psk")).status_code == 201
        assert tenant.make("VpnTunnel", "misuses", tunnel("their-file")).status_code == 201
        for name in ("their-psk", "their-login"):
            made = tenant.make("NetworkGateway", f"with-{name}", gateway(scenario.router, name))
            assert made.status_code == 201, made.text
        scenario.wait_ready("VpnTunnel", "uses")
        scenario.wait_for("VpnTunnel", "misuses", Synced="InvalidPsk")
        scenario.wait_for("NetworkGateway", "with-their-psk", Synced="InvalidCredentials")
        scenario.wait_for("NetworkGateway", "with-their-login", Synced="InvalidCredentials")
        shown = {"what the tenant sees": tenant.sees(), "log": scenario.operator.log()}
        assert Needles([theirs, *odd.split(), *scenario.keys]).shown(shown) == {}


@pytest.mark.parametrize("field", ["credentialsSecretRef", "pskSecretRef"])
def test_no_other_namespace_can_be_named(cluster: Cluster, namespace: str, field: str) -> None:
    with tenant_of(cluster, namespace) as tenant:
        if field == "pskSecretRef":
            spec = tunnel("a")
            spec["ipsec"]["authentication"]["pskSecretRef"]["namespace"] = "kube-system"
            answer = tenant.make("VpnTunnel", "reaches", spec)
        else:
            spec = gateway("04f55cc1-bcd9-49eb-bd56-d65d7e3f2156", "a")
            spec["credentialsSecretRef"]["namespace"] = "kube-system"
            answer = tenant.make("NetworkGateway", "reaches", spec)
        assert answer.status_code == 400
        assert "unknown field" in answer.text


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    with cluster.namespace() as name:
        yield name


ROUTER = "04f55cc1-bcd9-49eb-bd56-d65d7e3f2156"


def test_policy_of_readers(cluster: Cluster, namespace: str) -> None:
    with tenant_of(cluster, namespace) as tenant:
        with policy(cluster, "secret-readers.yaml"):
            until_refused(tenant, "VpnTunnel", tunnel("ours"), "pskSecretRef names a Secret that you may not read")
            until_refused(tenant, "NetworkGateway", gateway(ROUTER, "ours"), "credentialsSecretRef names a Secret")
            cluster.apply(MAY_READ_ONE.replace("NAME", "ours"), namespace)
            deadline = time.monotonic() + DEADLINE
            while not tenant.make("VpnTunnel", "mine", tunnel("ours"), dry=True).is_success:
                assert time.monotonic() < deadline, "the right to read does not help"
                time.sleep(0.2)
            assert tenant.make("NetworkGateway", "mine", gateway(ROUTER, "ours"), dry=True).status_code == 201
            assert tenant.make("VpnTunnel", "other", tunnel("theirs"), dry=True).status_code == 403
        until_allowed(tenant, "VpnTunnel", tunnel("theirs"))


def test_policy_of_names(cluster: Cluster, namespace: str) -> None:
    with tenant_of(cluster, namespace) as tenant:
        until_allowed(tenant, "VpnTunnel", tunnel("database"))
        assert tenant.make("VpnTunnel", "before", tunnel("database")).status_code == 201
        with policy(cluster, "secret-names.yaml"):
            until_refused(tenant, "VpnTunnel", tunnel("database"), "does not begin with vpn-")
            until_refused(tenant, "NetworkGateway", gateway(ROUTER, "vpn-a"), "does not begin with upcloud-")
            assert tenant.make("VpnTunnel", "mine", tunnel("vpn-a"), dry=True).status_code == 201
            assert tenant.make("NetworkGateway", "mine", gateway(ROUTER, "upcloud-a"), dry=True).status_code == 201
            labelled = cluster.kubectl("label", "vpnt/before", "--namespace", namespace, "still=changeable")
            assert "labeled" in labelled  # what was there before stays usable
        until_allowed(tenant, "VpnTunnel", tunnel("database"))
