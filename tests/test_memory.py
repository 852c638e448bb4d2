"""Where the C library puts what is large, and what a TLS connection holds; in a process of its own for each story."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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


TLS = """
import asyncio, ssl, sys
from netgw.memory import keep_tls_buffers_small

{first}
SENT = bytes(2 * 2**20)

async def serve(reader, writer):
    writer.write(SENT)
    await writer.drain()
    writer.close()

async def main():
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(sys.argv[1])
    ours = ssl.create_default_context(cafile=sys.argv[1])
    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=theirs) as server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=ours, server_hostname="upcloud.invalid")
        assert await reader.read(-1) == SENT
        print(len(writer.transport._ssl_protocol._ssl_buffer))
        writer.close()

asyncio.run(main())
"""


@pytest.mark.parametrize(("first", "size"), [("keep_tls_buffers_small()", 32 * 1024), ("", 256 * 1024)])
def test_the_buffer_of_a_tls_connection(first: str, size: int) -> None:
    """And what is larger than that arrives all the same. Without it: asyncio as it comes."""
    certificate = Path(__file__).parent / "providers" / "upcloud" / "api" / "madeup.pem"
    story = [sys.executable, "-c", TLS.format(first=first), str(certificate)]
    assert int(subprocess.run(story, check=True, capture_output=True, text=True).stdout) == size
