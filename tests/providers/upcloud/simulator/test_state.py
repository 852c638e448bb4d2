"""A simulator that keeps its world in a file, and goes on from there."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from netgw.providers.upcloud.simulator import World, transport
from netgw.providers.upcloud.simulator.control import dump
from netgw.providers.upcloud.simulator.state import StateError, load, save

ROUTER = "04f55cc1-bcd9-49eb-bd56-d65d7e3f2156"
NOW = datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=UTC)
GATEWAY: dict[str, Any] = {
    "name": "edge",
    "zone": "fi-hel1",
    "plan": "advanced",
    "features": ["vpn"],
    "routers": [{"uuid": ROUTER}],
    "configured_status": "started",
    "addresses": [{"name": "public-ip-1"}],
    "labels": [{"key": "stage", "value": "test"}],
    "connections": [
        {
            "name": "office",
            "type": "ipsec",
            "local_routes": [{"name": "cloud", "type": "static", "static_network": "10.0.1.0/24"}],
            "remote_routes": [{"name": "office", "type": "static", "static_network": "10.0.2.0/24"}],
            "tunnels": [
                {
                    "name": "one",
                    "local_address": {"name": "public-ip-1"},
                    "remote_address": {"address": "100.10.0.111"},
                    "ipsec": {"authentication": {"authentication": "psk", "psk": "madeup_psk_for_tests_1"}},
                }
            ],
        }
    ],
}


def world(**options: Any) -> World:
    return World(delay=2.0, clock=lambda: NOW, seed=1, **options)


def ask(found: World, method: str, path: str, body: Any = None) -> httpx.Response:
    async def asked() -> httpx.Response:
        headers = {"Authorization": "Bearer madeup-token"}
        async with httpx.AsyncClient(transport=transport(found), base_url="http://simulator", headers=headers) as door:
            return await door.request(method, path, json=body)

    return asyncio.run(asked())


def again(found: World, path: Path) -> World:
    """As if it had ended."""
    save(path, found.kept())
    kept = load(path)
    assert kept is not None
    other = world()
    other.restore(kept)
    return other


def test_nothing_is_lost(tmp_path: Path) -> None:
    before = world(routers=[ROUTER], floating_ips=["198.51.100.7"])
    made = ask(before, "POST", "/1.3/gateway", GATEWAY)
    assert made.status_code == 201, made.text
    tunnel = made.json()["connections"][0]["tunnels"][0]["uuid"]
    assert before.force_tunnel(tunnel, last_down_message="peer is away")
    assert before.force_gateway(made.json()["uuid"], operational_state="resting", metrics={"any": ["thing", None]})
    before.attach_network(ROUTER, "03000000-0000-4000-8000-000000000001")
    after = again(before, tmp_path / "world.json")
    unmoved = [{**dump(found), "now": None} for found in (before, after)]
    assert unmoved[0] == unmoved[1]
    assert [one.gateways for one in (before, after)] == [before.gateways] * 2
    assert after.stamp() > NOW
    assert after.new_address() == before.new_address()
    assert "madeup_psk" not in (tmp_path / "world.json").read_text()


def test_change_is_heard_of_before_it_is_answered() -> None:
    """Whatever changes something, the control door included, and nothing that only looks; also when no answer comes."""
    found = world(routers=[ROUTER])
    heard: list[int] = []
    found.on_change = lambda: heard.append(len(found.gateways))
    ask(found, "GET", "/1.3/gateway")
    ask(found, "GET", "/_sim/world")
    assert heard == []
    found.faults.add("POST /1.3/gateway", status=503, when="after")
    assert ask(found, "POST", "/1.3/gateway", GATEWAY).status_code == 503
    assert heard == [1]
    ask(found, "POST", "/_sim/reset")
    assert heard == [1, 0]


@pytest.mark.parametrize("content", ["", "[]", '{"gateways": {}}'])
def test_file_of_something_else(tmp_path: Path, content: str) -> None:
    path = tmp_path / "world.json"
    path.write_text(content)
    with pytest.raises(StateError, match=r"world\.json is not the state of a simulator"):
        load(path)


def test_file_that_cannot_be_had(tmp_path: Path) -> None:
    assert load(tmp_path / "world.json") is None
    with pytest.raises(StateError, match="Is a directory"):
        load(tmp_path)
    with pytest.raises(StateError, match="cannot be written: No such file"):
        save(tmp_path / "no" / "world.json", world().kept())
