"""What the operator says of errors that nobody awaits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from netgw.process import one_line


@asynccontextmanager
async def connection() -> AsyncIterator[None]:
    yield


async def stream(held: Any) -> AsyncIterator[int]:
    async with held:
        yield 1


def test_an_error_that_nobody_awaits_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    async def break_alone() -> None:
        asyncio.get_running_loop().set_exception_handler(one_line)
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(break_alone())
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().endswith("ZeroDivisionError: division by zero")


def test_a_stream_that_was_left_open_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    """As kopf leaves its watches: at the end the loop closes them and what they hold, that first if it so happens."""
    left = []

    async def leave_open() -> None:
        asyncio.get_running_loop().set_exception_handler(one_line)
        held: Any = connection()
        left.append(stream(held))
        await anext(left[0])
        await held.gen.aclose()

    with caplog.at_level(logging.DEBUG, logger="netgw.process"):
        asyncio.run(leave_open())
    [said, _] = [record for record in caplog.records if record.name == "netgw.process"]
    assert said.levelno == logging.DEBUG
    assert "didn't stop after athrow" in said.getMessage()
