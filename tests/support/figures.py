"""What tests measured, shown at the end of a run and, where NETGW_FIGURES names a file, written there as JSON.

A figure travels in its test's report, so that it also arrives when tests run in several processes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

PROPERTY = "figure"


@dataclass(frozen=True)
class Figure:
    """One row of the table of a part: `crash points`, `killed while creating`, `48 of 48 healed`."""

    part: str
    what: str
    value: str

    def __str__(self) -> str:
        return ": ".join(word for word in (self.part, self.what, self.value) if word)


class Figures:
    """Of one test."""

    def __init__(self, node: pytest.Item) -> None:
        self._node = node

    def put(self, part: str, what: str, value: object) -> None:
        self._node.user_properties.append((PROPERTY, asdict(Figure(part, what, str(value)))))


def of(reports: Iterable[pytest.TestReport]) -> list[Figure]:
    """All of a run, sorted, each once."""
    found = {
        Figure(**value)
        for report in reports
        if report.when == "teardown"
        for name, value in report.user_properties
        if name == PROPERTY and isinstance(value, dict)
    }
    return sorted(found, key=lambda figure: (figure.part, figure.what, figure.value))


def write(figures: Iterable[Figure], path: Path) -> None:
    """To `path`, in place of what was there of the same parts: a part may be played by itself."""
    measured = list(figures)
    parts = {figure.part for figure in measured}
    before = json.loads(path.read_text()) if path.exists() else []
    kept = [row for row in before if row["part"] not in parts]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(kept + [asdict(figure) for figure in measured], indent=1) + "\n")
