"""The socket: what only a process and a connection can show."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx
import pytest

ROUTER = "04f55cc1-bcd9-49eb-bd56-d65d7e3f2156"
SOURCES = str(Path(__file__).parents[4] / "operator")
DEADLINE = 20
TOKENS = {"made-up": "simulator", "made-up-2": "bob"}
PROGRAM = (
    "from netgw.providers.upcloud.simulator.server import serve; "
    f"serve(listen='127.0.0.1:0', delay=0.01, tokens={TOKENS}, routers=['{ROUTER}'], tunnels='idle', "
    "floating_ips=['203.0.113.200'])"
)


@contextmanager
def server() -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": SOURCES}
    argv = [sys.executable, "-c", PROGRAM]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def first_line(stream: IO[str] | None) -> str:
    assert stream is not None
    assert select.select([stream], [], [], DEADLINE)[0], "nothing was printed"
    return stream.readline()


@contextmanager
def client_of(process: subprocess.Popen[str]) -> Iterator[httpx.Client]:
    line = first_line(process.stdout)
    assert line.startswith("listening on http://127.0.0.1:")
    headers = {"Authorization": "Bearer made-up"}
    base = line.removeprefix("listening on ").strip()
    with httpx.Client(base_url=base, headers=headers, timeout=DEADLINE, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serves_until_a_signal(number: signal.Signals) -> None:
    with server() as process, client_of(process) as client:
        assert client.get("/1.3/account").json()["account"]["username"] == "simulator"
        assert client.get("/1.3/account", headers={"Authorization": "Bearer other"}).status_code == 401
        bob = {"Authorization": "Bearer made-up-2"}
        assert client.get("/1.3/account", headers=bob).json()["account"]["username"] == "bob"
        assert client.get("/1.3/router", headers=bob).json()["routers"]["router"] == []
        assert client.get("/1.3/router").json()["routers"]["router"][0]["uuid"] == ROUTER
        held = client.get("/_sim/world").json()
        assert held["tunnels"] == "idle"
        assert held["floating_ips"] == [{"account": "simulator", "address": "203.0.113.200"}]
        answer = client.get("/1.3/gateway/plans")
        assert sorted(answer.headers) == ["content-length", "content-type", "date", "strict-transport-security"]
        client.post("/_sim/faults", json=[{"match": "GET /1.3/zone", "timeout": 60}])
        with pytest.raises(httpx.ReadTimeout):
            client.get("/1.3/zone", timeout=0.1)
        process.send_signal(number)
        assert process.communicate(timeout=DEADLINE) == ("", "")
        assert process.returncode == 0


def test_faults_break_the_connection() -> None:
    with server() as process, client_of(process) as client:
        body = {"router": {"name": "r"}}
        faults = [
            {"match": "POST /1.3/router", "reset": True},
            {"match": "POST /1.3/router", "reset": True, "when": "after"},
            {"match": "GET /1.3/zone", "timeout": 0.3},
        ]
        client.post("/_sim/faults", json=faults).raise_for_status()
        for _ in range(2):
            with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
                client.post("/1.3/router", json=body)
        begun = time.monotonic()
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            client.get("/1.3/zone")
        assert time.monotonic() - begun >= 0.3
        assert len(client.get("/1.3/router").json()["routers"]["router"]) == 2
        assert [call["status"] for call in client.get("/_sim/calls").json()] == [None, None, None, 200]
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=DEADLINE) == ("", "")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--floating-ip", "203.0.113"], "--floating-ip: Expected 4 octets in '203.0.113'; expected an IPv4 address"),
        (["--account", "made-up"], "--account is not TOKEN=NAME"),
        (["--account", "=bob"], "--account is not TOKEN=NAME"),
        (
            ["--account", "made-up=bob", "--token", "other"],
            "--token and --account are both given; expected one of the two",
        ),
    ],
)
def test_wrong_flag_is_one_line(flags: list[str], said: str) -> None:
    argv = [sys.executable, "-m", "netgw.cli", "simulate", "upcloud", *flags]
    environment = {**os.environ, "PYTHONPATH": SOURCES}
    ended = subprocess.run(argv, capture_output=True, text=True, env=environment, timeout=3 * DEADLINE, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", f"netgw: {said}\n")
