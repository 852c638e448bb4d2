from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgw.engine.outcome import STALLED_RETRY, Hold, Outcome, Settled, Stalled, Waiting
from netgw.engine.verdict import MESSAGE_MOST, bounded, pick

ORDER = [
    ["Paused"],
    ["ReadOnly"],
    ["CredentialsNotFound", "CredentialsRefused", "InvalidCredentials", "PermissionDenied", "AccountMismatch"],
    ["InsufficientCredits", "RateLimited", "CloudUnavailable"],
    ["InvalidSpec", "InvalidPsk", "Rejected", "ImmutableField", "NameConflict", "OwnedByOther", "AddressNotFound"],
    ["ParentNotFound", "ParentNotCreated", "ParentDeleting", "SecretNotFound", "SecretKeyNotFound"],
    ["AwaitingApproval"],
    ["RolloutHeld"],
    ["Drifted"],
    ["Updating", "Creating", "QuotaReached", "Conflict"],
]
RANK = {reason: rank for rank, reasons in enumerate(ORDER) for reason in reasons}
HOLDS: st.SearchStrategy[Hold] = st.builds(
    lambda kind, reason, after: kind(reason, f"{reason}.", after),
    st.sampled_from([Waiting, Stalled]),
    st.sampled_from(sorted(RANK)),
    st.none() | st.floats(0, 4000),
)


def test_nothing_to_say() -> None:
    assert pick([]) == Settled()
    assert pick([Settled("Only looked at.", "ObserveOnly")]) == Settled("Only looked at.", "ObserveOnly")
    assert pick([Waiting("Paused", "Paused."), Settled("Only looked at.", "ObserveOnly")]).reason == "Paused"


@pytest.mark.parametrize(("first", "second"), [(a[0], b[0]) for a, b in itertools.pairwise(ORDER)])
def test_what_comes_first(first: str, second: str) -> None:
    outcomes = [Waiting(second, f"{second}."), Waiting(first, f"{first}.")]
    named = "Updating" if second == "Updating" else second
    assert pick(outcomes) == Waiting(first, f"{first}. Also: {named}.")


def test_what_would_be_changed_is_told_in_full() -> None:
    found = pick([Waiting("Updating", "To be changed: plan: 1 → 2"), Waiting("Paused", "Paused.")])
    assert found.message == "Paused. Also: To be changed: plan: 1 → 2."


@given(st.lists(HOLDS, min_size=1, max_size=6))
def test_pick(outcomes: list[Hold]) -> None:
    found = pick([Settled(), *outcomes])
    first = next(outcome for outcome in outcomes if outcome.reason == found.reason)
    assert RANK[found.reason] == min(RANK[outcome.reason] for outcome in outcomes)
    assert type(found) is type(first)
    assert found.message.startswith(first.message)
    assert found.after == min((o.after for o in outcomes if o.after is not None), default=None)
    for other in outcomes:
        assert other.reason in found.message
    assert found.message.count(f"{found.reason}.") == 1


@given(st.lists(HOLDS, max_size=6), st.integers())
def test_pick_knows_no_order_but_that_of_equals(outcomes: list[Hold], seed: int) -> None:
    shuffled: list[Outcome] = list(outcomes)
    random.Random(seed).shuffle(shuffled)
    one, other = pick(outcomes), pick(shuffled)
    assert RANK.get(one.reason) == RANK.get(other.reason)
    assert one.after == other.after


@given(st.text("ab.", max_size=2 * MESSAGE_MOST))
def test_bounded(message: str) -> None:
    for outcome in (Settled(message), Waiting("Why", message, 5.0), Stalled("Why", message)):
        found = bounded(outcome)
        assert len(found.message) <= MESSAGE_MOST
        assert (found.reason, found.after, type(found)) == (outcome.reason, outcome.after, type(outcome))
        assert found.message == message or message.startswith(found.message[:-1])


def test_stalled_is_tried_again_after_an_hour() -> None:
    assert Stalled("Rejected", "No.").after == STALLED_RETRY == 3600.0
