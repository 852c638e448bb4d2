from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgw.engine.actuator import Condition, ConditionStatus, Observation
from netgw.engine.conditions import ORDER, PROGRESS, Seen, reason_word, summarise, synced
from netgw.engine.outcome import Outcome, Settled, Stalled, Waiting

NOW, THEN = "2026-11-22T03:00:00Z", "2026-11-22T02:00:00Z"
RUNNING = Observation(Condition("Ready", "True", "Running", "Running."))
SETTING_UP = Observation(Condition("Ready", "False", "SettingUp", "It is set up."), converging=True)
BLIND = "UpCloud does not answer."


def seen(outcome: Outcome | None = None, **fields: Any) -> Seen:
    common: dict[str, Any] = {"observation": RUNNING, "known": True, "absent": False, "deleting": False, "blind": None}
    return Seen(outcome=outcome or Settled(), **(common | fields))


def before(type_: str, status: str, reason: str, **more: Any) -> dict[str, Any]:
    common = {"message": "As it was.", "lastTransitionTime": THEN, "observedGeneration": 1}
    return {"type": type_, "status": status, "reason": reason, **common, **more}


def by_type(conditions: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {condition["type"]: condition for condition in conditions}


WAITING = Waiting("SecretNotFound", "There is no Secret.")
RAN = [before("Ready", "True", "Running")]
WAS_BLIND = [before("Ready", "Unknown", "CannotObserve")]


@pytest.mark.parametrize(
    ("row", "given_", "old", "status", "reason"),
    [
        ("no uuid: Synced's reason", seen(WAITING, known=False, observation=None), [], "False", "SecretNotFound"),
        ("no uuid, and blind", seen(WAITING, known=False, blind=BLIND), RAN, "False", "SecretNotFound"),
        ("no uuid, under deletion", seen(WAITING, known=False, deleting=True), RAN, "False", "SecretNotFound"),
        ("no uuid, and yet settled", seen(known=False, observation=None), [], "False", "Creating"),
        ("under deletion", seen(Waiting("ChildrenExist", "Waits."), deleting=True), RAN, "False", "Deleting"),
        ("under deletion, and blind", seen(WAITING, deleting=True, blind=BLIND), RAN, "False", "Deleting"),
        ("no look for too long", seen(blind=BLIND), RAN, "Unknown", "CannotObserve"),
        ("no look, and gone when last seen", seen(WAITING, absent=True, blind=BLIND), RAN, "Unknown", "CannotObserve"),
        ("proven absent", seen(Waiting("ExternallyDeleted", "Gone."), absent=True), RAN, "False", "ExternallyDeleted"),
        ("observed", seen(WAITING), [], "True", "Running"),
        ("observed, and before not", seen(), WAS_BLIND, "True", "Running"),
        ("observed to set up", seen(observation=SETTING_UP), RAN, "False", "SettingUp"),
        ("not seen now: as before", seen(WAITING, observation=None), RAN, "True", "Running"),
        ("not seen now, nor before", seen(WAITING, observation=None), WAS_BLIND, "Unknown", "CannotObserve"),
        ("never seen", seen(WAITING, observation=None), [], "Unknown", "CannotObserve"),
    ],
)
def test_ready(row: str, given_: Seen, old: list[dict[str, Any]], status: str, reason: str) -> None:
    conditions, word = summarise(given_, old, 1, NOW)
    ready = by_type(conditions)["Ready"]
    assert (ready["status"], ready["reason"]) == (status, reason), row
    assert ready["message"]
    assert word == (reason if status != "True" and not given_.deleting else word)


@pytest.mark.parametrize(
    ("outcome", "status", "reason"),
    [
        (Settled(), "True", "InSync"),
        (Settled("Only looked at.", "ObserveOnly"), "True", "ObserveOnly"),
        (WAITING, "False", "SecretNotFound"),
        (Stalled("InvalidPsk", "Too short."), "False", "InvalidPsk"),
    ],
)
def test_synced_is_the_outcome(outcome: Outcome, status: str, reason: str) -> None:
    condition = synced(outcome)
    assert (condition.status, condition.reason, condition.message) == (status, reason, outcome.message)


@pytest.mark.parametrize(
    ("ready", "sync", "deleting", "word"),
    [
        (("True", "Running"), ("True", "InSync"), False, "Running"),
        (("True", "Running"), ("False", "Rejected"), False, "Rejected"),
        (("False", "TunnelDown"), ("True", "InSync"), False, "TunnelDown"),
        (("False", "TunnelDown"), ("False", "InvalidPsk"), False, "TunnelDown"),
        (("Unknown", "CannotObserve"), ("False", "CloudUnavailable"), False, "CannotObserve"),
        (("False", "Deleting"), ("False", "ChildrenExist"), True, "ChildrenExist"),
        (("False", "Deleting"), ("False", "Deleting"), True, "Deleting"),
    ],
)
def test_reason_column(ready: Any, sync: Any, deleting: bool, word: str) -> None:
    traffic = Condition("Ready", ready[0], ready[1], "…")
    verdict = Condition("Synced", sync[0], sync[1], "…")
    assert reason_word(traffic, verdict, deleting) == word


@pytest.mark.parametrize(
    ("given_", "extra"),
    [
        (seen(), None),
        (seen(WAITING), None),
        (seen(Waiting("Creating", "Making.")), "Reconciling"),
        (seen(Waiting("RolloutHeld", "Waits for the other.")), "Reconciling"),
        (seen(observation=SETTING_UP), "Reconciling"),
        (seen(WAITING, observation=SETTING_UP), "Reconciling"),
        (seen(Stalled("Rejected", "No.")), "Stalled"),
        (seen(Stalled("Rejected", "No."), observation=SETTING_UP), "Stalled"),
        (seen(Waiting("Deleting", "Sent."), deleting=True), "Reconciling"),
    ],
)
def test_reconciling_and_stalled_are_there_only_while_true(given_: Seen, extra: str | None) -> None:
    conditions, _ = summarise(given_, [before(kind, "True", "Old") for kind in ("Reconciling", "Stalled")], 1, NOW)
    found = by_type(conditions)
    assert set(found) - {"Ready", "Synced"} == ({extra} if extra else set())
    assert all(found[kind]["status"] == "True" for kind in found if kind in ("Reconciling", "Stalled"))


def test_a_time_moves_only_with_the_status() -> None:
    old = [before("Ready", "True", "Running"), before("Synced", "True", "InSync")]
    found = by_type(summarise(seen(WAITING), old, 7, NOW)[0])
    assert found["Ready"]["lastTransitionTime"] == THEN
    assert found["Synced"]["lastTransitionTime"] == NOW
    assert {condition["observedGeneration"] for condition in found.values()} == {7}


def test_a_reason_alone_moves_no_time() -> None:
    old = [before("Synced", "False", "SecretNotFound")]
    found = by_type(summarise(seen(Stalled("InvalidPsk", "Too short.")), old, 1, NOW)[0])
    assert found["Synced"] == before("Synced", "False", "InvalidPsk", message="Too short.")


def test_conditions_of_the_kind_stay_while_nothing_is_seen() -> None:
    old = [*RAN, before("Healthy", "True", "Healthy"), before("Warning", "True", "Advice")]
    unseen = by_type(summarise(seen(WAITING, observation=None), old, 1, NOW)[0])
    assert unseen["Healthy"] == old[1]
    assert unseen["Warning"] == old[2]
    assert "Healthy" not in by_type(summarise(seen(), old, 1, NOW)[0])
    assert "Warning" not in by_type(summarise(seen(), old, 1, NOW)[0])
    assert "Healthy" not in by_type(summarise(seen(WAITING, observation=None, known=False), old, 1, NOW)[0])


def test_advice_is_a_condition_of_its_own() -> None:
    found = by_type(summarise(seen(warnings=("A newline was left out.",)), [], 1, NOW)[0])
    assert found["Warning"]["message"] == "A newline was left out."
    assert found["Ready"]["status"] == found["Synced"]["status"] == "True"


def test_a_mutilated_status_does_no_harm() -> None:
    old: list[Any] = [{}, {"type": "Ready"}, {"type": "Healthy", "status": "True"}, {"type": "Nonsense", "status": "?"}]
    found = by_type(summarise(seen(WAITING, observation=None), old, 1, NOW)[0])
    assert (found["Ready"]["status"], found["Ready"]["reason"]) == ("Unknown", "CannotObserve")


REASONS = st.sampled_from([*sorted(PROGRESS), "InSync", "SecretNotFound", "Rejected"])
OUTCOMES = st.one_of(
    st.just(Settled()), st.builds(Waiting, REASONS, st.just("Waits.")), st.builds(Stalled, REASONS, st.just("No."))
)
STATUSES: st.SearchStrategy[ConditionStatus] = st.sampled_from(["True", "False", "Unknown"])
OBSERVATIONS = st.builds(
    Observation,
    ready=st.builds(Condition, st.just("Ready"), STATUSES, st.just("Why"), st.just("What.")),
    conditions=st.lists(
        st.builds(Condition, st.sampled_from(["Healthy", "PskInSync"]), STATUSES, st.just("Why"), st.just("What.")),
        max_size=2,
        unique_by=lambda c: c.type,
    ).map(tuple),
    converging=st.booleans(),
)
SEEN = st.builds(
    Seen,
    outcome=OUTCOMES,
    observation=st.none() | OBSERVATIONS,
    known=st.booleans(),
    absent=st.booleans(),
    deleting=st.booleans(),
    blind=st.none() | st.just(BLIND),
    warnings=st.sampled_from([(), ("Mind this.",), ("Mind this.", "And that.")]),
)


@given(st.lists(SEEN, min_size=1, max_size=5))
def test_whatever_is_seen_one_after_the_other(history: list[Seen]) -> None:
    conditions: list[dict[str, Any]] = []
    for step, moment in enumerate(history, 1):
        old, now = by_type(conditions), f"2026-11-22T03:00:{step:02}Z"
        conditions, word = summarise(moment, conditions, step, now)
        types = [condition["type"] for condition in conditions]
        assert len(set(types)) == len(types)
        assert types == sorted(types, key=ORDER.index)
        assert types[:2] == ["Ready", "Synced"]
        assert not {"Reconciling", "Stalled"} <= set(types)
        assert word in {conditions[0]["reason"], conditions[1]["reason"]}
        for condition in conditions:
            assert condition["observedGeneration"] == step
            same = old.get(condition["type"], {}).get("status") == condition["status"]
            assert (condition["lastTransitionTime"] == now) is not same
        assert summarise(moment, conditions, step, "2026-11-22T04:00:00Z") == (conditions, word)  # nothing new to write
