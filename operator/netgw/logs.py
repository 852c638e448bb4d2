"""The log: one line per change, as text or as JSON, each with the object that it is about.

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
from typing import Literal, TextIO

_LIBRARIES = ("aiohttp", "asyncio", "client", "httpcore", "httpx", "kopf", "kubernetes", "starlette", "uvicorn")

_about: ContextVar[str] = ContextVar("about", default="")


@contextmanager
def about(ref: object) -> Iterator[None]:
    """Every line logged inside, also by other functions, is about this object (`VpnTunnel default/office-1`)."""
    token = _about.set(str(ref))
    try:
        yield
    finally:
        _about.reset(token)


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
        line = f"{_time(record)} {record.levelname:<7} {ref + ': ' if ref else ''}{record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "object": _object(record),
            "message": record.getMessage(),
            "exception": self.formatException(record.exc_info) if record.exc_info else "",
        }
        return json.dumps({key: value for key, value in line.items() if value}, ensure_ascii=False)


def _object(record: logging.LogRecord) -> str:
    # kopf hangs the reference on its own lines.
    ref = getattr(record, "k8s_ref", None)
    return f"{ref.get('kind')} {ref.get('namespace')}/{ref.get('name')}" if ref else _about.get()


def _time(record: logging.LogRecord) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03d}Z"
