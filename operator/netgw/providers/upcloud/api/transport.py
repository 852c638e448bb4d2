"""One request to UpCloud and its answer: authorization, limiter, time-outs, retry of reads, errors.

- A changing request (POST, PUT, PATCH, DELETE) goes out once: the caller finds out whether it was carried out.
- A GET that ends in `Unavailable` or `RateLimited` is tried up to twice more, after an exponential pause with full
  jitter and never before Retry-After. Not when it is further than `MAX_WAIT` away, nor when `Timeouts.total` is spent,
  nor when it is a query for `once`.
- A 429 with Retry-After holds back every request of the client. One that would have to wait longer than `MAX_WAIT`, for
  this or for its turn, ends at once in `RateLimited` with the time that is missing: nobody sleeps long in here.
- With `may_change`, a changing request is sent only while that says yes: it is asked when the connection stands and the
  turn has come, right before the first byte. Else `Withheld`.
- Redirects are not followed: the Authorization header goes to the configured address and nowhere else.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import httpx
from pydantic import ValidationError

from .credentials import Credentials, check_base_url
from .errors import (
    SAFE_METHODS,
    BaseUrlError,
    Interrupted,
    Malformed,
    RateLimited,
    TimedOut,
    Unavailable,
    Unreachable,
    UpCloudError,
    Withheld,
)
from .limiter import Timing, TokenBucket
from .problem import class_of, cut, parse_date, parse_problem, parse_retry_after
from .query import Call, Query, Reply, Timeouts
from .redact import redacted
from .requests import encode, secrets_in
from .trust import trusted

T = TypeVar("T")

MAX_WAIT = 4.0
FURTHER_TRIES = 2
BACKOFF_BASE = 0.5
USER_AGENT = "netgw"

_LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=15)
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)

_WORDS: Mapping[type[Exception], str] = {
    httpx.ConnectError: "no connection:",
    httpx.ConnectTimeout: "no connection in time",
    httpx.PoolTimeout: "no free connection in time",
    httpx.ReadTimeout: "no answer in time",
    httpx.WriteTimeout: "could not be sent in time",
    TimeoutError: "no whole answer in time",
    httpx.ReadError: "the connection broke while reading the answer",
    httpx.WriteError: "the connection broke while sending",
    httpx.RemoteProtocolError: "no proper HTTP answer:",
    httpx.DecodingError: "the answer cannot be unpacked:",
}


def check_environment(base_url: str) -> None:
    """`BaseUrlError` or `TrustError` when no client could be made in it."""
    _http(base_url, None, Timeouts())


def _http(base_url: str, transport: httpx.AsyncBaseTransport | None, timeout: Timeouts) -> httpx.AsyncClient:
    verify = trusted()
    try:
        return httpx.AsyncClient(
            verify=verify,
            transport=transport,
            timeout=httpx.Timeout(timeout.read, connect=timeout.connect, write=timeout.write, pool=timeout.pool),
            limits=_LIMITS,
            follow_redirects=False,
            trust_env=not _is_loopback(base_url),  # a proxy of the environment cannot reach our loopback
        )
    except (httpx.InvalidURL, ValueError):
        # What httpx says quotes it, and it may hold a password.
        raise BaseUrlError("HTTPS_PROXY, HTTP_PROXY or ALL_PROXY is not the URL of a proxy") from None


class _Fenced(Exception):
    """Through the connection, back to us."""


class Transport:
    """Sends queries with one credential to one address."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        base_url: str,
        transport: httpx.AsyncBaseTransport | None,
        timeout: Timeouts,
        limiter: TokenBucket,
        timing: Timing,
        on_call: Callable[[Call], None] | None,
        may_change: Callable[[], bool] | None = None,
    ) -> None:
        self._credentials = credentials
        self._base_url = check_base_url(base_url)
        self._timeout = timeout
        self._limiter = limiter
        self._timing = timing
        self._listeners = [] if on_call is None else [on_call]
        self._held_back = 0
        self._may_change = may_change
        self._http = _http(self._base_url, transport, timeout)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    def budget(self) -> tuple[int, int]:
        """How many requests could go out now, and how many were held back so far for want of a turn."""
        return self._limiter.left(), self._held_back

    def listen(self, on_call: Callable[[Call], None]) -> None:
        """Tell one more of every request that is sent."""
        self._listeners.append(on_call)

    async def send(self, query: Query[T]) -> Reply[T]:
        """The answer, or an `UpCloudError`. It is raised here, where no frame holds a request in clear text."""
        started = self._timing.clock()
        tries = 0
        while True:
            outcome = await self._attempt(query)
            if isinstance(outcome, Reply):
                return outcome
            delay = None if query.once else self._retry_delay(outcome, tries, self._timing.clock() - started)
            if delay is None:
                raise outcome
            await self._timing.sleep(delay)
            tries += 1

    def _retry_delay(self, error: UpCloudError, tries: int, spent: float) -> float | None:
        """Seconds until the next try, None when there is none."""
        may_succeed = isinstance(error, (Unavailable, RateLimited))
        if error.method not in SAFE_METHODS or not may_succeed or tries >= FURTHER_TRIES:
            return None
        at_least = error.retry_after or 0.0
        delay = max(at_least, self._timing.uniform(0, BACKOFF_BASE * 2**tries))
        return None if at_least > MAX_WAIT or spent + delay > self._timeout.total else delay

    async def _attempt(self, query: Query[T]) -> Reply[T] | UpCloudError:
        """One request at most; the error is returned, not raised, so that no exception of httpx becomes its context."""
        path = query.url_path
        missing = await self._limiter.acquire(MAX_WAIT)
        if missing > 0:
            self._held_back += 1
            return _held_back(query.method, path, missing)
        if not self._may_send(query.method):
            return _withheld(query.method, path)
        began = self._timing.clock()
        outcome = await self._exchange(query, path)
        seconds = self._timing.clock() - began
        if isinstance(outcome, Withheld):
            return outcome
        if isinstance(outcome, UpCloudError):
            outcome.began = began
            self._report(Call(query.method, query.route, None, seconds))
            return outcome
        read = _success if outcome.is_success else self._refusal
        result = read(query, path, outcome, began)
        named = result.correlation_id if isinstance(result, UpCloudError) else self._correlation_id(outcome)
        self._report(Call(query.method, query.route, outcome.status_code, seconds, named))
        return result

    async def _exchange(self, query: Query[T], path: str) -> httpx.Response | UpCloudError:
        headers = {
            "Authorization": self._credentials.authorization(),
            "Accept": "application/json",
            "User-Agent": USER_AGENT,
        }
        content = None
        if query.body is not None:
            headers["Content-Type"] = "application/json"
            content = encode(query.body)
        url = httpx.URL(self._base_url + path, params=list(query.params) or None)
        fence = {"trace": self._ask_again} if query.method not in SAFE_METHODS and self._may_change else None
        try:
            async with asyncio.timeout(self._timeout.total):
                return await self._http.request(query.method, url, headers=headers, content=content, extensions=fence)
        except _Fenced:
            return _withheld(query.method, path)
        except (httpx.HTTPError, OSError) as failure:
            return self._failure(query, path, failure)

    def _may_send(self, method: str) -> bool:
        return method in SAFE_METHODS or self._may_change is None or self._may_change()

    async def _ask_again(self, event: str, _: Mapping[str, Any]) -> None:
        """Called by the connection: to connect takes time, in which one may have been frozen."""
        if event.endswith("send_request_headers.started") and self._may_change is not None and not self._may_change():
            raise _Fenced

    def _failure(self, query: Query[T], path: str, failure: Exception) -> UpCloudError:
        words = _WORDS.get(type(failure), type(failure).__name__ + ":")
        message = f"{query.method} {path}: {cut(self._redact(query, f'{words} {failure}'.rstrip(' :')))}"
        if isinstance(failure, _NOT_SENT):
            return Unreachable(message, method=query.method, path=path, sent=False)
        if isinstance(failure, (httpx.TimeoutException, TimeoutError)):
            return TimedOut(message, method=query.method, path=path)
        if isinstance(failure, httpx.DecodingError):
            return Malformed(message, method=query.method, path=path)
        return Interrupted(message, method=query.method, path=path)

    def _refusal(self, query: Query[T], path: str, response: httpx.Response, began: float) -> UpCloudError:
        problem = parse_problem(response.content, response.headers, lambda text: self._redact(query, text))
        error = class_of(response.status_code)(
            f"{query.method} {path}: {response.status_code}: {problem}",
            status=response.status_code,
            code=problem.code,
            title=problem.title,
            correlation_id=problem.correlation_id,
            invalid_params=problem.invalid_params,
            method=query.method,
            path=path,
            retry_after=parse_retry_after(response.headers),
            date=parse_date(response.headers.get("date")),
            began=began,
        )
        if isinstance(error, RateLimited) and error.retry_after:
            self._limiter.pause(error.retry_after)
        return error

    def _redact(self, query: Query[T], text: str) -> str:
        return redacted(text, (*self._credentials.secrets(), *secrets_in(query.body)))

    def _report(self, call: Call) -> None:
        for listener in self._listeners:
            listener(call)

    def _correlation_id(self, response: httpx.Response) -> str | None:
        """What UpCloud's support asks for; not every answer names it."""
        return cut(redacted(response.headers.get("upcloud-cid", ""), self._credentials.secrets())) or None


def _success(query: Query[T], path: str, response: httpx.Response, began: float) -> Reply[T] | UpCloudError:
    date = parse_date(response.headers.get("date"))
    try:
        return Reply(query.read(response.content), began, date)
    except ValidationError as invalid:
        what = "; ".join(
            f"{'.'.join(str(part) for part in item['loc']) or 'body'}: {item['type']}"
            for item in invalid.errors(include_url=False, include_context=False, include_input=False)[:3]
        )
    correlation_id = cut(response.headers.get("upcloud-cid", "")) or None
    return Malformed(
        f"{query.method} {path}: {response.status_code}, but the answer cannot be read ({what})"
        + (f" (correlation id {correlation_id})" if correlation_id else ""),
        status=response.status_code,
        correlation_id=correlation_id,
        method=query.method,
        path=path,
        date=date,
        began=began,
    )


def _held_back(method: str, path: str, missing: float) -> RateLimited:
    return RateLimited(
        f"{method} {path}: not sent; the next turn of this credential is in {missing:.0f} s",
        method=method,
        path=path,
        retry_after=missing,
        sent=False,
    )


def _withheld(method: str, path: str) -> Withheld:
    return Withheld(f"{method} {path}: not sent; somebody else leads", method=method, path=path, sent=False)


def _is_loopback(base_url: str) -> bool:
    host = httpx.URL(base_url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
