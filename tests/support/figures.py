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
    """To `path`, in place of what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n")
