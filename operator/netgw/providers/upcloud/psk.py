"""Whether a pre-shared key is one that UpCloud accepts, told without telling anything of the key; a new one. Pure.

The API document has `^[a-zA-Z1-9_.][a-zA-Z0-9_.]+$`, 8 to 64 characters: base64 fails on + / =, hex on a leading 0.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pydantic import SecretStr

MIN_LENGTH = 8
MAX_LENGTH = 64

HINT = (
    f"{MIN_LENGTH} to {MAX_LENGTH} characters of A–Z a–z 0–9 _ and . , no leading 0. "
    "A good one: openssl rand -hex 24 | sed 's/^0/a/'."
)
"""What a good key looks like and how to make one, for messages."""

STRONG_LENGTH = 48
_CHARACTERS = string.ascii_letters + string.digits + "_."

_ALPHABET = re.compile(rb"[A-Za-z0-9_.]*")


class BrokenRule(StrEnum):
    """Why a key is refused, in words for "(…)" in a message. The first that applies."""

    EMPTY = "empty"
    CHARACTERS = "characters that are not allowed"
    TOO_SHORT = "too short"
    TOO_LONG = "too long"
    LEADING_ZERO = "a leading 0"


@dataclass(frozen=True)
class GoodKey:
    """A key to send. `trimmed`: a trailing newline was taken off."""

    key: SecretStr
    trimmed: bool = False


def check(data: bytes) -> GoodKey | BrokenRule:
    """Judge what a Secret holds, decoded from base64. A single trailing newline, LF or CR LF, does not count."""
    value = data.removesuffix(b"\n")
    trimmed = value != data
    if trimmed:
        value = value.removesuffix(b"\r")
    if (broken := _broken(value)) is not None:
        return broken
    return GoodKey(SecretStr(value.decode("ascii")), trimmed)


def strong(choose: Callable[[str], str]) -> SecretStr:
    """A new key of 287 bits. `choose` takes one of the characters that it is given, for nobody to guess."""
    first = choose(_CHARACTERS.replace("0", ""))
    return SecretStr(first + "".join(choose(_CHARACTERS) for _ in range(STRONG_LENGTH - 1)))


def _broken(value: bytes) -> BrokenRule | None:
    if not value:
        return BrokenRule.EMPTY
    if not _ALPHABET.fullmatch(value):
        return BrokenRule.CHARACTERS
    if len(value) < MIN_LENGTH:
        return BrokenRule.TOO_SHORT
    if len(value) > MAX_LENGTH:
        return BrokenRule.TOO_LONG
    if value.startswith(b"0"):
        return BrokenRule.LEADING_ZERO
    return None
