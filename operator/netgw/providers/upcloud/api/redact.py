"""Takes secrets out of what others say: an error may quote the request, whole or in part, in one encoding or another.

A part of a secret counts from `RUN` characters on: fewer may be in any text by chance, and tell little.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from urllib.parse import quote

REDACTED = "[redacted]"
RUN = 8
LONGEST = 16384
"""Characters that are looked at; what follows is left out, for nobody is shown as many."""


def redacted(text: str, secrets: Iterable[str]) -> str:
    """The text with a mark in place of each part of a secret, and of its base64, hex, URL and JSON forms."""
    text = text[:LONGEST]
    runs: set[str] = set()
    for form in {form for secret in secrets if secret for form in _forms(secret)}:
        if len(form) <= RUN:
            text = text.replace(form, REDACTED)
        else:
            runs |= {form[at : at + RUN] for at in range(len(form) - RUN + 1)}
    return _without(text, runs) if runs else text


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield json.dumps(secret)[1:-1]
    yield quote(secret, safe="")
    yield secret.encode().hex()
    if len(secret) >= RUN:
        for shift in range(3):  # wherever it stands in what was encoded; the edges mix with its neighbours
            yield base64.b64encode(b" " * shift + secret.encode()).decode()[4 * (shift > 0) : -4]


def _without(text: str, runs: set[str]) -> str:
    hidden = bytearray(len(text))
    for at in range(len(text) - RUN + 1):
        if text[at : at + RUN] in runs:
            hidden[at : at + RUN] = b"\x01" * RUN
    parts = []
    for secret, places in groupby(range(len(text)), key=hidden.__getitem__):
        parts.append(REDACTED if secret else "".join(text[at] for at in places))
    return "".join(parts)
