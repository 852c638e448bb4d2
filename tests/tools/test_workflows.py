"""The workflows can be read, call what exists, trust only what is pinned, and may no more than they need."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from support.cluster import ROOT

WORKFLOWS = {
    path.name: yaml.safe_load(path.read_text()) for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))
}
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
PINNED = re.compile(r"[\w.-]+/[\w.-]+@(v\d+(\.\d+\.\d+)?|[0-9a-f]{40})")

WRITES = {
    ("release.yml", "image"): {"packages", "id-token"},
    ("release.yml", "chart"): {"packages", "id-token"},
}
"""Who may write what: whoever needs more adds it here, and says why in the workflow."""

each = pytest.mark.parametrize("name", WORKFLOWS)


def steps(name: str) -> Iterator[dict[str, Any]]:
    for job in WORKFLOWS[name]["jobs"].values():
        yield from job["steps"]


def test_there_are_those_that_the_documentation_names() -> None:
    assert {"audit.yml", "ci.yml", "release.yml"} <= WORKFLOWS.keys()


@each
def test_every_job_ends_in_time(name: str) -> None:
    assert [job for job, body in WORKFLOWS[name]["jobs"].items() if not body.get("timeout-minutes")] == []


@each
def test_make_is_asked_for_targets_that_exist(name: str) -> None:
    called = {target for step in steps(name) for target in re.findall(r"\bmake ([a-z-]+)", step.get("run", ""))}
    assert called <= TARGETS


def test_make_checks_and_tests() -> None:
    runs = " ".join(step.get("run", "") for step in steps("ci.yml"))
    assert all(f"make {target}" in runs for target in ("check", "test", "test-kind"))


@each
def test_actions_are_pinned(name: str) -> None:
    assert [step["uses"] for step in steps(name) if "uses" in step and not PINNED.fullmatch(step["uses"])] == []


@each
def test_nothing_is_permitted_by_default(name: str) -> None:
    assert WORKFLOWS[name]["permissions"] == {"contents": "read"}


@each
def test_a_job_may_write_only_what_it_needs(name: str) -> None:
    for job, body in WORKFLOWS[name]["jobs"].items():
        written = {what for what, right in body.get("permissions", {}).items() if right == "write"}
        assert written == WRITES.get((name, job), set()), job


@each
def test_checkouts_leave_no_token_behind(name: str) -> None:
    checkouts = [step for step in steps(name) if step.get("uses", "").startswith("actions/checkout@")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@each
def test_no_script_takes_words_of_others(name: str) -> None:
    """What is put into a script by `${{ }}` is run: names of branches and titles come from anybody."""
    assert [step["run"] for step in steps(name) if "${{" in step.get("run", "")] == []
