"""What exists is bound by an import of two lines: only watched, or managed without a write that hurts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from support.checker import steady
from support.scenario import KINDS, Body, Scenario, cloud_objects, route
from support.there_before import bind, tree_by_hand


def keys(scenario: Scenario) -> dict[str, str]:
    """Of every tunnel in the cloud, the hash of its key."""
    return {b["uuid"]: b["psk_sha256"] for b in cloud_objects(scenario.cloud.gateways()) if "psk_sha256" in b}


def without_labels(scenario: Scenario) -> list[Body]:
    """The cloud, but for its labels and what moves by itself."""
    moving = {"labels", "updated_at", "connections", "tunnels"}
    found = cloud_objects(scenario.cloud.gateways())
    return [{key: value for key, value in body.items() if key not in moving} for body in found]


def methods(scenario: Scenario, since: int) -> Counter[str]:
    return Counter(call.method for call in scenario.cloud.calls(since=since))


def test_observed(scenario: Scenario, tell: Callable[[str], None]) -> None:
    """Two lines each: nothing is asked but GETs, whatever the spec and the cloud come to say, deletion included."""
    tree = tree_by_hand(scenario)
    before, since = without_labels(scenario), len(scenario.cloud.calls())
    bind(scenario, tree)
    scenario.wait_all_synced("ObserveOnly")
    scenario.wait_all_ready()
    statuses = {version.body["metadata"]["name"]: version.status for version in scenario.objects()}
    assert {name: status["uuid"] for name, status in statuses.items()} == {body["name"]: body["uuid"] for body in tree}
    assert statuses["legacy"]["tunnels"] == statuses["legacy-conn"]["tunnels"] == "2/2"
    assert statuses["legacy-1"]["policies"]["managementPolicy"] == "Observe"
    scenario.change("NetworkGateway", "legacy", plan="advanced", labels={"env": "prod"}, configuredStatus="stopped")
    scenario.change("VpnConnection", "legacy-conn", localRoutes=[route("cloud", "10.9.0.0/24")])
    scenario.change("VpnTunnel", "legacy-1", internalPeerPingInterval=30)
    scenario.wait_all_synced("ObserveOnly")
    drift = {v.body["metadata"]["name"]: [d["path"] for d in v.status.get("drift", ())] for v in scenario.objects()}
    assert sorted(drift.pop("legacy")) == ["configuredStatus", "labels[env]", "plan"]
    assert drift == {"legacy-conn": ["localRoutes"], "legacy-1": ["internalPeerPingInterval"], "legacy-2": []}
    scenario.wait_looks(3)
    scenario.delete_all()
    scenario.wait("all objects gone", lambda: not scenario.objects())
    asked = methods(scenario, since)
    assert set(asked) == {"GET"}
    assert without_labels(scenario) == before
    tell(f"tree of 4 observed, from import to deletion: {asked['GET']} GETs, 0 other calls")


def test_managed(scenario: Scenario, tell: Callable[[str], None]) -> None:
    """Full: the mark is all that is written. No key is sent, also where a Secret holds another, until that changes."""
    tree = tree_by_hand(scenario)
    scenario.secret()
    before, had, since = without_labels(scenario), keys(scenario), len(scenario.cloud.calls())
    bind(scenario, tree, managementPolicy="Full")
    scenario.wait_all_synced("InSync")
    authentication = {"authentication": {"pskSecretRef": {"name": "office-psk"}}}
    scenario.change("VpnTunnel", "legacy-1", ipsec=authentication, remoteAddress={"address": "100.10.7.111"})
    scenario.wait_for("VpnTunnel", "legacy-1", Ready="Up", Synced="InSync", PskInSync="NeverPushed")
    scenario.wait_looks(2)
    writes = [str(call) for call in scenario.cloud.writes(since)]
    assert writes == [f"POST /1.3/gateway/{tree[0]['uuid']}/labels"]
    assert keys(scenario) == had
    assert without_labels(scenario) == before
    tell(f"tree of 4 bound with Full: {len(writes)} write (the mark), 0 keys sent")
    scenario.secret()
    scenario.wait_for("VpnTunnel", "legacy-1", PskInSync="Accepted", Ready="Up", Synced="InSync")
    assert [call.method for call in scenario.cloud.writes(since)] == ["POST", "PATCH"]
    assert {uuid for uuid, value in keys(scenario).items() if value != had[uuid]} == {tree[2]["uuid"]}


def test_what_is_not_there_is_waited_for(scenario: Scenario) -> None:
    """And found when somebody makes it: nothing is made here, and no pause nor parent has to be poked."""
    scenario.create("NetworkGateway", "later", {"import": {"name": "later"}, "managementPolicy": "Full"})
    scenario.create("VpnConnection", "later-conn", {"gatewayRef": {"name": "later"}, "import": {"name": "later-conn"}})
    told = scenario.wait_for("NetworkGateway", "later", Synced="ImportNotFound").condition("Synced")["message"]
    assert "no gateway with name later" in told
    scenario.wait_for("VpnConnection", "later-conn", Synced="ParentNotCreated")
    scenario.wait_looks(2)
    assert scenario.cloud.writes() == []
    tree_by_hand(scenario, "later", tunnels=1)
    since = len(scenario.cloud.calls())
    scenario.wait_all_ready()
    assert {call.method for call in scenario.cloud.writes(since)} <= {"POST"}
    assert len(scenario.cloud.writes(since)) <= 1  # the mark


def test_two_that_want_the_same(scenario: Scenario) -> None:
    """The older wins; the younger says who has it, and gets it when that is gone."""
    (gateway, *_) = tree_by_hand(scenario, tunnels=0)
    scenario.create("NetworkGateway", "first", {"import": {"uuid": gateway["uuid"]}})
    scenario.wait_for("NetworkGateway", "first", Synced="ObserveOnly")
    scenario.create("NetworkGateway", "second", {"import": {"name": "legacy"}, "managementPolicy": "Full"})
    told = scenario.wait_for("NetworkGateway", "second", Synced="NameConflict", Stalled="NameConflict")
    assert f"NetworkGateway {scenario.namespace}/first" in told.condition("Synced")["message"]
    since = len(scenario.cloud.calls())
    assert scenario.cloud.writes(since) == []
    scenario.delete("NetworkGateway", "first")
    scenario.wait_gone("NetworkGateway", "first")
    scenario.wait_for("NetworkGateway", "second", Synced="InSync")
    assert scenario.uuid("NetworkGateway", "second") == gateway["uuid"]


def test_of_another_cluster(scenario: Scenario) -> None:
    """Watched freely; managed only when it is handed over, and then the mark changes hands by one call."""
    owner = "other-cluster/default/edge/00000000-0000-4000-8000-000000000000"
    tree = tree_by_hand(scenario, tunnels=1, labels=[{"key": "netgw.dev/owner", "value": owner}])
    since = len(scenario.cloud.calls())
    bind(scenario, tree)
    scenario.wait_all_synced("ObserveOnly")
    scenario.change("NetworkGateway", "legacy", managementPolicy="Full")
    told = scenario.wait_for("NetworkGateway", "legacy", Synced="OwnedByOther", Stalled="OwnedByOther", Ready="Running")
    assert owner in told.condition("Synced")["message"]
    scenario.wait_looks(2)
    assert scenario.cloud.writes(since) == []
    scenario.annotate("NetworkGateway", "legacy", take_over="true")
    scenario.wait_for("NetworkGateway", "legacy", Synced="InSync")
    (write,) = scenario.cloud.writes(since)
    assert "/labels/" in write.path


def test_by_its_name_alone(scenario: Scenario) -> None:
    """Without import, a whole manifest takes over what has its name, and what differs is changed in place."""
    (gateway, *_) = tree_by_hand(scenario, tunnels=0)
    router = gateway["routers"][0]["uuid"]
    scenario.gateway("legacy", routerRef={"uuid": router}, plan="advanced")
    scenario.wait_for("NetworkGateway", "legacy", Synced="NameConflict", Stalled="NameConflict")
    since = len(scenario.cloud.calls())
    scenario.annotate("NetworkGateway", "legacy", take_over="true")
    scenario.wait_ready("NetworkGateway", "legacy")
    assert scenario.uuid("NetworkGateway", "legacy") == gateway["uuid"]
    assert [call.method for call in scenario.cloud.writes(since)] == ["POST", "PATCH"]  # the mark, the plan


def test_a_restart_binds_nothing_anew(scenario: Scenario) -> None:
    """Nor does it write: what is bound is bound."""
    tree = tree_by_hand(scenario, tunnels=1)
    bind(scenario, tree, managementPolicy="Full")
    scenario.wait_all_synced("InSync")
    steady(scenario, 1)
    before: dict[str, Any] = {v.body["metadata"]["uid"]: v.revision for v in scenario.objects()}
    since = len(scenario.cloud.calls())
    scenario.operator.stop()
    scenario.operator.start()
    scenario.wait_looks(2)
    assert {v.body["metadata"]["uid"]: v.revision for v in scenario.objects()} == before
    assert methods(scenario, since).keys() == {"GET"}
    assert {str(v.body["kind"]) for v in scenario.objects()} == set(KINDS)
