"""Advice across objects: said on the one that causes it, gone when it is mended, and nothing is blocked meanwhile."""

from __future__ import annotations

import asyncio

from support.days import Day, day
from support.history import tunnel

THERE = [{"name": "office", "staticNetwork": "10.0.2.0/24"}]
WIDE = [{"name": "lab", "staticNetwork": "10.0.0.0/16"}]
AWAY = [{"name": "lab", "staticNetwork": "10.7.0.0/16"}]


def lab(d: Day, routes: list[dict[str, str]]) -> None:
    d.kubernetes.apply("VpnConnection", "lab", {"gatewayRef": {"name": "edge"}, "remoteRoutes": routes})


def test_remote_routes_of_two_connections() -> None:
    """Mended on the other one, and on itself: gone either way, by the look that shows it."""

    async def story(d: Day) -> None:
        await d.made(1)
        d.connection(remoteRoutes=THERE)
        await d.settle(60)
        lab(d, WIDE)
        await d.settle(60)
        assert d.verdict("lab", "Warning") == ("True", "Advice")
        d.says("lab", "overlaps remote route office 10.0.2.0/24 of VpnConnection office", kind="Warning")
        assert d.verdict("lab") == ("True", "InSync")
        assert d.condition("office", "Warning") == {}
        await asyncio.sleep(900)
        await d.calm(calls=70)
        d.connection(remoteRoutes=[{"name": "office", "staticNetwork": "10.9.2.0/24"}])
        await d.until(lambda: d.condition("lab", "Warning") == {}, 90)
        d.connection(remoteRoutes=THERE)
        await d.until(lambda: d.condition("lab", "Warning") != {}, 90)
        lab(d, AWAY)
        await d.until(lambda: d.condition("lab", "Warning") == {}, 90)
        assert d.condition("office", "Warning") == {}

    day(story)


def test_a_connection_that_was_made_by_hand() -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        d.connection(remoteRoutes=THERE)
        await d.settle(60)
        routes = [{"name": "x", "type": "static", "static_network": "10.0.2.0/25"}]
        body = {"name": "by-hand", "type": "ipsec", "remote_routes": routes}
        made = await d.ask("POST", f"/gateway/{d.uuid('edge')}/connections", body)
        await d.until(lambda: d.condition("office", "Warning") != {}, 90)
        d.says("office", f"of connection by-hand ({made['uuid']})", kind="Warning")
        await d.ask("DELETE", f"/gateway/{d.uuid('edge')}/connections/{made['uuid']}")
        await d.until(lambda: d.condition("office", "Warning") == {}, 90)

    day(story)


def test_two_tunnels_to_one_peer() -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        await asyncio.sleep(5)
        d.tunnel(2, peer="100.10.0.111")
        await d.settle(120)
        d.says("office-2", "VpnTunnel office-1 joins the same two addresses", kind="Warning")
        assert d.condition("office-1", "Warning") == {}
        d.delete("office-1")
        await d.until(lambda: d.condition("office-2", "Warning") == {}, 120)

    day(story)


def test_an_internal_address_that_upcloud_gives_itself() -> None:
    """No call, all else goes on; and on as soon as the gateway leaves it to us."""

    async def story(d: Day) -> None:
        await d.made(1)
        spec = tunnel("100.10.0.111", tunnelInternalIp="169.254.17.1", ipsec={"rekeyTime": 7200})
        d.kubernetes.apply("VpnTunnel", "office-1", spec)
        await d.becomes("office-1", "Rejected")
        d.says("office-1", "Set automaticTunnelInternalIpAllocation: false on NetworkGateway edge")
        assert [call.method for call in d.world.calls if call.method != "GET"] == ["PATCH"]
        d.gateway(automaticTunnelInternalIpAllocation=False)
        await d.becomes("office-1", "InSync")
        made = next(iter(d.world.gateways.values()))
        assert [tunnel.internal_ip for tunnel in made.tunnels] == ["169.254.17.1"]

    day(story)
