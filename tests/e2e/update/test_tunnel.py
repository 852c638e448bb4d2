"""Every field of a tunnel changes in place, by one PATCH, and leaves all others as they are."""

from __future__ import annotations

from typing import Any

import pytest

from support.scenario import Scenario

IPSEC = {
    "phase1Algorithms": ["aes256"],
    "phase1IntegrityAlgorithms": ["sha512"],
    "phase1DhGroupNumbers": [16],
    "phase2Algorithms": ["aes256gcm16"],
    "phase2IntegrityAlgorithms": ["sha384"],
    "phase2DhGroupNumbers": [20, 21],
    "rekeyTime": 7200,
    "childRekeyTime": 1200,
    "ikeLifetime": 43200,
    "dpdDelay": 15,
    "dpdTimeout": 60,
}


@pytest.fixture(scope="module")
def site(standing: Scenario) -> Scenario:
    standing.secret()
    standing.gateway(addresses=[{"name": "public"}, {"name": "spare"}], automaticTunnelInternalIpAllocation=False)
    standing.connection()
    standing.tunnel(localAddress={"name": "public"})
    standing.wait_all_ready()
    return standing


def changed(site: Scenario, **spec: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Change it, see one PATCH and no other tunnel; what the cloud had before and has now."""
    before = flat(site.in_cloud("VpnTunnel", "office-1"))
    since = len(site.cloud.calls())
    site.change("VpnTunnel", "office-1", **spec)
    site.wait_ready("VpnTunnel", "office-1")
    writes = site.cloud.writes(since)
    assert [call.method for call in writes] == ["PATCH"]
    assert writes[0].path.endswith(f"/tunnels/{before['uuid']}")
    return before, flat(site.in_cloud("VpnTunnel", "office-1"))


def flat(tunnel: dict[str, Any]) -> dict[str, Any]:
    """Without what moves by itself."""
    ipsec = {f"ipsec.{key}": value for key, value in tunnel["ipsec"].items()}
    moving = {"updated_at", "operational_state", "tunnel_up", "tunnel_healthy", "ipsec"}
    return {key: value for key, value in tunnel.items() if key not in moving} | ipsec


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    assert before.keys() == after.keys()
    return {key: after[key] for key in after if after[key] != before[key]}


PLAIN: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"name": "Office_1"}, {"name": "Office_1"}),
    ({"remoteAddress": {"address": "100.10.0.113"}}, {"remote_address": {"address": "100.10.0.113"}}),
    ({"localAddress": {"name": "spare"}}, {"local_address": {"name": "spare"}}),
    ({"tunnelInternalIp": "169.254.18.1"}, {"tunnel_internal_ip": "169.254.18.1"}),
    ({"tunnelInternalIp": ""}, {"tunnel_internal_ip": ""}),
    ({"internalPeerPingInterval": 10}, {"internal_peer_ping_interval": 10}),
    ({"internalPeerPingInterval": 0}, {"internal_peer_ping_interval": 0}),
]
"""What is changed in the spec, and what changes in the cloud."""


def test_each_field_alone(site: Scenario, shared: Scenario, subtests: pytest.Subtests) -> None:
    ipsec = [({"ipsec": {field: value}}, {f"ipsec.{snake(field)}": value}) for field, value in IPSEC.items()]
    for spec, wire in [*PLAIN, *ipsec]:
        with subtests.test(**spec):
            assert difference(*changed(site, **spec)) == wire


def test_several_fields_at_once_are_one_patch(site: Scenario, shared: Scenario) -> None:
    before, after = changed(site, name="office-1", ipsec={"rekeyTime": 3600, "phase2Algorithms": ["aes128"]})
    expected = {"name": "office-1", "ipsec.rekey_time": 3600, "ipsec.phase2_algorithms": ["aes128"]}
    assert difference(before, after) == expected


def test_order_and_fields_that_leave_the_spec_are_no_change(site: Scenario, shared: Scenario) -> None:
    since = len(site.cloud.calls())
    before = flat(site.in_cloud("VpnTunnel", "office-1"))
    site.change("VpnTunnel", "office-1", ipsec={"phase2DhGroupNumbers": [21, 20], "dpdDelay": None})
    site.wait_ready("VpnTunnel", "office-1")
    site.wait_looks(2)
    assert site.cloud.writes(since) == []
    assert flat(site.in_cloud("VpnTunnel", "office-1")) == before


def snake(field: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in field)
