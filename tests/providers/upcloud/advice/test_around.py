"""Who counts as being around an object: from the store and from the snapshot, each once."""

from __future__ import annotations

from typing import Any

import pytest

from netgw.engine.objects import Object
from netgw.engine.store import Store
from netgw.providers.upcloud.advice.around import Advisor
from netgw.providers.upcloud.api import Connection, Gateway, Tunnel
from netgw.providers.upcloud.connection import plan as connection_plan
from netgw.providers.upcloud.provider import UPCLOUD
from netgw.providers.upcloud.tunnel import plan as tunnel_plan
from support.wire import GATEWAY_SPEC, GATEWAY_UUID, TUNNEL_SPEC, connection, entry, gateway, obj, tunnel

FIRST, SECOND = "2026-11-22T03:00:00Z", "2026-11-22T03:00:01Z"
EDGE = obj("NetworkGateway", "edge", GATEWAY_SPEC, {"uuid": GATEWAY_UUID})
CALLED = "NetworkGateway edge"


def name_of(thing: Object) -> str:
    return str(thing.spec.get("name") or thing.name)


def advisor(*objects: Object) -> Advisor:
    store = Store(UPCLOUD.links)
    for known in (EDGE, *objects):
        store.apply(known)
    return Advisor(store, name_of, ())


def seen(*connections: Connection, **over: Any) -> Gateway:
    return entry(gateway(**over), *connections).gateway


# ---- connections


def vpnc(name: str, network: str | None, uuid: str | None = None, at: str = FIRST, **over: Any) -> Object:
    spec: dict[str, Any] = {"gatewayRef": {"name": "edge"}}
    spec["remoteRoutes"] = None if network is None else [{"name": "r", "staticNetwork": network}]
    spec = {field: value for field, value in spec.items() if value is not None} | over.pop("spec", {})
    status = {} if uuid is None else {"uuid": uuid, "gatewayUuid": over.pop("there", GATEWAY_UUID)}
    return obj("VpnConnection", name, spec, status, creationTimestamp=at, **over)


def in_cloud(name: str, network: str, uuid: str) -> Connection:
    routes = [{"name": "r", "type": "static", "static_network": network}]
    return connection(name=name, uuid=uuid, local_routes=[], remote_routes=routes)


def named(said: tuple[str, ...]) -> list[str]:
    """Whom the sentences name."""
    return [sentence.partition(":")[0].partition(" of ")[2] for sentence in said]


OFFICE = vpnc("office", "10.0.2.0/24", "10-1", SECOND)
VALUES = {"remoteRoutes": ["r 10.0.2.0/24"]}
LAB = "VpnConnection lab"
HERE, OTHER = "10.0.2.0/24", "10.0.3.0/24"


@pytest.mark.parametrize(
    ("others", "parts", "told"),
    [
        ([], [], []),
        ([], [in_cloud("lab", HERE, "10-2")], ["connection lab (10-2)"]),
        ([vpnc("lab", HERE)], [], [LAB]),
        ([vpnc("lab", HERE, "10-2")], [in_cloud("lab", HERE, "10-2")], [LAB]),
        # what its spec sets comes before what the cloud has
        ([vpnc("lab", OTHER, "10-2")], [in_cloud("lab", HERE, "10-2")], []),
        ([vpnc("lab", HERE, "10-2")], [in_cloud("lab", OTHER, "10-2")], [LAB]),
        ([vpnc("lab", None, "10-2")], [in_cloud("lab", HERE, "10-2")], [LAB]),
        ([vpnc("lab", None, "10-2", spec={"odd": 1})], [in_cloud("lab", HERE, "10-2")], [LAB]),
        # made, and not in a look yet; being made, and in a look already
        ([vpnc("lab", HERE, "10-2")], [], [LAB]),
        ([vpnc("lab", HERE)], [in_cloud("lab", HERE, "10-2")], [LAB]),
        ([vpnc("x", HERE, spec={"name": "lab"})], [in_cloud("lab", HERE, "10-2")], ["VpnConnection x"]),
        # younger ones are told themselves
        ([vpnc("lab", HERE, "10-2", SECOND + "9")], [in_cloud("lab", HERE, "10-2")], []),
        # what goes is no longer counted
        ([vpnc("lab", HERE, "10-2", deletionTimestamp=SECOND)], [in_cloud("lab", HERE, "10-2")], []),
        ([vpnc("lab", HERE, deletionTimestamp=SECOND)], [], []),
        # of another gateway, by its reference or by its status
        ([vpnc("lab", HERE, spec={"gatewayRef": {"name": "far"}})], [], []),
        ([vpnc("lab", HERE, "10-2", there="10-9")], [], []),
        # another namespace
        (
            [vpnc("lab", HERE, "10-2", namespace="other", spec={"gatewayRef": {"uuid": GATEWAY_UUID}})],
            [in_cloud("lab", HERE, "10-2")],
            ["VpnConnection other/lab"],
        ),
        # several
        (
            [vpnc("b", HERE, "10-3"), vpnc("a", HERE)],
            [in_cloud("c", HERE, "10-4"), in_cloud("b", HERE, "10-3")],
            ["VpnConnection a", "VpnConnection b", "connection c (10-4)"],
        ),
    ],
)
def test_connections_around(others: list[Object], parts: list[Connection], told: list[str]) -> None:
    whole = seen(in_cloud("office", HERE, "10-1"), *parts)
    assert named(advisor(OFFICE, *others).connection(OFFICE, VALUES, whole)) == told


@pytest.mark.parametrize(
    "me",
    [
        OFFICE,
        vpnc("office", HERE),  # its uuid is not recorded yet
        vpnc("x", HERE, spec={"name": "office"}),
    ],
)
def test_a_connection_is_not_in_its_own_way(me: Object) -> None:
    assert advisor(me).connection(me, VALUES, seen(in_cloud("office", HERE, "10-1"))) == ()


def test_two_objects_of_one_connection_are_not_in_each_others_way() -> None:
    twin = vpnc("twin", HERE, "10-1")
    whole = seen(in_cloud("office", HERE, "10-1"))
    for me in (OFFICE, twin):
        assert advisor(OFFICE, twin).connection(me, VALUES, whole) == ()


def test_a_gateway_that_was_not_seen_or_does_not_tell_connections() -> None:
    others = advisor(OFFICE, vpnc("lab", HERE))
    for whole in (None, gateway(connections=None)):
        assert named(others.connection(OFFICE, VALUES, whole)) == [LAB]


def test_both_objects_are_asked_and_one_is_told() -> None:
    lab = vpnc("lab", HERE, "10-2")
    parts = seen(in_cloud("office", HERE, "10-1"), in_cloud("lab", HERE, "10-2"))
    told = [advisor(OFFICE, lab).connection(me, VALUES, parts) for me in (lab, OFFICE)]
    assert [named(said) for said in told] == [[], [LAB]]


def test_what_upcloud_shows_and_what_a_spec_says_are_the_same_words() -> None:
    observed = connection_plan.observed(in_cloud("office", HERE, "10-1"))
    assert observed["remoteRoutes"] == VALUES["remoteRoutes"]


# ---- tunnels


def vpnt(name: str, parent: str = "office", uuid: str | None = None, at: str = FIRST, **over: Any) -> Object:
    status = {} if uuid is None else {"uuid": uuid, "gatewayUuid": GATEWAY_UUID}
    spec = TUNNEL_SPEC | {"connectionRef": {"name": parent}} | over.pop("spec", {})
    return obj("VpnTunnel", name, spec, status, creationTimestamp=at, **over)


def wire(name: str, uuid: str, **over: Any) -> Tunnel:
    return tunnel(name=name, uuid=uuid, **over)


ME = vpnt("office-1", uuid="20-1", at=SECOND)
MINE = wire("office-1", "20-1")
PAIR: dict[str, Any] = {"localAddress.name": "public", "remoteAddress.address": "100.10.0.111"}
ELSEWHERE = {"remoteAddress": {"address": "100.10.0.112"}}


def offices(*beside: Tunnel, below: tuple[Tunnel, ...] = (), **over: Any) -> Gateway:
    """Connection office with mine and those beside it, connection lab with those below it."""
    lab = connection(*below, uuid="10-2", name="lab", remote_routes=[])
    return seen(connection(MINE, *beside, uuid="10-1"), lab, **over)


def joined(said: tuple[str, ...]) -> list[str]:
    return [sentence.partition(" joins ")[0] for sentence in said]


@pytest.mark.parametrize(
    ("others", "whole", "told"),
    [
        ([], offices(), []),
        ([], offices(wire("office-2", "20-2")), ["tunnel office-2 (20-2)"]),
        ([], offices(below=(wire("lab-1", "20-3"),)), ["tunnel lab-1 (20-3)"]),
        ([vpnt("office-2")], offices(), ["VpnTunnel office-2"]),
        ([vpnt("lab-1", "lab")], offices(), ["VpnTunnel lab-1"]),
        ([vpnt("lab-1", "lab", "20-3")], offices(below=(wire("lab-1", "20-3"),)), ["VpnTunnel lab-1"]),
        ([vpnt("lab-1", "lab", "20-3", spec=ELSEWHERE)], offices(below=(wire("lab-1", "20-3"),)), []),
        ([vpnt("lab-1", "lab", "20-3", SECOND + "9")], offices(below=(wire("lab-1", "20-3"),)), []),
        ([vpnt("far-1", "far")], offices(), []),
        # the default of a tunnel that is not made yet: the only address there is, and none of two
        ([vpnt("office-2")], offices(addresses=[{"name": "public"}, {"name": "second"}]), []),
    ],
)
def test_tunnels_around(others: list[Object], whole: Gateway, told: list[str]) -> None:
    family = (vpnc("office", HERE, "10-1"), vpnc("lab", None, "10-2"), ME, *others)
    assert joined(advisor(*family).tunnel(ME, PAIR, whole, CALLED)) == told


def test_a_tunnel_of_a_connection_without_object() -> None:
    me = vpnt("office-1", uuid="20-1", at=SECOND, spec={"connectionRef": {"uuid": "10-1"}})
    beside = vpnt("office-2", uuid="20-2", spec={"connectionRef": {"uuid": "10-1"}})
    whole = offices(wire("office-2", "20-2"), below=(wire("lab-1", "20-3"),))
    told = advisor(me, beside).tunnel(me, PAIR, whole, CALLED)
    assert joined(told) == ["VpnTunnel office-2", "tunnel lab-1 (20-3)"]


def test_the_only_address_is_the_default_of_the_tunnel_itself() -> None:
    values = {"remoteAddress.address": "100.10.0.111"}
    whole = offices(wire("office-2", "20-2"))
    assert len(advisor(vpnc("office", HERE, "10-1"), ME).tunnel(ME, values, whole, CALLED)) == 1


def test_whether_the_gateway_allocates_is_read_from_it() -> None:
    values = {"internalPeerPingInterval": 5, "tunnelInternalIp": ""}
    around = advisor(ME)
    by_hand = offices(automatic_tunnel_internal_ip_allocation=False)
    assert "NetworkGateway edge gives none" in around.tunnel(ME, values, by_hand, CALLED)[0]
    assert around.tunnel(ME, values, offices(), CALLED) == around.tunnel(ME, values, None, CALLED) == ()


def test_a_healthy_tunnel_is_told_nothing() -> None:
    values = tunnel_plan.observed(MINE, None)
    family = (vpnc("office", HERE, "10-1"), ME, vpnt("office-2", uuid="20-2"))
    beside = wire("office-2", "20-2", remote_address={"address": "100.10.0.112"})
    assert advisor(*family[:2]).tunnel(ME, values, offices(beside), CALLED) == ()
