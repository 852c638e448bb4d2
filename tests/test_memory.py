"""Where the C library puts what is large, in a process of its own for each story."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the heap is told by /proc")

STORY = """
from pathlib import Path
from netgw.memory import keep_large_blocks_apart

{first}
answer = bytes(2 * 2**20)
del answer  # the first large block that is freed
text = bytes(2**20)
heap = next(line.split()[0] for line in Path("/proc/self/maps").read_text().splitlines() if line.endswith("[heap]"))
begin, end = (int(side, 16) for side in heap.split("-"))
print("heap" if begin <= id(text) < end else "apart")
"""


def where(first: str) -> str:
    """Where a block of 1 MiB lies after one of 2 MiB was freed."""
    story = STORY.format(first=first)
    return subprocess.run([sys.executable, "-c", story], check=True, capture_output=True, text=True).stdout.strip()


def test_what_is_large_stays_off_the_heap() -> None:
    assert where("assert keep_large_blocks_apart()") == "apart"


def test_without_it_the_limit_rises() -> None:
    """Of glibc as it comes: what the module says of it."""
    assert where("") == "heap"
