"""Parents: missing, late, wrong, made by hand, referred to in one way or the other, changed."""

from __future__ import annotations

import asyncio

from support.days import Day, day
from support.history import CONNECTION, GATEWAY, ROUTER, tunnel

NOBODY = "10000000-0000-4000-8000-000000000000"


async def by_hand(d: Day) -> tuple[str, str]:
    """A gateway and a connection that netgw did not make, running; their uuids."""
    body = {
        "name": "handmade",
        "zone": "fi-hel1",
        "plan": "production",
        "features": ["vpn"],
        "routers": [{"uuid": ROUTER}],
        "addresses": [{"name": "public"}],
        "configured_status": "started",
    }
    gateway = (await d.ask("POST", "/gateway", body))["uuid"]
    routes = [{"name": "cloud", "type": "static", "static_network": "10.0.1.0/24"}]
    made = await d.ask(
        "POST", f"/gateway/{gateway}/connections/", {"name": "by-hand", "type": "ipsec", "local_routes": routes}
    )
    return gateway, made["uuid"]


def test_any_order() -> None:
    """Tunnel first, then its connection, then the gateway: each says what it waits for."""

    async def story(d: Day) -> None:
        await d.start()
        d.secret()
        d.tunnel()
        await d.becomes("office-1", "ParentNotFound")
        d.says("office-1", "no VpnConnection office in this namespace")
        d.connection()
        await d.becomes("office", "ParentNotFound")
        d.says("office", "no NetworkGateway edge in this namespace")
        await d.becomes("office-1", "ParentNotCreated")
        d.says("office-1", "VpnConnection office does not exist in UpCloud yet")
        await d.calm(calls=62)
        d.gateway()
        await d.settle(60)

    day(story)


def test_wrong_uuid() -> None:
    async def story(d: Day) -> None:
        await d.start()
        d.secret()
        d.connection(gatewayRef={"uuid": NOBODY})
        d.tunnel(1, connectionRef={"uuid": NOBODY})
        await d.becomes("office", "ParentNotFound")
        d.says("office", "no gateway", NOBODY, "gatewayRef.uuid")
        await d.becomes("office-1", "ParentNotFound")
        d.says("office-1", "no connection", NOBODY, "connectionRef.uuid")
        await d.calm(calls=62, passes=200)
        assert not d.calls("POST")
        d.delete("office", "office-1")
        await d.until(lambda: not d.objects())

    day(story)


def test_under_a_gateway_made_by_hand() -> None:
    """Made, described and deleted under it; what else is there stays untouched."""

    async def story(d: Day) -> None:
        gateway, _ = await by_hand(d)
        await d.start()
        d.secret()
        d.connection(gatewayRef={"uuid": gateway})
        d.tunnel(1)
        await d.settle(120)
        assert d.object("office").status["gatewayUuid"] == gateway
        assert d.object("office-1").status["gatewayUuid"] == gateway
        assert d.verdict("office-1", "Ready") == ("True", "Up")
        d.delete("office", "office-1")
        await d.until(lambda: not d.objects())
        left = d.world.gateways[gateway]
        assert [connection.name for connection in left.connections] == ["by-hand"]
        assert not left.deleting

    day(story)


def test_under_a_connection_made_by_hand() -> None:
    async def story(d: Day) -> None:
        gateway, connection = await by_hand(d)
        await d.start()
        d.secret()
        d.tunnel(1, connectionRef={"uuid": connection})
        d.tunnel(2, connectionRef={"uuid": connection})
        await d.settle(120)
        assert d.object("office-1").status["connectionUuid"] == connection
        d.world.calls.clear()
        d.secret("madeup_psk_for_tests_2")
        await d.until(lambda: len(d.calls("PATCH")) == 1)
        await d.until(lambda: "RolloutHeld" in (d.verdict("office-1")[1], d.verdict("office-2")[1]))
        await d.settle(120)
        d.delete("office-1", "office-2")
        await d.until(lambda: not d.objects())
        assert len(d.world.gateways[gateway].connections) == 1

    day(story)


def test_what_was_made_by_hand_is_never_adopted() -> None:
    """Neither a gateway, nor what is under a gateway without our mark, however equal: the name is taken."""

    async def story(d: Day) -> None:
        gateway, connection = await by_hand(d)
        body = {
            "name": "office-1",
            "local_address": {"name": "public"},
            "remote_address": {"address": "100.10.0.111"},
            "ipsec": {"authentication": {"authentication": "psk", "psk": "madeup_psk_for_tests_1"}},
        }
        await d.ask("POST", f"/gateway/{gateway}/connections/{connection}/tunnels", body)
        await d.start()
        d.secret()
        d.gateway(name="handmade")
        routes = [{"name": "cloud", "staticNetwork": "10.0.1.0/24"}]
        d.connection(name="by-hand", gatewayRef={"uuid": gateway}, localRoutes=routes, remoteRoutes=None)
        d.tunnel(1, connectionRef={"uuid": connection})
        for name, called in (("edge", "handmade"), ("office", "by-hand"), ("office-1", "office-1")):
            await d.becomes(name, "NameConflict")
            d.says(name, called, "not made by netgw")
        await asyncio.sleep(900)
        await d.calm(calls=90)
        assert not d.calls("POST", "PATCH", "DELETE")
        d.delete("edge", "office", "office-1")
        await d.until(lambda: not d.objects())
        assert len(d.world.gateways[gateway].tunnels) == 1

    day(story)


def test_reference_changes_its_form_only() -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        d.connection(gatewayRef={"uuid": d.uuid("edge")})
        d.tunnel(1, connectionRef={"uuid": d.uuid("office")})
        await d.settle()
        await asyncio.sleep(60)
        assert not d.calls("PATCH", "POST", "DELETE")
        d.delete("edge")
        await d.until(lambda: d.verdict("edge")[1] == "ChildrenExist")
        d.says("edge", "VpnConnection office")
        d.delete("office", "office-1")
        await d.until(lambda: not d.objects())

    day(story)


def test_reference_to_another_parent_that_exists() -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        before = d.uuid("office-1")
        router = (await d.ask("POST", "/router", {"router": {"name": "other"}}))["router"]["uuid"]
        d.kubernetes.apply("NetworkGateway", "rim", {**GATEWAY, "routerRef": {"uuid": router}})
        d.kubernetes.apply("VpnConnection", "paris", {**CONNECTION, "gatewayRef": {"name": "rim"}})
        await d.settle()
        d.world.calls.clear()
        d.tunnel(1, connectionRef={"name": "paris"}, ipsec={"dpdDelay": 10})
        await d.becomes("office-1", "ImmutableField")
        d.says("office-1", "spec.connectionRef", d.uuid("office"), "Set it back", "new VpnTunnel")
        assert d.verdict("office-1", "Ready") == ("True", "Up")
        d.connection(gatewayRef={"name": "rim"})
        await d.becomes("office", "ImmutableField")
        d.says("office", "spec.gatewayRef", d.uuid("edge"), "new VpnConnection")
        await d.calm(calls=130, writes=0, seconds=1200)
        assert not d.calls("PATCH", "POST", "DELETE")
        d.connection()
        d.tunnel(1)
        await d.settle()
        assert d.uuid("office-1") == before

    day(story)


def test_reference_to_a_parent_that_does_not_exist() -> None:
    """Whether it is another one cannot be told: the tunnel stays and says so."""

    async def story(d: Day) -> None:
        await d.made(1)
        d.tunnel(1, connectionRef={"name": "nowhere"})
        await d.becomes("office-1", "ParentNotFound")
        d.says("office-1", "no VpnConnection nowhere")
        assert d.verdict("office-1", "Ready") == ("True", "Up")
        await d.calm(calls=130, writes=0, seconds=1200)
        d.delete("office-1")
        await d.until(lambda: len(d.objects()) == 2)
        assert not d.world.find_tunnel(d.object("office").status.get("uuid", ""))

    day(story)


def test_router_that_has_a_gateway() -> None:
    """409: the gateway in the way is named, and when it is gone ours is made."""

    async def story(d: Day) -> None:
        gateway, _ = await by_hand(d)
        await d.start()
        d.gateway()
        await d.becomes("edge", "Conflict")
        d.says("edge", f"router {ROUTER} has gateway handmade ({gateway})", "another routerRef")
        await asyncio.sleep(900)
        await d.calm(calls=110, writes=30)
        await d.ask("DELETE", f"/gateway/{gateway}")
        await d.settle(1200)

    day(story)


def test_parent_under_deletion() -> None:
    """Nothing is made below what goes; referred to by name or by uuid."""

    async def story(d: Day) -> None:
        await d.made(1)
        edge, office = d.uuid("edge"), d.uuid("office")
        d.kubernetes.objects[d.object("office").ref]["metadata"]["finalizers"].append("example.com/keep")
        d.delete("office-1", "office", "edge")
        await asyncio.sleep(60)
        d.kubernetes.apply("VpnTunnel", "office-1", tunnel("100.10.0.113", connectionRef={"uuid": office}))
        d.kubernetes.apply("VpnConnection", "paris", {**CONNECTION, "gatewayRef": {"uuid": edge}})
        await d.becomes("office-1", "ParentDeleting")
        await d.until(lambda: d.reason("VpnConnection", "paris") == "ParentDeleting")
        await asyncio.sleep(300)
        assert not d.calls("POST")

    day(story)
