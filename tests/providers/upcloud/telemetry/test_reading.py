"""One answer of the metrics, tunnel by tunnel, and counters that never go back whatever the cloud does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgw.kube.telemetry import Traffic
from netgw.providers.upcloud.api import Metrics
from netgw.providers.upcloud.telemetry.reading import (
    REMEMBERED_ANSWERS,
    NatTally,
    Reading,
    Rising,
    TunnelTally,
    nat,
    readings,
)
from netgw.providers.upcloud.tunnel.state import DownMessage
from support.long_life.census import census
from support.wire import NOW

NAME = "office/office-1"
NAMES = {NAME: "t1", "office/office-2": "t2"}
EARLIER, LATER = "2026-11-22T02:00:00Z", "2026-11-22T02:30:00Z"


def child(number: int | None = 1, amount: int | None = 100, **over: Any) -> dict[str, Any]:
    counters = dict.fromkeys(("bytes_in", "bytes_out", "packets_in", "packets_out"), amount)
    return {"name": NAME, "unique_id": number and str(number), "state": "installed", **counters, **over}


def ike(*children: dict[str, Any], **over: Any) -> dict[str, Any]:
    return {"name": NAME, "operational_state": "established", "child_sas": list(children), **over}


def answer(*sas: dict[str, Any], **over: Any) -> Metrics:
    return Metrics.model_validate({"gateways": [], "ipsec_metrics": {"ike_sas": list(sas)}, **over})


def read(*sas: dict[str, Any]) -> Reading:
    return readings(answer(*sas), NAMES)[0]["t1"]


def carried(*samples: list[dict[str, Any]]) -> list[int]:
    """The exported counter after each sample."""
    tally, totals = TunnelTally(), []
    for sas in samples:
        tally.take(read(*sas))
        assert tally.traffic == Traffic(*[tally.traffic.received_bytes] * 4)
        totals.append(tally.traffic.received_bytes)
    return totals


@pytest.mark.parametrize(
    ("samples", "totals"),
    [
        ([[ike(child(1, 100))], [ike(child(1, 150))]], [100, 150]),
        ([[ike(child(1, 100))], [ike(child(2, 30))]], [100, 130]),
        ([[ike(child(1, 100))], [ike(child(1, 120), child(2, 5))], [ike(child(2, 50))]], [100, 125, 170]),
        ([[ike(child(1, 100))], [ike(child(1, 30))]], [100, 130]),
        ([[ike(child(1, 100))], [], [ike(child(1, 110))]], [100, 100, 110]),
        ([[ike(child(1, 100))], [ike()], [ike(child(1, None))], [ike(child(1, 110))]], [100, 100, 100, 110]),
        ([[ike(child(1, 100)), ike(child(1, 100))], [ike(child(1, 100))]], [100, 100]),
        ([[ike(child(1, 100)), ike(child(2, 10))]], [110]),
        (
            [[ike(child(None, 100, spi_in="a", spi_out="b"))], [ike(child(None, 10, spi_in="c", spi_out="d"))]],
            [100, 110],
        ),
        ([[ike(child(None, 100))], [ike(child(None, 110))]], [100, 110]),
        ([[]], [0]),
    ],
    ids=[
        "grows",
        "a new child begins at zero",
        "both during a rekey",
        "begins again under its number",
        "left out once",
        "null once",
        "listed under the old and the new",
        "two of one name",
        "by its SPIs",
        "without any identity",
        "without an SA",
    ],
)
def test_counter(samples: list[list[dict[str, Any]]], totals: list[int]) -> None:
    assert carried(*samples) == totals


def test_children_that_are_long_gone_still_count() -> None:
    many = 3 * REMEMBERED_ANSWERS
    assert carried(*([ike(child(number, 10))] for number in range(1, many + 1)))[-1] == 10 * many


def test_a_child_that_is_left_out_for_a_while_is_known_again() -> None:
    without = [[ike()]] * REMEMBERED_ANSWERS
    assert carried([ike(child(1, 10))], *without, [ike(child(1, 12))])[-1] == 12


def test_of_children_that_are_gone_only_the_sum_is_kept() -> None:
    tally, sizes = TunnelTally(), set()
    for number in range(1, 10 * REMEMBERED_ANSWERS):
        tally.take(read(ike(child(number, 10))))
        sizes.add(census(tally)["TunnelTally._children"])
    assert max(sizes) == REMEMBERED_ANSWERS + 1


CHILDREN = st.dictionaries(st.integers(1, 40), st.none() | st.integers(0, 2**63), max_size=20)


@given(st.lists(CHILDREN, max_size=12))
def test_counter_never_goes_back(samples: list[dict[int, int | None]]) -> None:
    totals = carried(*([ike(*(child(number, amount) for number, amount in sample.items()))] for sample in samples))
    assert totals == sorted(totals)


@pytest.mark.parametrize(
    ("values", "total"),
    [
        ([], None),
        ([None], None),
        ([5], 5),
        ([5, None, 7], 7),
        ([5, 7, 2], 9),
        ([5, -1, 6], 6),
    ],
)
def test_rising(values: list[int | None], total: int | None) -> None:
    rising = Rising()
    for value in values:
        rising.take(value)
    assert rising.total == total


@pytest.mark.parametrize("ipsec", [None, {}, {"ike_sas": None}, {"ike_sas": []}])
def test_nothing_to_tell(ipsec: Any) -> None:
    """A tunnel without an SA has its reading."""
    found, unknown = readings(Metrics.model_validate({"gateways": None, "ipsec_metrics": ipsec}), NAMES)
    assert found == {"t1": Reading(), "t2": Reading()}
    assert not found["t1"].up
    assert found["t1"].message is None
    assert found["t1"].rekey_seconds == ()
    assert unknown == 0


def test_unknown_tunnels_are_counted_and_left_out() -> None:
    strange = ike(child(9, 999, name="other/other"), name="other/other")
    found, unknown = readings(answer(strange, ike(name=None), ike(child(1, 1))), NAMES)
    assert (unknown, set(found)) == (2, {"t1", "t2"})
    assert list(found["t1"].children) == ["1"]


def test_children_belong_to_the_tunnel_that_they_name() -> None:
    """Two tunnels to one peer may share an IKE SA; a child without a known name belongs to its parent."""
    found, _ = readings(answer(ike(child(1, name="office/office-2"), child(2, name="office-1-child"))), NAMES)
    assert list(found["t2"].children) == ["1"]
    assert list(found["t1"].children) == ["2"]


def test_timers_and_state_are_those_of_the_newest() -> None:
    reading = read(
        ike(child(1, rekey_time=10, life_time=20, created_at=EARLIER), rekey_time=30, created_at=LATER, established=9),
        ike(child(2, rekey_time=700, life_time=800, created_at=LATER), rekey_time=5, created_at=EARLIER),
    )
    assert reading.rekey_seconds == (("ike", 30), ("child", 700))
    assert reading.child is not None
    assert reading.child.life_time == 800


def test_of_one_birth_the_younger_is_the_newest() -> None:
    young, old = child(2, rekey_time=900, install_time=1), child(1, rekey_time=5, install_time=1400)
    reading = read(ike(young, old, rekey_time=8, established=1), ike(rekey_time=2, established=9000))
    assert reading.rekey_seconds == (("ike", 8), ("child", 900))


def test_without_times_the_last_is_the_newest() -> None:
    assert read(ike(rekey_time=1), ike(rekey_time=2)).rekey_seconds == (("ike", 2),)


def test_a_child_that_goes_is_not_the_newest() -> None:
    reading = read(ike(child(1, rekey_time=700, created_at=EARLIER), child(2, state="deleting", created_at=LATER)))
    assert reading.rekey_seconds == (("child", 700),)


@pytest.mark.parametrize(
    ("over", "up"),
    [
        ({}, True),
        ({"operational_state": "connecting"}, False),
        ({"operational_state": "a new word"}, False),
        ({"heuristic_state": {"tunnel_up": False}}, False),
        ({"operational_state": "idle", "heuristic_state": {"tunnel_up": True}}, True),
        ({"heuristic_state": "none"}, True),
    ],
)
def test_up_as_metrics_see_it(over: dict[str, Any], up: bool) -> None:
    assert read(ike(**over)).up is up


def test_heuristics_are_the_youngest() -> None:
    old = {"updated_at": EARLIER, "up_events": 1, "down_events": None, "last_down_message": "old"}
    new = {"updated_at": LATER, "up_events": 5, "down_events": 4, "last_down_message": "new"}
    new["last_down_message_updated_at"] = NOW.isoformat()
    reading = read(ike(heuristic_state=new), ike(heuristic_state=old), ike(heuristic_state=None))
    assert reading.message == DownMessage("new", NOW)
    tally = TunnelTally()
    tally.take(reading)
    assert (tally.up_events.total, tally.down_events.total) == (5, 4)


@pytest.mark.parametrize(
    ("entries", "rejected"),
    [
        (None, None),
        ([], None),
        ([{"name": "edge", "total_rejected_sessions": 3}], 3),
        ([{"name": "edge", "total_rejected_connections": 3}], 3),
        ([{"name": "other", "total_rejected_sessions": 9}, {"name": "edge", "total_rejected_sessions": 3}], 3),
        ([{"name": "renamed", "total_rejected_sessions": 9}], 9),
        ([{"name": "edge", "total_rejected_sessions": None}], None),
    ],
)
def test_nat(entries: Any, rejected: int | None) -> None:
    tally = NatTally()
    tally.take(nat(answer(gateways=entries), "edge"))
    assert tally.rejected.total == rejected
