"""The simulator against its own OpenAPI document: whatever comes, no 500, and no status that it does not name.

Requests are schemathesis's, of the schema and against it; some of their UUIDs are replaced by those of what is there,
so that more than 404 is met.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from netgw.providers.upcloud.simulator import World
from netgw.providers.upcloud.simulator.control import routes
from netgw.providers.upcloud.simulator.openapi import DOOR, document
from support.effort import effort
from support.figures import Figures
from support.fuzz.inhabited import ROUTER, TOKEN, client, inhabit, lead_there

EXAMPLES = effort(test=4, soak=120)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
MODES = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]
"""A path cannot be wrong, so what has neither body nor query has no second mode."""
EMPTIED, STRANGER = 0.1, 0.05
"""How often a request meets a new world, and comes with whatever credential."""


def test_the_document_has_every_route_of_the_door() -> None:
    served = {(method, f"/_sim{route.path}") for route in routes(World()) for method in route.methods or ()}
    assert served - {("HEAD", path) for _, path in served} == set(DOOR)


def test_no_request_of_the_document_or_against_it_is_a_500(figures: Figures) -> None:
    fuzz = Fuzz(seed=1)
    with asyncio.Runner() as runner:
        schema: Any = schemathesis.openapi.from_dict(document())
        for found in schema.get_all_operations():
            operation = found.ok()
            for mode in MODES if operation.body or operation.query else MODES[:1]:
                fuzz.play(operation, mode, runner)
    assert {200, 201, 204, 400, 404} <= set(fuzz.statuses)
    figures.put("bad input", "requests to the simulator", fuzz.statuses.total())
    figures.put("bad input", "their statuses", dict(sorted(fuzz.statuses.items())))


class Fuzz:
    """One world that all requests meet; when they have emptied it, it is filled again."""

    def __init__(self, seed: int) -> None:
        self.statuses = Counter[int]()
        self._world = World(routers=[ROUTER], tokens={TOKEN: "fuzz"}, seed=seed)
        self._rng = random.Random(seed)

    def play(self, operation: Any, mode: schemathesis.GenerationMode, runner: asyncio.Runner) -> None:
        """So many requests of one operation."""

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(mode))
        def one(case: Any) -> None:
            assume(not any("/" in str(value) for value in case.path_parameters.values()))  # it is another route then
            answer = runner.run(self._ask(case))
            self.statuses[answer.status_code] += 1
            case.validate_response(answer, checks=CHECKS)

        one()

    async def _ask(self, case: Any) -> httpx.Response:
        self._world.faults.clear()  # they answer with whatever status they are told
        if not self._world.gateways or self._rng.random() < EMPTIED:
            await inhabit(self._world)
        lead_there(case, self._world, self._rng)
        how = case.as_transport_kwargs(base_url="http://simulator")
        if "data" in how:
            how["content"] = how.pop("data")
        del how["cookies"]
        how["headers"] = dict(how["headers"])
        if self._rng.random() > STRANGER:
            how["headers"]["Authorization"] = f"Bearer {TOKEN}"
        async with client(self._world) as door:
            return await door.request(**how)


@pytest.mark.parametrize("authorization", ["Bearer \xff", "Basic /w==", "Basic \xff", "Bearer", " ", "Basic OjpcMA=="])
def test_no_credential_is_a_500(authorization: str) -> None:
    headers = {b"Authorization": authorization.encode("latin-1")}
    assert _asked("GET", "/1.3/gateway", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/1.3/gateway?offset=" + "9" * 5000, id="a long offset"),
        pytest.param("/1.3/gateway?limit=" + "9" * 5000, id="a long limit"),
        "/1.3/gateway?limit=\N{ARABIC-INDIC DIGIT ONE}",
        "/1.3/gateway?label=%00%ff",
    ],
)
def test_no_query_is_a_500(path: str) -> None:
    assert _asked("GET", path).status_code in {200, 400}


@pytest.mark.parametrize(
    ("path", "content_type"),
    [("/1.3/gateway/a%0Ab", "application/problem+json"), ("/_sim/gateways/a%0Ab", "application/json")],
)
def test_a_newline_in_a_path_is_nothing_special(path: str, content_type: str) -> None:
    answer = _asked("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.headers["content-type"].partition(";")[0] == content_type
    assert answer.status_code in {404, 405}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\xff", id="no UTF-8"),
        pytest.param(b"\xff\xfe\x00", id="half of UTF-16"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"metrics":{"a":NaN}}', id="NaN"),
        pytest.param(b"9" * 5000, id="a long number"),
        pytest.param(b"\xef\xbb\xbf{}", id="a byte order mark"),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/1.3/gateway"),
        ("POST", "/1.3/router"),
        ("POST", "/_sim/gateways/nobody"),
        ("POST", "/_sim/floating-ips"),
        ("POST", "/_sim/faults"),
        ("PUT", "/_sim/plans"),
    ],
)
def test_no_body_is_a_500(method: str, path: str, body: bytes) -> None:
    assert _asked(method, path, content=body).status_code in {400, 404}


@pytest.mark.parametrize("headers", [{"a b": "c"}, {"a": "b\r\nc: d"}, {"a": "\N{SNOWMAN}"}, {"": "a"}])
def test_a_fault_with_a_header_that_cannot_be_sent_is_refused(headers: dict[str, str]) -> None:
    fault = {"match": "GET *", "status": 503, "headers": headers}
    assert _asked("POST", "/_sim/faults", json=[fault]).status_code == 400


def _asked(method: str, path: str, **how: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        async with client(World(routers=[ROUTER], tokens={TOKEN: "fuzz"})) as door:
            return await door.request(method, path, **how)

    return asyncio.run(ask())
