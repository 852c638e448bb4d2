"""One after the other: who is held, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from netgw.engine.objects import Object
from netgw.engine.outcome import Waiting
from netgw.engine.store import Store
from netgw.providers.upcloud.provider import UPCLOUD
from netgw.providers.upcloud.rollout import Rollout
from support.wire import TUNNEL_SPEC, Hands, obj

AT = "2026-11-22T03:00:00Z"
NO_UUID = "10000000-0000-4000-8000-000000000000"


def tunnel(name: str, *, under: Any = None, shares: bool = True, **status: Any) -> Object:
    spec = TUNNEL_SPEC | {
        "connectionRef": under or {"name": "office"},
        "ipsec": {"authentication": {"pskSecretRef": {"name": "office-psk" if shares else f"{name}-psk"}}},
    }
    return obj("VpnTunnel", name, spec, status)


class Stage:
    def __init__(self, *objects: Object) -> None:
        self.clock = Hands()
        self.store = Store(UPCLOUD.links)
        self.rollout = Rollout(self.clock, grace=10.0, alive=lambda uid: True)
        for each in objects:
            self.store.apply(each)

    def begins(self, name: str) -> bool:
        found = self.store.find("VpnTunnel", "default", name)
        assert found is not None
        outcome = self.rollout.begin(found, self.store.siblings(found))
        if isinstance(outcome, Mapping):
            assert outcome == {"interruptedAt": AT}
            return True
        assert isinstance(outcome, Waiting)
        assert outcome.reason == "RolloutHeld"
        assert outcome.after is not None
        return False


ALONE = {"under": {"name": "paris"}, "shares": False}


@pytest.mark.parametrize(
    ("other", "held"),
    [
        ({}, True),  # same connection, same Secret
        ({"shares": False}, True),  # same connection
        ({"under": {"name": "paris"}}, True),  # same Secret
        (ALONE, False),
    ],
)
def test_group(other: dict[str, Any], held: bool) -> None:
    stage = Stage(tunnel("one"), tunnel("two", **other, interruptedAt=AT))
    assert stage.begins("one") is not held
    if held:
        outcome = stage.rollout.begin(tunnel("one"), stage.store.siblings(tunnel("one")))
        assert "two" in str(outcome)


def test_group_by_uuid() -> None:
    """Under a connection that is no object of ours."""
    under = {"uuid": NO_UUID}
    other = tunnel("two", under=under, shares=False, interruptedAt=AT)
    assert not Stage(tunnel("one", under=under), other).begins("one")


def test_two_at_the_same_moment() -> None:
    """The second is held although the first has not written its status yet."""
    stage = Stage(tunnel("one"), tunnel("two"))
    assert stage.begins("one")
    assert not stage.begins("two")
    assert stage.begins("one")  # its own change is not in its way


def test_interruption_ends_with_a_look_from_long_enough_after() -> None:
    stage = Stage(tunnel("one"), tunnel("two"))
    assert stage.begins("one")
    changed = tunnel("one", interruptedAt=AT)
    for began in (0.0, 5.0, 9.9):
        text, after = stage.rollout.interrupted(changed, up=True, began=began)
        assert text == AT
        assert after is not None
        assert after >= 5  # no hot loop while the next look is on its way
    assert stage.rollout.interrupted(changed, up=False, began=100.0) == (AT, None)
    assert stage.rollout.interrupted(changed, up=True, began=10.0) == (None, None)
    assert stage.begins("two")


def test_interruption_from_before_our_start() -> None:
    """Only the wall clock knows when it was; a look from the first seconds is not believed either."""
    stage = Stage()
    stage.clock.seconds = 4.0
    changed = tunnel("one", interruptedAt=AT)
    assert stage.rollout.interrupted(changed, up=True, began=4.0)[0] == AT
    stage.clock.seconds = 11.0
    assert stage.rollout.interrupted(changed, up=True, began=11.0) == (None, None)


def test_change_that_never_reached_status() -> None:
    """The write of the status failed, so nothing was sent: nobody waits for it."""
    stage = Stage(tunnel("one"), tunnel("two"))
    assert stage.begins("one")
    assert stage.rollout.interrupted(tunnel("one"), up=True, began=0.0) == (None, None)
    assert stage.begins("two")


def test_status_that_makes_no_sense() -> None:
    assert Stage().rollout.interrupted(tunnel("one", interruptedAt="yesterday"), up=True, began=0.0) == (None, None)


def test_a_wall_clock_that_was_set_back_holds_nobody() -> None:
    """The change seems to lie ahead: it counts as sent when that is seen, and is over a grace later."""
    stage = Stage()
    one = tunnel("one", interruptedAt="2026-11-22T04:00:00Z")
    begun = stage.clock.now()
    assert stage.rollout.interrupted(one, up=True, began=begun)[0] is not None
    assert stage.rollout.interrupted(one, up=True, began=begun + 10.0) == (None, None)
