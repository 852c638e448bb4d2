"""Several outcomes of one pass become one: what `Synced` shows when several things are true. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from netgw.engine.outcome import Outcome, Settled
from netgw.engine.text import one_line

MESSAGE_MOST = 1024

_RANKS = (
    {"Paused"},
    {"ReadOnly"},
    {"CredentialsNotFound", "CredentialsRefused", "InvalidCredentials", "PermissionDenied", "AccountMismatch"},
    {"InsufficientCredits", "RateLimited", "CloudUnavailable"},
    {"InvalidSpec", "InvalidPsk", "Rejected", "ImmutableField", "NameConflict", "OwnedByOther", "AddressNotFound"}
    | {"DriftFight"},
    {"ParentNotFound", "ParentNotCreated", "ParentDeleting", "SecretNotFound", "SecretKeyNotFound"},
    {"AwaitingApproval", "PskRotationHeld"},
    {"RolloutHeld"},
    {"Drifted"},
)
"""The order of contract.md; what is not named here comes last."""


def pick(outcomes: Iterable[Outcome]) -> Outcome:
    """The first of the ranks; its message names the others, and it is due when the earliest of them is."""
    outcomes = tuple(outcomes)
    held = sorted((outcome for outcome in outcomes if not isinstance(outcome, Settled)), key=_rank)
    if not held:
        return next(iter(outcomes), Settled())
    first = held[0]
    others = dict.fromkeys(_word(other) for other in held[1:] if other.reason != first.reason)
    after = min((outcome.after for outcome in held if outcome.after is not None), default=None)
    message = f"{first.message} Also: {', '.join(others)}." if others else first.message
    return replace(first, message=message, after=after)


def bounded(outcome: Outcome) -> Outcome:
    """With a message that is not too long for a condition."""
    return replace(outcome, message=cut(outcome.message))


def cut(message: str) -> str:
    """One line, at most as long as a condition takes."""
    return one_line(message, MESSAGE_MOST)


def _rank(outcome: Outcome) -> int:
    return next((n for n, reasons in enumerate(_RANKS) if outcome.reason in reasons), len(_RANKS))


def _word(outcome: Outcome) -> str:
    """What would be changed is told in full: it is what people pause for."""
    return outcome.message.rstrip(".") if outcome.reason == "Updating" else outcome.reason
