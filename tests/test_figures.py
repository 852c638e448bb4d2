"""Figures of a part that was played by itself replace those of that part alone."""

from __future__ import annotations

import json
from pathlib import Path

from support.figures import Figure, write


def test_a_part_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "build" / "figures.json"
    write([Figure("faults", "schedules", "60"), Figure("long life", "minutes", "1")], path)
    write([Figure("long life", "minutes", "30"), Figure("long life", "trees", "200")], path)
    found = [(row["part"], row["what"], row["value"]) for row in json.loads(path.read_text())]
    assert found == [("faults", "schedules", "60"), ("long life", "minutes", "30"), ("long life", "trees", "200")]
