"""The table of values in helm/README.md, from the comments in helm/netgw/values.yaml.

    python -m netgw_dev.chart_page --write     what `make generate` does

A comment `# -- …` describes the value below it, with all that is in it.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[2]
VALUES, PAGE = ROOT / "helm" / "netgw" / "values.yaml", ROOT / "helm" / "README.md"
BEGIN, END = "<!-- values: written by `make generate` -->\n", "<!-- end of values -->\n"
_KEY = re.compile(r"^( *)([A-Za-z]\w*):")
_COMMENT = re.compile(r"^ *# -- (.*)$")


class Value(NamedTuple):
    """A value with its description."""

    path: tuple[str, ...]
    default: Any
    description: str

    def row(self) -> str:
        """Its line in the table."""
        default = json.dumps(self.default, ensure_ascii=False)
        return f"| `{'.'.join(self.path)}` | `{default}` | {self.description} |"


def described(text: str) -> Iterator[Value]:
    """Those that have a comment, in the order of the file."""
    values: Mapping[str, Any] = yaml.safe_load(text)
    path: list[str] = []
    comment = None
    for line in text.splitlines():
        if found := _COMMENT.match(line):
            comment = found[1]
        elif found := _KEY.match(line):
            path = [*path[: len(found[1]) // 2], found[2]]
            if comment is not None:
                yield Value(tuple(path), _at(values, path), comment)
            comment = None


def leaves(values: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every value that is no table of others."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, (*path, name))
        else:
            yield (*path, name)


def page(text: str, values: str) -> str:
    """The page with its table as it should be. ValueError when it has no place for it."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN.strip()} or no {END.strip()}")
    table = "\n".join(["| value | default | what it is |", "|---|---|---|", *(v.row() for v in described(values))])
    return f"{head}{begin}\n{table}\n\n{end}{tail}"


def stale() -> bool:
    """Whether the page differs from what the values say."""
    text = PAGE.read_text()
    return page(text, VALUES.read_text()) != text


def main(argv: Sequence[str]) -> None:
    """Write the page."""
    if argv != ["--write"]:
        sys.exit("expected --write")
    PAGE.write_text(page(PAGE.read_text(), VALUES.read_text()))


def _at(values: Mapping[str, Any], path: Sequence[str]) -> Any:
    found: Any = values
    for name in path:
        found = found[name]
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
