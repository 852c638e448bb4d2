"""Rules 3, 4 and 6 of "Creating and owning", every combination."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgw.engine.actuator import External, Psk, Search
from netgw.engine.objects import Object
from netgw.engine.ownership import (
    MARK_MOST,
    Holder,
    Nobody,
    Ours,
    Record,
    Theirs,
    Verdict,
    by_record,
    is_mine,
    mark,
    mark_path,
    without_record,
)
from support.made import NOW, NOW_TEXT, made, resource

OBJ = made("edge")
OTHER = made("other")
RECORD = Record("edge", "parent-1", "alice", NOW)
HOLDERS: dict[str, Object | None] = {"nobody": None, "itself": OBJ, "another": OTHER}
AGES = {
    "young": NOW,
    "just in time": NOW - timedelta(minutes=2),
    "old": NOW - timedelta(minutes=2, seconds=1),
    "": None,
}


def held_by(who: str) -> Holder:
    return lambda uuid: HOLDERS[who]


def look(*named: External, mine: tuple[External, ...] = ()) -> Search:
    return Search(began=0.0, date=NOW, named=named, mine=mine)


def word(verdict: Verdict) -> str:
    """ours, nobody, or the reason for theirs."""
    match verdict:
        case Ours():
            return "ours"
        case Nobody():
            return "nobody"
        case Theirs(reason=reason):
            return reason


def test_nothing_of_that_name() -> None:
    for marked in (True, False):
        assert by_record(OBJ, RECORD, look(), held_by("nobody"), marked=marked) == Nobody()
        found = without_record(OBJ, look(), held_by("nobody"), marked=marked, adoptable=lambda _: True)
        assert found == Nobody()


@pytest.mark.parametrize(
    ("age", "parent", "holder", "deleting"),
    list(itertools.product(AGES, ["parent-1", "parent-2"], HOLDERS, [False, True])),
)
def test_by_record_a_child(age: str, parent: str, holder: str, deleting: bool) -> None:
    """Rule 4: under the recorded parent, not older than the record, held by no other."""
    found = resource(parent=parent, created_at=AGES[age], deleting=deleting)
    verdict = by_record(OBJ, RECORD, look(found), held_by(holder), marked=False)
    ours = age in ("young", "just in time") and parent == "parent-1" and holder != "another" and not deleting
    assert word(verdict) == ("ours" if ours else "NameConflict")


@pytest.mark.parametrize(
    ("mine", "age", "owner", "holder", "deleting"),
    list(itertools.product([False, True], AGES, [None, "theirs"], HOLDERS, [False, True])),
)
def test_by_record_a_gateway(mine: bool, age: str, owner: str | None, holder: str, deleting: bool) -> None:
    """Rule 4: the mark decides, whatever the age."""
    found = resource(created_at=AGES[age], owner=owner, deleting=deleting)
    verdict = by_record(OBJ, RECORD, look(found, mine=(found,) if mine else ()), held_by(holder), marked=True)
    if mine and holder != "another" and not deleting:
        assert verdict == Ours(found)
    elif holder == "another" or deleting or owner is None:
        assert word(verdict) == "NameConflict"
    else:
        assert word(verdict) == "OwnedByOther"


@pytest.mark.parametrize(
    ("equal", "owner", "holder", "deleting"),
    list(itertools.product([False, True], [None, "theirs"], HOLDERS, [False, True])),
)
def test_without_record_a_child(equal: bool, owner: str | None, holder: str, deleting: bool) -> None:
    """Rule 6: adopted when every field that the spec sets is equal; rule 3: never what another one records."""
    found = resource(owner=owner, deleting=deleting)
    verdict = without_record(OBJ, look(found), held_by(holder), marked=False, adoptable=lambda _: equal)
    if equal and holder != "another" and not deleting:
        assert verdict == Ours(found)
    else:
        taken = holder == "another" or deleting or owner is None
        assert word(verdict) == ("NameConflict" if taken else "OwnedByOther")


def test_without_record_a_gateway_is_never_adopted_for_its_likeness() -> None:
    found = resource()
    verdict = without_record(OBJ, look(found), held_by("nobody"), marked=True, adoptable=lambda _: True)
    assert word(verdict) == "NameConflict"


def test_a_gateway_with_our_mark_is_ours_under_any_name() -> None:
    renamed = resource(name="renamed", owner="ours")
    assert by_record(OBJ, RECORD, look(mine=(renamed,)), held_by("nobody"), marked=True) == Ours(renamed)


def test_the_first_that_is_free_is_ours() -> None:
    going, staying = resource("10-1", deleting=True), resource("10-2")
    for marked in (True, False):
        search = look(going, staying, mine=(going, staying))
        found = without_record(OBJ, search, held_by("nobody"), marked=marked, adoptable=lambda _: True)
        assert found == Ours(staying)


def test_a_conflict_says_with_whom_and_what_to_do() -> None:
    def said(search: Search, holder: str) -> str:
        found = by_record(OBJ, RECORD, search, held_by(holder), marked=True)
        assert isinstance(found, Theirs)
        return found.message

    assert "NetworkGateway default/other" in said(look(resource()), "another")
    assert "cluster/ns/name/uid" in said(look(resource(owner="cluster/ns/name/uid")), "nobody")
    assert "is being deleted" in said(look(resource(owner="x", deleting=True)), "nobody")
    assert "not made by netgw" in said(look(resource()), "nobody")


@pytest.mark.parametrize(
    ("owner", "alive", "mine"),
    [
        (None, False, False),
        ("test/default/edge/uid-of-edge", True, True),
        ("elsewhere/default/moved/uid-of-edge", True, True),  # the uid is enough
        ("test/default/edge/former-uid", False, True),  # rebuilt from Git: nobody has that uid any more
        ("test/default/edge/former-uid", True, False),
        ("test/default/edgy/former-uid", False, False),
        ("test/other/edge/former-uid", False, False),
        ("other/default/edge/former-uid", False, False),
        ("", False, False),
        ("test/default/edge", False, False),
        ("uid-of-edge", False, True),
    ],
)
def test_whose_mark(owner: str | None, alive: bool, mine: bool) -> None:
    assert is_mine(owner, "test", OBJ, lambda uid: alive) is mine


@given(
    st.text(alphabet="abc-", min_size=1, max_size=60),
    st.text(alphabet="abc-.", min_size=1, max_size=128),
    st.text(alphabet="abc-", min_size=1, max_size=63),
)
def test_a_mark_fits_and_is_known_again(cluster: str, name: str, namespace: str) -> None:
    obj = made(name, namespace=namespace, uid="0123456789abcdef0123456789abcdef0123")
    owner = mark(cluster, obj)
    assert len(owner) <= MARK_MOST
    assert is_mine(owner, cluster, obj, lambda uid: True)
    again = made(name, namespace=namespace, uid="another")
    assert is_mine(owner, cluster, again, lambda uid: False)
    assert not is_mine(owner, cluster, again, lambda uid: True)
    assert mark_path(cluster, made(name + "x", namespace=namespace)) != mark_path(cluster, obj)


@pytest.mark.parametrize(
    "record",
    [
        RECORD,
        Record("edge", None, None, NOW),
        Record("edge", "parent-1", "alice", NOW, Psk("v1:key:hmac", "5")),
    ],
)
def test_a_record_survives_status(record: Record) -> None:
    assert Record.of(made(status={"create": record.to_status()})) == record


@pytest.mark.parametrize(
    "broken", [None, {}, "edge", {"name": "edge"}, {"name": "", "at": NOW_TEXT}, {"name": "edge", "at": "lunch"}]
)
def test_a_mutilated_record_is_none(broken: Any) -> None:
    assert Record.of(made(status={"create": broken})) is None


def test_a_record_is_in_whole_seconds_and_not_later_than_it_was() -> None:
    at = datetime.fromisoformat("2026-11-22T03:00:00.999999+00:00")
    again = Record.of(made(status={"create": Record("edge", None, None, at).to_status()}))
    assert again is not None
    assert again.at == NOW
