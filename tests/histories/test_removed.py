"""An object that the API server removes while what it stands for is being made, past the finalizer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from netgw.engine.ownership import MARK
from netgw.providers.upcloud.simulator.records import Connection
from support.audit import audited
from support.history import CONNECTION, GATEWAY, History

KINDS = [("NetworkGateway", "edge"), ("VpnConnection", "office"), ("VpnTunnel", "office-1"), ("Router", "paris")]


def removed(h: History, kind: str, name: str, then: Callable[[], object] = lambda: None) -> None:
    """What it makes is made; then the API server removes the object, past its finalizer."""

    def when_answered(request: httpx.Request) -> None:
        if request.method == "POST" and name in request.content.decode():
            h.witness.when_answered = lambda request: None
            h.kubernetes.remove(kind, name)
            then()

    h.witness.when_answered = when_answered


def in_the_cloud(h: History, name: str) -> list[str]:
    gateways = [gateway for gateway in h.world.gateways.values() if not gateway.deleting]
    parts: list[Any] = [*gateways, *(part for gateway in gateways for part in (*gateway.connections, *gateway.tunnels))]
    return [part.uuid for part in (*parts, *h.world.routers.values()) if part.name == name]


async def at_rest(h: History, name: str) -> None:
    """For ten minutes; nothing of that name is in the cloud."""
    await asyncio.sleep(60)
    calls, writes = h.calls("POST", "PATCH", "PUT", "DELETE"), len(h.kubernetes.writes)
    await asyncio.sleep(600)
    assert h.calls("POST", "PATCH", "PUT", "DELETE") == calls
    assert len(h.kubernetes.writes) == writes
    assert in_the_cloud(h, name) == []


def stays(why: str, caplog: pytest.LogCaptureFixture, then: Callable[[History], object], **spec: Any) -> None:
    """The object of a gateway goes, `then` happens, and the gateway is left: the log says which, and why."""

    async def story(h: History) -> None:
        removed(h, "NetworkGateway", "edge", lambda: then(h))
        await h.start()
        h.kubernetes.apply("NetworkGateway", "edge", GATEWAY | spec)
        await h.until(lambda: bool(in_the_cloud(h, "edge")))
        await asyncio.sleep(600)
        (uuid,) = in_the_cloud(h, "edge")
        assert any(uuid in said and why in said for said in caplog.messages), caplog.messages

    audited(story)


@pytest.mark.parametrize(("kind", "name"), KINDS)
def test_what_was_made_for_it_is_deleted_again(kind: str, name: str) -> None:
    async def story(h: History) -> None:
        removed(h, kind, name)
        await h.start()
        h.apply_all(1)
        h.kubernetes.apply("Router", "paris", {})
        await h.until(lambda: bool(h.calls("DELETE")))
        await at_rest(h, name)
        assert len(h.calls("DELETE")) == 1

    audited(story)


@pytest.mark.parametrize("spec", [{"deletionPolicy": "Retain"}, {"deletionProtection": True}])
def test_but_not_where_it_is_to_be_kept(spec: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    stays("it is to be kept", caplog, lambda h: None, **spec)


def test_nor_where_a_gateway_of_that_name_is_there_again() -> None:
    """The new object finds by its mark what was made for the old one, and takes it."""

    async def story(h: History) -> None:
        removed(h, "NetworkGateway", "edge", lambda: h.kubernetes.apply("NetworkGateway", "edge", GATEWAY))
        await h.start()
        h.kubernetes.apply("NetworkGateway", "edge", GATEWAY)
        await h.until(lambda: bool(in_the_cloud(h, "edge")))
        await h.settle()
        assert in_the_cloud(h, "edge") == [h.get("NetworkGateway", "edge").uuid]
        assert h.calls("DELETE") == []

    audited(story)


@pytest.mark.parametrize("spec", [{}, {"localRoutes": [{"name": "other", "staticNetwork": "10.0.2.0/24"}]}])
def test_a_connection_of_that_name_is_made_anew(spec: dict[str, Any]) -> None:
    """It has no mark: one that is to be otherwise would find it in the way."""

    async def story(h: History) -> None:
        await h.start()
        h.kubernetes.apply("NetworkGateway", "edge", GATEWAY)
        await h.settle()
        removed(h, "VpnConnection", "office", lambda: h.kubernetes.apply("VpnConnection", "office", CONNECTION | spec))
        h.kubernetes.apply("VpnConnection", "office", CONNECTION)
        await h.until(lambda: bool(h.calls("DELETE")))
        await h.until(lambda: h.reason("VpnConnection", "office") == "InSync")
        assert in_the_cloud(h, "office") == [h.get("VpnConnection", "office").uuid]

    audited(story)


def test_nor_what_somebody_took_our_mark_off(caplog: pytest.LogCaptureFixture) -> None:
    """An operator that overlaps with this one retained it meanwhile."""

    def unmark(h: History) -> None:
        for gateway in h.world.gateways.values():
            gateway.labels.pop(MARK)

    stays("its mark is not ours", caplog, unmark)


def test_nor_what_somebody_made_something_below(caplog: pytest.LogCaptureFixture) -> None:
    def below(h: History) -> None:
        for gateway in h.world.gateways.values():
            gateway.connections.append(Connection("10by-hand", "by-hand", "ipsec", h.clock.wall(), h.clock.wall()))

    stays("something is below it", caplog, below)


@pytest.mark.parametrize("match", ["DELETE /*", "GET /1.3/gateway/*"])
def test_where_it_cannot_be_deleted_the_log_says_what_is_left(match: str, caplog: pytest.LogCaptureFixture) -> None:
    """It is tried once: whatever becomes of the object, there is no place to remember it in."""
    stays("UpCloud does not answer", caplog, lambda h: h.world.faults.add(match, status=503, times=9))


def test_where_the_process_ends_it_begins_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def end(h: History) -> None:
        assert h.app is not None
        h.app.reconciler.stop()

    stays("Stopping", caplog, end)
