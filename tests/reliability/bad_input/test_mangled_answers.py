"""The client on mangled answers: it reads them, or raises an error of its own tree. Nothing else ever comes out."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
from pydantic import SecretStr

from netgw.providers.upcloud.api import (
    ConnectionCreate,
    Credentials,
    GatewayModify,
    Label,
    Reply,
    RouterCreate,
    Timing,
    TokenBucket,
    TunnelModify,
    UpCloud,
    UpCloudError,
)
from support import wire as upcloud
from support.cluster import ROOT
from support.effort import effort
from support.figures import Figures
from support.fuzz import mangle

INPUTS = effort(test=4000, soak=40_000)
MESSAGE_MOST = 16_384
RECORDED: list[dict[str, Any]] = json.loads(
    (ROOT / "tests/providers/upcloud/recordings/exchanges.json").read_text(encoding="utf-8")
)
GATEWAYS = [
    each["response_json"] for each in RECORDED if each["path"].startswith("/1.3/gateway/") and each["response_json"]
]

METRICS = json.loads((ROOT / "tests/providers/upcloud/api/metrics.json").read_text())
CONNECTION = ConnectionCreate(name="office", type="ipsec")
CALLS: tuple[tuple[str, Callable[[UpCloud], Coroutine[Any, Any, Reply[Any]]]], ...] = (
    ("gateways", lambda cloud: cloud.list_gateways()),
    ("gateway", lambda cloud: cloud.get_gateway(gateway=upcloud.GATEWAY_UUID)),
    ("connections", lambda cloud: cloud.list_connections(gateway=upcloud.GATEWAY_UUID)),
    ("plans", lambda cloud: cloud.list_plans()),
    ("metrics", lambda cloud: cloud.get_metrics(gateway=upcloud.GATEWAY_UUID)),
    ("router", lambda cloud: cloud.get_router(router=upcloud.ROUTER_UUID)),
    ("routers", lambda cloud: cloud.list_routers()),
    ("zones", lambda cloud: cloud.list_zones()),
    ("account", lambda cloud: cloud.get_account()),
    ("nothing", lambda cloud: cloud.delete_gateway(gateway=upcloud.GATEWAY_UUID)),
    ("gateway", lambda cloud: cloud.modify_gateway(gateway=upcloud.GATEWAY_UUID, body=GatewayModify(name="edge"))),
    ("connection", lambda cloud: cloud.create_connection(gateway=upcloud.GATEWAY_UUID, body=CONNECTION)),
    (
        "tunnel",
        lambda cloud: cloud.modify_tunnel(
            gateway=upcloud.GATEWAY_UUID,
            connection=upcloud.CONNECTION_UUID,
            tunnel=upcloud.TUNNEL_UUID,
            body=TunnelModify(name="office-1"),
        ),
    ),
    ("router", lambda cloud: cloud.create_router(body=RouterCreate(name="hub"))),
    ("label", lambda cloud: cloud.create_label(gateway=upcloud.GATEWAY_UUID, body=Label(key="env", value="test"))),
)


def bodies() -> dict[str, list[Any]]:
    """Good answers of each call, recorded where there are some."""
    gateway = upcloud.gateway(connections=[upcloud.connection(upcloud.tunnel())]).model_dump(mode="json")
    recorded = [body for body in GATEWAYS if isinstance(body, dict) and "operational_state" in body]
    routers = [
        each["response_json"] for each in RECORDED if each["path"].startswith("/1.3/router") and each["response_json"]
    ]
    plans = [each["response_json"] for each in RECORDED if each["path"] == "/1.3/gateway/plans"]
    return {
        "gateways": [[gateway], [*recorded[:3]]],
        "gateway": [gateway, *recorded],
        "connections": [gateway["connections"]],
        "connection": gateway["connections"],
        "tunnel": gateway["connections"][0]["tunnels"],
        "label": [{"key": "env", "value": "test"}],
        "plans": plans,
        "metrics": [METRICS],
        "router": routers,
        "routers": [{"routers": {"router": [each["router"] for each in routers]}}],
        "zones": [{"zones": {"zone": [{"id": "fi-hel1", "description": "Helsinki", "public": "yes"}]}}],
        "account": [{"account": {"username": "madeup", "credits": 1.5, "resource_limits": {"routers": 5}}}],
        "nothing": [None],
    }


class Mangled(httpx.AsyncBaseTransport):
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.body: Any = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return mangle.answer(self.rng, 200, self.body)


async def _no_time(_: float) -> None:
    pass


def test_the_client_reads_or_raises_its_own(figures: Figures) -> None:
    rng, good, ends = random.Random(5), bodies(), Counter[str]()
    network = Mangled(rng)

    async def story() -> None:
        timing = Timing(sleep=_no_time, uniform=rng.uniform)
        for turn in range(INPUTS):
            limiter = TokenBucket(rate=1e9, timing=timing)  # one answer closes no door for the next
            name, call = CALLS[turn % len(CALLS)]
            network.body = rng.choice(good[name])
            credentials = Credentials(token=SecretStr("madeup-token"))
            async with UpCloud(
                credentials, base_url="http://cloud", transport=network, timing=timing, limiter=limiter
            ) as cloud:
                ends[await _end(cloud, call)] += 1

    asyncio.run(story())
    figures.put("bad input", "mangled answers given to the client", INPUTS)
    figures.put("bad input", "read / refused by an error of its own", f"{ends['read']} / {ends['refused']}")
    assert ends["read"] > INPUTS / 20


async def _end(cloud: UpCloud, call: Callable[[UpCloud], Coroutine[Any, Any, Reply[Any]]]) -> str:
    try:
        await call(cloud)
    except UpCloudError as error:
        said = str(error)
    else:
        return "read"
    said.encode()
    assert len(said) <= MESSAGE_MOST
    assert said.isprintable(), ascii(said)[:300]
    return "refused"
