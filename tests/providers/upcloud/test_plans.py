"""`netgw plans`, against the simulator."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from netgw.cli import app
from netgw.kube.provider import ConfigurationError
from netgw.providers.upcloud.plans import PlansError, plans_text
from netgw.providers.upcloud.simulator import World, transport

ENV = {"UPCLOUD_TOKEN": "madeup-token"}

TABLE = """\
NAME          FEATURES   TUNNELS   MBIT/S   VPN MBIT/S   MAX CONNECTIONS   SERVERS
advanced      nat,vpn    10        1000     500          250000            2
development   nat        0         500      0            10000             1
production    nat,vpn    2         1000     300          100000            2
standard      nat        0         500      0            100000            2"""


def told(world: World, *form: Any, env: dict[str, str] = ENV) -> str:
    return asyncio.run(plans_text(env, *form, transport=transport(world)))


def test_table() -> None:
    world = World()
    assert told(world) == TABLE
    assert [(call.method, call.path) for call in world.calls] == [("GET", "/1.3/gateway/plans")]


def test_json_is_in_the_words_of_the_api() -> None:
    plans = json.loads(told(World(), "json"))
    assert [plan["name"] for plan in plans] == ["advanced", "development", "production", "standard"]
    assert plans[2] == {
        "name": "production",
        "supported_features": ["nat", "vpn"],
        "vpn_tunnel_amount": 2,
        "server_number": 2,
        "per_gateway_bandwidth_mbps": 1000,
        "per_gateway_max_connections": 100000,
        "per_gateway_maximum_vpn_bandwidth_mbps": 300,
    }


def test_what_is_not_told_is_a_dash() -> None:
    answer = httpx.Response(200, json=[{"name": "new", "vpn_tunnel_amount": 5}])
    text = asyncio.run(plans_text(ENV, transport=httpx.MockTransport(lambda _: answer)))
    assert text.splitlines()[1].split() == ["new", "-", "5", "-", "-", "-", "-"]


def test_no_plans() -> None:
    answer = httpx.Response(200, json=[])
    text = asyncio.run(plans_text(ENV, transport=httpx.MockTransport(lambda _: answer)))
    assert text.split()[:2] == ["NAME", "FEATURES"]
    assert "\n" not in text


def test_a_refusal_is_one_line_without_the_token() -> None:
    world = World(tokens={"madeup-other": "alice"})
    with pytest.raises(PlansError) as caught:
        told(world)
    assert "401" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "madeup-token" not in str(caught.value)


def test_an_answer_that_is_none_is_one_line() -> None:
    page = httpx.Response(502, text="<html>\n<h1>Bad\ngateway</h1>")
    with pytest.raises(PlansError) as caught:
        asyncio.run(plans_text({**ENV}, transport=httpx.MockTransport(lambda _: page)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("env", [{}, {"UPCLOUD_USERNAME": "me"}, {**ENV, "UPCLOUD_DEBUG_API_BASE_URL": "nowhere"}])
def test_no_way_to_reach_it(env: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=r"^[^\n]+$"):
        told(World(), env=env)


def test_command() -> None:
    nothing = {"UPCLOUD_TOKEN": "", "UPCLOUD_USERNAME": "", "UPCLOUD_PASSWORD": ""}
    result = CliRunner().invoke(app, ["plans"], env=nothing)
    assert result.exit_code == 1
    assert result.output.startswith("netgw: ")
    assert len(result.output.splitlines()) == 1
    assert CliRunner().invoke(app, ["plans", "-o", "yaml"], env=nothing).exit_code == 2
