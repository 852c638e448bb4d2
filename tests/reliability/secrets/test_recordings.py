"""Recordings of the cloud in the repository hold no credential, and no keys but those that UpCloud published."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from support.cluster import ROOT

RECORDINGS = sorted((ROOT / "tests/providers/upcloud/recordings").glob("*.json"))
PUBLISHED = {"key123wouldkeepitthatwaybuthastobelonger", "psk1234567890psk1234567890"}
"""Keys of the examples that the recordings are."""
CREDENTIAL = re.compile(r"authorization|cookie|password|passwd|token|secret|api[-_]?key", re.IGNORECASE)
TOKEN = re.compile(r"ucat_\w+|Bearer |Basic [A-Za-z0-9+/]{8,}|-----BEGIN|eyJ[A-Za-z0-9_-]{10,}")


def fields(found: Any) -> Iterator[tuple[str, Any]]:
    """Every field at any depth."""
    if isinstance(found, dict):
        yield from found.items()
    for inside in found.values() if isinstance(found, dict) else found if isinstance(found, list) else ():
        yield from fields(inside)


def test_recordings_hold_no_secret() -> None:
    assert RECORDINGS
    for path in RECORDINGS:
        text = path.read_text()
        held = list(fields(json.loads(text)))
        assert [name for name, _ in held if CREDENTIAL.search(name)] == []
        assert {str(value) for name, value in held if "psk" in name} <= PUBLISHED
        assert TOKEN.findall(text) == []
