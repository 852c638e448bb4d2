"""The page of figures is whole, and written by the present frame from the figures that are kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netgw_dev import reliability
from support.cluster import ROOT
from support.figures import Figure, write


def test_the_page_is_what_the_frame_writes() -> None:
    written = reliability.render(reliability.load_kept(), reliability.load_defects())
    assert reliability.PAGE.read_text() == written, "run `PYTHONPATH=tools python -m netgw_dev.reliability`"


def test_every_part_has_a_section_and_a_command() -> None:
    folders = {path.parent.name for path in (ROOT / "tests" / "reliability").glob("*/test_*.py")}
    assert folders <= reliability.PARTS.keys()
    page = reliability.PAGE.read_text()
    assert [part.title for part in reliability.PARTS.values() if f"## {part.title}\n" not in page] == []


def test_defects_are_sentences() -> None:
    for defect in reliability.load_defects():
        assert set(defect) == {"part", "defect"}
        assert defect["defect"].rstrip().endswith(".")


def test_figures_come_into_the_table_of_their_part(tmp_path: Path) -> None:
    write([Figure("crash points", "killed | while", "48 of 48"), Figure("weather", "", "rain")], tmp_path / "f.json")
    kept = reliability.merged({}, json.loads((tmp_path / "f.json").read_text()), {"python": "3", "cores": "2"})
    page = reliability.render(kept, [{"part": "faults", "defect": "A thing fell."}])
    section = page.partition("## Crash points")[2].partition("##")[0]
    assert "Last run: python 3, 2 cores." in section
    assert "No figures yet." in page.partition("## Faults")[2].partition("##")[0]
    assert "| killed \\| while | 48 of 48 |" in section
    assert "## Weather\n\nLast run: python 3, 2 cores.\n\n| what | figure |\n|---|---|\n|  | rain |" in page
    assert page.endswith("- **faults**: A thing fell.\n")


def test_rows_stand_in_the_order_of_their_numbers() -> None:
    rows = [{"part": "simulation", "what": f"seeds {first} to {first + 99}", "value": "."} for first in (1001, 101, 1)]
    page = reliability.render(reliability.merged({}, rows, {}), [])
    assert page.index("seeds 1 to") < page.index("seeds 101 to") < page.index("seeds 1001 to")


def test_rows_that_differ_in_their_numbers_alone_are_one() -> None:
    series = [("day 007", "9 of 1,200 in 2.5 s"), ("day 011", "10 of 980 in 2.5 s"), ("day 008", "11 of 980 in 2.5 s")]
    others = [("night 1", "none"), ("day 012", "none")]

    def table(rows: list[tuple[str, str]]) -> list[str]:
        figures = [{"part": "faults", "what": what, "value": value} for what, value in rows]
        page = reliability.render(reliability.merged({}, figures, {}), [])
        return [line for line in page.splitlines() if line.startswith(("| day", "| night"))]

    assert len(table(series + others)) == len(series + others), "three rows are no series"
    assert table([*series, ("day 009", "10 of 999 in 2.5 s"), *others]) == [
        "| day 007–011 (4 rows) | 9–11 of 980–1,200 in 2.5 s |",
        "| day 012 | none |",
        "| night 1 | none |",
    ]


def test_a_part_that_is_run_alone_leaves_the_others() -> None:
    def row(part: str, value: str) -> dict[str, str]:
        return {"part": part, "what": "seen", "value": value}

    first = reliability.merged({}, [row("faults", "1"), row("long life", "1")], {"date": "first"})
    second = reliability.merged(first, [row("long life", "2")], {"date": "second"})
    assert second["faults"] == first["faults"]
    assert second["long life"] == {"machine": {"date": "second"}, "figures": [row("long life", "2")]}


def test_a_run_is_kept_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without figures only the page is written again, which changes nothing."""
    before = reliability.PAGE.read_text()
    reliability.main([])
    assert reliability.PAGE.read_text() == before
    assert capsys.readouterr().out == "docs/reliability.md\n"
    assert set(reliability.facts()) == {"date", "commit", "python", "cores", "system"}
