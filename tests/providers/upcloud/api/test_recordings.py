"""Every recorded exchange, replayed: the client sends exactly that request and reads exactly that answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from netgw.providers.upcloud.api import (
    ConnectionCreate,
    ConnectionModify,
    GatewayCreate,
    GatewayModify,
    Reply,
    RouterCreate,
    UpCloud,
)

RECORDINGS = Path(__file__).parents[1] / "recordings" / "exchanges.json"
EXCHANGES: list[dict[str, Any]] = json.loads(RECORDINGS.read_text())


CALLS: dict[tuple[str, str], Callable[..., Coroutine[Any, Any, Reply[Any]]]] = {
    ("POST", "/router"): lambda cloud, body: cloud.create_router(body=RouterCreate.model_validate(body["router"])),
    ("DELETE", "/router/*"): lambda cloud, _, router: cloud.delete_router(router=router),
    ("GET", "/gateway/plans"): lambda cloud, _: cloud.list_plans(),
    ("POST", "/gateway"): lambda cloud, body: cloud.create_gateway(body=GatewayCreate.model_validate(body)),
    ("GET", "/gateway/*"): lambda cloud, _, gateway: cloud.get_gateway(gateway=gateway),
    ("PATCH", "/gateway/*"): lambda cloud, body, gateway: cloud.modify_gateway(
        gateway=gateway, body=GatewayModify.model_validate(body)
    ),
    ("DELETE", "/gateway/*"): lambda cloud, _, gateway: cloud.delete_gateway(gateway=gateway),
    ("GET", "/gateway/*/connections"): lambda cloud, _, gateway: cloud.list_connections(gateway=gateway),
    ("POST", "/gateway/*/connections/"): lambda cloud, body, gateway: cloud.create_connection(
        gateway=gateway, body=ConnectionCreate.model_validate(body)
    ),
    ("GET", "/gateway/*/connections/*"): lambda cloud, _, gateway, connection: cloud.get_connection(
        gateway=gateway, connection=connection
    ),
    ("PATCH", "/gateway/*/connections/*"): lambda cloud, body, gateway, connection: cloud.modify_connection(
        gateway=gateway, connection=connection, body=ConnectionModify.model_validate(body)
    ),
    ("DELETE", "/gateway/*/connections/*"): lambda cloud, _, gateway, connection: cloud.delete_connection(
        gateway=gateway, connection=connection
    ),
}
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def call_of(cloud: UpCloud, method: str, path: str, body: Any) -> Coroutine[Any, Any, Reply[Any]]:
    """The method call that a recorded request stands for."""
    route = UUID.sub("*", path.removeprefix("/1.3"))
    return CALLS[method, route](cloud, body, *UUID.findall(path))


def recorded_answer(exchange: dict[str, Any]) -> httpx.Response:
    """As it came: gateways compact, with sorted keys; routers pretty-printed, with a charset; 204 without a type."""
    headers = {"Date": exchange["date"], "Strict-Transport-Security": "max-age=63072000"}
    data = exchange["response_json"]
    if data is None:
        return httpx.Response(exchange["status"], headers=headers)
    if exchange["path"].startswith("/1.3/router"):
        text = json.dumps(data, indent=3, separators=(",", " : "))
        headers |= {"Content-Type": "application/json; charset=UTF-8", "Server": "Apache"}
    else:
        text = json.dumps(data, separators=(",", ":"), sort_keys=True)
        headers |= {"Content-Type": "application/json"}
    return httpx.Response(exchange["status"], headers=headers, text=text)


def as_json(value: Any) -> Any:
    """What was read, without what was filled in."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_unset=True)
    return [as_json(item) for item in value] if isinstance(value, tuple) else value


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: f"{exchange['fixture']}-{exchange['n']}")
def test_replay(exchange: dict[str, Any], network: Any) -> None:
    method, path, sent = exchange["method"], exchange["path"], exchange["request_json"]
    net = network(recorded_answer(exchange))
    reply = net.run(lambda cloud: call_of(cloud, method, path, sent))

    [request] = net.requests
    assert (request.method, request.url.raw_path.decode()) == (method, path)
    assert (json.loads(request.content) if request.content else None) == sent
    told = exchange["response_json"]
    assert as_json(reply.value) == (told["router"] if path == "/1.3/router" else told)
    assert reply.date == parsedate_to_datetime(exchange["date"])
    assert reply.began == 1000.0
    assert [(call.method, call.status) for call in net.calls] == [(method, exchange["status"])]


def test_recordings_are_complete() -> None:
    assert len(EXCHANGES) == 22
