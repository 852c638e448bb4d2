"""How long a connection to the API server is kept."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from netgw.kube.transport import Transport
from support.bare_socket import kubeconfig_for

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize(
    ("idle", "connections"),
    [
        pytest.param(60.0, 1, id="kept"),
        pytest.param(0.1, 2, id="not for half a second where it may be idle for a tenth of one"),
    ],
)
def test_a_connection_is_kept(idle: float, connections: int, tmp_path: Path) -> None:
    async def story() -> int:
        opened: list[asyncio.StreamWriter] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            opened.append(writer)
            while await reader.readline():
                await reader.readuntil(b"\r\n\r\n")
                writer.write(ANSWER)
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            transport = await Transport.open(kubeconfig_for(server, tmp_path), idle=idle)
            try:
                assert await transport.request("GET", "/version") == {}
                await asyncio.sleep(0.5)
                assert await transport.request("GET", "/version") == {}
            finally:
                await transport.close()
        return len(opened)

    assert asyncio.run(story()) == connections
