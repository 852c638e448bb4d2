"""Complaint 10: "drift: interval, visibility, opt-out". Each hand edit: one Event, one PATCH with that field; or none.

Every field of every kind is edited in virtual time (tests/histories); here a sample of each kind, on the real server.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from support.scenario import Scenario

IPSEC = {"authentication": {"authentication": "psk"}}
ROUTES = [{"name": "hand", "type": "static", "static_network": "10.9.0.0/24"}]

EDITS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("NetworkGateway", "edge", "name", {"name": "by-hand"}),
    ("NetworkGateway", "edge", "features", {"features": ["nat", "vpn"]}),
    ("NetworkGateway", "edge", "configuredStatus", {"configured_status": "stopped"}),
    (
        "NetworkGateway",
        "edge",
        "automaticTunnelInternalIpAllocation",
        {"automatic_tunnel_internal_ip_allocation": True},
    ),
    ("VpnConnection", "office", "remoteRoutes", {"remote_routes": ROUTES}),
    ("VpnTunnel", "office-1", "remoteAddress.address", {"remote_address": {"address": "100.10.0.222"}}),
    ("VpnTunnel", "office-1", "tunnelInternalIp", {"tunnel_internal_ip": "169.254.99.1"}),
    ("VpnTunnel", "office-1", "ipsec.rekeyTime", {"ipsec": {**IPSEC, "rekey_time": 9999}}),
    ("VpnTunnel", "office-1", "ipsec.phase1Algorithms", {"ipsec": {**IPSEC, "phase1_algorithms": ["aes256"]}}),
]


@pytest.fixture(scope="module")
def site(standing: Scenario) -> Scenario:
    """It sets what is edited, and leaves dpdDelay to whoever likes."""
    standing.secret()
    standing.gateway(name="edge", configuredStatus="started", automaticTunnelInternalIpAllocation=False)
    standing.connection(remoteRoutes=[{"name": "office", "staticNetwork": "10.0.2.0/24"}])
    standing.tunnel(
        name="office-1",
        tunnelInternalIp="169.254.17.1",
        ipsec={
            "authentication": {"pskSecretRef": {"name": "office-psk"}},
            "rekeyTime": 7200,
            "phase1Algorithms": ["aes128", "aes256"],
        },
    )
    standing.wait_all_ready()
    standing.cloud.api("PATCH", path(standing, "VpnTunnel"), {"name": "office-1", "ipsec": {**IPSEC, "dpd_delay": 17}})
    standing.wait_looks(2)
    return standing


def path(site: Scenario, kind: str) -> str:
    status = site.get("VpnTunnel", "office-1").status
    gateway = f"/gateway/{status['gatewayUuid']}"
    connection = f"{gateway}/connections/{status['connectionUuid']}"
    return {
        "NetworkGateway": gateway,
        "VpnConnection": connection,
        "VpnTunnel": f"{connection}/tunnels/{status['uuid']}",
    }[kind]


def still(site: Scenario, kind: str, name: str) -> dict[str, Any]:
    """What the cloud has of it, but for what moves by itself."""
    moving = {"updated_at", "operational_state", "tunnel_up", "tunnel_healthy", "connections", "tunnels"}
    return {key: value for key, value in site.in_cloud(kind, name).items() if key not in moving}


def of(site: Scenario, kind: str, reason: str, field: str) -> list[str]:
    """Notes of Events of the kind, of this reason, that begin with the field."""
    found = [event for event in site.events_of(reason) if event["regarding"]["kind"] == kind]
    return [event["note"] for event in found if event["note"].startswith((f"{field} ", f"{field}:"))]


def counts(site: Scenario, kind: str, field: str) -> tuple[int, int]:
    """Events Drifted and Updated."""
    return len(of(site, kind, "Drifted", field)), len(of(site, kind, "Updated", field))


def is_as(site: Scenario, kind: str, name: str, before: dict[str, Any]) -> bool:
    return still(site, kind, name) == before


def was_updated(site: Scenario, kind: str, field: str, before: int) -> bool:
    return counts(site, kind, field)[1] > before


def tells_no_drift(site: Scenario, kind: str, name: str) -> bool:
    """The look that sees the PATCH's effect says so; Ready and Synced were True before it."""
    return "drift" not in site.get(kind, name).status


def test_each_edit_is_told_and_put_back(
    site: Scenario, shared: Scenario, subtests: pytest.Subtests, tell: Callable[[str], None]
) -> None:
    for kind, name, field, body in EDITS:
        with subtests.test(f"{kind} {field}"):
            before, since = still(site, kind, name), len(site.cloud.calls())
            told = counts(site, kind, field)
            companions = {"name": before["name"]} if kind == "VpnTunnel" else {}
            site.cloud.api("PATCH", path(site, kind), companions | body)
            site.wait(f"{field} is put back", partial(is_as, site, kind, name, before))
            site.wait_all_ready()
            site.wait("Events", partial(was_updated, site, kind, field, told[1]))
            assert counts(site, kind, field) == (told[0] + 1, told[1] + 1)
            (note,) = of(site, kind, "Updated", field)[told[1] :]
            assert "; " not in note, "only that field"
            assert [str(call) for call in site.cloud.writes(since)] == [f"PATCH /1.3{path(site, kind)}"] * 2
            site.wait("nothing drifts in status", partial(tells_no_drift, site, kind, name))
    assert site.in_cloud("VpnTunnel", "office-1")["ipsec"]["dpd_delay"] == 17, "what was never set is left alone"
    tell(f"{len(EDITS)} fields edited by hand: {len(EDITS)} Events Drifted, {len(EDITS)} PATCHes with one field each")


def test_report(site: Scenario, shared: Scenario, tell: Callable[[str], None]) -> None:
    """Said on the gateway for all below: told once, with its time, and left alone; what the spec newly says is sent."""
    site.change("NetworkGateway", "edge", driftPolicy="Report")
    site.wait("it is inherited", lambda: all(v.status["policies"]["driftPolicy"] == "Report" for v in site.objects()))
    told = len(site.events_of("Drifted"))
    since = len(site.cloud.calls())
    site.cloud.api("PATCH", path(site, "VpnTunnel"), {"name": "office-1", "ipsec": {**IPSEC, "rekey_time": 8888}})
    drifted = site.wait_for("VpnTunnel", "office-1", Synced="Drifted", Ready="Up")
    (entry,) = drifted.status["drift"]
    assert (entry["path"], entry["desired"], entry["observed"]) == ("ipsec.rekeyTime", "7200", "8888")
    site.wait("the Event", lambda: len(site.events_of("Drifted")) == told + 1)
    site.wait_looks(3)
    assert len(site.cloud.writes(since)) == 1  # the edit
    assert site.get("VpnTunnel", "office-1").status["drift"] == [entry]
    assert len(site.events_of("Drifted")) == told + 1
    site.change("VpnTunnel", "office-1", internalPeerPingInterval=30)
    site.wait(
        "what is new is sent", lambda: site.in_cloud("VpnTunnel", "office-1")["internal_peer_ping_interval"] == 30
    )
    site.wait_for("VpnTunnel", "office-1", Synced="Drifted", Ready="Up")
    assert site.in_cloud("VpnTunnel", "office-1")["ipsec"]["rekey_time"] == 8888
    assert len(site.cloud.writes(since)) == 2
    site.change("NetworkGateway", "edge", driftPolicy=None)
    site.wait_all_ready()
    assert site.in_cloud("VpnTunnel", "office-1")["ipsec"]["rekey_time"] == 7200
    assert len(site.cloud.writes(since)) == 3
    tell("Report: 1 Event, 0 PATCHes over 3 looks; Correct again: 1 PATCH")
