"""The comparison: every row, and a proof of each yes of ours."""

from __future__ import annotations

import re

from support.cluster import ROOT

PAGE = (ROOT / "docs" / "comparison.md").read_text()
ROWS = [[cell.strip() for cell in line.split(" | ")] for line in PAGE.splitlines() if re.match(r"\| \d+ \|", line)]
LINK = re.compile(r"\]\(([^)#]+)[^)]*\)")


def test_rows_are_numbered_and_whole() -> None:
    assert [int(row[0].removeprefix("| ")) for row in ROWS] == list(range(1, 127))
    assert [row for row in ROWS if len(row) != 9] == []


def test_every_yes_of_ours_has_a_test_or_a_page() -> None:
    ours = [row[2] for row in ROWS]
    assert [cell for cell in ours if not cell.startswith(("yes", "part", "no"))] == []
    assert [cell for cell in ours if not cell.startswith("no") and not LINK.search(cell)] == []
    programs = {link for cell in ours for link in LINK.findall(cell) if link.endswith(".py")}
    assert [link for link in sorted(programs) if "\ndef test_" not in (ROOT / "docs" / link).read_text()] == []


def test_every_key_has_a_source() -> None:
    used = {
        key for row in ROWS for part in re.findall(r"\[([A-Z\d,]+)\](?!\()", " ".join(row)) for key in part.split(",")
    }
    assert used
    assert [key for key in sorted(used) if f"\n| {key} | `" not in PAGE] == []
