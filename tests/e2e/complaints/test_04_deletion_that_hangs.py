"""Complaint 4: "deletion hangs because credentials or namespace went first". It ends, or says what it needs."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from support.cluster import MERGE_PATCH
from support.scenario import Scenario


def test_a_namespace_with_everything_inside(everywhere: Scenario, tell: Callable[[str], None]) -> None:
    """With `kubectl delete ns`: objects in every state, Secrets, things that wait; the gateway by hand stays."""
    scenario = everywhere
    scenario.site_to_site()
    stays = scenario.gateway_by_hand(name="by-hand")
    scenario.gateway("second", routerRef={"uuid": scenario.cloud.router()})  # not yet made, or in the middle of it
    scenario.connection("waits", "nobody")
    scenario.tunnel("hidden", "office", secret="no-such-secret")
    scenario.create("NetworkGateway", "watched", {"import": {"uuid": stays}})
    since, began = len(scenario.cloud.calls()), time.monotonic()
    path = f"/api/v1/namespaces/{scenario.namespace}"
    scenario.cluster.api("DELETE", path).raise_for_status()
    scenario.wait("the namespace is gone", lambda: scenario.cluster.api("GET", path).status_code == 404, seconds=60)
    assert [gateway["uuid"] for gateway in scenario.cloud.gateways()] == [stays]
    deleted = scenario.cloud.calls("DELETE", since=since)
    tell(
        f"kubectl delete ns with 8 objects inside: clean after {time.monotonic() - began:.1f} s, {len(deleted)} DELETEs"
    )


@pytest.mark.parametrize(("status", "reason"), [(401, "CredentialsRefused"), (403, "PermissionDenied")])
def test_wrong_credentials(scenario: Scenario, status: int, reason: str) -> None:
    """A named condition that says what to do, and an end by itself when they are right again."""
    scenario.gateway()
    scenario.wait_all_ready()
    scenario.cloud.faults({"match": "* /1.3/*", "status": status, "times": None})
    scenario.delete("NetworkGateway", "edge")
    told = scenario.wait_for("NetworkGateway", "edge", Ready="Deleting", Synced=reason)
    message = told.condition("Synced")["message"]
    assert f"UpCloud answers {status}" in message
    assert "own credentials" in message
    assert told.status["reason"] == reason
    assert len(scenario.cloud.gateways()) == 1
    scenario.cloud.door("DELETE", "/faults")
    scenario.annotate("NetworkGateway", "edge", reconcile_requested_at="2026-11-22T02:41:00Z")
    scenario.wait_gone("NetworkGateway", "edge", seconds=60)
    assert scenario.cloud.gateways() == []


@pytest.mark.parametrize("remembered", [True, False])
def test_credentials_that_went_first(scenario: Scenario, remembered: bool) -> None:
    """The process that used them ends what it began; one that never saw them names the Secret and waits for it."""
    token = scenario.operator.token
    scenario.secret("upcloud", token, key="token")
    scenario.gateway(credentialsSecretRef={"name": "upcloud"})
    scenario.wait_all_ready()
    path = f"/api/v1/namespaces/{scenario.namespace}/secrets/upcloud"
    scenario.cluster.api("PATCH", path, json={"metadata": {"finalizers": None}}, content_type=MERGE_PATCH)
    scenario.cluster.api("DELETE", path).raise_for_status()
    told = scenario.wait_for("NetworkGateway", "edge", Synced="CredentialsNotFound")
    if not remembered:
        scenario.operator.stop()
        scenario.operator.start()
    scenario.delete("NetworkGateway", "edge")
    if not remembered:
        told = scenario.wait_for("NetworkGateway", "edge", Ready="Deleting", Synced="CredentialsNotFound")
        assert len(scenario.cloud.gateways()) == 1
        scenario.secret("upcloud", token, key="token")
    assert "There is no Secret upcloud" in told.condition("Synced")["message"]
    scenario.wait_gone("NetworkGateway", "edge")
    assert scenario.cloud.gateways() == []
    scenario.operator.stop()  # it asks with both credentials until it sweeps, and the checker knows one interval
    scenario.operator.start()
