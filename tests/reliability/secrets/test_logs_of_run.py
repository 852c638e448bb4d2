"""The search at the end of each run finds what a log shows, and does not show it again."""

from __future__ import annotations

from pathlib import Path

from support.operator import made_up
from support.secrecy.logs import secrets_in_logs


def test_a_log_that_shows_a_secret(tmp_path: Path) -> None:
    below = tmp_path / "some" / "operator-1.log"
    below.parent.mkdir()
    secret = made_up("psk")
    try:
        below.write_text(f"fine\nsent {secret} to the cloud\n")
        assert secrets_in_logs(tmp_path) == [f"{below}:2: sent (a secret) to the cloud"]
    finally:
        below.write_text("fine\nmadeup_psk_for_tests_1\n")  # or the search at the end of this run would find it
    assert secrets_in_logs(tmp_path) == []
