"""Every class of error, in the engine's words."""

from __future__ import annotations

import re
from typing import Any

import pytest

from netgw.engine.outcome import Stalled, Waiting
from netgw.providers.upcloud.api import (
    BadRequest,
    Conflict,
    Forbidden,
    InsufficientCredits,
    Interrupted,
    InvalidParam,
    Malformed,
    NotFound,
    RateLimited,
    ServerError,
    TimedOut,
    Unauthorized,
    Unreachable,
    UpCloudError,
)
from netgw.providers.upcloud.failures import OWN_CALLER, Caller, failed, secret_caller, what_it_says
from support.wire import NOW

CID = "01KFDTBWFKWSYR6T8BDHY1JD5J"
QUOTA = "Service with plan production can have up to 2 connections."


def error(kind: type[UpCloudError], status: int | None = None, **over: Any) -> UpCloudError:
    said = {"code": "SOME_CODE", "title": "Some title.", "correlation_id": CID} if status else {}
    return kind(f"POST /1.3/x: {CID}", status=status, method="POST", path="/1.3/x", **said | over)


W, S = Waiting, Stalled
TABLE: list[tuple[UpCloudError, type, str, dict[str, Any], tuple[str, ...]]] = [
    # the error, outcome, reason, what else of CallFailed is not as usual, words
    (error(BadRequest, 400), S, "Rejected", {}, ("answers 400: Some title.", "Mend the spec", "in an hour")),
    (error(BadRequest, 405), S, "Rejected", {}, ("405",)),
    (error(BadRequest, 422, code=None), S, "Rejected", {"ambiguous": True}, ("422", "not in UpCloud's own words")),
    (error(BadRequest, 400, title=QUOTA), W, "QuotaReached", {}, (QUOTA, "larger plan", "5 to 15 min")),
    (error(Unauthorized, 401), W, "CredentialsRefused", {}, ("401", "revoked", "allowed_ip_ranges", "do not depend")),
    (error(Unauthorized, 401, code=None), W, "CredentialsRefused", {"ambiguous": True}, ("401",)),
    (error(Forbidden, 403, code=None), W, "PermissionDenied", {"ambiguous": True}, ("not in UpCloud's own words",)),
    (error(RateLimited, 429, code=None), W, "RateLimited", {"backoff": True}, ("429",)),
    (error(InsufficientCredits, 402), W, "InsufficientCredits", {}, ("402: Some title.", "Fill up", "5 to 15 min")),
    (error(Forbidden, 403), W, "PermissionDenied", {}, ("403: Some title.", "permission", "do not depend")),
    (error(NotFound, 404), W, "ParentNotCreated", {"backoff": True, "proof": True}, ("404: Some title.",)),
    (error(NotFound, 404, code=None), W, "CloudUnavailable", {"backoff": True, "ambiguous": True}, ("HTTP 404",)),
    (error(Conflict, 409), W, "Conflict", {}, ("409: Some title.", "5 to 15 min")),
    (error(RateLimited, 429), W, "RateLimited", {"backoff": True}, ("429", "goes on by itself")),
    (error(RateLimited, sent=False), W, "RateLimited", {"backoff": True}, ("Too many requests to UpCloud",)),
    (error(ServerError, 500), W, "CloudUnavailable", {"backoff": True, "ambiguous": True}, ("HTTP 500",)),
    (error(ServerError, 503, code=None), W, "CloudUnavailable", {"backoff": True, "ambiguous": True}, ("HTTP 503",)),
    (error(TimedOut), W, "CloudUnavailable", {"backoff": True, "ambiguous": True}, ("(time-out)",)),
    (error(TimedOut, 408), W, "CloudUnavailable", {"backoff": True, "ambiguous": True}, ("(HTTP 408)",)),
    (error(Interrupted), W, "CloudUnavailable", {"backoff": True, "ambiguous": True}, ("connection broke",)),
    (error(Malformed, 200), W, "CloudUnavailable", {"backoff": True, "ambiguous": True}, ("cannot be read",)),
    (error(Unreachable, sent=False), W, "CloudUnavailable", {"backoff": True}, ("no connection", "Nothing is changed")),
]


@pytest.mark.parametrize(("given", "outcome", "reason", "traits", "words"), TABLE)
def test_in_the_engines_words(
    given: UpCloudError, outcome: type, reason: str, traits: dict[str, Any], words: tuple[str, ...]
) -> None:
    found = failed(given, OWN_CALLER)
    assert type(found.outcome) is outcome
    assert found.outcome.reason == reason
    expected = {"backoff": False, "proof": False, "ambiguous": False} | traits
    assert {"backoff": found.backoff, "proof": found.proof, "ambiguous": found.ambiguous} == expected
    assert found.status == given.status
    for word in words:
        assert word in found.outcome.message
    assert CID not in found.outcome.message
    assert found.outcome.message.endswith(".")
    assert ".." not in found.outcome.message


@pytest.mark.parametrize(("given", "outcome", "reason", "traits", "words"), TABLE)
def test_since_when(given: UpCloudError, outcome: type, reason: str, traits: Any, words: Any) -> None:
    """Where it goes on for a while; said once, beside what goes on, and nothing else differs."""
    if reason in ("CredentialsRefused", "PermissionDenied", "RateLimited", "CloudUnavailable"):
        plain, since = failed(given, OWN_CALLER).outcome.message, failed(given, OWN_CALLER, NOW).outcome.message
        assert since.count(" since 2026-11-22T03:00:00Z") == 1
        assert since.replace(" since 2026-11-22T03:00:00Z", "") == plain


def test_retry_after_is_kept_and_not_told() -> None:
    found = failed(error(RateLimited, 429, retry_after=77.0), OWN_CALLER).outcome
    assert found.after == 77.0
    assert "77" not in found.message


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_lost_read_is_not_ambiguous(method: str) -> None:
    assert failed(TimedOut("lost", method=method), OWN_CALLER).ambiguous is (method == "POST")
    assert failed(Forbidden("of a proxy", method=method, status=403), OWN_CALLER).ambiguous is (method == "POST")


def test_fields_have_the_names_of_the_manifest() -> None:
    params = (
        InvalidParam("remote_routes.0.static_network", "Not a network."),
        InvalidParam("ipsec.phase1_dh_group_numbers", "Too weak"),
        InvalidParam("routers.0.uuid", "Unknown router."),
        InvalidParam("name", "Taken."),
    )
    said = what_it_says(error(BadRequest, 400, title="Validation error.", invalid_params=params))
    assert said == (
        "Validation error. remoteRoutes.0.staticNetwork: Not a network; ipsec.phase1DhGroupNumbers: Too weak; "
        "routerRef.uuid: Unknown router; name: Taken."
    )


def test_page_of_a_proxy_is_not_quoted() -> None:
    """Such pages hold times and numbers of requests, which differ each time."""
    said = failed(error(Forbidden, 403, code=None, title=f"<html>Request {CID} blocked"), OWN_CALLER).outcome.message
    assert not re.search("html|blocked", said)
    assert "the log has the answer" in said


def test_without_a_title() -> None:
    assert what_it_says(error(BadRequest, 400, title=None)) == "SOME_CODE."
    assert what_it_says(error(BadRequest, 400, title=None, code=None, invalid_params=(InvalidParam("a", "b"),))) == (
        "no reason given. a: b."
    )


@pytest.mark.parametrize(
    ("caller", "words"),
    [
        (OWN_CALLER, ("401 to the operator's own credentials since 2026", "start the operator with others")),
        (
            secret_caller("netgw", "upcloud"),
            ("401 to Secret netgw/upcloud since 2026", "Put a new token in the Secret"),
        ),
    ],
)
def test_whose_credentials_are_refused(caller: Caller, words: tuple[str, ...]) -> None:
    said = failed(error(Unauthorized, 401), caller, NOW).outcome.message
    assert [word for word in words if word not in said] == []
    assert caller.name in failed(error(Forbidden, 403), caller).outcome.message
