"""What goes into the transport and what comes out: queries, replies, time-outs, and the trace of a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from .credentials import API_VERSION

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Timeouts:
    """Seconds. `total` bounds one request from its start to the last byte received, whatever the others allow."""

    connect: float = 5.0
    read: float = 10.0
    write: float = 10.0
    pool: float = 5.0
    total: float = 15.0


@dataclass(frozen=True)
class Reply(Generic[T]):
    """A good answer. `began`: when its request began, by the client's clock. `date`: the cloud's clock, aware."""

    value: T
    began: float
    date: datetime | None

    def map(self, change: Callable[[T], U]) -> Reply[U]:
        """The same answer with another value."""
        return Reply(change(self.value), self.began, self.date)


@dataclass(frozen=True)
class Call:
    """One request, for metrics and logs.

    `route` has placeholders for identifiers, `status` is None without an answer. `correlation_id`: the cloud's own.
    """

    method: str
    route: str
    status: int | None
    seconds: float
    correlation_id: str | None = None


@dataclass(frozen=True)
class Query(Generic[T]):
    """What is asked: `route` with its identifiers in `path`, and `read`, which turns the body into the value.

    `once`: it is not tried again whatever happens.
    """

    method: str
    route: str
    read: Callable[[bytes], T]
    path: Mapping[str, str] = field(default_factory=dict)
    params: Sequence[tuple[str, str]] = ()
    body: BaseModel | None = None
    once: bool = False

    @property
    def url_path(self) -> str:
        """The path as sent, with every identifier percent-encoded."""
        return f"/{API_VERSION}" + self.route.format_map({name: _segment(text) for name, text in self.path.items()})


def _segment(text: str) -> str:
    # Empty, "." and ".." would address a parent: DELETE …/labels/.. is normalised to DELETE of the gateway.
    if text in ("", ".", ".."):
        raise ValueError(f"{text!r} cannot be part of a path")
    return quote(text, safe="")
