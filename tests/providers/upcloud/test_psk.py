"""Each rule of a pre-shared key, and that none of the answers tells the key."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgw.providers.upcloud.psk import HINT, STRONG_LENGTH, BrokenRule, GoodKey, check, strong

KEY = b"madeup_psk_for_tests_1"

REFUSED = [
    ("nothing", b"", BrokenRule.EMPTY),
    ("only a newline", b"\n", BrokenRule.EMPTY),
    ("seven", b"madeup_", BrokenRule.TOO_SHORT),
    ("seven and a newline", b"madeup_\n", BrokenRule.TOO_SHORT),
    ("sixty-five", b"m" * 65, BrokenRule.TOO_LONG),
    ("leading 0", b"0madeup_psk", BrokenRule.LEADING_ZERO),
    ("base64", b"bWFkZXVw+psk/1==", BrokenRule.CHARACTERS),
    ("hyphen", b"made-up-psk", BrokenRule.CHARACTERS),
    ("space at the end", KEY + b" ", BrokenRule.CHARACTERS),
    ("two newlines", KEY + b"\n\n", BrokenRule.CHARACTERS),
    ("lone carriage return", KEY + b"\r", BrokenRule.CHARACTERS),
    ("newline within", b"madeup\npsk_1", BrokenRule.CHARACTERS),
    ("umlaut", "mädeup_psk".encode(), BrokenRule.CHARACTERS),
    ("no text at all", b"\xff\xfe\x00madeup", BrokenRule.CHARACTERS),
]
ACCEPTED = [
    ("eight", b"madeup_1", "madeup_1", False),
    ("sixty-four", b"m" * 64, "m" * 64, False),
    ("leading dot", b".madeup_psk", ".madeup_psk", False),
    ("a 0 within", b"m0madeup", "m0madeup", False),
    ("newline", KEY + b"\n", KEY.decode(), True),
    ("windows newline", KEY + b"\r\n", KEY.decode(), True),
]


@pytest.mark.parametrize(("data", "rule"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(data: bytes, rule: BrokenRule) -> None:
    assert check(data) is rule


@pytest.mark.parametrize(("data", "key", "trimmed"), [row[1:] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
def test_accepted(data: bytes, key: str, trimmed: bool) -> None:
    good = check(data)
    assert isinstance(good, GoodKey)
    assert good.key.get_secret_value() == key
    assert good.trimmed is trimmed


@pytest.mark.parametrize("show", [repr, str])
def test_the_key_is_not_shown(show: Callable[[object], str]) -> None:
    assert KEY.decode() not in show(check(KEY))


@given(st.binary(max_size=70) | st.text("0Ab9_.\n\r", max_size=70).map(str.encode))
def test_agrees_with_the_api_document(data: bytes) -> None:
    without_newline = re.sub(rb"\r?\n\Z", b"", data)
    documented = re.fullmatch(rb"[a-zA-Z1-9_.][a-zA-Z0-9_.]+", without_newline) and 8 <= len(without_newline) <= 64
    assert isinstance(check(data), GoodKey) is bool(documented)


def test_the_hint_has_a_command_that_makes_a_good_key() -> None:
    assert "openssl rand -hex 24 | sed 's/^0/a/'" in HINT
    assert isinstance(check(b"a" + b"0f" * 23 + b"0\n"), GoodKey)


@given(st.randoms(use_true_random=False))
def test_made_keys_are_good_and_strong(rng: Random) -> None:
    key = strong(rng.choice)
    assert check(key.get_secret_value().encode()) == GoodKey(key)
    assert len(key.get_secret_value()) == STRONG_LENGTH
