from __future__ import annotations

from typing import Any

import pytest

from netgw.providers.upcloud.advice.gateways import advise, only_address, outline, parent
from netgw.providers.upcloud.api import Gateway
from support.wire import NOW, connection, entry, gateway, tunnel


@pytest.mark.parametrize(("networks", "told"), [(0, True), (1, False), (2, False), (None, False)])
def test_a_router_without_networks(networks: int | None, told: bool) -> None:
    sentence = (
        "No network is attached to router 04f5: no machine reaches the gateway, and it serves nobody. Attach a private "
        "network to the router in UpCloud."
    )
    assert advise("router 04f5", networks) == ((sentence,) if told else ())


@pytest.mark.parametrize(("said", "automatic"), [(True, True), (None, True), (False, False)])
def test_upcloud_allocates_unless_it_says_that_it_does_not(said: bool | None, automatic: bool) -> None:
    assert parent(gateway(automatic_tunnel_internal_ip_allocation=said), "gateway edge").automatic is automatic


def test_of_a_gateway_that_was_not_seen_nothing_is_known() -> None:
    assert parent(None, "its gateway").automatic is None
    assert only_address(None) is None


@pytest.mark.parametrize(("names", "only"), [([], None), (["public"], "public"), (["public", "second"], None)])
def test_the_only_address(names: list[str], only: str | None) -> None:
    assert only_address(gateway(addresses=[{"name": name} for name in names])) == only


def tree(above: dict[str, Any], middle: dict[str, Any], below: dict[str, Any]) -> Gateway:
    return entry(gateway(**above), connection(tunnel(**below), **middle)).gateway


ROUTES = [{"name": "office", "type": "static", "static_network": "10.0.9.0/24"}]


@pytest.mark.parametrize(
    ("above", "middle", "below", "moves"),
    [
        ({"automatic_tunnel_internal_ip_allocation": False}, {}, {}, True),
        ({"addresses": []}, {}, {}, True),
        ({}, {"remote_routes": ROUTES}, {}, True),
        ({}, {"local_routes": ROUTES}, {}, True),
        ({}, {}, {"remote_address": {"address": "100.10.0.112"}}, True),
        ({}, {}, {"local_address": {"name": "second"}}, True),
        ({}, {}, {"tunnel_internal_ip": "169.254.17.1"}, True),
        ({}, {}, {"uuid": "10-2"}, True),
        ({"operational_state": "pending", "updated_at": NOW}, {}, {}, False),
        ({}, {}, {"operational_state": "idle", "tunnel_up": False, "tunnel_healthy": None}, False),
        ({}, {}, {"ipsec": {"rekey_time": 1}}, False),
    ],
)
def test_outline(above: dict[str, Any], middle: dict[str, Any], below: dict[str, Any], moves: bool) -> None:
    """A tunnel's own ipsec is advice on itself alone."""
    assert (outline(tree(above, middle, below)) != outline(tree({}, {}, {}))) is moves


def test_outline_has_no_order() -> None:
    one, two = connection(), connection(uuid="10-2", name="lab")
    assert outline(entry(gateway(), one, two).gateway) == outline(entry(gateway(), two, one).gateway)


def test_outline_of_an_answer_that_does_not_tell_connections() -> None:
    assert outline(gateway(connections=None)) == outline(gateway(connections=[]))
