"""Parts of secrets are taken out of foreign text, in the encodings in which a request is quoted."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from netgw.providers.upcloud.api.redact import LONGEST, REDACTED, redacted

SECRET = 'madeup"key/with\\all+of it'


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        SECRET[:12],
        SECRET[5:],
        json.dumps({"psk": SECRET}),
        quote(SECRET, safe=""),
        *(base64.b64encode(b"x" * shift + SECRET.encode() + b"yz").decode() for shift in range(4)),
    ],
)
def test_no_eight_characters_are_left(form: str) -> None:
    shown = redacted(f"refused: {form}, sorry", [SECRET])
    assert REDACTED in shown
    assert shown.startswith("refused: ")
    assert shown.endswith(", sorry")
    kept = shown.replace(REDACTED, "\n").splitlines()
    assert not [part for part in kept if any(SECRET[at : at + 8] in part for at in range(len(SECRET) - 7))]


def test_short_secrets_go_as_a_whole() -> None:
    assert redacted("it was hunter2, was it", ["hunter2"]) == f"it was {REDACTED}, was it"


def test_what_is_no_secret_stays() -> None:
    assert redacted("plan 'small' is unknown", [SECRET, ""]) == "plan 'small' is unknown"


def test_long_text_is_bounded() -> None:
    assert len(redacted("x" * 2**20, [SECRET])) == LONGEST
