from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgw.engine.policy import BUILT_IN, CHOICES, IMPORTED, InvalidPolicies, Policies, in_effect, parse

KIND = {"recreatePolicy": "Never"}
FIELDS = sorted(CHOICES)

words = st.sampled_from([word for choices in CHOICES.values() for word in choices] + ["Maybe", "", "full"])
junk = st.none() | st.integers() | st.booleans() | st.lists(st.text("ab", max_size=3), max_size=2) | words
fields = st.sampled_from([*FIELDS, "zone"])
layers = st.lists(st.dictionaries(fields, junk, max_size=6), max_size=5)
sound = st.fixed_dictionaries({}, optional={field: st.sampled_from(choices) for field, choices in CHOICES.items()})
json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text("ab\n", max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=5) | fields, inner, max_size=3),
    max_leaves=8,
)


def of(*said: dict[str, Any], problem: str | None = None) -> Policies:
    return in_effect((*said, BUILT_IN, KIND), problem)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("above", range(4))
def test_the_first_layer_that_says_something_wins(field: str, above: int) -> None:
    first, second = CHOICES[field]
    nothing: list[dict[str, Any]] = [{"zone": "fi-hel1"}, {field: None}, {}, {}]
    silent = nothing[:above]
    assert of(*silent, {field: second}, {field: first}).values[field] == second
    assert of(*silent, {field: first}, {field: second}).values[field] == first


@pytest.mark.parametrize(
    ("said", "yes"),
    [
        ({}, set()),
        (IMPORTED, {"observes", "retains", "reports"}),
        ({"managementPolicy": "Full", "deletionPolicy": "Delete"}, set()),
        ({"recreatePolicy": "Always"}, {"recreates"}),
        ({"disruptionPolicy": "Ask"}, {"asks"}),
    ],
)
def test_what_a_policy_means(said: dict[str, str], yes: set[str]) -> None:
    found = of(said)
    for name in ("observes", "retains", "reports", "recreates", "asks"):
        assert getattr(found, name) is (name in yes)


@given(st.lists(sound, max_size=5))
def test_for_every_field_the_first_word_counts(said: list[dict[str, str]]) -> None:
    found = of(*said)
    assert found.problem is None
    assert found.values.keys() == CHOICES.keys()
    for field in FIELDS:
        wanted = next((layer[field] for layer in (*said, BUILT_IN, KIND) if field in layer), None)
        assert found.values[field] == wanted


@given(layers)
def test_whatever_is_said_something_is_in_effect(said: list[dict[str, Any]]) -> None:
    """And what cannot be read is told, unless something before it made it irrelevant."""
    found = of(*said)
    assert all(found.values[field] in CHOICES[field] for field in FIELDS)
    for field in FIELDS:
        first = next((layer[field] for layer in said if layer.get(field) is not None), None)
        if first is not None and first not in CHOICES[field]:
            assert found.problem is not None
    if found.problem is not None:
        one_sentence(found.problem)


def test_the_first_problem_is_told() -> None:
    assert (
        of({"driftPolicy": "Keep"}, problem="The namespace cannot be read.").problem == "The namespace cannot be read."
    )
    assert of({"driftPolicy": "Keep"}).problem == "driftPolicy is 'Keep'; expected Correct or Report."
    assert of({"driftPolicy": "Report"}, {"driftPolicy": "Keep"}).problem is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["no JSON"]),
        ("Retain", ["no JSON"]),
        ("[" * 100_000, ["no JSON"]),
        ("1" * 10_000, ["no JSON"]),
        ('"Retain"', ["no JSON object"]),
        ("null", ["no JSON object"]),
        ('[{"deletionPolicy": "Retain"}]', ["no JSON object"]),
        ('{"deletePolicy": "Retain"}', ["'deletePolicy'", "deletionPolicy"]),
        ('{"deletionPolicy": "retain"}', ["'retain'", "Delete or Retain"]),
        ('{"deletionPolicy": null}', ["deletionPolicy", "Delete or Retain"]),
        ('{"deletionPolicy": ["Retain"]}', ["deletionPolicy", "Delete or Retain"]),
        ('{"' + "x" * 500 + '": 1}', ["x" * 40]),
        ('{"deletionPolicy": "\\ud800\\n. Nothing"}', ["\\ud800"]),
    ],
)
def test_what_cannot_be_read(text: str, words: list[str]) -> None:
    with pytest.raises(InvalidPolicies) as error:
        parse(text, "Annotation netgw.dev/default-policies of namespace prod")
    said = str(error.value)
    one_sentence(said)
    assert said.startswith("Annotation netgw.dev/default-policies of namespace prod ")
    assert all(word in said for word in words)


@given(st.text('{}[]":,ab1 \\', max_size=20) | json_values.map(json.dumps))
def test_nothing_but_policies_is_read_and_nothing_crashes(text: str) -> None:
    try:
        found = parse(text, "NETGW_DEFAULT_POLICIES")
    except InvalidPolicies as error:
        one_sentence(str(error))
    else:
        assert all(value in CHOICES[field] for field, value in found.items())


@given(sound)
def test_policies_are_read_as_they_are_written(said: dict[str, str]) -> None:
    assert parse(json.dumps(said), "here") == said


def one_sentence(text: str) -> None:
    assert text.endswith(".")
    assert "\n" not in text
    assert len(text) < 400
    text.encode()
