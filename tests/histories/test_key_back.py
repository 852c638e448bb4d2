"""The key is changed and changed back while nobody knows which of the two UpCloud has."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Literal

import pytest

from support.history import KEY, OTHER_KEY, History, play
from support.mutants.beginning import begun, tunnels

KEYS = [KEY, OTHER_KEY]


def has(h: History, key: str) -> bool:
    return bool(tunnels(h)[0].psk_sha256 == hashlib.sha256(key.encode()).hexdigest())


async def settled_with(h: History, key: str) -> None:
    await h.settle()
    await asyncio.sleep(120)
    assert has(h, key)
    obj = h.get("VpnTunnel", "office-1")
    assert (obj.condition("PskInSync") or {})["reason"] == "Accepted"
    assert "sending" not in obj.status["psk"]


@pytest.mark.parametrize("after", KEYS, ids=["put back", "left"])
def test_killed_before_the_answer_is_recorded(after: str) -> None:
    async def story(h: History) -> None:
        await begun(h, tunnels=1)
        h.witness.when_answered = lambda request: h.die() if request.method == "PATCH" else None
        h.kubernetes.put_secret("office-psk", OTHER_KEY.encode())
        await h.until(lambda: h.life.over)
        await h.kill()
        h.witness.when_answered = lambda request: None
        assert has(h, OTHER_KEY)
        h.kubernetes.put_secret("office-psk", after.encode())
        await h.start()
        await settled_with(h, after)

    play(story)


@pytest.mark.parametrize("after", KEYS, ids=["put back", "left"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_the_answer_is_lost(when: Literal["before", "after"], after: str) -> None:
    async def story(h: History) -> None:
        await begun(h, tunnels=1)
        h.world.faults.add("PATCH *", reset=True, when=when)
        h.kubernetes.put_secret("office-psk", OTHER_KEY.encode())
        await h.until(lambda: bool(h.calls("PATCH")))
        h.kubernetes.put_secret("office-psk", after.encode())
        await settled_with(h, after)

    play(story)
