"""The list of plans, and what becomes of the rules when it changes."""

from __future__ import annotations

from typing import Any

import pytest

from support.simulated_cloud import Cloud, connection_body, gateway_body, tunnel_body

TINY = {"name": "tiny", "supported_features": ["nat", "vpn"], "vpn_tunnel_amount": 1, "server_number": 1}


def test_plans(cloud: Cloud) -> None:
    plans = cloud.got("/gateway/plans")
    assert [plan["name"] for plan in plans] == ["advanced", "development", "production", "standard"]
    assert cloud.got("/gateway/plans/production") == plans[2]
    assert cloud.ask("GET", "/gateway/plans/huge").status_code == 404


def test_other_plans_have_other_rules(cloud: Cloud) -> None:
    assert cloud.door("PUT", "/_sim/plans", [TINY]).status_code == 204
    assert cloud.got("/gateway/plans") == [TINY]
    made = cloud.gateway(plan="tiny", connections=[connection_body(tunnels=[tunnel_body()])])
    connection = made["connections"][0]["uuid"]
    answer = cloud.ask(
        "POST", f"/gateway/{made['uuid']}/connections/{connection}/tunnels", tunnel_body(name="office-2")
    )
    assert answer.json()["title"] == "Service with plan tiny can have up to 1 tunnels."
    unknown = cloud.ask("PATCH", f"/gateway/{made['uuid']}", {"plan": "advanced"})
    assert unknown.json()["invalid_params"][0]["name"] == "plan"


def test_no_plans_at_all(cloud: Cloud) -> None:
    """What has a plan keeps it, without limits that nobody can look up any more."""
    made = cloud.gateway(plan="production", connections=[connection_body(name=name) for name in "ab"])
    cloud.world.plans = {}
    assert cloud.got("/gateway/plans") == []
    assert cloud.ask("GET", "/gateway/plans/production").status_code == 404
    answer = cloud.ask("POST", "/gateway", gateway_body(cloud.router(), name="other"))
    assert answer.json()["invalid_params"] == [{"name": "plan", "reason": "Unknown plan."}]
    cloud.connection(made["uuid"], name="c")
    assert cloud.got(f"/gateway/{made['uuid']}")["plan"] == "production"
    cloud.door("POST", "/_sim/reset")
    assert len(cloud.got("/gateway/plans")) == 4


@pytest.mark.parametrize("body", [{}, [{"name": "tiny"}], [TINY | {"vpn_tunnel_amount": "1"}], None])
def test_plans_that_make_no_sense(cloud: Cloud, body: Any) -> None:
    assert cloud.door("PUT", "/_sim/plans", body).status_code == 400
    assert len(cloud.got("/gateway/plans")) == 4
