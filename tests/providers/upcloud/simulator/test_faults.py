"""Faults in the process; `test_server` has those that need a socket."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any

import httpx
import pytest

from netgw.providers.upcloud.simulator import Fault, transport
from support.simulated_cloud import Cloud, gateway_body


def test_before_nothing_was_done(cloud: Cloud) -> None:
    router = cloud.router()
    cloud.world.faults.add("POST /1.3/gateway", status=500)
    answer = cloud.ask("POST", "/gateway", gateway_body(router))
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "Your request could not be fulfilled due to a technical issue."
    assert cloud.got("/gateway") == []


@pytest.mark.parametrize("fault", [{"status": 502}, {"timeout": 0.01}, {"reset": True}])
def test_after_the_work_was_done(cloud: Cloud, fault: dict[str, Any]) -> None:
    router = cloud.router()
    cloud.world.faults.add("POST /1.3/gateway", when="after", **fault)
    with suppress(httpx.ReadTimeout, httpx.ReadError):
        assert cloud.ask("POST", "/gateway", gateway_body(router)).status_code == 502
    assert len(cloud.got("/gateway")) == 1
    assert cloud.ask("POST", "/gateway", gateway_body(router)).status_code == 409


def test_times(cloud: Cloud) -> None:
    cloud.world.faults.add("GET /1.3/zone", status=503, times=2)
    assert [cloud.ask("GET", "/zone").status_code for _ in range(3)] == [503, 503, 200]
    cloud.world.faults.add("GET /1.3/zone", status=503, times=None)
    assert [cloud.ask("GET", "/zone").status_code for _ in range(3)] == [503, 503, 503]
    cloud.world.faults.clear()
    assert cloud.ask("GET", "/zone").status_code == 200


@pytest.mark.parametrize(
    ("match", "met"),
    [
        ("GET /1.3/gateway", True),
        ("* /1.3/gateway", True),
        ("GET /1.3/*", True),
        ("GET /1.3/gate*", True),
        ("GET /1.3/gateway/*", False),
        ("POST /1.3/gateway", False),
        ("GET /1.3", False),
        ("GET /1.3/gatewa.", False),
    ],
)
def test_match(cloud: Cloud, match: str, met: bool) -> None:
    cloud.world.faults.add(match, status=503)
    assert cloud.ask("GET", "/gateway?limit=100").status_code == (503 if met else 200)


def test_first_that_meets_is_used(cloud: Cloud) -> None:
    cloud.world.faults.add("GET /1.3/zone", status=500)
    cloud.world.faults.add("GET /1.3/*", status=503)
    assert [cloud.ask("GET", "/zone").status_code for _ in range(3)] == [500, 503, 200]


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "INVALID_REQUEST"), (402, "INSUFFICIENT_CREDITS"), (403, "FORBIDDEN"), (404, "RESOURCE_NOT_FOUND")],
)
def test_body_of_its_own_status(cloud: Cloud, status: int, code: str) -> None:
    cloud.world.faults.add("GET *", status=status, times=2)
    found = cloud.ask("GET", "/gateway").json()
    assert (found["status"], found["type"]) == (status, f"https://developers.upcloud.com/1.3/errors#ERROR_{code}")
    assert cloud.ask("GET", "/router").json()["error"]["error_code"] == code


def test_refused_credential(cloud: Cloud) -> None:
    cloud.world.faults.add("GET /1.3/gateway", status=401)
    assert cloud.ask("GET", "/gateway").json()["error"]["error_code"] == "AUTHENTICATION_FAILED"


def test_body_and_headers(cloud: Cloud) -> None:
    cloud.world.faults.add("GET *", status=429, headers={"Retry-After": "7"})
    cloud.world.faults.add("GET *", status=200, body="<html>maintenance</html>")
    cloud.world.faults.add("GET *", status=200, body="", headers={"Content-Type": "application/json"})
    cloud.world.faults.add("GET *", status=200, body=[])
    cloud.world.faults.add("GET *", status=409, body={"title": "x"})
    cloud.world.faults.add("GET *", status=204)
    answers = [cloud.ask("GET", "/gateway") for _ in range(6)]
    assert answers[0].headers["retry-after"] == "7"
    assert (answers[1].headers["content-type"], answers[1].text) == (
        "text/html; charset=utf-8",
        "<html>maintenance</html>",
    )
    assert (answers[2].headers["content-type"], answers[2].content) == ("application/json", b"")
    assert (answers[3].headers["content-type"], answers[3].json()) == ("application/json", [])
    assert (answers[4].headers["content-type"], answers[4].json()) == ("application/problem+json", {"title": "x"})
    assert answers[5].status_code == 204
    assert all("date" in answer.headers for answer in answers)


def test_reset(cloud: Cloud) -> None:
    cloud.world.faults.add("GET *", reset=True)
    with pytest.raises(httpx.ReadError):
        cloud.ask("GET", "/gateway")
    assert cloud.world.calls[-1].status is None


def test_a_gateway_that_paging_skips(cloud: Cloud) -> None:
    names = [cloud.gateway(name=f"edge-{number}", addresses=None)["name"] for number in range(5)]
    fault = cloud.world.faults.add("GET /1.3/gateway", skip=1)
    assert fault.skip == 1

    def page(query: str) -> list[str]:
        return [item["name"] for item in cloud.got(f"/gateway{query}")]

    assert page("?limit=2&offset=0") == names[1:3]
    assert cloud.world.calls[-1].path == "/1.3/gateway?limit=2&offset=0"
    assert page("?limit=2&offset=0") == names[:2]
    cloud.door("POST", "/_sim/faults", [{"match": "GET /1.3/gateway", "skip": 2}])
    assert page("") == names[2:]
    cloud.world.faults.add("GET /1.3/gateway", skip=2)
    assert cloud.ask("GET", "/gateway?offset=x").status_code == 400


def test_timeout_ends_with_the_clients_own(cloud: Cloud) -> None:
    cloud.world.faults.add("GET *", timeout=60)
    begun = time.monotonic()
    with pytest.raises(httpx.ReadTimeout):
        cloud.ask("GET", "/gateway", timeout=0.05)
    assert time.monotonic() - begun < 5


def test_timeout_holds_its_own_request_alone(cloud: Cloud) -> None:
    async def both() -> httpx.Response:
        headers = {"Authorization": "Bearer made-up"}
        async with httpx.AsyncClient(transport=transport(cloud.world), base_url="http://x", headers=headers) as client:
            cloud.world.faults.add("GET /1.3/gateway", timeout=60)
            held = asyncio.create_task(client.get("/1.3/gateway", timeout=None))
            await asyncio.sleep(0)
            answer = await client.get("/1.3/zone")
            held.cancel()
            return answer

    assert asyncio.run(both()).status_code == 200


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"status": 500, "reset": True},
        {"timeout": 1, "reset": True},
        {"status": 99},
        {"timeout": 0},
        {"reset": True, "times": 0},
        {"skip": 0},
        {"skip": 1, "status": 200},
        {"reset": True, "body": "x"},
    ],
)
def test_fault_that_makes_no_sense(fault: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Fault"):
        Fault(match="GET /1.3/gateway", **fault)
