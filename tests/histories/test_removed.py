"""An object that the API server removes while what it stands for is being made, past the finalizer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from support.audit import audited
from support.history import GATEWAY, History

KINDS = [("NetworkGateway", "edge"), ("VpnConnection", "office"), ("VpnTunnel", "office-1"), ("Router", "paris")]


def removed(h: History, kind: str, name: str, then: Callable[[], None] = lambda: None) -> None:
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


@pytest.mark.parametrize(("kind", "name"), KINDS)
def test_what_was_made_for_an_object_that_is_gone_by_then_is_deleted_again(kind: str, name: str) -> None:
    async def story(h: History) -> None:
        removed(h, kind, name)
        await h.start()
        h.apply_all(1)
        h.kubernetes.apply("Router", "paris", {})
        await h.until(lambda: bool(h.calls("DELETE")))
        assert len(h.calls("DELETE")) == 1
        await asyncio.sleep(600)
        assert not in_the_cloud(h, name)

    audited(story)


@pytest.mark.parametrize("spec", [{"deletionPolicy": "Retain"}, {"deletionProtection": True}])
def test_but_not_where_it_is_to_be_kept(spec: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    async def story(h: History) -> None:
        removed(h, "NetworkGateway", "edge")
        await h.start()
        h.kubernetes.apply("NetworkGateway", "edge", GATEWAY | spec)
        await h.until(lambda: bool(in_the_cloud(h, "edge")))
        await asyncio.sleep(600)
        (left,) = in_the_cloud(h, "edge")
        assert any(left in said and "it is to be kept" in said for said in caplog.messages)

    audited(story)


def test_nor_where_an_object_of_that_name_is_there_again() -> None:
    """Two of one name never come from it: the new object finds what was made for the old one, and takes it."""

    async def story(h: History) -> None:
        removed(h, "NetworkGateway", "edge", lambda: h.kubernetes.apply("NetworkGateway", "edge", GATEWAY))
        await h.start()
        h.kubernetes.apply("NetworkGateway", "edge", GATEWAY)
        await h.until(lambda: bool(in_the_cloud(h, "edge")))
        await h.settle()
        assert in_the_cloud(h, "edge") == [h.get("NetworkGateway", "edge").uuid]
        assert h.calls("DELETE") == []

    audited(story)


def test_when_it_cannot_be_deleted_the_log_says_what_is_left(caplog: pytest.LogCaptureFixture) -> None:
    async def story(h: History) -> None:
        removed(h, "NetworkGateway", "edge")
        h.world.faults.add("DELETE *", status=503, times=1)
        await h.start()
        h.kubernetes.apply("NetworkGateway", "edge", GATEWAY)
        await h.until(lambda: bool(h.calls("DELETE")))
        await asyncio.sleep(60)
        (left,) = in_the_cloud(h, "edge")
        assert any(left in said and "left in the cloud" in said for said in caplog.messages)

    audited(story)
