"""The main job in virtual time: the real engine, kinds and client against the simulator."""

from __future__ import annotations

import asyncio

from support.history import OTHER_KEY, History, play


def test_create_in_any_order_with_exactly_four_posts() -> None:
    async def story(h: History) -> None:
        await h.start()
        h.apply_all()
        await h.settle()
        assert h.reason("VpnTunnel", "office-1", "PskInSync") == "Accepted"

    h = play(story)
    assert len(h.calls("POST")) == 4
    assert h.calls("PATCH", "PUT", "DELETE") == []


def test_steady_state_is_one_list_per_interval_and_no_write() -> None:
    async def story(h: History) -> None:
        await h.start()
        h.apply_all()
        await h.settle()
        await asyncio.sleep(1300)  # past the ten minutes of fast looks
        h.world.calls.clear()
        writes = len(h.kubernetes.writes)
        await asyncio.sleep(600)
        assert len(h.kubernetes.writes) == writes
        assert set(h.calls()) == {"GET /1.3/gateway?limit=100&offset=0"}
        assert len(h.calls()) in (9, 10, 11)

    play(story)


def test_rotate_rolls_over_the_tunnels_in_place() -> None:
    async def story(h: History) -> None:
        await h.start()
        h.apply_all()
        await h.settle()
        before = {name: h.get("VpnTunnel", name).uuid for name in ("office-1", "office-2")}
        h.world.calls.clear()
        h.kubernetes.put_secret("office-psk", OTHER_KEY.encode())
        await h.until(lambda: len(h.calls("PATCH")) == 1)
        await h.until(lambda: len(h.calls("PATCH")) == 2)
        await h.settle()
        await asyncio.sleep(60)
        assert {name: h.get("VpnTunnel", name).uuid for name in before} == before
        assert len(h.calls("PATCH")) == 2
        assert h.calls("POST", "DELETE") == []
        first, second = [c.at for c in h.world.calls if c.method == "PATCH"]
        assert (second - first).total_seconds() > 2

    play(story)


def test_delete_all_at_once_ends_clean() -> None:
    async def story(h: History) -> None:
        await h.start()
        h.apply_all()
        await h.settle()
        for ref in list(h.kubernetes.objects):
            h.kubernetes.delete(ref.kind, ref.name)
        await h.until(lambda: not h.kubernetes.objects)
        assert not h.world.gateways

    play(story)
