"""Durations as Go writes them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgw.kube.duration import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("720h", 720 * 3600),
        ("1h30m", 5400),
        ("90s", 90),
        ("0s", 0),
        ("1.5h", 5400),
        (".5s", 0.5),
        ("250ms", 0.25),
        ("1m30s500ms", 90.5),
        ("2us3ns", 2e-6),
    ],
)
def test_understood(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "h", "720", "-1h", "1d", "1h ", " 1h", "1h 30m", "1 h", "9" * 400 + "h", None, 3, {}]
)
def test_not_understood(text: Any) -> None:
    assert parse_duration(text) is None


@given(st.text())
def test_nothing_crashes_it(text: str) -> None:
    parse_duration(text)
