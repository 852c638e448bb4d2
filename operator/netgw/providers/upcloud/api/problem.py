"""From an answer that is no success to the error that says so.

Two shapes exist (both recorded): `application/problem+json` of the gateway family, and the older `{"error": {…}}` of
routers, zones and accounts. They are told apart by the body, never by the content type; a body of neither shape (empty,
HTML of a proxy) still gives the class that its status asks for, with the beginning of its text as title.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from .errors import (
    BadRequest,
    Conflict,
    Forbidden,
    InsufficientCredits,
    InvalidParam,
    Malformed,
    NotFound,
    RateLimited,
    ServerError,
    TimedOut,
    Unauthorized,
    UpCloudError,
)

MAX_TEXT = 256
MAX_INVALID_PARAMS = 20
MAX_RETRY_AFTER = 3600.0

Redact = Callable[[str], str]

_BY_STATUS: Mapping[int, type[UpCloudError]] = {
    401: Unauthorized,
    402: InsufficientCredits,
    403: Forbidden,
    404: NotFound,
    408: TimedOut,
    409: Conflict,
    429: RateLimited,
}


@dataclass(frozen=True)
class Problem:
    """What an error body says, in either shape."""

    title: str | None = None
    code: str | None = None
    correlation_id: str | None = None
    invalid_params: tuple[InvalidParam, ...] = ()

    def __str__(self) -> str:
        params = "; ".join(f"{param.name}: {param.reason}" for param in self.invalid_params)
        parts = (
            self.title or self.code or "(no text)",
            f"[{params}]" if params else "",
            f"(correlation id {self.correlation_id})" if self.correlation_id else "",
        )
        return " ".join(part for part in parts if part)


def class_of(status: int) -> type[UpCloudError]:
    """The error class for a status that is no success."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 400 <= status < 500:
        return BadRequest
    return ServerError if status >= 500 else Malformed


def parse_problem(body: bytes, headers: Mapping[str, str], redact: Redact) -> Problem:
    """Read an error body by its shape. `Upcloud-Cid` stands in for a missing correlation id."""

    def clean(value: object) -> str | None:
        return cut(redact(value)) if isinstance(value, str) and value.strip() else None

    text = body.decode("utf-8", "replace")
    data = _json_object(text)
    header_id = clean(headers.get("upcloud-cid"))
    if isinstance(legacy := data.get("error"), dict):
        return Problem(clean(legacy.get("error_message")), clean(legacy.get("error_code")), header_id)
    if not data.keys() & {"title", "type"}:
        return Problem(title=clean(text), correlation_id=header_id)
    return Problem(
        title=clean(data.get("title")),
        code=_code(clean(data.get("type"))),
        correlation_id=clean(data.get("correlation_id")) or header_id,
        invalid_params=_invalid_params(data.get("invalid_params"), clean),
    )


def parse_date(value: str | None) -> datetime | None:
    """An HTTP date as aware UTC; None when absent, unreadable, or before the first or after the last year."""
    try:
        date = parsedate_to_datetime(value or "")
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from either form of Retry-After. A date counts from the answer's own Date: no clock of ours matters."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), MAX_RETRY_AFTER)
    until, now = parse_date(value), parse_date(headers.get("date"))
    if until is None or now is None:
        return None
    return min(max((until - now).total_seconds(), 0.0), MAX_RETRY_AFTER)


def cut(text: str) -> str:
    """One line of at most `MAX_TEXT` characters, without any that steers a terminal or is half of another."""
    text = text[: 4 * MAX_TEXT]  # what is further back is not shown, whatever it is
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= MAX_TEXT else line[: MAX_TEXT - 1] + "…"


def _json_object(text: str) -> dict[str, object]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _code(type_: str | None) -> str | None:
    """`https://…/errors#ERROR_RESOURCE_NOT_FOUND` → `RESOURCE_NOT_FOUND`."""
    fragment = (type_ or "").partition("#")[2]
    return fragment.removeprefix("ERROR_") or None


def _invalid_params(value: object, clean: Callable[[object], str | None]) -> tuple[InvalidParam, ...]:
    items = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    return tuple(
        InvalidParam(clean(item.get("name")) or "?", clean(item.get("reason")) or "invalid")
        for item in items[:MAX_INVALID_PARAMS]
    )
