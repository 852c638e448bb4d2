"""The log: one line per change, as text or as JSON, each with the object that it is about.

A line is bounded and stays one line: what is not printable in names and in words of others is escaped, and lines of a
traceback are set in, so that nobody can forge one.

Lines go to standard error. Libraries speak from WARNING on, whatever the level: at DEBUG some of them write whole
objects. Nothing is redacted here; secrets are `SecretStr` wherever they are held and never reach a log call.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, TextIO

_LIBRARIES = ("aiohttp", "asyncio", "client", "httpcore", "httpx", "kopf", "kubernetes", "starlette", "uvicorn")

MESSAGE_MOST = 4096
TRACE_MOST = 16_384


@dataclass
class _Subject:
    """What lines are about. One pass shares it with all tasks that it starts."""

    ref: object = ""
    uid: str = ""
    reconcile: str = ""
    correlation_id: str = ""


_about: ContextVar[_Subject | None] = ContextVar("about", default=None)


@contextmanager
def about(ref: object, *, uid: str = "", reconcile: str = "") -> Iterator[None]:
    """Every line logged inside, also by other functions, is about this object (`VpnTunnel default/office-1`).

    `reconcile`: what tells this pass from all others of the process.
    """
    token = _about.set(_Subject(ref, uid, reconcile))
    try:
        yield
    finally:
        _about.reset(token)


def answered(correlation_id: str | None) -> None:
    """A cloud answered whatever the next lines are about, under this id of its own."""
    if (subject := _about.get()) is not None and correlation_id:
        subject.correlation_id = correlation_id


def configure(style: Literal["text", "json"], level: str, stream: TextIO | None = None) -> None:
    """Set up the log of the whole process."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_JsonFormatter() if style == "json" else _TextFormatter())
    handler.addFilter(_without_foreign_tracebacks)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for library in _LIBRARIES:
        logging.getLogger(library).setLevel(logging.WARNING)


def _without_foreign_tracebacks(record: logging.LogRecord) -> bool:
    """For each request that fails kopf logs a traceback; its line says enough."""
    if record.name.partition(".")[0] == "kopf":
        record.exc_info = record.exc_text = None
    return True


class _TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        ref = _object(record)
        line = f"{_time(record)} {record.levelname:<7} {ref + ': ' if ref else ''}{_message(record)}"
        trace = [f"    {_escaped(part)}" for part in self._trace(record).splitlines()]
        return "\n".join([_escaped(line), *trace])

    def _trace(self, record: logging.LogRecord) -> str:
        return _cut(self.formatException(record.exc_info), TRACE_MOST) if record.exc_info else ""


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "object": _object(record),
            **_fields(record),
            "message": _message(record),
            "exception": _cut(self.formatException(record.exc_info), TRACE_MOST) if record.exc_info else "",
        }
        return _escaped(json.dumps({key: value for key, value in line.items() if value}, ensure_ascii=False))


def _message(record: logging.LogRecord) -> str:
    return _cut(record.getMessage(), MESSAGE_MOST)


def _cut(text: str, most: int) -> str:
    """The beginning and the end, for the last line of a traceback says what it was."""
    return text if len(text) <= most else f"{text[: most // 2]} … {text[-most // 2 :]}"


def _escaped(text: str) -> str:
    """Good in JSON too, where control characters below a space are escaped already."""
    return text if text.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def _object(record: logging.LogRecord) -> str:
    # kopf hangs the reference on its own lines.
    ref = getattr(record, "k8s_ref", None)
    if ref:
        return f"{ref.get('kind')} {ref.get('namespace')}/{ref.get('name')}"
    subject = _about.get()
    return "" if subject is None else str(subject.ref)


def _fields(record: logging.LogRecord) -> dict[str, str]:
    """Of JSON alone: the object by its parts, which pass it was, and the cloud's id of the last answer in it."""
    named = str(getattr(record, "correlation_id", None) or "")
    if ref := getattr(record, "k8s_ref", None):
        return {field: str(ref.get(field) or "") for field in ("kind", "namespace", "name", "uid")}
    if (subject := _about.get()) is None:
        return {"correlation_id": named}
    return {
        **{field: str(getattr(subject.ref, field, "")) for field in ("kind", "namespace", "name")},
        "uid": subject.uid,
        "reconcile": subject.reconcile,
        "correlation_id": named or subject.correlation_id,
    }


def _time(record: logging.LogRecord) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03d}Z"
