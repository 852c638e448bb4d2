# ruff: noqa: E501  sentences of the page
"""docs/reliability.md, from the figures of a run of `make soak`, the list of defects and the sentences in here.

    python -m netgw_dev.reliability build/figures.json     keeps the figures in docs/reliability.json, writes the page
    python -m netgw_dev.reliability                        writes the page again from what was kept

What is kept: for each part of the page where and when it was run, and its rows. A run of one part leaves the others.
Who finds a defect adds a sentence to `defects.yaml` beside this file and writes the page again; nothing is measured then.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, TypedDict

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEFECTS = Path(__file__).with_name("defects.yaml")
KEPT, PAGE = ROOT / "docs" / "reliability.json", ROOT / "docs" / "reliability.md"

SERIES = 4
"""From so many rows on that differ in nothing but their numbers, one with the ranges of these says it better."""
_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")

Figure = Mapping[str, str]
"""`part`, `what` and `value`, as tests/support/figures.py writes them."""


class Run(TypedDict):
    """The last one of a part: facts of the machine by name, and figures."""

    machine: Mapping[str, str]
    figures: Sequence[Figure]


Kept = Mapping[str, Run]
"""By part."""


class Part(NamedTuple):
    """A folder of tests/reliability and what it shows."""

    title: str
    says: str
    command: str = ""


PARTS: Mapping[str, Part] = {
    "simulation": Part(
        "Simulation",
        "The engine, the queue and the kinds play whole histories in virtual time: applies, edits, deletions, hand edits, "
        "faults, crashes, overlapping leaders, restores. One seed is one history; what must never be is checked at each "
        "step, what must be in the end when it is quiet.",
        "make simulate SEEDS=10000 FIRST_SEED=1",
    ),
    "small_world": Part(
        "Small world",
        "One gateway, one connection, one tunnel: every history with one fault and every history with two, at all points. "
        "`make test` plays all with one, and a few of those with two.",
    ),
    "mutants": Part(
        "Mutants",
        "Defects are planted, one at a time, and the simulation or a short story has to notice each: a proof that cannot fail "
        "proves nothing. Those that nothing is known to notice are named.",
    ),
    "crash_points": Part(
        "Crash points",
        "The process dies before or after a call that it makes, at points found by a run without a death, all of each story; "
        "a fresh one has to bring the world in order.",
    ),
    "faults": Part(
        "Faults",
        "Schedules of errors at every endpoint of the cloud and of Kubernetes; what is left when they end, and how many "
        "calls are made meanwhile.",
    ),
    "state_machine": Part(
        "State machine",
        "Hypothesis chooses what users, others in the cloud and fate do next, against the real operator on a real API server: "
        "applies, edits, deletions, keys, hand edits, faults, pauses, ends by SIGTERM and SIGKILL. At each rest what must hold "
        "is looked at.",
    ),
    "bad_input": Part(
        "Bad input",
        "Values from the borders of the schemas and beyond, mangled answers of the cloud, a megabyte of nonsense in every "
        "text that reaches us.",
    ),
    "secrets": Part(
        "Secrets",
        "A story with every feature that holds a key, a token or a password, at the most talkative level of the log, with "
        "crashes on purpose; then everything that was written anywhere is searched, in each encoding, for parts of them. "
        "See the [threat model](threat-model.md).",
    ),
    "long_life": Part(
        "Long life",
        "One process, 200 trees, two and a half hours of edits, rotations, deletions and faults: what it holds of the "
        "machine at each rest, the slope of its memory after Theil and Sen, and its end while POSTs are under way.",
    ),
}

HEAD = """\
# Reliability

<!-- Written by `make soak`: do not edit. Sentences are in tools/netgw_dev/reliability.py, defects in defects.yaml beside it. -->

The property: from every state that a history of crashes, lost answers, stale reads and hand edits can lead to, once specs
and faults stop changing, the cloud matches the specs and stays so. Nothing is made twice, nothing is lost, no key is shown.

`make test` plays a part of each of these, `make soak` all of it, and then writes this page from its own
figures; with `PART=` it plays one, and renews its section. Everything is seeded: a failure says how to see it again.
Rows that differ only in their numbers are one row here, with the least and the most of each; all of them are in
[reliability.json](reliability.json).
"""


def facts() -> dict[str, str]:
    """Where and when the figures were measured."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607  whichever git is there
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "commit": commit.stdout.strip() or "unknown",
        "python": platform.python_version(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
    }


def merged(kept: Kept, figures: Iterable[Figure], machine: Mapping[str, str]) -> Kept:
    """What was kept, but for the parts that were measured now."""
    measured: dict[str, list[Figure]] = {}
    for figure in figures:
        measured.setdefault(figure["part"], []).append(figure)
    return {**kept, **{part: {"machine": machine, "figures": found} for part, found in measured.items()}}


def render(kept: Kept, defects: Iterable[Mapping[str, str]]) -> str:
    """The page."""
    runs = {_plain(part): run for part, run in kept.items()}
    sections = [HEAD]
    for folder, part in PARTS.items():
        command = part.command or f"make soak PART={folder}"
        text = f"## {part.title}\n\n{part.says}\n\n```shell\n{command}\n```\n"
        sections.append(text + "\n" + _told(runs.pop(_plain(folder), None)))
    sections += [f"## {part.capitalize()}\n\n{_told(run)}" for part, run in sorted(runs.items())]
    found = [f"- **{defect['part']}**: {defect['defect']}" for defect in defects]
    sections.append("## Defects found\n\n" + ("\n".join(found) or "None yet.") + "\n")
    return "\n".join(sections)


def load_defects() -> list[dict[str, str]]:
    """What people wrote down."""
    found: list[dict[str, str]] = yaml.safe_load(DEFECTS.read_text()) or []
    return found


def load_kept() -> Kept:
    """The figures of the last runs."""
    kept: Kept = json.loads(KEPT.read_text())
    return kept


def main(argv: list[str]) -> None:
    """Keep the figures of a file, if one is given, and write the page."""
    if argv:
        kept = merged(load_kept(), json.loads(Path(argv[0]).read_text()), facts())
        KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    PAGE.write_text(render(load_kept(), load_defects()))
    print(PAGE.relative_to(ROOT))


def _plain(name: str) -> str:
    return name.replace("_", " ").casefold()


def _told(run: Run | None) -> str:
    if run is None:
        return "No figures yet.\n"
    facts = (f"{value} cores" if name == "cores" else f"{name} {value}" for name, value in run["machine"].items())
    ordered = sorted(run["figures"], key=lambda figure: _counted(figure["what"]))
    rows = [f"| {_cell(what)} | {_cell(value)} |" for what, value in _folded(ordered)]
    return "\n".join([f"Last run: {', '.join(facts)}.", "", "| what | figure |", "|---|---|", *rows]) + "\n"


def _folded(figures: Iterable[Figure]) -> Iterator[tuple[str, str]]:
    """What and value of each row, and of a series the ranges, in the place of its first."""
    alike: dict[tuple[str, str], list[Figure]] = {}
    for figure in figures:
        alike.setdefault((_NUMBER.sub("#", figure["what"]), _NUMBER.sub("#", figure["value"])), []).append(figure)
    for series in alike.values():
        whats, values = [figure["what"] for figure in series], [figure["value"] for figure in series]
        if len(series) < SERIES:
            yield from zip(whats, values, strict=True)
        else:
            yield f"{_ranges(whats)} ({len(series)} rows)", _ranges(values)


def _ranges(texts: Sequence[str]) -> str:
    """Of texts that differ in their numbers: the first of them with the least and the most in place of each number."""
    columns = iter(list(zip(*(_NUMBER.findall(text) for text in texts), strict=True)))

    def both(_: re.Match[str]) -> str:
        numbers = sorted(next(columns), key=lambda number: float(number.replace(",", "")))
        least, most = numbers[0], numbers[-1]
        return least if least == most else f"{least}–{most}"

    return _NUMBER.sub(both, texts[0])


def _counted(text: str) -> list[tuple[int, str]]:
    """Orders `seeds 101 to 200` before `seeds 1001 to 1100`."""
    return [(int(word), "") if word.isdigit() else (0, word) for word in re.split(r"(\d+)", text)]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", "<br>")


if __name__ == "__main__":
    main(sys.argv[1:])
