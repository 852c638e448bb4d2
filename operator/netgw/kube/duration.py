"""Durations as Go and Kubernetes write them: 720h, 1h30m, 90s. Pure.

Admission takes hours, minutes and seconds in whole numbers; here everything is understood that Go's `ParseDuration` is.
"""

from __future__ import annotations

import re
from datetime import timedelta

DURATION_PATTERN = "^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$"
"""What admission takes. So short that it overflows neither here nor in CEL; the empty string is to be refused apart."""

_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(h|ms|m|s|us|µs|ns)", re.ASCII)


def parse_duration(text: object) -> timedelta | None:
    """None for what is no duration, or none that is not negative: a spec can hold anything."""
    if not isinstance(text, str) or not text or _PART.sub("", text):
        return None
    try:
        return timedelta(seconds=sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text)))
    except OverflowError:
        return None
