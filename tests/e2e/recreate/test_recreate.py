"""Removed behind our back: connections and tunnels are made again, a gateway only when somebody says so."""

from __future__ import annotations

import re
from functools import partial

from support.scenario import KINDS, Scenario


def path(scenario: Scenario, kind: str) -> str:
    status = scenario.get("VpnTunnel", "office-1").status
    gateway = f"/gateway/{status['gatewayUuid']}"
    connection = f"{gateway}/connections/{status['connectionUuid']}"
    tunnel = f"{connection}/tunnels/{status['uuid']}"
    return {"NetworkGateway": gateway, "VpnConnection": connection, "VpnTunnel": tunnel}[kind]


def uuids(scenario: Scenario) -> dict[str, str]:
    return {str(v.body["kind"]): str(v.status.get("uuid")) for v in scenario.objects()}


def made_again(scenario: Scenario, kind: str, before: dict[str, str]) -> bool:
    return uuids(scenario)[kind] not in (before[kind], "None")


def test_tunnel(scenario: Scenario) -> None:
    scenario.site_to_site(tunnels=1)
    before, since = uuids(scenario), len(scenario.cloud.calls())
    scenario.cloud.api("DELETE", path(scenario, "VpnTunnel"))
    scenario.wait("made again", partial(made_again, scenario, "VpnTunnel", before))
    scenario.wait_all_ready()
    after = uuids(scenario)
    assert after | {"VpnTunnel": ""} == before | {"VpnTunnel": ""}
    assert [call.method for call in scenario.cloud.writes(since)] == ["DELETE", "POST"]
    assert "ExternallyDeleted" in {event["reason"] for event in scenario.events()}


def test_connection(scenario: Scenario) -> None:
    """The cloud takes its tunnels with it."""
    scenario.site_to_site(tunnels=1)
    before, since = uuids(scenario), len(scenario.cloud.calls())
    scenario.cloud.api("DELETE", path(scenario, "VpnConnection"))
    scenario.wait("made again", partial(made_again, scenario, "VpnTunnel", before))
    scenario.wait_all_ready()
    after = uuids(scenario)
    assert after["NetworkGateway"] == before["NetworkGateway"]
    assert after["VpnConnection"] != before["VpnConnection"]
    assert [call.method for call in scenario.cloud.writes(since)] == ["DELETE", "POST", "POST"]


def test_gateway(scenario: Scenario) -> None:
    scenario.site_to_site(tunnels=1)
    before, since = uuids(scenario), len(scenario.cloud.calls())
    scenario.cloud.api("DELETE", path(scenario, "NetworkGateway"))
    gone = scenario.wait_for("NetworkGateway", "edge", Ready="ExternallyDeleted", Synced="ExternallyDeleted")
    scenario.wait_for("VpnConnection", "office", Ready="ParentNotCreated", Synced="ParentNotCreated")
    scenario.wait_for("VpnTunnel", "office-1", Ready="ParentNotCreated", Synced="ParentNotCreated")
    scenario.wait_looks(3)
    assert len(scenario.cloud.writes(since)) == 1
    message = gone.condition("Synced")["message"]
    scenario.annotate("NetworkGateway", "edge", approve="no-such-hash")
    scenario.wait_looks(2)
    assert len(scenario.cloud.writes(since)) == 1
    approval = re.search(r"netgw\.dev/approve=(\w+)", message)
    assert approval, message
    scenario.annotate("NetworkGateway", "edge", approve=approval[1])
    scenario.wait("made again", partial(made_again, scenario, "NetworkGateway", before))
    scenario.wait_all_ready()
    assert not set(uuids(scenario).values()) & set(before.values())
    assert [call.method for call in scenario.cloud.writes(since)] == ["DELETE", "POST", "POST", "POST"]


def test_an_approval_serves_once(scenario: Scenario) -> None:
    """The annotation is still there when the next gateway vanishes, and is worth nothing then."""
    scenario.gateway()
    scenario.wait_all_ready()
    approvals = set()
    for _ in range(2):
        before = uuids(scenario)
        scenario.cloud.api("DELETE", f"/gateway/{before['NetworkGateway']}")
        gone = scenario.wait_for("NetworkGateway", "edge", Synced="ExternallyDeleted", Ready="ExternallyDeleted")
        approval = re.search(r"netgw\.dev/approve=(\w+)", gone.condition("Synced")["message"])
        assert approval
        approvals.add(approval[1])
        scenario.annotate("NetworkGateway", "edge", approve=approval[1])
        scenario.wait("made again", partial(made_again, scenario, "NetworkGateway", before))
        scenario.wait_all_ready()
    assert len(approvals) == 2


def test_gone_while_nobody_looked(scenario: Scenario) -> None:
    scenario.site_to_site(tunnels=1)
    before = uuids(scenario)
    scenario.operator.stop()
    since = len(scenario.cloud.calls())
    scenario.cloud.api("DELETE", path(scenario, "VpnConnection"))
    scenario.operator.start()
    scenario.wait("made again", partial(made_again, scenario, "VpnTunnel", before))
    scenario.wait_all_ready()
    assert [call.method for call in scenario.cloud.writes(since)] == ["DELETE", "POST", "POST"]


def test_same_name_again(scenario: Scenario) -> None:
    """Deleted, and made again under the same name in the moment the name is free: nothing of the old one is left."""
    scenario.site_to_site(tunnels=1)
    old = {str(v.body["kind"]): v.body for v in scenario.objects()}
    for kinds in (["VpnTunnel"], list(KINDS)):
        before, since = uuids(scenario), len(scenario.cloud.calls())
        for kind in kinds:
            scenario.delete(kind, old[kind]["metadata"]["name"])
        for kind in kinds:
            name, spec = old[kind]["metadata"]["name"], old[kind]["spec"]
            scenario.wait(f"{name} is free", partial(scenario.try_create, kind, name, spec))
        scenario.wait_all_ready()
        after = uuids(scenario)
        assert {kind for kind in after if after[kind] != before[kind]} == set(kinds)
        methods = [call.method for call in scenario.cloud.writes(since)]
        assert sorted(methods) == ["DELETE"] * len(kinds) + ["POST"] * len(kinds)
