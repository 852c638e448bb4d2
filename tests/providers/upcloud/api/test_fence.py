"""Who may not change anything any more sends nothing that would, however far the request has come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from netgw.engine.progress import Stopping
from netgw.providers.upcloud.api import Credentials, UpCloud
from netgw.providers.upcloud.api.errors import Withheld
from netgw.providers.upcloud.credentials.clients import Clients
from netgw.providers.upcloud.failures import OWN_CALLER, mapped

ANSWER = b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"
CREDENTIALS = Credentials(token=SecretStr("madeup_token_of_the_fence"))


def heard(may_change: Callable[[], bool], *, get: bool = False) -> tuple[list[bytes], BaseException | None]:
    """The request lines that a server gets, and how the call ends."""
    lines: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if line := await reader.readline():
            lines.append(line)
            writer.write(ANSWER)
        writer.close()

    async def story() -> BaseException | None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        clients = Clients(CREDENTIALS, base_url=f"http://127.0.0.1:{port}")
        clients.fence(may_change)
        client = clients.of(CREDENTIALS)
        call = client.get_account() if get else client.delete_gateway(gateway="u")
        (ended,) = await asyncio.gather(call, return_exceptions=True)
        await clients.aclose()
        server.close()
        await server.wait_closed()
        return ended if isinstance(ended, BaseException) else None

    ended = asyncio.run(story())
    return lines, ended


def answers(*given: bool) -> Callable[[], bool]:
    left = iter(given)
    return lambda: next(left)


def test_a_leader_changes_things() -> None:
    assert heard(lambda: True) == ([b"DELETE /1.3/gateway/u HTTP/1.1\r\n"], None)


def test_who_does_not_lead_does_not_even_connect() -> None:
    lines, ended = heard(lambda: False)
    assert lines == []
    assert isinstance(ended, Withheld)
    assert not ended.sent


def test_it_is_asked_again_when_the_connection_stands() -> None:
    """To connect takes time, in which a process may have been frozen."""
    lines, ended = heard(answers(True, False))
    assert lines == []
    assert isinstance(ended, Withheld)


def test_everybody_may_look() -> None:
    lines, _ = heard(answers(), get=True)
    assert lines[0] == b"GET /1.3/account HTTP/1.1\r\n"


def test_a_pass_ends_in_silence() -> None:
    """Nothing is to be said of it in a status, which is another's by now."""
    with pytest.raises(Stopping), mapped(OWN_CALLER):
        raise Withheld("DELETE: not sent", method="DELETE", sent=False)


def test_without_a_fence_there_is_none() -> None:
    async def story() -> None:
        async with UpCloud(CREDENTIALS, base_url="http://127.0.0.1:9") as client:
            with pytest.raises(Exception, match="no connection"):
                await client.delete_gateway(gateway="u")

    asyncio.run(story())
