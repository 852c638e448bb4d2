"""Routers at any step of a death: made once with their gateway, and taken down after it."""

from __future__ import annotations

import pytest

from support.audit import Audit
from support.history import CONNECTION, GATEWAY, KEY, ROUTER, History, play, tunnel
from support.kills import STRIDE, Killed, gone, settled, sweep

LAB = {"name": "lab", "route": "10.9.0.0/16", "nexthop": "10.0.1.7"}


def create(h: History) -> None:
    """A VPN from nothing."""
    h.kubernetes.apply("NetworkGateway", "edge", GATEWAY | {"routerRef": {"name": "hub"}})
    h.kubernetes.apply("VpnConnection", "office", CONNECTION)
    h.kubernetes.apply("VpnTunnel", "office-1", tunnel("100.10.0.111"))
    h.kubernetes.apply("Router", "hub", {})
    h.kubernetes.put_secret("office-psk", KEY.encode())


def change(h: History) -> None:
    h.kubernetes.apply("Router", "hub", {"name": "rim", "labels": {"env": "prod"}, "staticRoutes": [LAB]})


def delete(h: History) -> None:
    for ref in list(h.kubernetes.objects):
        h.kubernetes.delete(ref.kind, ref.name)


def changed(h: History) -> bool:
    return settled(h) and any(router.name == "rim" for router in h.world.routers.values())


def routers(h: History) -> list[str]:
    """Those that were not there in the beginning."""
    return [uuid for uuid in h.world.routers if uuid != ROUTER]


def test_while_creating() -> None:
    def check(killed: Killed) -> None:
        h = killed.history
        assert len(h.calls("POST")) == 4
        assert h.calls("PATCH", "PUT", "DELETE") == []
        assert [gateway.router for gateway in h.world.gateways.values()] == routers(h)

    sweep(create, create, settled, check)


def test_while_changing() -> None:
    def check(killed: Killed) -> None:
        assert killed.history.calls("POST", "PUT", "DELETE") == []
        effects = sorted(field for _, field, _ in killed.audit.effects)
        assert effects == ["labels", "name", "static_routes"]

    sweep(create, change, changed, check)


def test_while_deleting() -> None:
    def check(killed: Killed) -> None:
        h = killed.history
        assert h.calls("POST", "PUT", "PATCH") == []
        assert len(h.calls("DELETE")) <= 4 + 2
        assert routers(h) == []

    sweep(create, delete, gone, check)


@pytest.mark.parametrize("before", [5, 40, 90, 140, 200])
def test_while_deleting_what_is_still_being_created(before: int) -> None:
    audits: list[Audit] = []

    async def story(h: History) -> None:
        h.witness = audit = Audit(h)
        audits.append(audit)
        h.loop.at_step(before, lambda: delete(h))
        h.loop.at_step(before + death, h.die)
        create(h)
        await h.start_or_die()
        await h.life.ended.wait()
        await h.kill()
        await h.start()
        await h.until(lambda: gone(h))

    for death in range(1, 120, 4 * STRIDE):
        h = play(story, seed=death, latency=0.05)
        assert audits[-1].violations == []
        assert routers(h) == []


def test_an_answer_that_is_lost() -> None:
    """The POST took effect and nobody heard of it: found by the mark, not made again."""

    async def story(h: History) -> None:
        h.witness = audit = Audit(h)
        h.world.faults.add("POST /1.3/router", timeout=40.0, when="after")
        await h.start()
        create(h)
        await h.settle()
        assert len([call for call in h.calls("POST") if call.endswith("/router")]) == 1
        assert len(routers(h)) == 1
        assert audit.violations == []

    play(story)
