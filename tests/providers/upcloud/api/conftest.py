"""A client over a scripted network, under a clock that only moves when something sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import httpx
import pytest
from pydantic import SecretStr

from netgw.providers.upcloud.api import Call, Credentials, Timing, TokenBucket, UpCloud

T = TypeVar("T")
Answer = httpx.Response | Exception | float | Callable[[httpx.Request], httpx.Response]

TOKEN = "madeup_token_for_tests_1"


class Network(httpx.AsyncBaseTransport):
    """Answers each request with the next entry of a script (the last one for ever) and remembers what was asked."""

    def __init__(self, *script: Answer) -> None:
        self.script = list(script)
        self.requests: list[httpx.Request] = []
        self.times: list[float] = []
        self.time = FakeTime()
        self.calls: list[Call] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.times.append(self.time.now)
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        if isinstance(answer, float):
            await asyncio.sleep(answer)  # real seconds: it never answers
            pytest.fail("still waited for")
        return answer(request)

    def client(self, credentials: Credentials | None = None, **options: Any) -> UpCloud:
        """A client of this network. The dice always show the upper end of what they may show."""
        timing = Timing(clock=lambda: self.time.now, sleep=self.time.sleep, uniform=lambda _low, high: high)
        options.setdefault("limiter", TokenBucket(timing=timing))
        given = credentials or Credentials(token=SecretStr(TOKEN))
        return UpCloud(given, transport=self, timing=timing, on_call=self.calls.append, **options)

    def run(self, use: Callable[[UpCloud], Coroutine[Any, Any, T]], **options: Any) -> T:
        """Open a client, use it, close it."""

        async def main() -> T:
            async with self.client(**options) as cloud:
                return await use(cloud)

        return asyncio.run(main())


class FakeTime:
    """Seconds that pass only in `sleep`."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        until = self.now + seconds
        await asyncio.sleep(0)
        self.now = max(self.now, until)


@pytest.fixture
def network() -> type[Network]:
    """`network(answer, …)` makes one."""
    return Network


@pytest.fixture
def answer() -> Callable[..., httpx.Response]:
    """`answer(200, json=…, headers=…)`, with the Date that every recorded answer has."""

    def make(status: int, *, headers: dict[str, str] | None = None, **content: Any) -> httpx.Response:
        return httpx.Response(status, headers={"Date": "Tue, 04 Jun 2024 11:48:10 GMT"} | (headers or {}), **content)

    return make
