"""Killed at any step in the middle of creating, changing and deleting everything, and started again."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from support.audit import SECRETS, Audit
from support.history import CONNECTION, GATEWAY, OTHER_KEY, History, play, tunnel
from support.kills import STRIDE, Killed, gone, in_cloud, settled, sweep

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


def changed(h: History) -> bool:
    keys = {found.psk_sha256 for gateway in h.world.gateways.values() for found in gateway.tunnels}
    return settled(h) and keys == {hashlib.sha256(OTHER_KEY.encode()).hexdigest()}


def test_while_creating() -> None:
    """Four POSTs, whenever it dies: what was made is found again, and what was not is made then."""

    def check(killed: Killed) -> None:
        h = killed.history
        assert len(h.calls("POST")) == 4
        assert h.calls("PATCH", "PUT", "DELETE") == []
        in_cloud(h, gateways=1, connections=1, tunnels=2)

    sweep(create, create, settled, check)


def test_while_changing() -> None:
    """Each value changes once, in place."""

    def check(killed: Killed) -> None:
        assert killed.history.calls("POST", "PUT", "DELETE") == []
        effects = sorted(field for _, field, _ in killed.audit.effects)
        assert effects == ["ipsec", "local_routes", "plan", "psk_sha256", "psk_sha256"]

    sweep(create, change, changed, check)


def test_while_deleting() -> None:
    """Child first, one DELETE each but for an answer that was lost, and nothing is left."""

    def check(killed: Killed) -> None:
        h = killed.history
        assert h.calls("POST", "PUT", "PATCH") == []
        assert len(h.calls("DELETE")) <= 4 + 2
        in_cloud(h, gateways=0, connections=0, tunnels=0)

    sweep(create, delete, gone, check)


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
