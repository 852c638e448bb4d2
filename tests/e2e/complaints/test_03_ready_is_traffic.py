"""Complaint 3: "Ready does not mean it works". Every state of the cloud has its Ready, also words that nobody knows."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from support.scenario import Scenario, cloud_objects, route

UP, DOWN = ("True", "Up"), ("False", "TunnelDown")
UNKNOWN = ("Unknown", "StateUnknown")

TUNNEL: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"operational_state": "established"}, UP),
    ({"operational_state": "rekeying"}, UP),
    ({"operational_state": "rekeyed"}, UP),
    ({"operational_state": "connecting"}, DOWN),
    ({"operational_state": "idle"}, DOWN),
    ({"operational_state": "established", "tunnel_up": False}, DOWN),
    ({"operational_state": "connecting", "tunnel_up": True}, UP),
    ({"operational_state": "created"}, DOWN),
    ({"operational_state": "uninitialized"}, DOWN),
    ({"operational_state": "a-word-of-tomorrow", "tunnel_up": True}, UP),
    ({"operational_state": "deleting", "tunnel_up": True}, DOWN),
    ({"operational_state": "destroying"}, DOWN),
]
"""What is forced on a tunnel that was up, and its Ready. The simulator always tells tunnel_up, which follows the state
where nothing is forced; answers without it are in tests/providers/upcloud/tunnel."""

GATEWAY: list[tuple[str, tuple[str, str]]] = [
    ("a-word-of-tomorrow", ("True", "Running")),
    ("setup-gw", ("True", "Running")),
    ("delete-gw", ("False", "DeletingInCloud")),
    ("running", ("True", "Running")),
]
"""Of a gateway that ran. What runs goes on running through words of a change, and says Reconciling."""

HELD = 5.0
"""Seconds that the cloud keeps the answer to a POST whose work is done: time to force a state on what was made, before
netgw sees it in any other."""


@pytest.fixture(scope="module")
def site(standing: Scenario) -> Scenario:
    standing.site_to_site(tunnels=1)
    return standing


def is_ready(site: Scenario, kind: str, name: str, expected: tuple[str, str]) -> bool:
    condition = site.get(kind, name).condition("Ready")
    return (condition["status"], condition["reason"]) == expected


def is_seen(site: Scenario, kind: str, name: str, state: str) -> bool:
    return bool(site.get(kind, name).status["operationalState"] == state)


def made(site: Scenario, name: str) -> str | None:
    """The uuid in the cloud, whether netgw knows of it or not."""
    return next((str(body["uuid"]) for body in cloud_objects(site.cloud.gateways()) if body["name"] == name), None)


def test_tunnel(site: Scenario, shared: Scenario, subtests: pytest.Subtests) -> None:
    """The connection rolls it up, and Synced, which is about the configuration, never moves."""
    uuid = site.uuid("VpnTunnel", "office-1")
    since = len(site.cloud.calls())
    for forced, expected in TUNNEL:
        with subtests.test(**forced):
            site.cloud.door("POST", f"/tunnels/{uuid}", forced)
            site.wait(f"{forced} is {expected}", partial(is_ready, site, "VpnTunnel", "office-1", expected))
            rolled_up = ("True", "TunnelsUp") if expected == UP else ("False", "NoTunnelUp")
            site.wait("and the connection", partial(is_ready, site, "VpnConnection", "office", rolled_up))
            assert site.get("VpnTunnel", "office-1").condition("Synced")["reason"] == "InSync"
    site.cloud.door("POST", f"/tunnels/{uuid}", {})
    site.wait_all_ready()
    assert site.cloud.writes(since) == []


def test_no_flap_through_a_rekey(site: Scenario, shared: Scenario) -> None:
    """Seen in each of its states: not one version of the object says anything but Up."""
    uuid = site.uuid("VpnTunnel", "office-1")
    before, above = len(site.history("VpnTunnel", "office-1")), len(site.history("VpnConnection", "office"))
    for state in ("rekeying", "rekeyed", "established") * 2:
        site.cloud.door("POST", f"/tunnels/{uuid}", {"operational_state": state})
        site.wait(f"{state} is seen", partial(is_seen, site, "VpnTunnel", "office-1", state))
    site.cloud.door("POST", f"/tunnels/{uuid}", {})
    seen = site.history("VpnTunnel", "office-1")[before:]
    assert {version.condition("Ready")["reason"] for version in seen} == {"Up"}
    assert len({version.status["since"] for version in seen}) == 1
    assert len(site.history("VpnConnection", "office")) == above, "nothing is written"


def test_gateway(site: Scenario, shared: Scenario, subtests: pytest.Subtests) -> None:
    uuid = site.uuid("NetworkGateway", "edge")
    for state, expected in GATEWAY:
        with subtests.test(state):
            site.cloud.door("POST", f"/gateways/{uuid}", {"operational_state": state})
            site.wait(f"{state} is seen", partial(is_seen, site, "NetworkGateway", "edge", state))
            assert is_ready(site, "NetworkGateway", "edge", expected)
    site.cloud.door("POST", f"/gateways/{uuid}", {})
    site.wait_all_ready()


def test_a_gateway_that_never_ran(site: Scenario, shared: Scenario) -> None:
    """A known word of setting up is not ready; a word that nobody knows is Unknown, and says the word."""
    site.cloud.faults({"match": "POST /1.3/gateway", "slow": HELD, "when": "after"})
    site.gateway("second", routerRef={"uuid": site.cloud.router()})
    uuid = site.wait("it is made", partial(made, site, "second"))
    site.cloud.door("POST", f"/gateways/{uuid}", {"operational_state": "setup-gw"})
    site.wait_for("NetworkGateway", "second", Synced="InSync", Ready="SettingUp")
    site.cloud.door("POST", f"/gateways/{uuid}", {"operational_state": "warming-up"})
    site.wait_for("NetworkGateway", "second", Synced="InSync", Ready="StateUnknown")
    assert "warming-up" in site.get("NetworkGateway", "second").condition("Ready")["message"]
    site.cloud.door("POST", f"/gateways/{uuid}", {})
    site.wait_all_ready()


def test_a_tunnel_that_never_was_up(site: Scenario, shared: Scenario) -> None:
    """Made and in sync, and not ready: the peer has to connect."""
    site.connection("lab", "second", localRoutes=[route("cloud", "10.0.5.0/24")])
    site.cloud.faults({"match": "POST /1.3/gateway/*/tunnels", "slow": HELD, "when": "after"})
    site.tunnel("lab-1", "lab", remoteAddress={"address": "100.10.0.115"})
    uuid = site.wait("it is made", partial(made, site, "lab-1"))
    site.cloud.door("POST", f"/tunnels/{uuid}", {"operational_state": "connecting"})
    told = site.wait_for("VpnTunnel", "lab-1", Synced="InSync", Ready="PeerNeverConnected")
    assert "has never connected" in told.condition("Ready")["message"]
    site.wait_for("VpnConnection", "lab", Synced="InSync", Ready="NoTunnelUp")
    site.cloud.door("POST", f"/tunnels/{uuid}", {})
    site.wait_all_ready()
