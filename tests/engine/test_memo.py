from __future__ import annotations

import random

import pytest

from netgw.engine.memo import FIGHT, FIGHT_SECONDS, RETRY_MOST, SLOW_RETRY, Memo
from netgw.engine.outcome import CallFailed, Stalled, Waiting
from netgw.engine.plan import Change, Interrupts

RNG = random.Random(0)
UNAVAILABLE = CallFailed(Waiting("CloudUnavailable", "No answer."), backoff=True)
PLAN = Change("plan", "production", "advanced", Interrupts.UNKNOWN)


def test_time_alone_mends_it_so_it_is_tried_soon_and_then_later_and_later() -> None:
    memo = Memo()
    pauses = [memo.failed(UNAVAILABLE, RNG).after or 0.0 for _ in range(2000)]
    for number, pause in enumerate(pauses):
        meant = min(2.0 ** (min(number, 10) + 1), RETRY_MOST)
        assert 0.75 * meant <= pause <= 1.25 * meant


@pytest.mark.parametrize("reason", ["CredentialsRefused", "InsufficientCredits", "Conflict", "QuotaReached"])
def test_somebody_has_to_mend_it_so_it_is_tried_every_5_to_15_minutes(reason: str) -> None:
    memo = Memo()
    for _ in range(50):
        after = memo.failed(CallFailed(Waiting(reason, "No.")), RNG).after
        assert after is not None
        assert SLOW_RETRY[0] <= after <= SLOW_RETRY[1]


@pytest.mark.parametrize("outcome", [Stalled("Rejected", "No."), Waiting("RateLimited", "Slow down.", 33.0)])
def test_a_time_that_is_named_stands(outcome: Waiting | Stalled) -> None:
    assert Memo().failed(CallFailed(outcome, backoff=True), RNG) == outcome


def test_a_refusal_stands_for_the_same_call_until_its_time() -> None:
    memo = Memo()
    assert memo.refusal("call", 0.0) is None
    memo.refuse("call", Stalled("Rejected", "No."), 100.0)
    assert memo.refusal("call", 200.0) == Stalled("Rejected", "No.", 3500.0)
    assert memo.refusal("another call", 200.0) is None
    assert memo.refusal("call", 3700.0) is None


def test_success_forgets_what_failed() -> None:
    memo = Memo()
    memo.refuse("call", memo.failed(UNAVAILABLE, RNG), 0.0)
    memo.looks, memo.post_ended = [1.0], 0.5
    memo.settled()
    assert memo == Memo()


def test_a_value_that_never_stays_is_not_sent_for_ever() -> None:
    memo, now = Memo(), 0.0
    memo.see(1, [])
    for _ in range(FIGHT):
        assert memo.fought(PLAN, now) is None
        memo.note_sent([PLAN], now)
        now += 60.0
    stalled = memo.fought(PLAN, now)
    assert stalled is not None
    assert stalled.reason == "DriftFight"
    assert "plan" in stalled.message
    assert stalled.after == FIGHT_SECONDS - now
    assert memo.fought(Change("plan", "production", "standard", Interrupts.UNKNOWN), now) is None
    assert memo.fought(PLAN, FIGHT_SECONDS + 1.0) is None


def test_a_key_that_changes_to_and_fro_is_no_fight() -> None:
    memo, key = Memo(), Change("ipsec.authentication.psk", "v1:a:b", "v1:a:c", Interrupts.YES)
    memo.note_sent([key] * 10, 0.0)
    assert memo.fought(key, 1.0) is None


def test_a_new_spec_ends_the_fight() -> None:
    memo = Memo()
    memo.see(1, [])
    memo.note_sent([PLAN] * FIGHT, 0.0)
    memo.see(1, ["plan"])
    assert memo.fought(PLAN, 1.0) is not None
    memo.see(2, ["plan"])
    assert memo.fought(PLAN, 1.0) is None
    assert memo.pending == {"plan"}


def test_each_call_is_refused_by_itself() -> None:
    """Two that are refused side by side, a label and a plan, do not make each other be asked again and again."""
    memo = Memo()
    memo.refuse("label", Stalled("Rejected", "No label."), 0.0)
    memo.refuse("plan", Waiting("QuotaReached", "No room.", 900.0), 10.0)
    assert memo.refusal("label", 20.0) == Stalled("Rejected", "No label.", 3580.0)
    assert memo.refusal("plan", 20.0) == Waiting("QuotaReached", "No room.", 890.0)
    memo.sent_well("plan")
    assert memo.refusal("plan", 20.0) is None
    assert memo.refusal("label", 20.0) is not None
    memo.refuse("other", Waiting("Conflict", "No.", 5.0), 4000.0)
    assert set(memo.attempts) == {"other"}  # what is over is not kept


def test_who_is_forgiven() -> None:
    memo = Memo()
    memo.refuse("label", Stalled("Rejected", "No."), 0.0)
    memo.refuse("plan", Waiting("PermissionDenied", "No.", 900.0), 0.0)
    memo.forgive(frozenset({"PermissionDenied"}))
    assert set(memo.attempts) == {"label"}
