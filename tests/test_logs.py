"""The lines of the log, as text and as JSON."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest

from netgw import logs
from netgw.engine.objects import Name

log = logging.getLogger("netgw.tests")


@pytest.fixture(autouse=True)
def _root() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_text_names_the_object() -> None:
    stream = io.StringIO()
    logs.configure("text", "info", stream)
    with logs.about("VpnTunnel default/office-1"):
        log.info("created %s", "40e3c70c")
    log.debug("not told")
    log.warning("nothing in particular")
    first, second = stream.getvalue().splitlines()
    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(time + " INFO    VpnTunnel default/office-1: created 40e3c70c", first)
    assert re.fullmatch(time + " WARNING nothing in particular", second)


def test_json_is_one_object_per_line() -> None:
    stream = io.StringIO()
    logs.configure("json", "debug", stream)
    with logs.about("VpnTunnel default/office-1"):
        log.error("two\nlines", exc_info=ValueError("made up"))
    log.debug("bare")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["level"], first["logger"], first["message"]) == ("error", "netgw.tests", "two\nlines")
    assert first["object"] == "VpnTunnel default/office-1"
    assert first["exception"].endswith("ValueError: made up")
    assert set(second) == {"time", "level", "logger", "message"}


def test_each_task_is_about_its_own_object() -> None:
    stream = io.StringIO()
    logs.configure("json", "info", stream)

    async def work(name: str) -> None:
        with logs.about(name):
            await asyncio.sleep(0)
            log.info(name)

    async def story() -> None:
        await asyncio.gather(work("a"), work("b"))

    asyncio.run(story())
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["object"], line["message"]) for line in lines] == [("a", "a"), ("b", "b")]


def test_traceback_follows_its_line() -> None:
    stream = io.StringIO()
    logs.configure("text", "info", stream)
    log.error("failed", exc_info=ValueError("made up"))
    assert stream.getvalue().splitlines()[-1] == "    ValueError: made up"


def test_libraries_only_warn_and_name_their_object() -> None:
    stream = io.StringIO()
    logs.configure("json", "debug", stream)
    ref = {"kind": "VpnTunnel", "namespace": "default", "name": "office-1"}
    for name in ("httpx", "kopf.objects", "kubernetes.aio", "aiohttp.client", "uvicorn.error"):
        logging.getLogger(name).info("not told")
        logging.getLogger(name).warning("told", extra={"k8s_ref": ref})
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["message"] for line in lines] == ["told"] * 5
    assert {line["object"] for line in lines} == {"VpnTunnel default/office-1"}


FORGED = "made up\n2026-11-22T03:00:00.000Z ERROR   forged\r\x1b[2J\x00\x85\u2028\u2029\ud800"


@pytest.mark.parametrize("style", ["text", "json"])
def test_no_line_can_be_forged(style: Any) -> None:
    """Neither by a message, nor by the name of an object, nor by an exception."""
    stream = io.StringIO()
    logs.configure(style, "info", stream)
    with logs.about(FORGED):
        log.warning("%s", FORGED, exc_info=ValueError(FORGED))
    lines = stream.getvalue().split("\n")[:-1]
    stream.getvalue().encode()
    assert all(line.isprintable() for line in lines)
    assert [line for line in lines if line.startswith("2026-11-22T03:00:00")] == []
    if style == "json":
        [line] = lines
        assert json.loads(line)["message"] == FORGED


@pytest.mark.parametrize("style", ["text", "json"])
def test_a_line_is_bounded(style: Any) -> None:
    stream = io.StringIO()
    logs.configure(style, "info", stream)
    log.warning("begin %s end", "x" * 2**20)
    [line] = stream.getvalue().splitlines()
    assert len(line) <= 8192
    assert "begin" in line
    assert "end" in line


def test_json_says_which_object_and_pass_and_what_the_cloud_calls_its_answer() -> None:
    """The answer may come in another task that the pass started. A line's own id goes before that of the pass."""
    stream = io.StringIO()
    logs.configure("json", "info", stream)

    async def story() -> None:
        ref = Name("VpnTunnel", "default", "office-1")
        with logs.about(ref, uid="1b2c", reconcile="1b2c-7"):
            await asyncio.create_task(answer("01MADEUP"))
            log.info("sent")
            log.info("refused", extra={"correlation_id": "02MADEUP"})
        await answer("03MADEUP")
        log.info("bare")

    async def answer(correlation_id: str) -> None:
        logs.answered(correlation_id)

    asyncio.run(story())
    sent, refused, bare = (json.loads(line) for line in stream.getvalue().splitlines())
    about = {"object": "VpnTunnel default/office-1", "kind": "VpnTunnel", "namespace": "default", "name": "office-1"}
    whole = about | {"uid": "1b2c", "reconcile": "1b2c-7"}
    assert sent.items() >= (whole | {"correlation_id": "01MADEUP"}).items()
    assert refused.items() >= (whole | {"correlation_id": "02MADEUP"}).items()
    assert bare.keys() == {"time", "level", "logger", "message"}
