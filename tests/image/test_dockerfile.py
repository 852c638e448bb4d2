"""What can be said of the Dockerfile without building it."""

from __future__ import annotations

import re

from support.cluster import ROOT

TEXT = (ROOT / "Dockerfile").read_text()
FINAL = TEXT.rpartition("\nFROM ")[2]


def test_both_stages_have_the_base_that_is_given() -> None:
    assert re.findall(r"^FROM (\S+)", TEXT, re.MULTILINE) == ["${BASE}", "${BASE}"]


def test_it_names_no_address() -> None:
    """An installation takes whatever index its builder has set up."""
    assert "://" not in TEXT


def test_every_package_has_a_hash() -> None:
    installs = [line for line in TEXT.splitlines() if " install " in line]
    assert installs
    assert all("--require-hashes" in line or "--no-index" in line for line in installs)


def test_the_user_is_a_number() -> None:
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", FINAL, re.MULTILINE)


def test_the_last_stage_only_copies() -> None:
    """What is built is built before: no layer with a tool or a cache."""
    assert "RUN" not in FINAL
    assert "--mount" not in TEXT


def test_the_context_is_a_list_of_what_is_needed() -> None:
    """A file that lies about, with a token perhaps, never gets into a builder."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    copied = {word for line in re.findall(r"^COPY (?!--from)(.+) \S+$", TEXT, re.MULTILINE) for word in line.split()}
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert {word.replace("[s]", "s").removeprefix("./") for word in copied} == allowed
