from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgw.engine.plan import (
    Change,
    Field,
    Interrupts,
    approval,
    canonical,
    diff,
    digest,
    interrupting,
    show,
    targets,
)

PLAIN = Field("plain", Interrupts.NO, "for tests")
SET = Field("set", Interrupts.UNKNOWN, "for tests", unordered=True)
FIXED = Field("fixed", Interrupts.YES, "for tests", mutable=False)
FIELDS = (PLAIN, SET, FIXED)

scalars = st.none() | st.booleans() | st.integers() | st.text("abc", max_size=5)
items = scalars | st.dictionaries(st.text("abc", max_size=3), scalars, max_size=3)
values = st.dictionaries(st.sampled_from(["plain", "fixed", "unknown"]), scalars | st.lists(items, max_size=4))
sets = st.lists(items, max_size=5)


@pytest.mark.parametrize(
    ("desired", "external", "differ"),
    [
        ({}, {"plain": 1, "set": [1]}, []),  # a field that the spec does not set is no drift
        ({"plain": 1}, {"plain": 1}, []),
        ({"plain": 1}, {"plain": 2}, ["plain"]),
        ({"plain": 1}, {}, ["plain"]),
        ({"plain": None}, {}, []),
        ({"plain": [1, 2]}, {"plain": (1, 2)}, []),
        ({"plain": [1, 2]}, {"plain": [2, 1]}, ["plain"]),
        ({"set": [1, 2]}, {"set": [2, 1]}, []),
        ({"set": [1, 1]}, {"set": [1]}, ["set"]),
        ({"set": []}, {"set": [1]}, ["set"]),
        ({"set": [{"a": 1, "b": 2}]}, {"set": ({"b": 2, "a": 1},)}, []),
        ({"fixed": "a"}, {"fixed": "b"}, ["fixed"]),
        ({"fixed": "a", "plain": 1, "set": [1]}, {}, ["plain", "set", "fixed"]),  # in the order of the fields
        ({"elsewhere": 1}, {"elsewhere": 2}, []),
    ],
)
def test_diff(desired: dict[str, Any], external: dict[str, Any], differ: list[str]) -> None:
    changes = diff(FIELDS, desired, external)
    assert [change.path for change in changes] == differ
    for change in changes:
        assert (change.current, change.target) == (external.get(change.path), desired[change.path])
        assert change.mutable is (change.path != "fixed")


@given(values)
def test_nothing_differs_from_itself(desired: dict[str, Any]) -> None:
    assert diff(FIELDS, desired, json.loads(json.dumps(desired))) == ()


@given(values, values)
def test_what_is_sent_leaves_nothing_to_send(desired: dict[str, Any], external: dict[str, Any]) -> None:
    assert diff(FIELDS, desired, {**external, **targets(diff(FIELDS, desired, external))}) == ()


@given(sets, st.randoms())
def test_sets_have_no_order(items: list[Any], rng: Any) -> None:
    shuffled = list(items)
    rng.shuffle(shuffled)
    assert canonical(items, True) == canonical(tuple(shuffled), True)


@given(sets, sets)
def test_sets_differ_by_what_is_in_them(left: list[Any], right: list[Any]) -> None:
    def bag(items: list[Any]) -> list[str]:
        return sorted(json.dumps(item, sort_keys=True) for item in items)

    assert (canonical(left, True) == canonical(right, True)) == (bag(left) == bag(right))


@given(values)
def test_digest_knows_no_order_and_no_second_meaning(wanted: dict[str, Any]) -> None:
    assert digest(wanted) == digest(dict(reversed(wanted.items())))
    assert digest(wanted) != digest({**wanted, "more": 1})
    assert len(digest(wanted)) == 12


@pytest.mark.parametrize(
    ("interrupts", "counts"), [(Interrupts.YES, True), (Interrupts.UNKNOWN, True), (Interrupts.NO, False)]
)
def test_unknown_counts_as_interrupting(interrupts: Interrupts, counts: bool) -> None:
    quiet = Change("quiet", 1, 2, Interrupts.NO)
    assert interrupting([quiet, Change("path", 1, 2, interrupts)]) is counts
    assert not interrupting([])


def test_a_change_in_words() -> None:
    assert str(Change("plan", "production", "advanced", Interrupts.UNKNOWN)) == 'plan: "production" → "advanced"'
    assert str(Change("rekeyTime", None, 5, Interrupts.UNKNOWN)) == "rekeyTime: unset → 5"


def test_a_key_is_not_shown_not_even_its_fingerprint() -> None:
    change = Change("ipsec.authentication.psk", "v1:a:b", "v1:a:c", Interrupts.YES)
    assert change.secret
    assert str(change) == "ipsec.authentication.psk: a new key"


@given(items)
def test_a_value_is_shown_short(value: Any) -> None:
    assert len(show(value)) <= 60


LABELS = Field("labels[*]", Interrupts.NO, "for tests")
ADDRESS = Field("addresses[*].address", Interrupts.YES, "for tests")
ADDRESSES = Field("addresses", Interrupts.YES, "for tests", mutable=False)


@pytest.mark.parametrize(
    ("field", "paths", "its"),
    [
        (PLAIN, ["plain", "plainer", "a.plain"], ["plain"]),
        (PLAIN, [], []),
        (
            LABELS,
            ["labels[b]", "labels[a]", "labels", "label[a]", "labels[c", "xlabels[a]"],
            ["labels[a]", "labels[b]"],
        ),
        (
            LABELS,
            ["labels[]]", "labels[a].address]", "labels[*]", "labels[ ]"],
            ["labels[ ]", "labels[*]", "labels[]]"],
        ),
        (ADDRESS, ["addresses", "addresses[a].address", "addresses[b].name", "labels[addresses[a].address]"], None),
        (ADDRESSES, ["addresses", "addresses[a].address"], ["addresses"]),
    ],
)
def test_paths_of_a_field(field: Field, paths: list[str], its: list[str] | None) -> None:
    found = field.paths(dict.fromkeys(paths, 1))
    if its is None:
        assert found == ["addresses[a].address"]
    else:
        assert set(its) <= set(found)
        assert found == sorted(found)
        assert all(path.startswith(field.path.split("*")[0]) for path in found)


def test_one_change_for_each_key() -> None:
    desired = {"labels[b]": "1", "labels[a]": None, "labels[c]": "", "plain": 1}
    external = {"labels[b]": "2", "labels[a]": "x", "labels[d]": "y", "plain": 1}
    changes = diff((PLAIN, LABELS), desired, external)
    assert [(c.path, c.current, c.target) for c in changes] == [
        ("labels[a]", "x", None),
        ("labels[b]", "2", "1"),
        ("labels[c]", None, ""),
    ]
    assert all(change.calm and change.mutable and not change.secret for change in changes)


@given(sets, st.randoms())
def test_an_approval_is_of_what_is_wanted(items: list[Any], rng: Any) -> None:
    """Not of what there is, and of a set not of its order; of a list it is."""
    shuffled = list(items)
    rng.shuffle(shuffled)
    one = diff(FIELDS, {"set": items, "plain": 1}, {"set": ["other"], "plain": 2})
    two = diff(FIELDS, {"plain": 1, "set": shuffled}, {"set": ["different"], "plain": None})
    assert approval(one) == approval(reversed(two))
    assert approval(one) != approval(one[1:])


def test_an_approval_of_another_order_of_a_list_is_another_one() -> None:
    one, two = diff(FIELDS, {"plain": [1, 2]}, {}), diff(FIELDS, {"plain": [2, 1]}, {})
    assert approval(one) != approval(two)
