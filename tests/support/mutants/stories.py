"""Short stories for defects that random days seldom meet: each raises AssertionError where the operator misbehaves."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

from support.audit import audited
from support.history import OTHER_KEY, History, tunnel

Story = Callable[[History], Coroutine[Any, Any, None]]


async def _begun(h: History, tunnels: int = 2) -> None:
    h.apply_all(tunnels)
    await h.start()
    await h.settle()
    await asyncio.sleep(60)
    h.world.calls.clear()


async def paused(h: History) -> None:
    """What is paused is left alone, whatever its spec says."""
    await _begun(h)
    h.kubernetes.annotate("VpnTunnel", "office-1", "paused", "true")
    await asyncio.sleep(5)
    h.kubernetes.apply("VpnTunnel", "office-1", tunnel("100.10.0.111", ipsec={"rekeyTime": 7200}))
    await asyncio.sleep(60)
    assert h.calls("PATCH") == [], "changed while paused"


async def reported(h: History) -> None:
    """Drift is told and left."""
    await _begun(h)
    spec = tunnel("100.10.0.111", ipsec={"rekeyTime": 7200}, driftPolicy="Report")
    h.kubernetes.apply("VpnTunnel", "office-1", spec)
    await h.until(lambda: h.calls("PATCH") != [])
    await h.settle()
    h.world.calls.clear()
    for found in [found for gateway in h.world.gateways.values() for found in gateway.tunnels]:
        found.ipsec["rekey_time"] = 9000
    await asyncio.sleep(200)
    assert h.calls("PATCH") == [], "drift was corrected"


async def left_to_the_cloud(h: History) -> None:
    """What the spec does not set is the business of others."""
    await _begun(h)
    for found in [found for gateway in h.world.gateways.values() for found in gateway.tunnels]:
        found.ipsec["rekey_time"] = 9000
    await asyncio.sleep(200)
    assert h.calls("PATCH") == [], "changed what no spec sets"


async def one_by_one(h: History) -> None:
    """A key goes to one tunnel, and to the next when that one is up again."""
    await _begun(h)
    h.kubernetes.put_secret("office-psk", OTHER_KEY.encode())
    await h.until(lambda: h.calls("PATCH") != [])
    new = hashlib.sha256(OTHER_KEY.encode()).hexdigest()
    for found in [found for gateway in h.world.gateways.values() for found in gateway.tunnels]:
        if found.psk_sha256 == new:
            h.world.force_tunnel(found.uuid, operational_state="error", tunnel_up=False)
    await asyncio.sleep(300)
    assert len(h.calls("PATCH")) == 1, "the next was cut while the first was down"


async def sent_once(h: History) -> None:
    """A POST whose answer was lost is looked for, and not sent again."""
    h.world.faults.add("POST /1.3/gateway/*/tunnels", timeout=60.0, when="after")
    h.apply_all(tunnels=1)
    await h.start()
    await h.settle()
    assert len([call for call in h.calls("POST") if call.endswith("tunnels")]) == 1, "sent twice"


STORIES: dict[str, Story] = {story.__name__: story for story in (paused, reported, one_by_one, sent_once)}


def tell(name: str) -> None:
    """Play one of them under audit."""
    audited(STORIES[name])
