from __future__ import annotations

from typing import Any

import pytest

from netgw.engine.ownership import MARK_PATH
from netgw.engine.plan import Change, Interrupts, Values, diff
from netgw.kube.kind import parse_spec
from netgw.providers.upcloud.router import plan
from netgw.providers.upcloud.router.model import RouterSpec
from support.wire import router, sent

MARK = "test/default/hub/uid-hub"
MARK_LABEL = {"key": "netgw.dev/owner", "value": MARK}
MARKED = {"labels": [MARK_LABEL]}
LAB = {"name": "the lab", "route": "10.9.0.0/16", "nexthop": "10.0.1.7"}
NET6 = {"name": "six", "route": "2001:db8::/32", "nexthop": "2001:db8:1::1"}
SERVICE = {"name": "gateway-1", "route": "0.0.0.0/0", "nexthop": "10.0.0.1", "type": "service"}


def desired(spec: dict[str, Any]) -> Values:
    return plan.desired(parse_spec(RouterSpec, spec), name=spec.get("name", "hub"), owner=MARK)


def changes(spec: dict[str, Any], own: Any = (), **wire: Any) -> tuple[Change, ...]:
    observed = router(**MARKED | wire)
    wanted = plan.settled(desired(spec), observed, own, replace=spec.get("labelPolicy") == "Replace")
    return diff(plan.FIELDS, wanted, plan.observed(observed))


def user(*routes: dict[str, str]) -> list[dict[str, str]]:
    return [{**route, "type": "user"} for route in routes]


SAME: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing is set": ({}, {"static_routes": user(LAB), "labels": [MARK_LABEL, {"key": "team", "value": "net"}]}),
    "routes in another order": ({"staticRoutes": [LAB, NET6]}, {"static_routes": user(NET6, LAB)}),
    "routes of services": ({"staticRoutes": [LAB]}, {"static_routes": [SERVICE, *user(LAB)]}),
    "no routes but those of services": ({"staticRoutes": []}, {"static_routes": [SERVICE]}),
    "another spelling": (
        {"staticRoutes": [{**NET6, "route": "2001:db8:0::/32", "nexthop": "2001:DB8:1:0::1"}]},
        {"static_routes": user(NET6)},
    ),
    "no address": (
        {"staticRoutes": [{**LAB, "nexthop": "no-nexthop"}]},
        {"static_routes": user({**LAB, "nexthop": "no-nexthop"})},
    ),
    "labels": ({"labels": {"env": "prod"}}, {"labels": [{"key": "env", "value": "prod"}, MARK_LABEL]}),
    "the cloud's own label": (
        {"labelPolicy": "Replace"},
        {"labels": [MARK_LABEL, {"key": "_system", "value": "1"}]},
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_no_change(case: str) -> None:
    spec, wire = SAME[case]
    assert changes(spec, **wire) == ()


IN_PLACE: dict[str, tuple[dict[str, Any], dict[str, Any], Interrupts]] = {
    "name": ({"name": "rim"}, {"name": "rim"}, Interrupts.NO),
    "staticRoutes": ({"staticRoutes": [LAB]}, {"static_routes": [LAB]}, Interrupts.YES),
    "labels[env]": (
        {"labels": {"env": "prod"}},
        {"labels": [MARK_LABEL, {"key": "env", "value": "prod"}]},
        Interrupts.NO,
    ),
}


@pytest.mark.parametrize("path", IN_PLACE)
def test_differs_and_changes_in_place(path: str) -> None:
    over, body, interrupts = IN_PLACE[path]
    (change,) = changes(over, static_routes=[SERVICE])
    assert (change.path, change.mutable, change.interrupts) == (path, True, interrupts)
    assert sent(plan.modification([change], router(**MARKED).labels)) == body


def test_every_field_is_tested() -> None:
    assert {field.path.replace("*", "env") for field in plan.FIELDS} == set(IN_PLACE)


def test_clearing_the_routes_sends_an_empty_list() -> None:
    (change,) = changes({"staticRoutes": []}, static_routes=user(LAB))
    assert sent(plan.modification([change], ())) == {"static_routes": []}


@pytest.mark.parametrize("labels", [[], [{"key": "netgw.dev/owner", "value": "other"}]])
def test_mark_is_put_back(labels: list[dict[str, str]]) -> None:
    (change,) = changes({}, labels=labels)
    assert (change.path, change.target, change.interrupts) == (MARK_PATH, MARK, Interrupts.NO)


OTHERS = {"key": "team", "value": "net"}
CLOUDS_OWN = {"key": "_system", "value": "1"}


@pytest.mark.parametrize(
    ("spec", "own", "there", "after"),
    [
        ({"labels": {"env": "prod"}}, (), [OTHERS, CLOUDS_OWN], [OTHERS, MARK_LABEL, {"key": "env", "value": "prod"}]),
        ({"labelPolicy": "Replace"}, (), [MARK_LABEL, OTHERS, CLOUDS_OWN], [MARK_LABEL]),
        ({}, ("team",), [MARK_LABEL, OTHERS], [MARK_LABEL]),  # the spec set it once
        ({"labels": {"team": "dev"}}, (), [OTHERS, MARK_LABEL], [{"key": "team", "value": "dev"}, MARK_LABEL]),
    ],
)
def test_labels_go_out_as_a_whole(
    spec: dict[str, Any], own: tuple[str, ...], there: list[dict[str, str]], after: list[dict[str, str]]
) -> None:
    """With those of others; what begins with _ cannot be sent."""
    found = changes(spec, own, labels=there)
    body = sent(plan.modification(found, router(labels=there).labels))
    assert sorted(body["labels"], key=str) == sorted(after, key=str)
    assert body.keys() == {"labels"}


@pytest.mark.parametrize(
    ("spec", "more"),
    [
        ({}, {}),
        ({"staticRoutes": []}, {"static_routes": []}),
        ({"staticRoutes": [LAB]}, {"static_routes": [LAB]}),
    ],
)
def test_creation(spec: dict[str, Any], more: dict[str, Any]) -> None:
    body = sent(plan.creation("hub", desired(spec | {"labels": {"env": "prod"}})))
    labels = [{"key": "env", "value": "prod"}, MARK_LABEL]
    assert body == {"name": "hub", "labels": labels, **more}
