"""What an answer that is no success becomes: by status, for both shapes and for bodies of no shape."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from netgw.providers.upcloud.api import (
    BadRequest,
    Conflict,
    Forbidden,
    GatewayModify,
    InsufficientCredits,
    Interrupted,
    InvalidParam,
    Malformed,
    NotFound,
    RateLimited,
    Refused,
    ServerError,
    TimedOut,
    Timeouts,
    Unauthorized,
    Unavailable,
    Unreachable,
    UpCloud,
    UpCloudError,
)
from netgw.providers.upcloud.api.problem import parse_date

TYPES = "https://developers.upcloud.com/1.3/errors#ERROR_"
CID = "01KFDTBWFKWSYR6T8BDHY1JD5J"

BY_STATUS = [
    (400, BadRequest),
    (401, Unauthorized),
    (402, InsufficientCredits),
    (403, Forbidden),
    (404, NotFound),
    (405, BadRequest),
    (406, BadRequest),
    (408, TimedOut),
    (409, Conflict),
    (410, BadRequest),
    (422, BadRequest),
    (429, RateLimited),
    (500, ServerError),
    (501, ServerError),
    (502, ServerError),
    (503, ServerError),
    (504, ServerError),
    (302, Malformed),
    (304, Malformed),
]


def problem(status: int) -> bytes:
    return json.dumps({"correlation_id": CID, "status": status, "title": "A title.", "type": TYPES + "A_CODE"}).encode()


def legacy(_status: int) -> bytes:
    data = {"error": {"error_code": "A_CODE", "error_message": "A title."}}
    return json.dumps(data, indent=3, separators=(",", " : ")).encode()


def failure_of(net: Any, *, change: bool = True) -> UpCloudError:
    """The error of one changing request, or of one that only reads."""

    async def use(cloud: UpCloud) -> object:
        if change:
            return await cloud.modify_gateway(gateway="g-1", body=GatewayModify(name="n"))
        return await cloud.get_gateway(gateway="g-1")

    with pytest.raises(UpCloudError) as caught:
        net.run(use)
    return caught.value


@pytest.mark.parametrize(("status", "kind"), BY_STATUS)
@pytest.mark.parametrize("shape", [problem, legacy])
@pytest.mark.parametrize("content_type", ["application/problem+json", "application/json; charset=UTF-8", "text/plain"])
def test_both_shapes(
    status: int, kind: type[UpCloudError], shape: Any, content_type: str, network: Any, answer: Any
) -> None:
    headers = {"Content-Type": content_type, "Upcloud-Cid": CID}
    error = failure_of(network(answer(status, headers=headers, content=shape(status))))
    assert type(error) is kind
    assert (error.status, error.code, error.title, error.correlation_id) == (status, "A_CODE", "A title.", CID)
    assert (error.method, error.path, error.began) == ("PATCH", "/1.3/gateway/g-1", 1000.0)
    assert error.date == datetime(2024, 6, 4, 11, 48, 10, tzinfo=UTC)
    assert str(error) == f"PATCH /1.3/gateway/g-1: {status}: A title. (correlation id {CID})"


@pytest.mark.parametrize(("status", "kind"), BY_STATUS)
@pytest.mark.parametrize(
    ("body", "title"),
    [
        (b"", None),
        (b"  \n", None),
        (b"<html>\n <h1>Bad   day</h1></html>", "<html> <h1>Bad day</h1></html>"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"null", "null"),
        (b"[1]", "[1]"),
        (b'{"error": "text"}', '{"error": "text"}'),
        (b"[" * 100_000, "[" * 255 + "…"),
        (b"x" * 1000, "x" * 255 + "…"),
    ],
)
def test_bodies_of_no_shape(
    status: int, kind: type[UpCloudError], body: bytes, title: str | None, network: Any, answer: Any
) -> None:
    error = failure_of(network(answer(status, content=body)))
    assert type(error) is kind
    assert (error.title, error.code, error.invalid_params) == (title, None, ())


def test_invalid_params_are_listed_and_shown(network: Any, answer: Any) -> None:
    body = {
        "correlation_id": CID,
        "invalid_params": [
            {"name": "connections.0.name", "reason": "Duplicate connection name."},
            {"name": "plan", "reason": "Unknown."},
            "not an object",
            {},
        ],
        "status": 400,
        "title": "Validation error.",
        "type": TYPES + "INVALID_REQUEST",
    }
    error = failure_of(network(answer(400, json=body)))
    assert error.invalid_params == (
        InvalidParam("connections.0.name", "Duplicate connection name."),
        InvalidParam("plan", "Unknown."),
        InvalidParam("?", "invalid"),
    )
    assert "Validation error. [connections.0.name: Duplicate connection name.; plan: Unknown.; " in str(error)


@pytest.mark.parametrize(
    ("body", "code", "title"),
    [
        ({"type": TYPES + "SERVICE_ERROR"}, "SERVICE_ERROR", None),
        ({"title": "T", "type": "about:blank"}, None, "T"),
        ({"title": 5, "type": ["x"], "invalid_params": None, "correlation_id": 1}, None, None),
        ({"error": {}}, None, None),
        ({"error": {"error_code": "ROUTER_ATTACHED"}}, "ROUTER_ATTACHED", None),
    ],
)
def test_partial_shapes(body: Any, code: str | None, title: str | None, network: Any, answer: Any) -> None:
    error = failure_of(network(answer(409, json=body)))
    assert (error.code, error.title, error.correlation_id) == (code, title, None)


@pytest.mark.parametrize(
    ("raised", "kind", "sent"),
    [
        (httpx.ConnectError("[Errno 111] Connection refused"), Unreachable, False),
        (httpx.ConnectTimeout(""), Unreachable, False),
        (httpx.PoolTimeout(""), Unreachable, False),
        (httpx.ProxyError("no"), Unreachable, False),
        (httpx.ReadTimeout(""), TimedOut, True),
        (httpx.WriteTimeout(""), TimedOut, True),
        (TimeoutError(), TimedOut, True),
        (httpx.ReadError("reset"), Interrupted, True),
        (httpx.WriteError(""), Interrupted, True),
        (httpx.RemoteProtocolError("Server disconnected"), Interrupted, True),
        (ConnectionResetError(104, "reset"), Interrupted, True),
        (httpx.DecodingError("bad gzip"), Malformed, True),
    ],
)
def test_failures_of_the_network(raised: Exception, kind: type[UpCloudError], sent: bool, network: Any) -> None:
    changing, reading = failure_of(network(raised)), failure_of(network(raised), change=False)
    for error in (changing, reading):
        assert type(error) is kind
        assert isinstance(error, Unavailable)
        assert (error.status, error.sent, error.began is not None) == (None, sent, True)
        assert error.__cause__ is None
        assert error.__context__ is None
        assert str(error).startswith(f"{error.method} /1.3/gateway/g-1: ")
        assert not str(error).endswith((" ", ":"))
    assert (changing.ambiguous, reading.ambiguous) == (sent, False)


@pytest.mark.parametrize(("status", "kind"), BY_STATUS)
def test_only_what_may_have_been_done_is_ambiguous(
    status: int, kind: type[UpCloudError], network: Any, answer: Any
) -> None:
    assert failure_of(network(answer(status))).ambiguous is not issubclass(kind, Refused)
    assert failure_of(network(answer(status)), change=False).ambiguous is False


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (204, b""),
        (200, b"<html>log in</html>"),
        (201, b"{"),
        (200, b"[]"),
        (200, b"null"),
        (200, b'{"uuid": "g-1"}'),
    ],
)
def test_success_that_cannot_be_read(status: int, body: bytes, network: Any, answer: Any) -> None:
    error = failure_of(network(answer(status, content=body, headers={"Upcloud-Cid": CID})))
    assert type(error) is Malformed
    assert error.ambiguous
    assert (error.status, error.correlation_id) == (status, CID)
    assert f"{status}, but the answer cannot be read (" in str(error)
    assert str(error).endswith(f"(correlation id {CID})")
    assert error.__context__ is None


def test_redirects_are_not_followed(network: Any, answer: Any) -> None:
    net = network(answer(307, headers={"Location": "https://elsewhere.example/1.3/gateway/g-1"}))
    assert type(failure_of(net)) is Malformed
    assert [request.url.host for request in net.requests] == ["api.upcloud.com"]


def test_overall_deadline(network: Any) -> None:
    """It holds where no single read takes long: a server that sends a byte now and then."""
    with pytest.raises(TimedOut, match="no whole answer in time") as caught:
        network(30.0).run(lambda cloud: cloud.delete_gateway(gateway="g-1"), timeout=Timeouts(total=0.02))
    assert caught.value.ambiguous
    assert caught.value.__context__ is None


def test_a_date_out_of_range_is_none() -> None:
    assert parse_date("Fri, 31 Dec 9999 23:59:59 -2359") is None
