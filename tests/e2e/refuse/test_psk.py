"""A Secret that is no key: named, nothing is sent, nothing of it is shown, and the tunnel goes on with its old key."""

from __future__ import annotations

import hashlib
from functools import partial

import pytest

from support.operator import made_up
from support.scenario import Scenario

WORD = made_up("psk")[-12:]

BAD = {
    "empty": ("", "(empty)"),
    "too short": (WORD[:7], "(too short)"),
    "only a newline": ("\n", "(empty)"),
    "too long": (f"madeup_psk_{WORD * 5}", "(too long)"),
    "two newlines": (f"madeup_psk_{WORD}\n\n", "(characters that are not allowed)"),
    "a leading zero": (f"0{WORD}{WORD}", "(a leading 0)"),
    "as base64": (f"madeup_psk_{WORD}=", "(characters that are not allowed)"),
    "too short again": (WORD[5:], "(too short)"),
    "a space inside": (f"madeup_psk {WORD}", "(characters that are not allowed)"),
    "empty again": ("", "(empty)"),
    "not ASCII": (f"madeup_psk_ä{WORD}", "(characters that are not allowed)"),
}
"""What the Secret holds, and what is said of it: never what was said of the one before."""


@pytest.fixture(scope="module")
def site(standing: Scenario) -> Scenario:
    standing.site_to_site(tunnels=1)
    return standing


def says(site: Scenario, words: str) -> bool:
    return words in site.get("VpnTunnel", "office-1").condition("Synced")["message"]


def test_of_a_tunnel_that_has_one(site: Scenario, shared: Scenario, subtests: pytest.Subtests) -> None:
    accepted, since = site.in_cloud("VpnTunnel", "office-1")["psk_sha256"], len(site.cloud.calls())
    for bad, (value, words) in BAD.items():
        with subtests.test(bad):
            site.secret(value=value)
            site.wait(f"it says {words}", partial(says, site, words))
            told = site.wait_for(
                "VpnTunnel", "office-1", Ready="Up", Synced="InvalidPsk", Stalled="InvalidPsk", PskInSync="InvalidPsk"
            )
            message = told.condition("Synced")["message"]
            assert "office-psk/psk" in message
            assert "openssl rand" in message
            assert "keeps the key accepted at" in message
    assert site.cloud.writes(since) == []
    assert site.in_cloud("VpnTunnel", "office-1")["psk_sha256"] == accepted


def test_mended(site: Scenario, shared: Scenario) -> None:
    """A new key with one newline at the end, which is not part of it."""
    since = len(site.cloud.calls())
    key = site.key()
    site.secret(value=f"{key}\n")
    site.wait_for("VpnTunnel", "office-1", Synced="InSync", PskInSync="Accepted")
    site.wait_ready("VpnTunnel", "office-1")
    assert "newline" in site.get("VpnTunnel", "office-1").condition("Warning")["message"]
    assert [call.method for call in site.cloud.writes(since)] == ["PATCH"]
    assert site.in_cloud("VpnTunnel", "office-1")["psk_sha256"] == hashlib.sha256(key.encode()).hexdigest()
