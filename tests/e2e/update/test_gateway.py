"""Every field of a gateway that changes in place: one PATCH with that field, and nothing else is touched."""

from __future__ import annotations

from typing import Any

import pytest

from support.scenario import Scenario


@pytest.fixture(scope="module")
def site(standing: Scenario) -> Scenario:
    standing.site_to_site(tunnels=1)
    return standing


CHANGES: list[tuple[str, str, Any]] = [
    ("name", "name", "edge-renamed"),
    ("plan", "plan", "advanced"),
    ("plan", "plan", "production"),
    ("features", "features", ["nat", "vpn"]),
    ("features", "features", ["vpn"]),
    ("automaticTunnelInternalIpAllocation", "automatic_tunnel_internal_ip_allocation", False),
]


def test_each_field_alone(site: Scenario, shared: Scenario, subtests: pytest.Subtests) -> None:
    for field, shown, value in CHANGES:
        with subtests.test(field=field, value=value):
            before, since = site.in_cloud("NetworkGateway", "edge"), len(site.cloud.calls())
            site.change("NetworkGateway", "edge", **{field: value})
            site.wait_for("NetworkGateway", "edge", Ready="Running", Synced="InSync")
            site.wait_all_ready()
            assert [str(call) for call in site.cloud.writes(since)] == [f"PATCH /1.3/gateway/{before['uuid']}"]
            moving = {"updated_at", "operational_state", "connections", shown}
            after = site.in_cloud("NetworkGateway", "edge")
            assert {k: after[k] for k in after if k not in moving} == {k: before[k] for k in before if k not in moving}
            assert after[shown] == value


def test_stopped_and_started(site: Scenario, shared: Scenario) -> None:
    """Traffic ends, which connection and tunnel say; nobody tries to mend it."""
    since = len(site.cloud.calls())
    site.change("NetworkGateway", "edge", configuredStatus="stopped")
    site.wait_for("NetworkGateway", "edge", Ready="Stopped", Synced="InSync")
    site.wait_for("VpnConnection", "office", Ready="GatewayStopped", Synced="InSync")
    site.wait_for("VpnTunnel", "office-1", Ready="GatewayStopped", Synced="InSync")
    assert len(site.cloud.writes(since)) == 1
    site.change("NetworkGateway", "edge", configuredStatus="started")
    site.wait_all_ready()
    assert {call.method for call in site.cloud.writes(since)} == {"PATCH"}
    assert len(site.cloud.writes(since)) == 2


def test_a_field_that_leaves_the_spec_keeps_its_value(site: Scenario, shared: Scenario) -> None:
    since = len(site.cloud.calls())
    site.change("NetworkGateway", "edge", configuredStatus=None, automaticTunnelInternalIpAllocation=None)
    site.wait_for("NetworkGateway", "edge", Ready="Running", Synced="InSync")
    site.wait_looks(2)
    assert site.cloud.writes(since) == []
    assert site.in_cloud("NetworkGateway", "edge")["automatic_tunnel_internal_ip_allocation"] is False


def test_several_fields_at_once_are_one_patch(site: Scenario, shared: Scenario) -> None:
    since = len(site.cloud.calls())
    site.change("NetworkGateway", "edge", name="edge", plan="advanced", features=["nat", "vpn"])
    site.wait_for("NetworkGateway", "edge", Ready="Running", Synced="InSync")
    assert len(site.cloud.writes(since)) == 1
    made = site.in_cloud("NetworkGateway", "edge")
    assert (made["name"], made["plan"], sorted(made["features"])) == ("edge", "advanced", ["nat", "vpn"])


def test_what_cannot_be_is_refused_before_the_call(site: Scenario, shared: Scenario) -> None:
    """The feature vpn cannot go while there are connections; the gateway goes on carrying traffic."""
    since = len(site.cloud.calls())
    site.change("NetworkGateway", "edge", features=["nat"])
    refused = site.wait_for("NetworkGateway", "edge", Ready="Running", Synced="Rejected")
    assert "office" in refused.condition("Synced")["message"]
    site.wait_looks(2)
    assert site.cloud.writes(since) == []
    site.change("NetworkGateway", "edge", features=["nat", "vpn"])
    site.wait_for("NetworkGateway", "edge", Ready="Running", Synced="InSync")
    assert site.cloud.writes(since) == []
