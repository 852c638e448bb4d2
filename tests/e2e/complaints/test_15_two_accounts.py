"""Complaint 15: "one account per cluster". Two in one namespace, the second by a Secret that is rotated and goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.checker import no_secrets
from support.cluster import OPERATOR_NAMESPACE, OPERATOR_SERVICE_ACCOUNT, Cluster
from support.grants import granted
from support.operator import made_up
from support.scenario import Scenario
from support.stage import Stage

BOB, BOBS_NEW, NOBODY = (made_up("token") for _ in range(3))
ACCOUNTS = {BOB: "bob", BOBS_NEW: "bob"}
REF = {"credentialsSecretRef": {"name": "upcloud"}}
FINALIZER = "netgw.dev/credentials"
ACCOUNT = f"{OPERATOR_NAMESPACE}:{OPERATOR_SERVICE_ACCOUNT}"


@pytest.fixture
def tenants(stage: Stage) -> Iterator[Scenario]:
    """One to whom the operator may not put finalizers on Secrets, as by default."""
    with stage.apart(ACCOUNTS) as opened:
        yield opened
        no_secrets(opened)


@pytest.fixture
def guarded(stage: Stage, cluster: Cluster) -> Iterator[Scenario]:
    """One with deploy/rbac-credentials-finalizer.yaml."""
    with (
        granted(cluster, "rbac-credentials-finalizer.yaml", None, ACCOUNT),
        stage.apart(ACCOUNTS, NETGW_CREDENTIALS_FINALIZER="true") as opened,
    ):
        yield opened
        no_secrets(opened)


def two(scenario: Scenario) -> None:
    """Gateway edge in the operator's own account, branch in bob's, both with a connection."""
    scenario.secret("upcloud", BOB, "token")
    scenario.keys += [BOBS_NEW, NOBODY]
    scenario.gateway("edge")
    scenario.gateway("branch", routerRef={"uuid": scenario.cloud.router(BOB)}, **REF)
    scenario.connection("office", "edge")
    scenario.connection("lab", "branch")
    scenario.wait_all_ready()


def owners(scenario: Scenario) -> dict[str, str]:
    """Whose each gateway in the cloud is."""
    return {gateway["name"]: gateway["account"] for gateway in scenario.cloud.gateways()}


def secret_of(scenario: Scenario) -> dict[str, Any] | None:
    answer = scenario.cluster.api("GET", f"/api/v1/namespaces/{scenario.namespace}/secrets/upcloud")
    return None if answer.status_code == 404 else dict(answer.raise_for_status().json()["metadata"])


def finalizers(scenario: Scenario) -> list[str]:
    held: dict[str, Any] = secret_of(scenario) or {}
    return list(held.get("finalizers") or [])


def delete_namespace(scenario: Scenario) -> None:
    scenario.cluster.api("DELETE", f"/api/v1/namespaces/{scenario.namespace}").raise_for_status()


def wait_namespace_gone(scenario: Scenario) -> None:
    path = f"/api/v1/namespaces/{scenario.namespace}"
    scenario.wait("the namespace is gone", lambda: scenario.cluster.api("GET", path).status_code == 404, seconds=60)


def test_each_object_is_in_its_account(tenants: Scenario) -> None:
    two(tenants)
    assert owners(tenants) == {"edge": "own", "branch": "bob"}
    for kind, name in (("NetworkGateway", "branch"), ("VpnConnection", "lab")):
        status = tenants.get(kind, name).status
        assert (status["account"], status["credentialsSecretRef"]) == ("bob", {"name": "upcloud"})
    assert "credentialsSecretRef" not in tenants.get("VpnConnection", "office").status
    tenants.create("NetworkGateway", "thief", {"import": {"name": "branch"}})
    tenants.wait_for("NetworkGateway", "thief", Synced="ImportNotFound")
    for kind, name in (("VpnConnection", "lab"), ("NetworkGateway", "branch")):
        tenants.delete(kind, name)
        tenants.wait_gone(kind, name)
    assert owners(tenants) == {"edge": "own"}


def test_token_is_rotated_without_a_restart(tenants: Scenario, tell: Callable[[str], None]) -> None:
    """A bad one is told by the Secret's name, a good one is used at once; the other account does not notice."""
    two(tenants)
    tenants.wait_looks(2)
    edge = tenants.get("NetworkGateway", "edge").revision
    since = len(tenants.cloud.calls())
    tenants.secret("upcloud", NOBODY, "token")
    told = tenants.wait_for("NetworkGateway", "branch", Synced="CredentialsRefused")
    assert f"401 to Secret {tenants.namespace}/upcloud since" in told.condition("Synced")["message"]
    tenants.wait_for("VpnConnection", "lab", Synced="CredentialsRefused")
    begun = time.monotonic()
    tenants.secret("upcloud", BOBS_NEW, "token")
    tenants.wait_all_ready()
    tell(f"a good token in place of a refused one: all in sync after {time.monotonic() - begun:.2f} s")
    assert tenants.get("NetworkGateway", "edge").revision == edge
    tenants.secret("upcloud", tenants.operator.token, "token")
    tenants.wait_for("NetworkGateway", "branch", Synced="AccountMismatch")
    tenants.wait_for("VpnConnection", "lab", Synced="AccountMismatch")
    tenants.secret("upcloud", BOB, "token")
    tenants.wait_all_ready()
    assert tenants.cloud.writes(since) == []


def test_whole_namespace_while_the_operator_lives(tenants: Scenario) -> None:
    """The Secret goes when it likes, no finalizer keeps it: what was read of it is held."""
    two(tenants)
    assert finalizers(tenants) == []
    delete_namespace(tenants)
    wait_namespace_gone(tenants)
    assert owners(tenants) == {}


def test_whole_namespace_while_the_operator_is_down(tenants: Scenario) -> None:
    """Without the finalizer the Secret is gone when the operator is back: it is said, with the way out."""
    two(tenants)
    tenants.operator.kill()
    delete_namespace(tenants)
    deadline = time.monotonic() + 30
    while secret_of(tenants) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    tenants.operator.start(tenants.cloud.url)
    told = tenants.wait_for("VpnConnection", "lab", Synced="CredentialsNotFound")
    assert 'netgw.dev/force-orphan: "true"' in told.condition("Synced")["message"]
    tenants.wait_gone("NetworkGateway", "edge")
    for kind, name in (("VpnConnection", "lab"), ("NetworkGateway", "branch")):
        tenants.annotate(kind, name, force_orphan="true")
    wait_namespace_gone(tenants)
    assert owners(tenants) == {"branch": "bob"}


def test_finalizer_keeps_the_secret(guarded: Scenario) -> None:
    """The same with the finalizer: the Secret waits for the last object that needs it, also through a kill."""
    two(guarded)
    guarded.wait("the finalizer is on", lambda: finalizers(guarded) == [FINALIZER])
    guarded.operator.kill()
    delete_namespace(guarded)
    deadline = time.monotonic() + 30
    while not (secret_of(guarded) or {}).get("deletionTimestamp"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    guarded.operator.start(guarded.cloud.url)
    wait_namespace_gone(guarded)
    assert owners(guarded) == {}


def test_finalizer_goes_with_the_last_object(guarded: Scenario) -> None:
    two(guarded)
    guarded.wait("the finalizer is on", lambda: finalizers(guarded) == [FINALIZER])
    for kind, name in (("VpnConnection", "lab"), ("NetworkGateway", "branch")):
        assert finalizers(guarded) == [FINALIZER]
        guarded.delete(kind, name)
        guarded.wait_gone(kind, name)
    guarded.wait("the finalizer is off", lambda: secret_of(guarded) is not None and finalizers(guarded) == [])
    guarded.wait_all_ready()


def test_setting_without_the_right(stage: Stage) -> None:
    """One warning, and everything works as without the setting."""
    with stage.apart(ACCOUNTS, NETGW_CREDENTIALS_FINALIZER="true") as scenario:
        two(scenario)
        scenario.wait("it is told", lambda: "rbac-credentials-finalizer.yaml" in scenario.operator.log())
        scenario.secret("another", NOBODY, "token")
        delete_namespace(scenario)
        wait_namespace_gone(scenario)
        assert owners(scenario) == {}
        assert scenario.operator.log().count("rbac-credentials-finalizer.yaml") == 1
        no_secrets(scenario)
