"""The state machine hears what the operator complains of, and lets kopf complain of its own connections."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from netgw import logs, process
from support.fuzz.complaints import complaints


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a log in the format of the state machine has."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    logs.configure("json", "debug", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


def error_at(file: Path) -> Exception:
    """One that was raised in this file."""
    try:
        exec(compile("raise ValueError('made up')", str(file), "exec"))  # noqa: S102
    except ValueError as error:
        return error
    raise AssertionError


def test_an_exception_that_nobody_took_counts_where_it_is_ours(written: io.StringIO) -> None:
    log = logging.getLogger("netgw.process")
    log.debug("its traceback", exc_info=error_at(Path("/somewhere/site-packages/kopf/_cogs/clients/scanning.py")))
    assert list(complaints(written.getvalue().splitlines())) == []
    log.debug("its traceback", exc_info=error_at(Path(process.__file__)))
    assert len(list(complaints(written.getvalue().splitlines()))) == 1


def test_an_error_counts_unless_kopf_says_it(written: io.StringIO) -> None:
    logging.getLogger("kopf._core").error("Request attempt #1/26 failed")
    logging.getLogger("netgw.engine").warning("nothing bad")
    assert list(complaints(written.getvalue().splitlines())) == []
    logging.getLogger("netgw.engine").error("bad")
    assert len(list(complaints(written.getvalue().splitlines()))) == 1


@pytest.mark.parametrize("line", ["Traceback (most recent call last):", "RuntimeWarning: coroutine was never awaited"])
def test_what_went_past_the_log_counts(line: str) -> None:
    assert list(complaints(["  File x", line])) == [line]
