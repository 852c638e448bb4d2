"""The commands of a page as one shell script, and what they print beside what the page shows.

A ```shell block is played as it is. A ```console block has commands behind `$ ` and below each what it prints; each
is given again until that fits, for an object may be a moment late. A comment before a block says that it needs kind.
Run as a program this compares two files, so it imports nothing but the standard library.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NEEDS_KIND = "<!-- needs kind -->"
TRIES = 60
_BLOCK = re.compile(rf"^({NEEDS_KIND}\n)?```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PROMPT = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
_VARIES = re.compile(
    r"\b\d{1,3}(?:\.\d{1,3}){3}\b"  # an address
    r"|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    r"|\b\d{4}-\d\d-\d\dT[\d:.]+Z"
    r"|\b(?:\d+[dhms])+(?!\w)"  # an age
)
_PRELUDE = """set -eu
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
shown() {
  for _ in $(seq %d); do
    eval "$(cat "$1.command")" > "$1.printed" 2>&1 || true
    if %s "$1.expected" "$1.printed"; then return; fi
    sleep 0.3
  done
  echo "$(cat "$1.command") does not print what the page shows, but:" && cat "$1.printed"
  return 1
}
"""


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    needs_kind: bool


def blocks(page: str) -> list[Block]:
    """All blocks of code, in order."""
    return [Block(language, text, bool(kind)) for kind, language, text in _BLOCK.findall(page)]


def shown(block: Block) -> list[tuple[str, str]]:
    """The commands of a console block, and what the page says that each prints."""
    return _PROMPT.findall(block.text)


def script(page: str, folder: Path, *, kind: bool) -> Path:
    """The whole page; `folder` takes the script and what it compares. `kind`: also the blocks that need it."""
    compare = shlex.join([sys.executable, "-I", "-S", __file__])
    lines = [_PRELUDE % (TRIES, compare), *_lines(page, folder, kind=kind)]
    path = folder / "page.sh"
    path.write_text("\n".join(lines) + "\n")
    return path


def fits(expected: str, printed: str) -> bool:
    """Equal, but for addresses, uuids, times, ages and the width of columns."""
    return _loose(expected) == _loose(printed)


def _lines(page: str, folder: Path, *, kind: bool) -> Iterator[str]:
    for number, block in enumerate(blocks(page)):
        if block.needs_kind and not kind:
            continue
        if block.language == "shell":
            yield block.text
        elif block.language == "console":
            for place, (command, output) in enumerate(shown(block)):
                name = folder / f"{number}-{place}"
                name.with_suffix(".command").write_text(command)
                name.with_suffix(".expected").write_text(output)
                yield shlex.join(["shown", str(name)])


def _loose(text: str) -> list[list[str]]:
    return [_VARIES.sub("_", line).split() for line in text.splitlines() if line.strip()]


if __name__ == "__main__":
    sys.exit(0 if fits(*(Path(name).read_text() for name in sys.argv[1:3])) else 1)
