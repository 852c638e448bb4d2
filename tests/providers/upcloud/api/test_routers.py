"""What is read of a router, in the answers of every year."""

from __future__ import annotations

from typing import Any

import pytest

from netgw.providers.upcloud.api import Router

MINIMAL: dict[str, Any] = {"uuid": "r", "name": "lab", "type": "normal"}
USER = {"name": "lab", "route": "10.9.0.0/16", "nexthop": "10.0.0.9", "type": "user"}
SERVICE = {"name": "gw", "route": "0.0.0.0/0", "nexthop": "100.127.0.241", "type": "service"}


def test_router_of_2020() -> None:
    router = Router.model_validate(MINIMAL)
    assert (router.labels, router.static_routes, router.networks, router.gateways) == ((), (), (), None)


@pytest.mark.parametrize(
    "name", ["labels", "static_routes", "attached_networks", "attached_network_gateways", "no_such_key"]
)
def test_null_is_as_good_as_absent(name: str) -> None:
    assert Router.model_validate(MINIMAL | {name: None}) == Router.model_validate(MINIMAL)


def test_null_for_the_networks_inside() -> None:
    assert Router.model_validate(MINIMAL | {"attached_networks": {"network": None}}).networks == ()


def test_router_of_today() -> None:
    router = Router.model_validate(
        MINIMAL
        | {
            "labels": [{"key": "env", "value": None}],
            "static_routes": [USER, SERVICE, {"route": "10.8.0.0/16", "nexthop": "no-nexthop"}],
            "attached_networks": {"network": [{"uuid": "n"}]},
            "attached_network_gateways": [{"uuid": "g", "later": True}],
        }
    )
    assert [(label.key, label.value) for label in router.labels] == [("env", "")]
    assert [(route.name, route.route) for route in router.user_routes] == [
        ("lab", "10.9.0.0/16"),
        (None, "10.8.0.0/16"),
    ]
    assert [(route.name, route.nexthop) for route in router.service_routes] == [("gw", "100.127.0.241")]
    assert (router.networks, router.gateways) == (("n",), ("g",))


def test_no_gateways_is_not_the_same_as_not_told() -> None:
    assert Router.model_validate(MINIMAL | {"attached_network_gateways": []}).gateways == ()
