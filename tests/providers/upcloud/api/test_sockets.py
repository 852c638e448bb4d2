"""The same over real sockets: what httpx really raises, and that connections are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pydantic import SecretStr

from netgw.providers.upcloud.api import (
    Credentials,
    Interrupted,
    Malformed,
    NotFound,
    TimedOut,
    Timeouts,
    Unreachable,
    UpCloud,
    UpCloudError,
)

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
CREDENTIALS = Credentials(token=SecretStr("madeup_token_for_tests_1"))


def outcome_of(handle: Handler, use: Callable[[UpCloud], Awaitable[Any]], *, base_url: str = "http://{address}") -> Any:
    """What `use` returns or raises against a server that does only what `handle` does."""
    ended = asyncio.Queue[None]()
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await handle(reader, writer)
        writer.close()
        await writer.wait_closed()
        ended.put_nowait(None)

    async def main() -> Any:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        url = base_url.format(address=f"{host}:{port}")
        async with server:
            async with UpCloud(CREDENTIALS, base_url=url, timeout=Timeouts(connect=0.5, read=0.2)) as cloud:
                try:
                    outcome = await use(cloud)
                except UpCloudError as error:
                    outcome = error
            for _ in range(connections):
                await ended.get()
        return outcome

    return asyncio.run(main())


def saying(text: bytes) -> Handler:
    """A server that reads one request and answers each so, and then ends the connection."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(text)
        await writer.drain()

    return handle


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def delete(cloud: UpCloud) -> object:
    return await cloud.delete_gateway(gateway="g")


@pytest.mark.parametrize(
    ("handle", "kind", "said"),
    [
        (silent, TimedOut, "no answer in time"),
        (saying(b""), Interrupted, "no proper HTTP answer: Server disconnected"),
        (saying(b"220 smtp.example\r\n"), Interrupted, "no proper HTTP answer: "),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"), Interrupted, "no proper HTTP answer: "),
        (
            saying(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"),
            Malformed,
            "cannot be unpacked",
        ),
        (saying(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), NotFound, "404: (no text)"),
    ],
)
def test_bad_servers(handle: Handler, kind: type[UpCloudError], said: str) -> None:
    error = outcome_of(handle, delete)
    assert type(error) is kind
    assert said in str(error)
    assert error.ambiguous is (kind is not NotFound)
    assert (error.__cause__, error.__context__) == (None, None)


def test_nobody_listens() -> None:
    async def main() -> None:
        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        server.close()
        await server.wait_closed()
        async with UpCloud(CREDENTIALS, base_url=f"http://{host}:{port}") as cloud:
            with pytest.raises(Unreachable, match="no connection: ") as caught:
                await delete(cloud)
            assert (caught.value.sent, caught.value.ambiguous) == (False, False)
            assert caught.value.__context__ is None

    asyncio.run(main())


def test_https_means_tls() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()

    error = outcome_of(plain, delete, base_url="https://{address}")
    assert type(error) is Unreachable
    assert error.__context__ is None


def test_connections_are_kept() -> None:
    opened = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        while await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            body = b'{"account": {"username": "someone"}}'
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    async def use(cloud: UpCloud) -> object:
        return [(await cloud.get_account()).value.username for _ in range(3)]

    assert outcome_of(handle, use) == ["someone"] * 3
    assert opened == 1
