"""Probes over a real socket, in the loop of the process that they tell about."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

import httpx
import pytest

from netgw.probes import ProbesError, ProbeServer, probes_app
from netgw.settings import Address

ANY = Address("127.0.0.1", 0)


class Process:
    def __init__(self) -> None:
        self.alive = True
        self.ready = (False, "waits for the first list")

    def server(self, listen: Address = ANY) -> ProbeServer:
        return ProbeServer(probes_app(lambda: self.alive, lambda: self.ready, self.expose), listen)

    async def expose(self, accept: str) -> tuple[str, bytes]:
        return accept, b"up 1\n"


def serve(process: Process, story: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
    async def served() -> None:
        server = process.server()
        address = await server.start()
        async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client:
            await story(client)
        await server.stop()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(served())


def test_probes_say_what_the_process_says() -> None:
    process = Process()

    async def story(client: httpx.AsyncClient) -> None:
        assert (await client.get("/livez")).status_code == 200
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.text) == (503, "waits for the first list\n")
        process.ready = (True, "standby: another replica leads")
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.text) == (200, "standby: another replica leads\n")
        process.alive = False
        assert (await client.get("/livez")).status_code == 503
        assert (await client.get("/")).status_code == 404

    serve(process, story)


def test_metrics_come_as_the_scraper_wants_them() -> None:
    async def story(client: httpx.AsyncClient) -> None:
        answer = await client.get("/metrics", headers={"Accept": "text/plain; version=0.0.4"})
        assert (answer.headers["content-type"], answer.text) == ("text/plain; version=0.0.4", "up 1\n")

    serve(Process(), story)


def test_signals_stay_with_the_process() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    async def story(client: httpx.AsyncClient) -> None:
        await client.get("/livez")
        # asyncio.run has its own handler of SIGINT.
        assert signal.getsignal(signal.SIGTERM) == before[1]

    serve(Process(), story)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_requests_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        await client.get("/livez")

    with caplog.at_level("INFO"):
        serve(Process(), story)
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []


def test_address_in_use_is_one_line() -> None:
    async def story() -> None:
        first = Process().server()
        address = await first.start()
        with pytest.raises(ProbesError) as error:
            await Process().server(address).start()
        assert str(error.value) == f"NETGW_LISTEN is {address}, where nothing can listen: Address already in use"
        await first.stop()

    asyncio.run(story())


def test_unknown_host_is_one_line() -> None:
    with pytest.raises(ProbesError, match=r"^NETGW_LISTEN is host\.invalid:1, where nothing can listen: "):
        asyncio.run(Process().server(Address("host.invalid", 1)).start())


def test_stop_without_start_is_nothing() -> None:
    asyncio.run(Process().server().stop())
