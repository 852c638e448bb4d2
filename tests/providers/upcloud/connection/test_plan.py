from __future__ import annotations

from typing import Any

import pytest

from netgw.engine.plan import Change, Interrupts, diff
from netgw.kube.kind import parse_spec
from netgw.providers.upcloud.connection import plan
from netgw.providers.upcloud.connection.model import ConnectionSpec
from support.wire import CONNECTION_SPEC, connection, sent

CLOUD = {"name": "cloud", "staticNetwork": "10.0.1.0/24"}
OFFICE = {"name": "office", "staticNetwork": "10.0.2.0/24"}
MORE = {"name": "more", "staticNetwork": "10.0.3.0/24"}
WIRE_MORE = {"name": "more", "type": "static", "static_network": "10.0.3.0/24"}
WIRE_CLOUD = {"name": "cloud", "type": "static", "static_network": "10.0.1.0/24"}
FULL: dict[str, Any] = CONNECTION_SPEC | {"type": "ipsec", "localRoutes": [CLOUD, MORE], "remoteRoutes": [OFFICE]}
AS_FULL: dict[str, Any] = {"local_routes": [WIRE_MORE, WIRE_CLOUD]}


def changes(spec: dict[str, Any], **wire: Any) -> tuple[Change, ...]:
    desired = plan.desired(parse_spec(ConnectionSpec, spec), spec.get("name", "office"))
    return diff(plan.FIELDS, desired, plan.observed(connection(**wire)))


def test_equal_in_every_field() -> None:
    """Also when the routes come in another order."""
    assert changes(FULL, **AS_FULL) == ()


def test_what_is_not_set_is_not_compared() -> None:
    assert changes(CONNECTION_SPEC, type="ipsec2", remote_routes=[WIRE_MORE]) == ()


@pytest.mark.parametrize(
    ("over", "body"),
    [
        ({"localRoutes": [CLOUD]}, {"local_routes": [WIRE_CLOUD]}),
        ({"localRoutes": []}, {"local_routes": []}),
        ({"remoteRoutes": [MORE]}, {"remote_routes": [WIRE_MORE]}),
        ({"remoteRoutes": []}, {"remote_routes": []}),
        ({"localRoutes": [], "remoteRoutes": [MORE]}, {"local_routes": [], "remote_routes": [WIRE_MORE]}),
        ({"localRoutes": [CLOUD | {"name": "sky"}, MORE]}, {"local_routes": [WIRE_CLOUD | {"name": "sky"}, WIRE_MORE]}),
    ],
)
def test_lists_that_differ_are_sent_whole(over: dict[str, Any], body: dict[str, Any]) -> None:
    """Never `tunnels`: that would replace them."""
    found = changes(FULL | over, **AS_FULL)
    assert all(change.mutable and change.interrupts is Interrupts.UNKNOWN for change in found)
    assert sent(plan.modification(found)) == body


def test_what_differs_is_told_in_few_words() -> None:
    (change,) = changes(FULL | {"localRoutes": [CLOUD]}, **AS_FULL)
    assert str(change) == 'localRoutes: ["more 10.0.3.0/24", "cloud 10.0.1.0/24"] → ["cloud 10.0.1.0/24"]'


def test_type_of_a_route_that_nobody_knows() -> None:
    """It differs, and nothing of it is lost."""
    odd = plan.observed(connection(local_routes=[WIRE_CLOUD | {"type": "bgp"}]))["localRoutes"]
    assert odd == ["cloud 10.0.1.0/24 bgp"]
    assert [sent(route) for route in plan.wire_routes(odd)] == [WIRE_CLOUD | {"type": "bgp"}]


@pytest.mark.parametrize(("path", "over", "wire"), [("name", {"name": "paris"}, {}), ("type", {}, {"type": "other"})])
def test_differs_and_cannot_change(path: str, over: dict[str, Any], wire: dict[str, Any]) -> None:
    (change,) = changes(FULL | over, **AS_FULL | wire)
    assert (change.path, change.mutable) == (path, False)
    assert sent(plan.modification([change])) == {}


def body(spec: dict[str, Any]) -> Any:
    values = plan.desired(parse_spec(ConnectionSpec, spec), "office")
    return sent(plan.creation("office", {"type": "ipsec"} | dict(values)))


def test_create_minimal() -> None:
    assert body(CONNECTION_SPEC) == {"name": "office", "type": "ipsec", "local_routes": [WIRE_CLOUD]}


def test_create_full() -> None:
    assert body(FULL | {"remoteRoutes": []}) == {
        "name": "office",
        "type": "ipsec",
        "local_routes": [WIRE_CLOUD, WIRE_MORE],
        "remote_routes": [],
    }
