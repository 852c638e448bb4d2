"""Short stories for defects that random days seldom meet: each raises AssertionError where the operator misbehaves."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

from support.audit import audited
from support.history import OTHER_KEY, History, tunnel
from support.mutants import ends, sights
from support.mutants.beginning import begun, drift, tunnels

Story = Callable[[History], Coroutine[Any, Any, None]]
PEER = "100.10.0.111"
SOON = 8.0
"""Seconds: less than until the next look at the cloud."""


async def paused(h: History) -> None:
    """What is paused is left alone, whatever its spec says."""
    await begun(h)
    h.kubernetes.annotate("VpnTunnel", "office-1", "paused", "true")
    await asyncio.sleep(5)
    h.kubernetes.apply("VpnTunnel", "office-1", tunnel(PEER, ipsec={"rekeyTime": 7200}))
    await asyncio.sleep(60)
    assert h.calls("PATCH") == [], "changed while paused"


async def observed(h: History) -> None:
    """What is only to be observed is not changed."""
    await begun(h)
    spec = tunnel(PEER, ipsec={"rekeyTime": 14400}, managementPolicy="Observe")
    h.kubernetes.apply("VpnTunnel", "office-1", spec)
    await asyncio.sleep(20)
    drift(h)
    await asyncio.sleep(200)
    assert h.calls("PATCH") == [], "changed although observed"


async def reported(h: History) -> None:
    """Drift is told and left."""
    await begun(h)
    spec = tunnel(PEER, ipsec={"rekeyTime": 7200}, driftPolicy="Report")
    h.kubernetes.apply("VpnTunnel", "office-1", spec)
    await h.until(lambda: h.calls("PATCH") != [])
    await h.settle()
    h.world.calls.clear()
    drift(h)
    await asyncio.sleep(200)
    assert h.calls("PATCH") == [], "drift was corrected"


async def left_to_the_cloud(h: History) -> None:
    """What the spec does not set is the business of others."""
    await begun(h)
    drift(h)
    await asyncio.sleep(200)
    assert h.calls("PATCH") == [], "changed what no spec sets"


async def one_by_one(h: History) -> None:
    """A key goes to one tunnel, and to the next when that one is up again."""
    await begun(h)
    h.kubernetes.put_secret("office-psk", OTHER_KEY.encode())
    await h.until(lambda: h.calls("PATCH") != [])
    new = hashlib.sha256(OTHER_KEY.encode()).hexdigest()
    for found in tunnels(h):
        if found.psk_sha256 == new:
            h.world.force_tunnel(found.uuid, operational_state="error", tunnel_up=False)
    await asyncio.sleep(300)
    assert len(h.calls("PATCH")) == 1, "the next was cut while the first was down"


async def edited(h: History) -> None:
    """A change of a spec is one call."""
    await begun(h)
    h.kubernetes.apply("VpnTunnel", "office-1", tunnel(PEER, ipsec={"rekeyTime": 7200}))
    await asyncio.sleep(120)
    await h.settle()
    assert len(h.calls("PATCH")) == 1, "not one call"


async def rotated(h: History) -> None:
    """A new key goes out once to each tunnel, soon, and nothing shows it."""
    await begun(h)
    h.kubernetes.put_secret("office-psk", OTHER_KEY.encode())
    await h.until(lambda: h.calls("PATCH") != [], SOON)
    await asyncio.sleep(300)
    assert len(h.calls("PATCH")) == 2, "not once to each"


async def still(h: History) -> None:
    """Where nothing changes, nothing is written, also when everything is decided on once more."""
    await begun(h)
    writes = len(h.kubernetes.writes)
    h.kubernetes.annotate_namespace("note", "of no meaning to us")
    await asyncio.sleep(300)
    assert len(h.kubernetes.writes) == writes, "a status was written"


async def refused(h: History) -> None:
    """What fails is tried again ever more seldom."""
    await begun(h)
    h.world.faults.add("PATCH *", status=500, times=1000)
    h.kubernetes.apply("VpnTunnel", "office-1", tunnel(PEER, ipsec={"rekeyTime": 7200}))
    await asyncio.sleep(300)
    assert len(h.calls("PATCH")) <= 30, "no back-off"


CHANGES = (paused, observed, reported, left_to_the_cloud, one_by_one, edited, rotated, still, refused)
STORIES: dict[str, Story] = {story.__name__: story for story in (*CHANGES, *ends.STORIES, *sights.STORIES)}


def tell(name: str) -> None:
    """Play one of them under audit."""
    audited(STORIES[name])
