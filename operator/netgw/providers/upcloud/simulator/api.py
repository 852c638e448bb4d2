"""HTTP: one ASGI app over a world, with the headers, content types and JSON styles of the real API.

The gateway API writes compact JSON and no Server header, the core API behind Apache pretty JSON (recorded). Which URL
is which verb stands in `routes`.
"""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import control, problems, routes
from .ask import Ask
from .faults import Fault
from .problems import CoreError, Problem
from .world import Call, World

DROP = "netgw.drop"
"""Key of the scope's extensions: a function that breaks the connection, put there by the server."""

PROBLEM_JSON = "application/problem+json"
PLAIN_JSON = "application/json"
CORE_JSON = "application/json; charset=UTF-8"


class Dropped(Exception):
    """A fault without an answer, where there is no socket to break. `hold` is the seconds to wait first."""

    def __init__(self, hold: float) -> None:
        super().__init__("the simulator dropped the connection")
        self.hold = hold


def app(world: World) -> Starlette:
    """The ASGI app: everything UpCloud has, and the control door under /_sim."""
    served = Starlette(routes=[Mount("/_sim", control.door(world))], exception_handlers={HTTPException: control.refuse})
    served.router.default = _all_but_the_door(_front(world))
    return served


def _all_but_the_door(front: ASGIApp) -> ASGIApp:
    """What no route takes. A Mount of its own would miss a path with a newline, which the cloud answers like any."""

    async def default(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith("/_sim/"):
            await front(scope, receive, send)
        else:
            raise HTTPException(404)

    return default


def _front(world: World) -> ASGIApp:
    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        path = scope.get("raw_path", b"").decode("ascii") or request.url.path
        query = scope["query_string"].decode("ascii")
        now = world.stamp()
        call = Call(request.method, f"{path}?{query}" if query else path, now)
        world.calls.append(call)
        fault = world.faults.take(request.method, path)
        if fault is not None and fault.skip is not None:
            query, fault = _shifted(query, fault.skip), None
        reply = None
        if fault is None or fault.when == "after" or fault.half or fault.slow is not None:
            reply = _Exchange(world, request, path, query, body, now).reply()
            if request.method != "GET":
                world.on_change()
        if fault is not None and reply is not None and (fault.half or fault.slow is not None):
            send = await _hindered(fault, scope, send)
        elif fault is not None:
            reply = await _faulty(world, fault, path, now, scope, receive)
        if reply is not None:
            call.status = None if fault is not None and fault.half else reply.status_code
            await reply(scope, receive, send)

    return front


def _shifted(query: str, skip: int) -> str:
    """The same page, so many items later."""
    offset = dict(parse_qsl(query)).get("offset", "0")
    return f"{query}&offset={int(offset) + skip}" if offset.isdecimal() else query


@dataclass(frozen=True)
class _Exchange:
    """One request that is to be answered as the cloud would."""

    world: World
    request: Request
    path: str
    query: str
    body: bytes
    now: datetime

    def reply(self) -> Response:
        try:
            account = self._account()
            params, status, verb = routes.find(self.request.method, self.path)
            pairs = parse_qsl(self.query, keep_blank_values=True)
            value = verb(Ask(self.world, account, self.now, params, pairs, self.body))
        except (Problem, CoreError) as error:
            return _error(self.world, error, self.now)
        if status == 204:
            return Response(status_code=204, headers=_headers(self.path, self.now))
        content_type, text = _json(self.path, value)
        return Response(text, status, _headers(self.path, self.now), content_type)

    def _account(self) -> str:
        scheme, _, credential = self.request.headers.get("authorization", "").partition(" ")
        account = None
        if scheme.lower() == "bearer" and credential:
            account = self.world.account_of(None, credential)
        elif scheme.lower() == "basic":
            try:
                username, _, password = base64.b64decode(credential, validate=True).decode().partition(":")
                account = self.world.account_of(username, password)
            except ValueError:  # binascii.Error, UnicodeDecodeError and what is not ASCII are such
                pass
        if account is None:
            raise problems.unauthorized()
        return account


def _is_core(path: str) -> bool:
    return path.startswith("/1.3/") and not path.startswith("/1.3/gateway")


def _headers(path: str, now: datetime) -> dict[str, str]:
    server = {"Server": "Apache"} if _is_core(path) else {}
    return {
        "Date": format_datetime(now, usegmt=True),
        "Strict-Transport-Security": "max-age=63072000",
        **server,
    }


def _json(path: str, value: Any) -> tuple[str, str]:
    if _is_core(path):
        return CORE_JSON, json.dumps(value, indent=3, separators=(",", " : "), sort_keys=True) + "\n"
    return PLAIN_JSON, json.dumps(value, separators=(",", ":"), sort_keys=True)


def _error(world: World, error: Problem | CoreError, now: datetime) -> Response:
    """Each kind has its own shape, whatever the URL."""
    if isinstance(error, CoreError):
        content_type, text = _json("/1.3/", error.body())
        return Response(text, error.status, _headers("/1.3/", now), content_type)
    text = json.dumps(error.body(world.new_correlation_id(now)), separators=(",", ":"), sort_keys=True)
    return Response(text, error.status, {**_headers("", now), "Content-Language": "en"}, PROBLEM_JSON)


async def _faulty(
    world: World, fault: Fault, path: str, now: datetime, scope: Scope, receive: Receive
) -> Response | None:
    """The answer of a fault; None when there is none and the connection is broken."""
    if fault.status is None:
        await _drop(fault.timeout or 0, scope, receive)
        return None
    if fault.body is None and fault.status >= 400:
        reply = _error(world, _of_status(fault.status, path), now)
    elif fault.body is None or isinstance(fault.body, str):
        reply = Response(fault.body, fault.status, _headers(path, now), "text/html")
    else:
        content_type = PROBLEM_JSON if fault.status >= 400 else PLAIN_JSON
        text = json.dumps(fault.body, separators=(",", ":"))
        reply = Response(text, fault.status, _headers(path, now), content_type)
    reply.headers.update(fault.headers)
    return reply


async def _hindered(fault: Fault, scope: Scope, send: Send) -> Send:
    """The way of an answer that is given in full, late or up to the middle of its body."""
    await asyncio.sleep(fault.slow or 0)

    async def half(message: Message) -> None:
        if message["type"] != "http.response.body":
            return await send(message)
        body = message.get("body", b"")
        await send({**message, "body": body[: len(body) // 2], "more_body": True})
        abort = scope.get("extensions", {}).get(DROP)
        if abort is None:
            raise Dropped(0)
        return abort()  # type: ignore[no-any-return]

    return half if fault.half else send


def _of_status(status: int, path: str) -> Problem | CoreError:
    problem = problems.of_status(status)
    if isinstance(problem, Problem) and _is_core(path):
        return CoreError(status, problem.code, problem.title)
    return problem


async def _drop(hold: float, scope: Scope, receive: Receive) -> None:
    abort = scope.get("extensions", {}).get(DROP)
    if abort is None:
        raise Dropped(hold)
    try:
        await asyncio.wait_for(_disconnected(receive), hold)
    except TimeoutError:
        abort()
        await _disconnected(receive)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
