"""Killed at any step of the event loop, in the middle of creating, changing and deleting everything, and started again.

A step is a round of the loop: every await of every pass is between two of them. By default each fifth step is tried;
`NETGW_HISTORIES` of 100 or more every one.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable
from typing import Any

import pytest

from support.audit import Audit
from support.history import CONNECTION, GATEWAY, KEY, OTHER_KEY, History, play, tunnel

Act = Callable[[History], None]

STRIDE = 1 if int(os.environ.get("NETGW_HISTORIES") or 0) >= 100 else 5
SECRETS = (KEY, OTHER_KEY, "madeup-token")
ROUTES = [{"name": "cloud", "staticNetwork": "10.0.9.0/24"}]


def create(h: History) -> None:
    h.apply_all()


def change(h: History) -> None:
    h.kubernetes.apply("NetworkGateway", "edge", GATEWAY | {"plan": "advanced"})
    h.kubernetes.apply("VpnConnection", "office", CONNECTION | {"localRoutes": ROUTES})
    h.kubernetes.apply("VpnTunnel", "office-1", tunnel("100.10.0.111", ipsec={"rekeyTime": 7200}))
    h.kubernetes.put_secret("office-psk", OTHER_KEY.encode())


def delete(h: History) -> None:
    for ref in list(h.kubernetes.objects):
        h.kubernetes.delete(ref.kind, ref.name)


def settled(h: History) -> bool:
    return all(h.ready(obj) for obj in h.objects())


def changed(h: History) -> bool:
    keys = {found.psk_sha256 for gateway in h.world.gateways.values() for found in gateway.tunnels}
    return settled(h) and keys == {hashlib.sha256(OTHER_KEY.encode()).hexdigest()}


def gone(h: History) -> bool:
    return not h.kubernetes.objects


class Killed:
    """One history: `act`, death so many steps later (None: no death), a new process, until `done`."""

    def __init__(self, act: Act, done: Callable[[History], bool], step: int | None, seed: int = 0) -> None:
        self.act = act
        self.done = done
        self.step = step
        self.steps = 0
        self.died = False
        self.audit: Audit
        self.history = play(self._story, seed=seed, latency=0.05)
        assert self.audit.violations == []

    async def _story(self, h: History) -> None:
        h.witness = self.audit = Audit(h, SECRETS)
        if self.act is not create:
            await h.start()
            h.apply_all()
            await h.settle()
            h.world.calls.clear()
        begun = h.loop.steps
        if self.step is not None:
            h.loop.at_step(begun + self.step, lambda: None if self.steps else h.die())
        self.act(h)
        if h.app is None:
            await h.start_or_die()
        await h.until(lambda: h.life.over or self.done(h))
        self.steps = h.loop.steps - begun
        self.died = h.life.over
        await h.kill()
        await h.start()
        await h.until(lambda: self.done(h))
        await asyncio.sleep(30)
        assert self.done(h), h.picture()


def sweep(act: Act, done: Callable[[History], bool], check: Callable[[Killed], None]) -> None:
    steps = Killed(act, done, None).steps
    died = 0
    for step in range(1, steps, STRIDE):
        killed = Killed(act, done, step, seed=step)
        died += killed.died
        check(killed)
    assert died > 0.8 * steps / STRIDE


def test_while_creating() -> None:
    """Four POSTs, whenever it dies: what was made is found again, and what was not is made then."""

    def check(killed: Killed) -> None:
        h = killed.history
        assert len(h.calls("POST")) == 4
        assert h.calls("PATCH", "PUT", "DELETE") == []
        in_cloud(h, gateways=1, connections=1, tunnels=2)

    sweep(create, settled, check)


def test_while_changing() -> None:
    """Each value changes once, in place."""

    def check(killed: Killed) -> None:
        assert killed.history.calls("POST", "PUT", "DELETE") == []
        effects = sorted(field for _, field, _ in killed.audit.effects)
        assert effects == ["ipsec", "local_routes", "plan", "psk_sha256", "psk_sha256"]

    sweep(change, changed, check)


def test_while_deleting() -> None:
    """Child first, one DELETE each but for an answer that was lost, and nothing is left."""

    def check(killed: Killed) -> None:
        h = killed.history
        assert h.calls("POST", "PUT", "PATCH") == []
        assert len(h.calls("DELETE")) <= 4 + 2
        in_cloud(h, gateways=0, connections=0, tunnels=0)

    sweep(delete, gone, check)


@pytest.mark.parametrize("before", [5, 40, 90, 140, 190, 240, 300])
def test_while_deleting_what_is_still_being_created(before: int) -> None:
    """Deleted in the middle of being made, killed a little later: nothing is left, nothing is made twice."""

    async def story(h: History) -> None:
        h.witness = audits[-1] = Audit(h, SECRETS)
        h.loop.at_step(before, lambda: delete(h))
        h.loop.at_step(before + death, h.die)
        h.apply_all()
        await h.start_or_die()
        await h.life.ended.wait()
        await h.kill()
        await h.start()
        await h.until(lambda: gone(h))

    for death in range(1, 120, 4 * STRIDE):
        audits: list[Any] = [None]
        h = play(story, seed=death, latency=0.05)
        assert audits[-1].violations == []
        in_cloud(h, gateways=0, connections=0, tunnels=0)


def in_cloud(h: History, **wanted: int) -> None:
    """How many there are that are not on their way out."""
    h.world.stamp()
    gateways = [gateway for gateway in h.world.gateways.values() if not gateway.deleting]
    connections = [connection for gateway in gateways for connection in gateway.connections]
    tunnels = [found for connection in connections for found in connection.tunnels]
    found = {"gateways": len(gateways), "connections": len(connections), "tunnels": len(tunnels)}
    assert found == wanted, h.picture()
