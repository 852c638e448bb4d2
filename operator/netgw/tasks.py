"""Tasks that end when whoever began them does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def running(work: Any, name: str) -> AsyncIterator[None]:
    """A task for as long as the context lasts."""
    task = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        await cancelled(task)


async def cancelled(task: asyncio.Task[Any]) -> None:
    """End a task, whatever it says to that."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def first_of(works: Sequence[Awaitable[Any]]) -> None:
    """Wait for the first that ends, with its exception if it has one, and cancel the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
