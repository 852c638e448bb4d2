from __future__ import annotations

from typing import Any

import pytest

from netgw.providers.upcloud.api import Gateway
from netgw.providers.upcloud.router.describe import describe
from support.wire import GATEWAY_UUID, gateway, router

OTHER = "10d9d179-2d78-476c-a8ae-01532dd61bd8"
NAMED = {"uuid": GATEWAY_UUID, "name": "edge"}
NETWORKS = {"network": [{"uuid": "03a1"}, {"uuid": "03a2"}]}

TABLE: list[tuple[dict[str, Any], list[Gateway], int, list[dict[str, str]] | None]] = [
    # what is seen, gateways that say they are at it, networks, gateways
    ({}, [], 0, None),
    ({"attached_networks": NETWORKS}, [], 2, None),
    ({"attached_networks": None}, [], 0, None),
    ({"attached_network_gateways": [{"uuid": GATEWAY_UUID}]}, [gateway()], 0, [NAMED]),
    ({"attached_network_gateways": [{"uuid": OTHER}]}, [], 0, [{"uuid": OTHER}]),
    ({"attached_network_gateways": []}, [gateway()], 0, None),  # the router knows it best
    ({"attached_network_gateways": None}, [gateway()], 0, [NAMED]),
]


@pytest.mark.parametrize(("wire", "near", "networks", "gateways"), TABLE)
def test_what_is_there_routes(
    wire: dict[str, Any], near: list[Gateway], networks: int, gateways: list[dict[str, str]] | None
) -> None:
    seen = describe(router(**wire), near)
    assert (seen.ready.status, seen.ready.reason) == ("True", "Available")
    assert seen.fields == {"networks": networks, "gateways": gateways}
    assert not seen.converging
