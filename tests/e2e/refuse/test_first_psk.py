"""A Secret that is no key, before there is a tunnel: no call, and none is needed to say why."""

from __future__ import annotations

from support.operator import made_up
from support.scenario import Scenario


def test_tunnel(scenario: Scenario) -> None:
    scenario.secret(value=made_up("psk")[-7:])
    scenario.gateway()
    scenario.connection()
    scenario.tunnel()
    scenario.wait_for("VpnTunnel", "office-1", Ready="InvalidPsk", Synced="InvalidPsk", Stalled="InvalidPsk")
    scenario.wait_ready("VpnConnection", "office")
    assert len(scenario.cloud.writes()) == 2
    scenario.secret()
    scenario.wait_all_ready()
    assert len(scenario.cloud.writes()) == 3
