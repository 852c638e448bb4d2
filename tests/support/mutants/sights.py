"""Short stories of what is known and what is not: a lost status, another account, late answers, a slow watch."""

from __future__ import annotations

import asyncio

from netgw.engine.objects import Name
from netgw.providers.upcloud.simulator import World
from support.history import OTHER_KEY, ROUTER, History, tunnel
from support.mutants.beginning import begun, drift, tunnels
from support.simulation.scene import BOB, TOKENS

PEER = "100.10.0.111"


async def lost_and_deleted(h: History) -> None:
    """What an object made is found and deleted, also when its status was lost."""
    await begun(h, tunnels=1)
    await h.kill()
    h.kubernetes.wipe_status("VpnTunnel", "office-1")
    h.kubernetes.delete("VpnTunnel", "office-1")
    await h.start()
    await h.until(lambda: h.kubernetes.get("VpnTunnel", "office-1") is None)
    assert tunnels(h) == [], "left behind"


async def lost_and_unlisted(h: History) -> None:
    """A look that shows nothing, just after a status was lost, is no proof that nothing was made."""
    await begun(h, tunnels=1)
    await h.kill()
    h.kubernetes.wipe_status("NetworkGateway", "edge")
    h.world.calls.clear()
    h.world.faults.add("GET /1.3/gateway", status=200, body=[], times=2)
    await h.start()
    await h.settle()
    assert h.calls("POST") == [], "made again"


async def another_account(h: History) -> None:
    """That another account does not know a connection says nothing of it."""
    h.world = World(delay=2.0, clock=h.clock.wall, routers=[ROUTER], tokens=TOKENS)
    await begun(h, tunnels=0)
    await h.kill()
    h.credential(BOB)
    await h.start()
    h.kubernetes.delete("VpnConnection", "office")
    await asyncio.sleep(120)
    assert h.kubernetes.get("VpnConnection", "office") is not None, "the 404 of another account was believed"


async def lost_elsewhere(h: History) -> None:
    """A status that was lost was of the account that what is below it records."""
    h.world = World(delay=2.0, clock=h.clock.wall, routers=[ROUTER], tokens=TOKENS)
    await begun(h, tunnels=0)
    await h.kill()
    h.kubernetes.wipe_status("NetworkGateway", "edge")
    h.credential(BOB)
    await h.start()
    await asyncio.sleep(120)
    assert h.calls("POST") == [], "made in the other account too"
    assert h.reason("NetworkGateway", "edge") == "AccountMismatch"


async def late_list(h: History) -> None:
    """A list that was asked for earlier says nothing against a look that began later."""
    await begun(h)
    h.kubernetes.apply("VpnTunnel", "office-1", tunnel(PEER, ipsec={"rekeyTime": 7200}, driftPolicy="Report"))
    await h.until(lambda: h.calls("PATCH") != [])
    await h.settle()
    await asyncio.sleep(120)
    h.world.calls.clear()
    h.world.faults.add("GET /1.3/gateway", slow=8.0)
    await h.until(lambda: h.world.faults.waiting() == [])
    drift(h)
    h.kubernetes.annotate("VpnTunnel", "office-1", "reconcile-requested-at", "2026-11-22T03:00:00Z")
    await h.until(lambda: "drift" in h.get("VpnTunnel", "office-1").status, 10.0)
    for _ in range(240):
        assert "drift" in h.get("VpnTunnel", "office-1").status, "an older answer was believed"
        await asyncio.sleep(0.25)


async def late_event(h: History) -> None:
    """An event that comes late, from before there was a gateway, says nothing against what is younger."""
    await begun(h)
    await asyncio.sleep(60)
    body = h.get("NetworkGateway", "edge").body
    late = {**body, "metadata": {**body["metadata"], "resourceVersion": "1"}, "status": {}}
    writes = len(h.kubernetes.writes)
    assert h.app is not None
    h.app.observe("NetworkGateway", "MODIFIED", late)
    await asyncio.sleep(60)
    assert len(h.kubernetes.writes) == writes, "an older event was believed"


async def told_bit_by_bit(h: History) -> None:
    """Who holds what is known before anything is done, however slowly a watch tells it."""
    await begun(h)
    h.kubernetes.apply("NetworkGateway", "rival", {"import": {"name": "edge"}, "managementPolicy": "Observe"})
    await asyncio.sleep(60)
    await h.kill()
    h.told_late[Name("NetworkGateway", "default", "edge")] = 5.0
    await h.start()
    await asyncio.sleep(60)
    assert h.get("NetworkGateway", "rival").uuid is None, "both have it"


async def down_already(h: History) -> None:
    """What is down has nothing to lose: its change does not wait for another that is being changed."""
    await begun(h)
    first, second = tunnels(h)
    for found in (first, second):
        h.world.force_tunnel(found.uuid, operational_state="error", tunnel_up=False)
    await asyncio.sleep(90)
    h.kubernetes.put_secret("office-psk", OTHER_KEY.encode())
    await h.until(lambda: len(h.calls("PATCH")) == 2, 60.0)


STORIES = (
    lost_and_deleted,
    lost_and_unlisted,
    another_account,
    lost_elsewhere,
    late_list,
    late_event,
    told_bit_by_bit,
    down_already,
)
