"""Histories beyond the first that failed once."""

from __future__ import annotations

import pytest

from support.simulation.play import play

SEEDS = {
    866: "a status was lost, and twice in a row the list showed nothing: it was made again",
    1905: "a connection by hand, where the plan has no room for one more",
    2354: "a connection by hand, between our last look at the gateway and its DELETE",
    2476: "likewise, after a crash",
    2588: "an overlapping leader's younger generation was written over by what an update records",
    3560: "a create that was cut below a connection that was made anew",
    3994: "the status of what is in another account was wiped: nobody else knew that it is there",
    4279: "two leaders, two tunnels of one name: what one made for the first, the other adopted for the second",
    5321: "a key that was taken, and refused in UpCloud's own words: that cannot be known, and is not asked for now",
    5426: "a router that was kept, with a gateway at it that was kept, in the way of new ones",
    7207: "whoever is last was nobody",
}


@pytest.mark.parametrize("seed", SEEDS)
def test_they_hold_now(seed: int) -> None:
    found = play(seed)
    assert found.failure is None, found.failure
