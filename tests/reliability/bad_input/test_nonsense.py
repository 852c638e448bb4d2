"""A MiB of nonsense in every text of the cloud: nothing that is read grows with it, no line is forged."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import httpx
import pytest

from netgw import logs
from support.audit import audited
from support.figures import Figures
from support.fuzz.mangle import NONSENSE, Stuffer
from support.history import History

LINE_MOST, STATUS_MOST, NOTE_MOST = 8192, 65_536, 1024
FIELDS = (
    "name", "operational_state", "configured_status", "address", "plan", "zone", "key", "value", "static_network",
    "type", "authentication", "tunnel_internal_ip", "uuid", "created_at", "features", "phase1_algorithms", "username",
    "route", "nexthop", "last_down_message", "unique_id", "state", "spi_in", "internal_state", "local_host",
    "remote_id",
)  # fmt: skip
REFUSALS = (
    {
        "status": 400,
        "body": {"type": "#ERROR_X", "title": NONSENSE, "invalid_params": [{"name": NONSENSE, "reason": "x"}]},
    },
    {"status": 409, "body": {"type": "#ERROR_" + NONSENSE, "title": "x", "correlation_id": NONSENSE}},
    {"status": 403, "body": {"error": {"error_code": NONSENSE, "error_message": NONSENSE}}},
    {"status": 502, "body": NONSENSE},
    {"status": 200, "body": NONSENSE},
    {"status": 400, "body": {"type": "#ERROR_X", "title": "\ud800 half"}},
)


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """The log as text, at DEBUG."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    written = io.StringIO()
    logs.configure("text", "debug", written)
    yield written
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize("field", FIELDS)
def test_in_what_is_observed(field: str, stream: io.StringIO, figures: Figures) -> None:
    roads: list[Stuffer] = []

    def road(cloud: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        roads.append(Stuffer(cloud))
        return roads[-1]

    async def story(h: History) -> None:
        h.road = road
        await h.start()
        h.apply_all()
        gateway = {**h.get("NetworkGateway", "edge").spec, "labelPolicy": "Replace", "labels": {"env": "test"}}
        h.kubernetes.apply("NetworkGateway", "edge", gateway)
        hub = {"staticRoutes": [{"name": "lab", "route": "10.9.0.0/16", "nexthop": "10.0.1.7"}]}
        h.kubernetes.apply("Router", "hub", hub)
        await h.settle()
        roads[0].fields = frozenset({field})
        if field == "username":
            h.kubernetes.put_data("upcloud", {"token": b"madeup-token"})
            h.kubernetes.apply("NetworkGateway", "branch", gateway | {"credentialsSecretRef": {"name": "upcloud"}})
        for _ in range(3):
            assert h.app is not None
            h.app.samples()  # somebody scrapes
            await asyncio.sleep(30)
        h.world.force_tunnel(
            str(h.get("VpnTunnel", "office-1").uuid), operational_state="connecting", last_down_message="no response"
        )
        await asyncio.sleep(120)
        _bounded(h)
        roads[0].fields = frozenset()

    h = audited(story)
    assert roads[0].stuffed
    _lines_are_ours(stream)
    _bounded(h)
    figures.put("bad input", "texts of the cloud replaced by 1 MiB of nonsense", len(FIELDS) + len(REFUSALS))


@pytest.mark.parametrize("number", range(len(REFUSALS)))
def test_in_what_is_refused(number: int, stream: io.StringIO) -> None:
    async def story(h: History) -> None:
        await h.start()
        fault = REFUSALS[number]
        h.world.faults.add("POST *", times=3, **fault)  # type: ignore[arg-type]
        h.world.faults.add("GET /1.3/gateway*", times=3, **fault)  # type: ignore[arg-type]
        h.apply_all()
        await asyncio.sleep(120)
        _bounded(h)

    audited(story)
    _lines_are_ours(stream)


def _bounded(h: History) -> None:
    for obj in h.objects():
        status = json.dumps(dict(obj.body.get("status") or {}))
        assert len(status) <= STATUS_MOST, f"{obj.ref}: {len(status)}"
        status.encode()
        for condition in obj.status.get("conditions") or ():
            assert len(condition["message"]) <= NOTE_MOST
            assert condition["message"].isprintable()
    for event in h.kubernetes.events:
        assert len(event[-1]) <= NOTE_MOST, f"{event[:3]}: {len(event[-1])}"
        assert event[-1].isprintable()


def _lines_are_ours(stream: io.StringIO) -> None:
    for line in stream.getvalue().split("\n"):
        assert len(line) <= LINE_MOST
        assert line.isprintable()
        assert " ERROR   " not in line[:40], line[:300]
