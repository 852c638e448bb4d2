"""Short stories of the beginning and the end of things: making, finding again, deleting, and what others made."""

from __future__ import annotations

import asyncio

from netgw.engine.ownership import MARK
from support.history import CONNECTION, History, tunnel
from support.mutants.beginning import begun, gateways, tunnels

ROUTE = {"name": "r", "type": "static", "static_network": "10.9.0.0/24"}


async def sent_once(h: History) -> None:
    """A POST whose answer was lost is looked for, and not sent again."""
    h.world.faults.add("POST /1.3/gateway/*/tunnels", timeout=60.0, when="after")
    h.apply_all(tunnels=1)
    await h.start()
    await h.settle()
    assert len([call for call in h.calls("POST") if call.endswith("tunnels")]) == 1, "sent twice"


async def marked(h: History) -> None:
    """A gateway says whose it is."""
    await begun(h)
    assert all(MARK in gateway.labels for gateway in gateways(h)), "no mark"


async def name_taken(h: History) -> None:
    """What has the name and is another's stays another's."""
    await begun(h, tunnels=0)
    (gateway,) = gateways(h)
    body = {"name": "branch", "type": "ipsec", "local_routes": [ROUTE]}
    made = await h.by_hand("POST", f"/gateway/{gateway.uuid}/connections", body)
    h.kubernetes.apply("VpnConnection", "branch", CONNECTION)
    await asyncio.sleep(120)
    assert h.get("VpnConnection", "branch").uuid != made["uuid"], "took what is not ours"


async def rivals(h: History) -> None:
    """Two objects of one name: the one that is there keeps what it has."""
    await begun(h, tunnels=1)
    h.kubernetes.apply("VpnTunnel", "rival", tunnel("100.10.0.111", name="office-1"))
    await asyncio.sleep(120)
    assert h.get("VpnTunnel", "rival").uuid is None, "both have it"


async def nothing_new_below(h: History) -> None:
    """Nothing is made under what is on its way out."""
    await begun(h, tunnels=1)
    h.kubernetes.delete("VpnConnection", "office")
    await asyncio.sleep(20)
    h.kubernetes.apply("VpnTunnel", "late", tunnel("100.10.0.120"))
    await asyncio.sleep(60)
    assert len(tunnels(h)) == 1, "made under a parent that is being deleted"


async def nothing_listed(h: History) -> None:
    """One list that names nothing proves nothing."""
    await begun(h)
    h.world.faults.add("GET /1.3/gateway", status=200, body=[])
    for _ in range(400):
        assert h.reason("NetworkGateway", "edge") != "ExternallyDeleted", "a list was believed"
        await asyncio.sleep(0.25)


async def nobody_knows(h: History) -> None:
    """Nor does a 404 in the words of something between."""
    await begun(h)
    h.world.faults.add("GET /1.3/gateway", status=200, body=[], times=20)
    h.world.faults.add("GET /1.3/gateway/*", status=404, body="<html>Not Found</html>", times=20)
    for _ in range(800):
        assert h.reason("NetworkGateway", "edge") != "ExternallyDeleted", "a proxy was believed"
        await asyncio.sleep(0.25)


async def deleted_in_truth(h: History) -> None:
    """The object goes when the cloud says that the gateway is gone, and not before."""
    await begun(h, tunnels=0)
    (gateway,) = gateways(h)
    h.kubernetes.delete("VpnConnection", "office")
    h.kubernetes.delete("NetworkGateway", "edge")
    await h.until(lambda: h.kubernetes.get("NetworkGateway", "edge") is None)
    h.world.stamp()
    assert gateway.uuid not in h.world.gateways, "gone before it was"


async def others_below(h: History) -> None:
    """What somebody made below is not deleted along."""
    await begun(h)
    (gateway,) = gateways(h)
    body = {"name": "by-hand", "type": "ipsec", "local_routes": [ROUTE]}
    await h.by_hand("POST", f"/gateway/{gateway.uuid}/connections", body)
    await asyncio.sleep(90)
    for obj in h.objects():
        h.kubernetes.delete(obj.kind, obj.name)
    await asyncio.sleep(120)
    assert [found.name for gateway in gateways(h) for found in gateway.connections] == ["by-hand"], "deleted along"


async def children_first(h: History) -> None:
    """A gateway with a connection of ours stays until that is deleted, also where it may take others' along."""
    await begun(h)
    h.kubernetes.annotate("NetworkGateway", "edge", "allow-cascade", gateways(h)[0].uuid)
    h.kubernetes.delete("NetworkGateway", "edge")
    await asyncio.sleep(120)
    assert h.calls("DELETE") == [], "deleted with children"


async def deleted_while_made(h: History) -> None:
    """What was being made when its object was deleted is found, and deleted."""
    await begun(h, tunnels=0)
    h.world.faults.add("POST /1.3/gateway/*/tunnels", timeout=60.0, when="after")
    h.kubernetes.apply("VpnTunnel", "office-1", tunnel())
    await h.until(lambda: tunnels(h) != [])
    h.kubernetes.delete("VpnTunnel", "office-1")
    await h.until(lambda: h.kubernetes.get("VpnTunnel", "office-1") is None)
    assert tunnels(h) == [], "left behind"


async def retained(h: History) -> None:
    """What is to be retained is not deleted."""
    await begun(h)
    h.kubernetes.apply("VpnTunnel", "office-1", tunnel("100.10.0.111", deletionPolicy="Retain"))
    await asyncio.sleep(20)
    h.kubernetes.delete("VpnTunnel", "office-1")
    await asyncio.sleep(60)
    assert h.calls("DELETE") == [], "deleted"


STORIES = (
    sent_once,
    marked,
    name_taken,
    rivals,
    nothing_new_below,
    nothing_listed,
    nobody_knows,
    deleted_in_truth,
    others_below,
    children_first,
    deleted_while_made,
    retained,
)
