"""Answers of a cloud, mangled: by the structure of what was recorded, and in bytes and headers around it. Seeded."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import httpx

Path = tuple[str | int, ...]

BIG = 2**20
DEEP: Any = []
for _ in range(300):
    DEEP = [DEEP]

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 10**30, -(10**30), 2**63, 1e308, float("nan"), float("inf"), "", " ", ".", "..", "/",
    "a/b", "%2e%2e", "\n", "\x00", "\x1b[31m", "\u2028", "\ud800", "\U0010ffff", "null", "NaN", "x" * 70_000, [], {},
    [None], [[]], {"": None}, {"uuid": 1}, [{"uuid": None}], "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
    "0000-00-00T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-22T03:00:00", "2026-11-22T03:00:00.1234567890123Z", "255",
    1e400, "yesterday", "error", "deleting", "delete-done", "idle", "RUNNING", "state-of-tomorrow", DEEP,
)  # fmt: skip
DATES = (
    "", "yesterday", "Tue, 04 Jun 2024 11:48:10", "Tue, 04 Jun 2024 11:48:10 +9999", "Mon, 01 Jan 0001 00:00:00 +2359",
    "Fri, 31 Dec 9999 23:59:59 -2359", "Tue, 04 Jun 99999999999999999999 11:48:10 GMT", "Tue, 99 Xyz 2024 99:99:99 GMT",
    "Tue, 04 Jun 2024 11:48:10 +99999999999999999999", "Tue, 04 Jun 2024 99999999999999999999:00:00 GMT", "0", "\xff",
    "Tue, 04 Jun -5 11:48:10 GMT", "٤ Jun 2024 11:48:10 GMT",
)  # fmt: skip
RETRIES = ("", "0", "-1", "1e9", "99999999999999999999999", "soon", "NaN", "Tue, 04 Jun 2024 11:48:10 GMT", "²", *DATES)
TYPES = (
    "",
    "text/html",
    "application/json",
    "application/json; charset=utf-16",
    "application/problem+json",
    "\xff",
    "/",
)
STATUSES = (200, 201, 202, 203, 204, 206, 207, 299, 300, 301, 302, 304, 400, 401, 402, 403, 404, 405, 408, 409, 410,
            413, 418, 422, 425, 429, 451, 499, 500, 501, 502, 503, 504, 511, 520, 599)  # fmt: skip


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every place in a JSON value, the root included."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from paths(inner, (*path, index))


def structure(rng: random.Random, body: Any) -> Any:
    """One to three places are others than before: dropped, replaced, doubled, wrapped, or with a new neighbour."""
    body = copy.deepcopy(body)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        path = rng.choice(list(paths(body)))
        body = _changed(rng, body, path, rng.choice((_drop, _replace, _replace, _double, _wrap, _exchange)))
    return body


Change = Callable[[random.Random, Any, Any], None]


def _changed(rng: random.Random, body: Any, path: Path, change: Change) -> Any:
    if not path:
        return rng.choice((None, [], {}, [body], {"data": body}, "", 0, [body, copy.deepcopy(body)]))
    parent = body
    for part in path[:-1]:
        parent = parent[part]
    change(rng, parent, path[-1])
    return body


def _drop(rng: random.Random, parent: Any, key: Any) -> None:
    del parent[key]


def _replace(rng: random.Random, parent: Any, key: Any) -> None:
    parent[key] = copy.deepcopy(rng.choice(VALUES))


def _double(rng: random.Random, parent: Any, key: Any) -> None:
    """Also a uuid that is there twice."""
    if isinstance(parent, list):
        parent.append(copy.deepcopy(parent[key]))
    else:
        parent[f"{key}_of_tomorrow"] = copy.deepcopy(parent[key])


def _wrap(rng: random.Random, parent: Any, key: Any) -> None:
    parent[key] = rng.choice(([parent[key]], {"value": parent[key]}, {"0": parent[key]}))


def _exchange(rng: random.Random, parent: Any, key: Any) -> None:
    """Text for a number, a number for a text, a part of a list."""
    value = parent[key]
    if isinstance(value, str):
        parent[key] = rng.choice((value.upper(), value + "\n", value[:1], value * 2, len(value)))
    elif isinstance(value, list):
        parent[key] = rng.choice((value[::-1], value[1:], value * 2, {str(at): item for at, item in enumerate(value)}))
    else:
        parent[key] = str(value)


def encoded(rng: random.Random, body: Any) -> bytes:
    """As bytes, now and then of no JSON."""
    text = json.dumps(body)
    whole = text.encode()
    forms: tuple[Callable[[], bytes], ...] = (
        *[lambda: whole] * 8,
        lambda: whole[: rng.randrange(len(whole) + 1)],
        lambda: b"\xef\xbb\xbf" + whole,
        lambda: whole.decode().encode("utf-16"),
        lambda: whole + b"]",
        lambda: whole + whole,
        lambda: whole.replace(b":", b":\xff", 1),
        lambda: text.replace('"', "'").encode(),
        lambda: b"",
        lambda: b"<html>Bad Gateway</html>",
        lambda: b'{"a":' * 5000,
        lambda: b"[" * 100_000,
        lambda: b"9" * 6000,
    )
    return rng.choice(forms)()


def problem(rng: random.Random) -> Any:
    """An error body in one of the API's two shapes, mangled."""
    shapes: tuple[Any, ...] = (
        {
            "type": "https://developers.upcloud.com/1.3/errors#ERROR_INVALID_REQUEST",
            "title": "Validation error.",
            "correlation_id": "01KFDTBWFKWSYR6T8BDHY1JD5J",
            "invalid_params": [{"name": "connections.0.name", "reason": "Must be unique."}],
            "status": 400,
        },
        {"error": {"error_code": "ROUTER_NOT_FOUND", "error_message": "The router does not exist."}},
    )
    return structure(rng, rng.choice(shapes))


def answer(rng: random.Random, status: int, body: Any, *, errors: bool = True) -> httpx.Response:
    """An answer that was good once: the body, the status and the headers are what they might be on a bad day.

    Without `errors` it does not say in the API's own words that anything is refused or not there.
    """
    draw = rng.random()
    if draw < 0.2 and errors:
        status, body = rng.choice(STATUSES), problem(rng)
    elif draw < 0.9:
        body = structure(rng, body)
    headers = [(b"date", rng.choice(DATES).encode()), (b"retry-after", rng.choice(RETRIES).encode())]
    headers += [(b"content-type", rng.choice(TYPES).encode("latin-1")), (b"upcloud-cid", b"cid\xff" * rng.randrange(9))]
    if rng.random() < 0.03:
        headers.append((b"location", rng.choice((b"", b"http://[", b"//elsewhere/", b"\xff"))))
    chosen = rng.sample(headers, rng.randrange(len(headers) + 1))
    return httpx.Response(status, headers=chosen, content=encoded(rng, body))


class Mangler(httpx.AsyncBaseTransport):
    """Between an operator and its cloud: mangles so many of the answers. `mangled` counts them."""

    def __init__(self, cloud: httpx.AsyncBaseTransport, rng: random.Random) -> None:
        self._cloud = cloud
        self._rng = rng
        self.part = 0.0
        self.mangled = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        good = await self._cloud.handle_async_request(request)
        if self._rng.random() >= self.part:
            return good
        await good.aread()
        self.mangled += 1
        return answer(self._rng, good.status_code, json.loads(good.content or b"null"), errors=False)


NONSENSE = "x\n2026-11-22T03:00:00.000Z ERROR   forged\r\x1b[2J\x00\u2028\u202e" * (BIG // 50)
"""A MiB that would like to be lines of a log."""


class Stuffer(httpx.AsyncBaseTransport):
    """Between an operator and its cloud: while `fields` are named, each text of that name in an answer is nonsense."""

    def __init__(self, cloud: httpx.AsyncBaseTransport) -> None:
        self._cloud = cloud
        self.fields: frozenset[str] = frozenset()
        self.stuffed = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._cloud.handle_async_request(request)
        content = await answer.aread()
        if not self.fields or not content:
            return answer
        body = self._stuffed(json.loads(content))
        return httpx.Response(answer.status_code, headers={"date": answer.headers["date"]}, json=body)

    def _stuffed(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._stuffed(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {key: self._field(key, part) for key, part in value.items()}

    def _field(self, key: str, part: Any) -> Any:
        """A text, or each text of a list of such."""
        texts = isinstance(part, list) and bool(part) and all(isinstance(item, str) for item in part)
        if key not in self.fields or not (texts or isinstance(part, str)):
            return self._stuffed(part)
        self.stuffed += 1
        return [NONSENSE for _ in part] if texts else NONSENSE
