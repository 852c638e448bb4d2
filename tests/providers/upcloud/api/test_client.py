"""Every method: the request it makes, and paging."""

from __future__ import annotations

import gc
import itertools
import json
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest

from netgw.providers.upcloud.api import (
    AddressModify,
    ConnectionCreate,
    ConnectionModify,
    GatewayCreate,
    GatewayModify,
    GatewayReplace,
    Label,
    LabelModify,
    Malformed,
    RouterCreate,
    RouterModify,
    StaticRouteCreate,
    TunnelModify,
    UpCloud,
    UpCloudError,
)

Use = Callable[[UpCloud], Coroutine[Any, Any, Any]]
Case = tuple[str, str, Any, int, Any, Use, Any]
GATEWAY = {
    "uuid": "g",
    "name": "edge",
    "zone": "fi-hel1",
    "configured_status": "started",
    "operational_state": "running",
    "created_at": "2024-06-04T11:48:11.490362Z",
}
CONNECTION = {"uuid": "c", "name": "c", "type": "ipsec", "created_at": "2024-06-04T11:48:11Z"}
TUNNEL = {
    "uuid": "t",
    "name": "t",
    "local_address": {"name": "public"},
    "remote_address": {"address": "100.10.0.111"},
    "ipsec": {},
    "operational_state": "idle",
    "created_at": "2024-06-04T11:48:11Z",
}
PLAN = {"name": "p", "vpn_tunnel_amount": 2}
ROUTER = {"uuid": "r", "name": "r", "type": "normal"}
LABEL = {"key": "env", "value": "prod"}
ADDRESS = {"name": "public", "address": "203.0.113.7", "provisioned_by": "user"}
ROUTE = {"route": "10.9.0.0/16", "nexthop": "10.0.0.9"}
NAMES = {"g", "c", "t", "p", "r", "edge", "env", "prod", "public", "me"}

# method, path, body, status and answer → call, and the length or the uuid, key or name of what comes back
CALLS: list[Case] = [
    ("GET", "/account", None, 200, {"account": {"username": "me"}}, lambda c: c.get_account(), "me"),
    ("GET", "/zone", None, 200, {"zones": {"zone": [{"id": "de-fra1", "public": "yes"}]}}, lambda c: c.list_zones(), 1),
    ("GET", "/gateway/plans", None, 200, [PLAN, PLAN], lambda c: c.list_plans(), 2),
    ("GET", "/gateway/plans/p", None, 200, PLAN, lambda c: c.get_plan(name="p"), "p"),
    ("GET", "/gateway?limit=100&offset=0", None, 200, [GATEWAY], lambda c: c.list_gateways(), 1),
    (
        "GET",
        "/gateway?limit=100&offset=0&label=env%3Dprod&label=team",
        None,
        200,
        [],
        lambda c: c.list_gateways(labels={"env": "prod", "team": None}),
        0,
    ),
    (
        "POST",
        "/gateway",
        {"name": "n", "zone": "z", "features": ["vpn"], "routers": [], "configured_status": "started", "labels": []},
        201,
        GATEWAY,
        lambda c: c.create_gateway(
            body=GatewayCreate(
                name="n", zone="z", features=("vpn",), routers=(), configured_status="started", labels=()
            )
        ),
        "g",
    ),
    ("GET", "/gateway/g", None, 200, GATEWAY, lambda c: c.get_gateway(gateway="g"), "g"),
    (
        "PUT",
        "/gateway/g",
        {"name": "n", "configured_status": "stopped"},
        200,
        GATEWAY,
        lambda c: c.replace_gateway(gateway="g", body=GatewayReplace(name="n", configured_status="stopped")),
        "g",
    ),
    (
        "PATCH",
        "/gateway/g",
        {"automatic_tunnel_internal_ip_allocation": False, "connections": []},
        200,
        GATEWAY,
        lambda c: c.modify_gateway(
            gateway="g", body=GatewayModify(automatic_tunnel_internal_ip_allocation=False, connections=())
        ),
        "g",
    ),
    ("DELETE", "/gateway/g", None, 204, None, lambda c: c.delete_gateway(gateway="g"), None),
    ("GET", "/gateway/g/metrics", None, 200, {}, lambda c: c.get_metrics(gateway="g"), ...),
    (
        "PATCH",
        "/gateway/g/actions/nat-flush-connections",
        None,
        200,
        None,
        lambda c: c.flush_nat(gateway="g"),
        None,
    ),
    ("GET", "/gateway/g/addresses", None, 200, [ADDRESS], lambda c: c.list_addresses(gateway="g"), 1),
    (
        "GET",
        "/gateway/g/addresses/public",
        None,
        200,
        ADDRESS,
        lambda c: c.get_address(gateway="g", name="public"),
        "public",
    ),
    (
        "PATCH",
        "/gateway/g/addresses/public",
        {"address": "203.0.113.7"},
        200,
        None,
        lambda c: c.modify_address(gateway="g", name="public", body=AddressModify(address="203.0.113.7")),
        None,
    ),
    (
        "POST",
        "/gateway/g/addresses/public/release",
        None,
        202,
        None,
        lambda c: c.release_address(gateway="g", name="public"),
        None,
    ),
    ("GET", "/gateway/g/labels", None, 200, [LABEL], lambda c: c.list_labels(gateway="g"), 1),
    ("POST", "/gateway/g/labels", LABEL, 201, LABEL, lambda c: c.create_label(gateway="g", body=Label(**LABEL)), None),
    ("GET", "/gateway/g/labels/env", None, 200, LABEL, lambda c: c.get_label(gateway="g", key="env"), "env"),
    (
        "PATCH",
        "/gateway/g/labels/a%2Fb%20c%25",
        {"value": ""},
        200,
        None,
        lambda c: c.modify_label(gateway="g", key="a/b c%", body=LabelModify(value="")),
        None,
    ),
    (
        "DELETE",
        "/gateway/g/labels/%252F%3Fx%23%26%3D%2B...",
        None,
        204,
        None,
        lambda c: c.delete_label(gateway="g", key="%2F?x#&=+..."),
        None,
    ),
    ("GET", "/gateway/g/connections", None, 200, [CONNECTION], lambda c: c.list_connections(gateway="g"), 1),
    (
        "POST",
        "/gateway/g/connections/",
        {"name": "c", "type": "ipsec"},
        201,
        CONNECTION,
        lambda c: c.create_connection(gateway="g", body=ConnectionCreate(name="c", type="ipsec")),
        "c",
    ),
    (
        "GET",
        "/gateway/g/connections/c",
        None,
        200,
        CONNECTION,
        lambda c: c.get_connection(gateway="g", connection="c"),
        "c",
    ),
    (
        "PATCH",
        "/gateway/g/connections/c",
        {"local_routes": []},
        200,
        CONNECTION,
        lambda c: c.modify_connection(gateway="g", connection="c", body=ConnectionModify(local_routes=())),
        "c",
    ),
    (
        "DELETE",
        "/gateway/g/connections/c",
        None,
        204,
        None,
        lambda c: c.delete_connection(gateway="g", connection="c"),
        None,
    ),
    (
        "GET",
        "/gateway/g/connections/c/tunnels",
        None,
        200,
        [TUNNEL],
        lambda c: c.list_tunnels(gateway="g", connection="c"),
        1,
    ),
    (
        "GET",
        "/gateway/g/connections/c/tunnels/t",
        None,
        200,
        TUNNEL,
        lambda c: c.get_tunnel(gateway="g", connection="c", tunnel="t"),
        "t",
    ),
    (
        "PATCH",
        "/gateway/g/connections/c/tunnels/t",
        {"name": "t", "internal_peer_ping_interval": 0},
        200,
        TUNNEL,
        lambda c: c.modify_tunnel(
            gateway="g", connection="c", tunnel="t", body=TunnelModify(name="t", internal_peer_ping_interval=0)
        ),
        "t",
    ),
    (
        "DELETE",
        "/gateway/g/connections/c/tunnels/t",
        None,
        204,
        None,
        lambda c: c.delete_tunnel(gateway="g", connection="c", tunnel="t"),
        None,
    ),
    ("GET", "/router", None, 200, {"routers": {"router": [ROUTER]}}, lambda c: c.list_routers(), 1),
    ("GET", "/router/r", None, 200, {"router": ROUTER}, lambda c: c.get_router(router="r"), "r"),
    (
        "POST",
        "/router",
        {"router": {"name": "r", "labels": [LABEL]}},
        201,
        {"router": ROUTER},
        lambda c: c.create_router(body=RouterCreate(name="r", labels=(Label(**LABEL),))),
        "r",
    ),
    (
        "POST",
        "/router",
        {"router": {"name": "r", "static_routes": [ROUTE]}},
        201,
        {"router": ROUTER},
        lambda c: c.create_router(body=RouterCreate(name="r", static_routes=(StaticRouteCreate(**ROUTE),))),
        "r",
    ),
    (
        "PATCH",
        "/router/r",
        {"router": {"labels": [], "static_routes": [{**ROUTE, "name": "lab"}]}},
        200,
        {"router": ROUTER},
        lambda c: c.modify_router(
            router="r", body=RouterModify(labels=(), static_routes=(StaticRouteCreate(**ROUTE, name="lab"),))
        ),
        "r",
    ),
    ("DELETE", "/router/r", None, 204, None, lambda c: c.delete_router(router="r"), None),
]


@pytest.mark.parametrize("case", CALLS, ids=lambda case: f"{case[0]} {case[1]}")
def test_request_of_each_method(case: Case, network: Any, answer: Any) -> None:
    method, path, body, status, given, use, result = case
    net = network(answer(status) if given is None else answer(status, json=given))
    value = net.run(use).value
    [request] = net.requests
    assert (request.method, request.url.raw_path.decode()) == (method, "/1.3" + path)
    assert (json.loads(request.content) if request.content else None) == body
    assert request.headers["accept"] == "application/json"
    assert request.headers.get("content-type") == ("application/json" if body is not None else None)
    if result is not ...:
        found = len(value) if isinstance(value, tuple) else value and next(iter(value.model_dump().values()))
        assert found == result


def test_every_method_is_called_here() -> None:
    public = {name for name in dir(UpCloud) if not name.startswith("_")} - {"aclose", "budget", "listen"}
    routes = {name for _, _, _, _, _, use, _ in CALLS for name in use.__code__.co_names}
    assert public - routes == {"create_tunnel"}  # see test_secrets and test_models


def test_no_text_that_was_read_is_kept(network: Any) -> None:
    """Each answer to each method has names that were never seen, as of objects that come and go for months."""
    read = [(given, use) for _, _, _, _, given, use, _ in CALLS if given is not None]
    number = itertools.count()

    def renamed(value: Any) -> Any:
        if isinstance(value, list):
            return [renamed(item) for item in value]
        if isinstance(value, dict):
            return {key: renamed(item) for key, item in value.items()}
        return f"{value}-{next(number):09d}" if value in NAMES else value

    async def ask(cloud: UpCloud, rounds: int) -> int:
        for given, use in read * rounds:
            net.script = [httpx.Response(200, json=renamed(given))]
            await use(cloud)
            for told in (net.requests, net.times, net.calls, net.time.slept):
                told.clear()
        gc.collect()
        return sys.getallocatedblocks()

    async def grown(cloud: UpCloud) -> int:
        return -await ask(cloud, 20) + await ask(cloud, 100)

    net = network()
    blocks = net.run(grown)
    assert blocks < 0.1 * next(number)


@pytest.mark.parametrize("part", ["", ".", ".."])
def test_a_part_that_would_address_its_parent_is_refused(part: str, network: Any, answer: Any) -> None:
    """Normalised, DELETE …/labels/.. is DELETE of the gateway."""
    net = network(answer(204))
    for use in (
        lambda cloud: cloud.delete_label(gateway="g", key=part),
        lambda cloud: cloud.delete_gateway(gateway=part),
        lambda cloud: cloud.get_tunnel(gateway="g", connection=part, tunnel="t"),
        lambda cloud: cloud.release_address(gateway="g", name=part),
    ):
        with pytest.raises(ValueError, match="cannot be part of a path"):
            net.run(use)
    assert net.requests == []


def pages(count: int) -> Callable[[httpx.Request], httpx.Response]:
    """A cloud with so many gateways."""

    def answer(request: httpx.Request) -> httpx.Response:
        limit, offset = int(request.url.params["limit"]), int(request.url.params["offset"])
        assert limit == 100
        chosen = [GATEWAY | {"uuid": f"g-{n}"} for n in range(count)][offset : offset + limit]
        return httpx.Response(200, json=chosen)

    return answer


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200, 250])
def test_paging(count: int, network: Any) -> None:
    net = network(pages(count))
    reply = net.run(lambda cloud: cloud.list_gateways())
    assert [gateway.uuid for gateway in reply.value] == [f"g-{n}" for n in range(count)]
    assert len(net.requests) == count // 100 + 1
    assert {call.route for call in net.calls} == {"/gateway"}


def test_a_list_is_as_old_as_its_first_page(network: Any) -> None:
    net = network()

    def slow(request: httpx.Request) -> httpx.Response:
        net.time.now += 7
        return pages(101)(request)

    net.script = [slow]
    assert net.run(lambda cloud: cloud.list_gateways()).began == 1000.0


def test_gateways_on_two_pages_count_once(network: Any, answer: Any) -> None:
    first = [GATEWAY | {"uuid": f"g-{n}"} for n in range(100)]
    second = [GATEWAY | {"uuid": f"g-{n}", "name": "later"} for n in range(99, 103)]
    reply = network(answer(200, json=first), answer(200, json=second)).run(lambda cloud: cloud.list_gateways())
    assert [gateway.uuid for gateway in reply.value] == [f"g-{n}" for n in range(103)]
    assert reply.value[99].name == "later"


def test_a_server_that_ignores_the_offset(network: Any, answer: Any) -> None:
    net = network(answer(200, json=[GATEWAY | {"uuid": f"g-{n}"} for n in range(100)]))
    with pytest.raises(Malformed, match="the same page again"):
        net.run(lambda cloud: cloud.list_gateways())
    assert len(net.requests) == 2


def test_a_page_that_fails_fails_the_list(network: Any, answer: Any) -> None:
    first = [GATEWAY | {"uuid": f"g-{n}"} for n in range(100)]
    with pytest.raises(UpCloudError):
        network(answer(200, json=first), answer(403)).run(lambda cloud: cloud.list_gateways())
