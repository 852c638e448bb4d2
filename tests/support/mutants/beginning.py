"""What short stories begin with, and what they look at: a gateway, its connection and tunnels, all in sync."""

from __future__ import annotations

import asyncio
from typing import Any

from support.history import History


async def begun(h: History, tunnels: int = 2) -> None:
    """Everything is made and at rest, and no call of that counts."""
    h.apply_all(tunnels)
    await h.start()
    await h.settle()
    await asyncio.sleep(60)
    h.world.calls.clear()


def gateways(h: History) -> list[Any]:
    """Those that are in the cloud by now."""
    h.world.stamp()
    return list(h.world.gateways.values())


def tunnels(h: History) -> list[Any]:
    return [found for gateway in gateways(h) for found in gateway.tunnels]


def drift(h: History) -> None:
    """Somebody sets a timer of every tunnel in the cloud."""
    for found in tunnels(h):
        found.ipsec["rekey_time"] = 9000
