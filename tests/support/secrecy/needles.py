"""Secrets and every form in which a part of one may turn up, and a search for all of them at once."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

PART = 8
"""Characters in a row; the values of tests are random enough not to turn up by chance."""
COMMON = re.compile(r"^madeup_[a-z]+_")
"""How all of them begin: no secret by itself."""
WORD = re.compile(r"[A-Za-z0-9+/=_.%\\\"'{}:-]{8,}")


def forms(secret: str) -> Iterator[str]:
    """As it is, and as it stands in JSON, in a URL, in Python and, wherever it began there, in base64 and in hex."""
    own = COMMON.sub("", secret)
    yield own
    yield json.dumps(own)[1:-1]
    yield quote(own, safe="")
    yield repr(own)[1:-1]
    yield own.encode().hex()
    for shift in range(3):
        yield base64.b64encode(b" " * shift + own.encode()).decode()[4 * (shift > 0) : -4]


class Needles:
    """All parts of all forms of some secrets."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._parts = {
            form[at : at + PART]
            for secret in secrets
            for form in forms(secret)
            for at in range(max(len(form) - PART + 1, 0))
        }

    def found(self, text: str) -> set[str]:
        """Which parts are there."""
        words = {word[0] for word in WORD.finditer(text)} if self._parts else set()
        return {word[at : at + PART] for word in words for at in range(len(word) - PART + 1)} & self._parts

    def shown(self, places: Mapping[str, str]) -> dict[str, set[str]]:
        """The places that show something, and what."""
        return {place: parts for place, text in places.items() if (parts := self.found(text))}
