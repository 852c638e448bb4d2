from __future__ import annotations

from typing import Any

import pytest

from netgw.engine.outcome import Stalled, Waiting
from netgw.providers.upcloud.room import Room
from support.wire import GATEWAY_UUID, PLANS, connection, entry, gateway, tunnel

MANAGED = "rim"
TWO = [{"name": "public"}, {"name": "second"}]


def room(connections: int = 1, tunnels: int = 0, *, managed: bool = True, **over: Any) -> Room:
    below = [tunnel(uuid=f"t-{number}", name=f"t-{number}") for number in range(tunnels)]
    others = [connection(uuid=f"c-{number}", name=f"c-{number}") for number in range(1, connections)]
    first = [connection(*below)] if connections else []
    return Room(entry(gateway(**over), *first, *others), PLANS, MANAGED if managed else None)


def test_room_enough() -> None:
    assert room(connections=1).for_connection() is None
    assert room(tunnels=1).for_tunnel(None) == "public"
    assert room(tunnels=1).for_tunnel("public") == "public"
    assert room(addresses=TWO).for_tunnel("second") == "second"


def test_without_vpn() -> None:
    for held in (room(0, features=["nat"]).for_connection(), room(features=["nat"], plan="x").for_tunnel("public")):
        assert isinstance(held, Waiting)
        assert held.reason == "FeatureMissing"
        assert held.message == (
            "Not created: NetworkGateway rim has no feature vpn. Add vpn to its spec.features, with a plan that has "
            "it. Tried again every 15 min."
        )


def test_full_however_the_number_is_read() -> None:
    """Two connections and two tunnels: a third connection is too much whichever of them the plan counts."""
    full = room(connections=2, tunnels=2).for_connection()
    assert isinstance(full, Waiting)
    assert (full.reason, full.after) == ("QuotaReached", 900.0)
    assert full.message == (
        "Not created: plan production has 2 connections and edge uses 2. Set plan: advanced on NetworkGateway rim, or "
        "delete a connection. Tried again every 15 min."
    )


@pytest.mark.parametrize(("connections", "tunnels"), [(2, 1), (1, 2)])
def test_what_only_one_reading_refuses_is_left_to_the_api(connections: int, tunnels: int) -> None:
    assert room(connections, tunnels).for_connection() is None
    assert room(connections, tunnels).for_tunnel(None) == "public"


def test_answer_of_the_api_is_told_with_the_numbers() -> None:
    assert room(tunnels=2).full("tunnel", "No room.").message == (
        "Not created: plan production has 2 tunnels and edge uses 2. Set plan: advanced on NetworkGateway rim, or "
        "delete a tunnel. UpCloud says: No room. Tried again every 15 min."
    )
    assert room(plan="x").full("connection").message.startswith("Not created: edge uses 1. ")


def test_the_next_larger_plan_is_named_if_there_is_one() -> None:
    assert "Make another gateway, or delete a tunnel." in room(tunnels=10, plan="advanced").full("tunnel").message
    none = room(0, plan="development").for_connection()
    assert isinstance(none, Waiting)
    assert "Set plan: production" in none.message


def test_gateway_that_is_no_object_of_ours() -> None:
    assert f"on gateway edge ({GATEWAY_UUID})" in room(tunnels=2, managed=False).full("tunnel").message


@pytest.mark.parametrize("plan", [None, "gwaas-9000"])
def test_plan_that_nobody_knows_refuses_nothing(plan: str | None) -> None:
    assert room(tunnels=20, plan=plan).for_tunnel(None) == "public"


@pytest.mark.parametrize(
    ("addresses", "chosen", "reason", "words"),
    [
        ([], None, "ParentNotCreated", "lists no address yet"),
        (TWO, None, "AddressNotFound", "has the addresses public, second: set localAddress.name"),
        (TWO, "third", "AddressNotFound", "has no address third, it has public, second."),
    ],
)
def test_addresses(addresses: list[dict[str, str]], chosen: str | None, reason: str, words: str) -> None:
    held = room(addresses=addresses).for_tunnel(chosen)
    assert isinstance(held, Waiting if reason == "ParentNotCreated" else Stalled)
    assert held.reason == reason
    assert words in held.message


def test_an_address_that_is_named_is_believed_while_none_is_listed() -> None:
    """Answers of the API list those that were asked for by name at once."""
    assert room(addresses=[]).for_tunnel("public") == "public"
