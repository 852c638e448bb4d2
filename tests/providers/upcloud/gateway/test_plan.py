from __future__ import annotations

from typing import Any

import pytest

from netgw.engine.ownership import MARK_PATH
from netgw.engine.plan import Change, Interrupts, Values, diff
from netgw.kube.kind import parse_spec
from netgw.providers.upcloud.gateway import plan
from netgw.providers.upcloud.gateway.model import GatewaySpec
from support.wire import GATEWAY_SPEC, ROUTER_UUID, gateway, sent

MARK = "test/default/edge/uid-edge"
MARK_LABEL = {"key": "netgw.dev/owner", "value": MARK}
MARKED = {"labels": [MARK_LABEL]}
FULL: dict[str, Any] = GATEWAY_SPEC | {
    "name": "edge",
    "features": ["vpn", "nat"],
    "addresses": [{"name": "public"}, {"name": "second"}],
    "configuredStatus": "started",
    "automaticTunnelInternalIpAllocation": True,
    "labels": {"env": "prod"},
}
LABELS = [MARK_LABEL, {"key": "env", "value": "prod"}]
ADDRESSES = [{"name": "second"}, {"name": "public", "address": "203.0.113.9", "provisioned_by": "user"}]
AS_FULL: dict[str, Any] = {"labels": LABELS, "features": ["nat", "vpn"], "addresses": ADDRESSES}


def desired(spec: dict[str, Any]) -> Values:
    router = (spec.get("routerRef") or {}).get("uuid")
    return plan.desired(parse_spec(GatewaySpec, spec), name=spec.get("name", "edge"), owner=MARK, router=router)


def changes(spec: dict[str, Any], own: Any = (), **wire: Any) -> tuple[Change, ...]:
    observed = gateway(**wire)
    wanted = plan.settled(desired(spec), observed, own, replace=spec.get("labelPolicy") == "Replace")
    return diff(plan.FIELDS, wanted, plan.observed(observed))


def test_equal_in_every_field() -> None:
    """Also when sets come in another order."""
    assert changes(FULL, **AS_FULL) == ()


def test_what_is_not_set_is_not_compared() -> None:
    wire: dict[str, Any] = {
        "addresses": [{"name": "public-ip-1"}],
        "configured_status": "stopped",
        "automatic_tunnel_internal_ip_allocation": False,
    }
    assert changes(GATEWAY_SPEC, **MARKED | wire) == ()


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
    one_of_each = {"labels[*]", "addresses[*].address"}
    assert {field.path for field in plan.FIELDS} == {*IN_PLACE, *IMMUTABLE, *one_of_each}


@pytest.mark.parametrize("labels", [[], [{"key": "netgw.dev/owner", "value": "other"}]])
def test_mark_is_put_back_without_a_cut(labels: list[dict[str, str]]) -> None:
    (change,) = changes(GATEWAY_SPEC, labels=labels)
    assert (change.path, change.target, change.interrupts) == (MARK_PATH, MARK, Interrupts.NO)
    assert sent(plan.modification([change])) == {}


CLOUDS_OWN = {"key": "_system", "value": "1"}
OTHERS = {"key": "team", "value": "net"}


@pytest.mark.parametrize(
    ("over", "own", "labels", "targets"),
    [
        ({}, (), [*LABELS, OTHERS, CLOUDS_OWN], {}),  # others' and the cloud's own are kept
        ({"labelPolicy": "Replace"}, (), [*LABELS, OTHERS, CLOUDS_OWN], {"labels[team]": None}),
        ({}, ("team",), [*LABELS, OTHERS], {"labels[team]": None}),  # the spec set it once
        ({"labels": {}}, (), LABELS, {}),  # somebody else's env
        ({"labels": {}}, ("env",), LABELS, {"labels[env]": None}),
        ({"labels": {"env": "test"}}, (), LABELS, {"labels[env]": "test"}),
        ({"labels": {"env": "prod", "a": "", "b": "2"}}, (), LABELS, {"labels[a]": "", "labels[b]": "2"}),
    ],
)
def test_labels(over: Any, own: tuple[str, ...], labels: Any, targets: Any) -> None:
    found = changes(FULL | over, own, **AS_FULL | {"labels": labels})
    assert {change.path: change.target for change in found} == targets
    assert [len(batch) for batch in plan.batches(found)] == [1] * len(found)
    assert all(change.calm for change in found)


@pytest.mark.parametrize(
    ("address", "targets"),
    [
        (None, {}),
        ("203.0.113.9", {}),
        ("203.0.113.10", {"addresses[public].address": "203.0.113.10"}),
        ("", {"addresses[public].address": ""}),  # released
    ],
)
def test_floating_address(address: str | None, targets: Any) -> None:
    public = {"name": "public"} if address is None else {"name": "public", "address": address}
    found = changes(FULL | {"addresses": [public, {"name": "second"}]}, **AS_FULL)
    assert {change.path: change.target for change in found} == targets


def test_only_a_floating_address_is_released() -> None:
    spec = FULL | {"addresses": [{"name": "public"}, {"name": "second", "address": ""}]}
    assert changes(spec, **AS_FULL) == ()


def test_each_call_has_its_own_changes() -> None:
    over = {"labels": {"env": "test"}, "plan": "advanced", "name": "rim"}
    found = changes(FULL | over | {"addresses": [{"name": "public", "address": ""}, {"name": "second"}]}, **AS_FULL)
    assert [[change.path for change in batch] for batch in plan.batches(found)] == [
        ["labels[env]"],
        ["name", "plan"],
        ["addresses[public].address"],
    ]


def test_several_changes_are_one_body() -> None:
    found = changes(FULL | {"name": "rim", "plan": "advanced"}, **AS_FULL)
    assert sent(plan.modification(found)) == {"name": "rim", "plan": "advanced"}


def test_older_answers_without_router_and_plan() -> None:
    assert plan.observed(gateway(routers=None, plan=None))["routerRef.uuid"] is None


def body(spec: dict[str, Any]) -> Any:
    return sent(plan.creation("edge", {"configuredStatus": "started", **desired(spec)}))


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
        "labels": [LABELS[1], LABELS[0]],
    }
