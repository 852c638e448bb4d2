"""The cluster is lost and everything is applied again from files, with new uids: what runs goes on running."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from support.scenario import Scenario, cloud_objects
from support.there_before import apply_again, lose_cluster

KINDS = "networkgateways,vpnconnections,vpntunnels"


def in_cloud(scenario: Scenario) -> dict[str, dict[str, Any]]:
    """By uuid, without labels and what moves by itself; the hashes of keys included."""
    moving = {"labels", "updated_at", "connections", "tunnels"}
    found = cloud_objects(scenario.cloud.gateways())
    return {body["uuid"]: {k: v for k, v in body.items() if k not in moving} for body in found}


def uids(scenario: Scenario) -> set[str]:
    return {version.body["metadata"]["uid"] for version in scenario.objects()}


def test_with_the_same_cluster_name(scenario: Scenario, tell: Callable[[str], None]) -> None:
    """Everything is adopted, and the mark, which names the new uid, is all that is written."""
    scenario.site_to_site()
    before, since = in_cloud(scenario), len(scenario.cloud.calls())
    had = uids(scenario)
    lost = lose_cluster(scenario)
    apply_again(scenario, lost)
    scenario.operator.start()
    scenario.wait_all_ready()
    assert not uids(scenario) & had
    assert in_cloud(scenario) == before
    assert {v.status["uuid"] for v in scenario.objects()} == set(before)
    scenario.wait_looks(2)
    writes = [(call.method, call.path.rsplit("/", 1)[1]) for call in scenario.cloud.writes(since)]
    assert [path for _, path in writes] == ["netgw.dev%2Fowner"]
    tell(f"site of 4 applied again under the same cluster name: {len(writes)} write ({writes[0][0]} of the mark)")
    key = scenario.secret()
    scenario.wait("the new key is accepted", lambda: all(accepted(scenario, f"office-{n}") for n in (1, 2)))
    assert key
    assert [call.method for call in scenario.cloud.writes(since)[1:]] == ["PATCH", "PATCH"]


def accepted(scenario: Scenario, name: str) -> bool:
    return scenario.get("VpnTunnel", name).condition("PskInSync").get("reason") == "Accepted"


def test_with_another_cluster_name(scenario: Scenario, tell: Callable[[str], None]) -> None:
    """All wait for a person to say so, and one command hands everything over."""
    scenario.site_to_site()
    before, since = in_cloud(scenario), len(scenario.cloud.calls())
    lost = lose_cluster(scenario)
    apply_again(scenario, lost)
    scenario.operator.start(NETGW_CLUSTER_NAME="rebuilt")
    told = scenario.wait_for("NetworkGateway", "edge", Synced="OwnedByOther", Stalled="OwnedByOther")
    assert "e2e/" in told.condition("Synced")["message"]
    scenario.wait_for("VpnConnection", "office", Synced="ParentNotCreated")
    scenario.wait_for("VpnTunnel", "office-1", Synced="ParentNotCreated")
    scenario.wait_looks(2)
    assert scenario.cloud.writes(since) == []
    scenario.cluster.kubectl("annotate", "--namespace", scenario.namespace, KINDS, "--all", "netgw.dev/take-over=true")
    scenario.wait_all_ready()
    assert in_cloud(scenario) == before
    writes = scenario.cloud.writes(since)
    assert [call.path.rsplit("/", 1)[1] for call in writes] == ["netgw.dev%2Fowner"]
    tell(f"site of 4 applied again under another cluster name, handed over: {len(writes)} write (the mark)")


def test_a_status_that_was_lost(scenario: Scenario) -> None:
    """A restore brings back objects of the same uid without status: adopted, and not even the mark is written."""
    scenario.site_to_site()
    before, since = in_cloud(scenario), len(scenario.cloud.calls())
    scenario.operator.stop()
    for version in scenario.objects():
        scenario.wipe_status(version.body["kind"], version.body["metadata"]["name"])
    scenario.operator.start()
    scenario.wait_all_ready()
    assert in_cloud(scenario) == before
    assert scenario.cloud.writes(since) == []
    assert {v.status["uuid"] for v in scenario.objects()} == set(before)
