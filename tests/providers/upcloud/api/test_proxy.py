"""Behind a proxy that must be used, and with a private authority: what the chart's `proxy` and `ca` set up."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from netgw.kube.provider import ConfigurationError
from netgw.providers.upcloud.api import Credentials, Timing, UpCloud, UpCloudError
from netgw.providers.upcloud.provider import client

PEM = Path(__file__).parent / "madeup.pem"
HOST = "upcloud.invalid"
BODY = '{"account":{"username":"alice","credits":100}}'
ANSWER = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n{BODY}".encode()


class Office:
    """UpCloud behind TLS, to be reached by name through a proxy alone. `asked`: what the proxy was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._cloud = 0

    async def open(self, servers: contextlib.AsyncExitStack) -> str:
        """The address of the proxy."""
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(PEM)
        cloud = await servers.enter_async_context(await asyncio.start_server(self._answer, "127.0.0.1", 0, ssl=tls))
        self._cloud = cloud.sockets[0].getsockname()[1]
        proxy = await servers.enter_async_context(await asyncio.start_server(self._connect, "127.0.0.1", 0))
        return f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(ANSWER)
            await writer.drain()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.decode().partition(" HTTP/")[0])
        there = await asyncio.open_connection("127.0.0.1", self._cloud)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))


async def _at_once(seconds: float) -> None:
    """What fails is asked for again without a wait."""


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.closing(writer), contextlib.suppress(ConnectionError):
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()


def asking(monkeypatch: pytest.MonkeyPatch, **environment: str) -> tuple[str | UpCloudError, list[str]]:
    """The user name that is read in such an environment, or why it is not; and what the proxy was asked for."""
    for name in ("HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    office = Office()

    async def main() -> str | UpCloudError:
        async with contextlib.AsyncExitStack() as servers:
            monkeypatch.setenv("HTTPS_PROXY", await office.open(servers))
            for name, value in environment.items():
                monkeypatch.setenv(name, value)
            credentials = Credentials(token=SecretStr("madeup-token"))
            async with UpCloud(credentials, base_url=f"https://{HOST}", timing=Timing(sleep=_at_once)) as cloud:
                try:
                    return (await cloud.get_account()).value.username
                except UpCloudError as error:
                    return error

    return asyncio.run(main()), office.asked


def test_it_asks_through_the_proxy_and_believes_the_private_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asking(monkeypatch, SSL_CERT_FILE=str(PEM)) == ("alice", [f"CONNECT {HOST}:443"])


def test_it_believes_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    error, asked = asking(monkeypatch)
    assert asked
    assert "certificate" in str(error).lower()


@pytest.mark.parametrize(("name", "why"), [("absent.pem", "No such file"), (Path(__file__).name, "no certificate")])
def test_authorities_that_cannot_be_read_end_it_at_once(name: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(__file__).with_name(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with pytest.raises(ConfigurationError) as error:
        client({})
    assert str(error.value).startswith(f"no certificates can be read from {path} (SSL_CERT_FILE): ")
    assert why in str(error.value)


def test_authorities_are_read_once_for_all_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authorities = tmp_path / "ca.pem"
    authorities.write_bytes(PEM.read_bytes())
    read: list[object] = []
    make = ssl.create_default_context

    def counted(**options: Any) -> ssl.SSLContext:
        read.append(options)
        return make(**options)

    monkeypatch.setattr(ssl, "create_default_context", counted)
    monkeypatch.setenv("SSL_CERT_FILE", str(authorities))
    for number in range(3):
        UpCloud(Credentials(token=SecretStr(f"madeup-token-{number}")), base_url=f"https://{HOST}")
    assert read == [{"cafile": str(authorities)}]
