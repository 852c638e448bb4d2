"""Which connection to the API server is kept, and for how long."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from netgw.kube.transport import Transport
from support.bare_socket import kubeconfig_for

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n%s\r\n{}"


@pytest.mark.parametrize(
    ("idle", "large", "connections"),
    [
        pytest.param(60.0, False, 1, id="kept"),
        pytest.param(0.1, False, 2, id="not for half a second where it may be idle for a tenth of one"),
        pytest.param(60.0, True, 2, id="not after an answer that may be large"),
    ],
)
def test_a_connection_is_kept(idle: float, large: bool, connections: int, tmp_path: Path) -> None:
    async def story() -> int:
        opened: list[asyncio.StreamWriter] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            """As the API server, which ends a connection when it is asked to."""
            opened.append(writer)
            over = False
            while not over and await reader.readline():
                over = b"connection: close" in (await reader.readuntil(b"\r\n\r\n")).lower()
                writer.write(ANSWER % (b"Connection: close\r\n" if over else b""))
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            transport = await Transport.open(kubeconfig_for(server, tmp_path), idle=idle)
            try:
                assert await transport.request("GET", "/version", large=large) == {}
                await asyncio.sleep(0.5)
                assert await transport.request("GET", "/version") == {}
            finally:
                await transport.close()
        return len(opened)

    assert asyncio.run(story()) == connections
