"""Changes in place: names, addresses, routes, proposals; one tunnel after the other where they share something."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from support.days import Day, day
from support.history import OTHER_KEY, tunnel


def names(d: Day) -> set[str]:
    (gateway,) = d.world.gateways.values()
    return {tunnel.name for tunnel in gateway.tunnels}


def order(d: Day) -> tuple[str, str]:
    """Which tunnel was changed first, and which waits."""
    changed = d.uuid("office-1") in d.calls("PATCH")[0]
    return ("office-1", "office-2") if changed else ("office-2", "office-1")


def test_tunnel_renamed_in_place() -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        before = d.uuid("office-1")
        d.tunnel(1, name="paris-1")
        await d.until(lambda: names(d) == {"paris-1"})
        await d.settle()
        assert d.uuid("office-1") == before
        assert len(d.calls("PATCH")) == 1
        d.world.force_tunnel(before, operational_state="connecting", last_down_message="no response")
        await d.becomes("office-1", "PeerUnreachable", "Ready")  # found in the metrics under the new name
        d.delete("office-1")
        await d.until(lambda: not names(d))

    day(story)


def test_tunnel_renamed_to_a_name_that_is_taken() -> None:
    async def story(d: Day) -> None:
        await d.made(2)
        d.tunnel(1, name="office-2")
        await d.becomes("office-1", "Rejected")
        d.says("office-1", "Duplicate tunnel name.", "Mend the spec")
        assert d.verdict("office-1", "Ready") == ("True", "Up")
        await asyncio.sleep(900)
        await d.calm(calls=70, writes=4)
        d.tunnel(1, name="office-3")
        await d.settle()
        assert names(d) == {"office-2", "office-3"}

    day(story)


def test_gateway_renamed_in_place() -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        d.gateway(name="rim")
        await d.until(lambda: [gateway.name for gateway in d.world.gateways.values()] == ["rim"])
        await d.settle()
        assert d.verdict("edge", "Ready") == ("True", "Running")
        assert len(d.calls("PATCH")) == 1

    day(story)


def test_connection_cannot_be_renamed() -> None:
    """Admission refuses it; should it come through all the same, nothing is done."""

    async def story(d: Day) -> None:
        await d.made(1)
        d.connection(name="paris")
        await d.becomes("office", "ImmutableField")
        d.says("office", '"office" → "paris"', "Set it back", "new connection")
        assert d.verdict("office", "Ready") == ("True", "TunnelsUp")
        await asyncio.sleep(900)
        await d.calm(calls=70, writes=0)
        assert not d.calls("PATCH", "POST", "DELETE")
        d.connection(name="office")
        await d.settle()

    day(story)


IMMUTABLE: dict[str, dict[str, Any]] = {
    "zone": {"zone": "de-fra1"},
    "routerRef.uuid": {"routerRef": {"uuid": "048b6f79-d4b8-4633-bd6e-96b49cda20db"}},
    "addresses": {"addresses": [{"name": "other"}]},
}


@pytest.mark.parametrize("field", IMMUTABLE)
def test_gateway_cannot_be_moved(field: str) -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        d.gateway(**IMMUTABLE[field], plan="advanced")
        await d.becomes("edge", "ImmutableField")
        d.says("edge", field, "Set it back", "new gateway")
        await d.calm(calls=70, writes=0, seconds=600)
        assert not d.calls("PATCH", "POST", "DELETE")
        d.gateway()
        await d.settle()

    day(story)


def test_peer_moves_one_tunnel_at_a_time() -> None:
    async def story(d: Day) -> None:
        await d.made(2)
        d.tunnel(1, peer="100.10.0.201")
        d.tunnel(2, peer="100.10.0.202")
        await d.until(lambda: len(d.calls("PATCH")) == 1)
        first, second = order(d)
        assert d.object(first).status["interruptedAt"]
        await d.becomes(second, "RolloutHeld")
        d.says(second, first, "is up again")
        assert d.verdict(second, "Ready") == ("True", "Up")
        await d.settle()
        await d.until(lambda: all("interruptedAt" not in d.object(name).status for name in (first, second)), 60)
        assert len(d.calls("PATCH")) == 2
        for number in (1, 2):
            assert d.object(f"office-{number}").status["remoteAddress"] == f"100.10.0.20{number}"

    day(story)


def test_tunnels_of_two_connections_that_share_a_secret_roll() -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        d.kubernetes.apply("VpnConnection", "paris", dict(d.object("office").spec))
        d.kubernetes.apply("VpnTunnel", "office-2", tunnel("100.10.0.112", connectionRef={"name": "paris"}))
        await d.settle()
        await asyncio.sleep(60)
        d.world.calls.clear()
        d.secret(OTHER_KEY)
        await d.until(lambda: len(d.calls("PATCH")) == 1)
        await d.until(lambda: "RolloutHeld" in (d.verdict("office-1")[1], d.verdict("office-2")[1]))
        await d.until(lambda: len(d.calls("PATCH")) == 2)
        await d.settle()
        await asyncio.sleep(120)
        assert len(d.calls("PATCH")) == 2
        first, second = [call.at for call in d.world.calls if call.method == "PATCH"]
        assert (second - first).total_seconds() >= 10

    day(story)


def test_peer_that_does_not_have_the_new_key_yet() -> None:
    """The first tunnel stays down, so the second keeps the old key, and traffic, until the peer is ready."""

    async def story(d: Day) -> None:
        await d.made(2)
        d.secret(OTHER_KEY)
        await d.until(lambda: len(d.calls("PATCH")) == 1)
        first, second = order(d)
        d.world.force_tunnel(
            d.uuid(first), operational_state="connecting", last_down_message="received AUTHENTICATION_FAILED"
        )
        await d.becomes(first, "AuthenticationFailed", "Ready")
        d.says(first, "accepted the key of Secret office-psk/psk at", "It was changed at", kind="Ready")
        assert d.verdict(second) == ("False", "RolloutHeld")
        assert d.verdict(second, "PskInSync") == ("False", "KeyChanged")
        await asyncio.sleep(1300)
        await d.calm(calls=90, passes=400)
        await d.restart()
        await asyncio.sleep(120)
        assert d.verdict(second) == ("False", "RolloutHeld")
        assert len(d.calls("PATCH")) == 1
        d.world.force_tunnel(d.uuid(first))
        await d.settle()
        assert len(d.calls("PATCH")) == 2

    day(story)


def test_tunnel_that_is_down_is_never_held() -> None:
    async def story(d: Day) -> None:
        await d.made(2)
        for name in ("office-1", "office-2"):
            d.world.force_tunnel(d.uuid(name), operational_state="connecting")
        await d.becomes("office", "NoTunnelUp", "Ready")
        d.world.calls.clear()
        d.secret(OTHER_KEY)
        await d.until(lambda: len(d.calls("PATCH")) == 2, 5)

    day(story)


def test_killed_in_the_middle_of_a_rollout() -> None:
    """The next process waits as well: a look right after the change still shows the tunnel up from before."""

    async def story(d: Day) -> None:
        await d.made(2)
        d.secret(OTHER_KEY)
        await d.until(lambda: len(d.calls("PATCH")) == 1)
        await d.restart()
        await d.until(lambda: len(d.calls("PATCH")) == 2)
        await d.settle()
        first, second = [call.at for call in d.world.calls if call.method == "PATCH"]
        assert (second - first).total_seconds() >= 9
        assert len(d.calls("PATCH")) == 2

    day(story)


def test_routes_are_cleared() -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        d.connection(localRoutes=[])
        await d.until(lambda: len(d.calls("PATCH")) == 1)
        await d.settle()
        (gateway,) = d.world.gateways.values()
        assert gateway.connections[0].local_routes == []
        assert len(gateway.connections[0].remote_routes) == 1
        assert len(gateway.tunnels) == 1
        d.connection(localRoutes=None)  # not managed any more: stays
        await asyncio.sleep(60)
        assert len(d.calls("PATCH")) == 1

    day(story)


def test_fields_that_were_never_set_are_no_drift() -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        path = f"/gateway/{d.uuid('edge')}/connections/{d.uuid('office')}/tunnels/{d.uuid('office-1')}"
        await d.ask("PATCH", path, {"name": "office-1", "internal_peer_ping_interval": 30})
        await asyncio.sleep(120)
        assert d.verdict("office-1") == ("True", "InSync")
        assert not d.calls("PATCH")

    day(story)


def test_zero_and_the_empty_text_are_values() -> None:
    async def story(d: Day) -> None:
        await d.start()
        d.gateway(automaticTunnelInternalIpAllocation=False)
        d.connection()
        d.tunnel(1, internalPeerPingInterval=30, tunnelInternalIp="169.254.17.1", ipsec={"dpdDelay": 20})
        d.secret()
        await d.settle()
        d.world.calls.clear()
        d.tunnel(1, internalPeerPingInterval=0, tunnelInternalIp="", ipsec={"dpdDelay": 0})
        await d.until(lambda: len(d.calls("PATCH")) == 1)
        await d.settle()
        await asyncio.sleep(60)
        assert len(d.calls("PATCH")) == 1
        (gateway,) = d.world.gateways.values()
        assert (gateway.tunnels[0].internal_ip, gateway.tunnels[0].ping_interval) == ("", 0)
        assert gateway.tunnels[0].ipsec["dpd_delay"] == 0

    day(story)
