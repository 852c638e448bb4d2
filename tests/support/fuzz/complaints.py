"""What an operator may not say, whatever happens to it: read from its log at DEBUG, in the JSON format.

kopf is let be. An end that meets it while it asks what is served, or has a watch open, closes the connection under it:
it complains of that request, and leaves a task behind whose exception nobody takes. In these there is no frame of ours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

SETTINGS = {"NETGW_LOG_FORMAT": "json", "NETGW_LOG_LEVEL": "debug"}
"""With which the log says who speaks, and where an exception comes from that nobody took."""
OUR_FRAME = re.compile(r'File "[^"]*/operator/netgw/')
UNHANDLED = re.compile(r"Traceback|never awaited|Fatal Python error")
"""In a line that is no entry of the log: what Python itself writes at an end that nobody meant."""


def complaints(lines: Iterable[str]) -> Iterator[str]:
    """Errors of ours, exceptions with a frame of ours, and what went past the log."""
    for line in lines:
        entry = _entry(line)
        if entry is None:
            if UNHANDLED.search(line):
                yield line
        elif OUR_FRAME.search(entry.get("exception", "")) or (_is_bad(entry) and not _is_of_kopf(entry)):
            yield line


def _entry(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _is_bad(entry: dict[str, Any]) -> bool:
    return entry.get("level") in ("error", "critical")


def _is_of_kopf(entry: dict[str, Any]) -> bool:
    return str(entry.get("logger")).partition(".")[0] == "kopf"
