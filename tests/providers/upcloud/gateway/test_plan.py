from __future__ import annotations

from typing import Any

import pytest

from netgw.engine.actuator import Desired
from netgw.engine.plan import Change, Interrupts, diff
from netgw.kube.kind import parse_spec
from netgw.providers.upcloud.gateway import plan
from netgw.providers.upcloud.gateway.actuator import creation
from netgw.providers.upcloud.gateway.model import GatewaySpec
from support.wire import GATEWAY_SPEC, ROUTER_UUID, gateway, sent

MARK = "test/default/edge/uid-edge"
MARKED = {"labels": [{"key": "netgw.dev/owner", "value": MARK}]}
FULL: dict[str, Any] = GATEWAY_SPEC | {
    "name": "edge",
    "features": ["vpn", "nat"],
    "addresses": [{"name": "public"}, {"name": "second"}],
    "configuredStatus": "started",
    "automaticTunnelInternalIpAllocation": True,
}
AS_FULL: dict[str, Any] = MARKED | {"features": ["nat", "vpn"], "addresses": [{"name": "second"}, {"name": "public"}]}


def changes(spec: dict[str, Any], **wire: Any) -> tuple[Change, ...]:
    desired = plan.desired(parse_spec(GatewaySpec, spec), spec.get("name", "edge"), MARK)
    return diff(plan.FIELDS, desired, plan.observed(gateway(**wire)))


def test_equal_in_every_field() -> None:
    """Also when sets come in another order."""
    assert changes(FULL, **AS_FULL) == ()


def test_what_is_not_set_is_not_compared() -> None:
    wire = {
        "addresses": [{"name": "public-ip-1"}],
        "configured_status": "stopped",
        "automatic_tunnel_internal_ip_allocation": False,
    }
    assert changes(GATEWAY_SPEC, **MARKED, **wire) == ()


IN_PLACE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "name": ({"name": "rim"}, {"name": "rim"}),
    "plan": ({"plan": "advanced"}, {"plan": "advanced"}),
    "features": ({"features": ["nat"]}, {"features": ["nat"]}),
    "configuredStatus": ({"configuredStatus": "stopped"}, {"configured_status": "stopped"}),
    "automaticTunnelInternalIpAllocation": (
        {"automaticTunnelInternalIpAllocation": False},
        {"automatic_tunnel_internal_ip_allocation": False},
    ),
}


@pytest.mark.parametrize("path", IN_PLACE)
def test_differs_and_changes_in_place(path: str) -> None:
    over, body = IN_PLACE[path]
    (change,) = changes(FULL | over, **AS_FULL)
    assert (change.path, change.mutable, change.interrupts is Interrupts.NO) == (path, True, False)
    assert sent(plan.modification([change])) == body


IMMUTABLE: dict[str, dict[str, Any]] = {
    "zone": {"zone": "de-fra1"},
    "routerRef.uuid": {"routerRef": {"uuid": "048b6f79-d4b8-4633-bd6e-96b49cda20db"}},
    "addresses": {"addresses": [{"name": "other"}]},
}


@pytest.mark.parametrize("path", IMMUTABLE)
def test_differs_and_cannot_change(path: str) -> None:
    (change,) = changes(FULL | IMMUTABLE[path], **AS_FULL)
    assert (change.path, change.mutable) == (path, False)
    assert sent(plan.modification([change])) == {}


def test_every_field_is_tested() -> None:
    assert {field.path for field in plan.FIELDS} == {*IN_PLACE, *IMMUTABLE, plan.OWNER}


@pytest.mark.parametrize("labels", [[], [{"key": "netgw.dev/owner", "value": "other"}]])
def test_mark_is_put_back_without_a_cut(labels: list[dict[str, str]]) -> None:
    (change,) = changes(FULL, **AS_FULL | {"labels": labels})
    assert (change.path, change.target, change.interrupts) == (plan.OWNER, MARK, Interrupts.NO)
    assert sent(plan.modification([change])) == {}


def test_several_changes_are_one_body() -> None:
    found = changes(FULL | {"name": "rim", "plan": "advanced"}, **AS_FULL)
    assert sent(plan.modification(found)) == {"name": "rim", "plan": "advanced"}


def test_older_answers_without_router_and_plan() -> None:
    assert plan.observed(gateway(routers=None, plan=None))["routerRef.uuid"] is None


def body(spec: dict[str, Any]) -> Any:
    values = plan.desired(parse_spec(GatewaySpec, spec), "edge", MARK)
    return sent(creation(Desired("edge", None, values, defaults={"configuredStatus": "started"})))


def test_create_minimal() -> None:
    assert body(GATEWAY_SPEC) == {
        "name": "edge",
        "zone": "fi-hel1",
        "plan": "production",
        "features": ["vpn"],
        "routers": [{"uuid": ROUTER_UUID}],
        "configured_status": "started",
        "labels": MARKED["labels"],
    }


def test_create_full() -> None:
    stopped = {"configuredStatus": "stopped", "automaticTunnelInternalIpAllocation": False}
    assert body(FULL | stopped) == {
        "name": "edge",
        "zone": "fi-hel1",
        "plan": "production",
        "features": ["nat", "vpn"],
        "routers": [{"uuid": ROUTER_UUID}],
        "addresses": [{"name": "public"}, {"name": "second"}],
        "configured_status": "stopped",
        "automatic_tunnel_internal_ip_allocation": False,
        "labels": MARKED["labels"],
    }
