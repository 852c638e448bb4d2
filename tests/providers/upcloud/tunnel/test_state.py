from __future__ import annotations

from datetime import timedelta

import pytest

from netgw.providers.upcloud.tunnel.state import CAUSES, DownMessage, cause, is_up, news, up_of_all
from support.wire import NOW, tunnel

BEFORE = NOW - timedelta(seconds=1)


@pytest.mark.parametrize(
    ("state", "told", "up"),
    [
        *((state, None, True) for state in ("established", "rekeying", "rekeyed")),
        *((state, None, False) for state in ("idle", "uninitialized", "created", "connecting")),
        *((state, told, False) for state in ("deleting", "destroying") for told in (None, True, False)),
        *((state, None, None) for state in ("unknown", "passive", "", "ESTABLISHED")),
        *((state, True, True) for state in ("idle", "connecting", "unknown", "passive")),
        *((state, False, False) for state in ("established", "rekeying", "unknown")),
    ],
)
def test_is_up(state: str, told: bool | None, up: bool | None) -> None:
    assert is_up(tunnel(operational_state=state, tunnel_up=told)) is up


@pytest.mark.parametrize(
    ("ups", "words"), [((), "0/0"), ((True, False), "1/2"), ((None, None), "0/2"), ((True, True), "2/2")]
)
def test_up_of_all(ups: tuple[bool | None, ...], words: str) -> None:
    assert up_of_all(ups) == words


@pytest.mark.parametrize(
    ("message", "is_news"),
    [
        (None, False),
        (DownMessage("", NOW), False),
        (DownMessage("giving up", None), False),
        (DownMessage("giving up", BEFORE), False),
        (DownMessage("giving up", NOW), True),
        (DownMessage("giving up", NOW + timedelta(hours=1)), True),
    ],
)
def test_news(message: DownMessage | None, is_news: bool) -> None:
    assert news(message, NOW) == (message if is_news else None)


@pytest.mark.parametrize(("words", "reason"), CAUSES)
def test_cause(words: str, reason: str) -> None:
    assert cause(DownMessage(f"12[IKE] {words.upper()} …", NOW)) == reason
    assert cause(DownMessage(f"12[IKE] {words.lower()} …", NOW)) == reason


@pytest.mark.parametrize("message", [None, DownMessage("the moon was in the way", NOW)])
def test_no_cause(message: DownMessage | None) -> None:
    assert cause(message) == "TunnelDown"
