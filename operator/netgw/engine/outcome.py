"""How a pass ends, as values. Waiting is not an error, and being stalled must be claimed with a reason.

| cause                                             | outcome | what wakes it                                      |
|---------------------------------------------------|---------|----------------------------------------------------|
| invalid spec, bad Secret, 400, immutable, name    | Stalled | spec, Secret, parent, annotation; again in an hour |
| 401, 402, 403, 409, quota                         | Waiting | 5 to 15 minutes; an account that answers again     |
| Secret or parent missing                          | Waiting | its appearance                                     |
| 429, 5xx, time-out, reset, no JSON                | Waiting | exponential with jitter, Retry-After               |
| pending, setup-…, delete-…                        | Waiting | the snapshot                                       |
"""

from __future__ import annotations

from dataclasses import dataclass

STALLED_RETRY = 3600.0


@dataclass(frozen=True)
class Settled:
    """The cloud has what the spec says."""

    message: str = "The cloud has what the spec says."
    reason: str = "InSync"
    after: float | None = None


@dataclass(frozen=True)
class Waiting:
    """Something has to happen first. `after` is in seconds; None: only an event of the world wakes it."""

    reason: str
    message: str
    after: float | None = None


@dataclass(frozen=True)
class Stalled:
    """Only a person helps: spec, Secret, parent or an annotation must change. Judged again after an hour."""

    reason: str
    message: str
    after: float | None = STALLED_RETRY


Hold = Waiting | Stalled
Outcome = Settled | Waiting | Stalled


class CallFailed(Exception):
    """A call to the cloud failed, in the engine's words.

    `ambiguous`: the cloud may have done the work. `status`: the HTTP status where there was an answer.
    `backoff`: time alone may mend it, so it is tried soon and then later and later, unless the cloud named a time.
    `proof`: it is the cloud itself that says 404, not something on the way to it. `words`: the cloud's own.
    """

    def __init__(
        self,
        outcome: Hold,
        *,
        ambiguous: bool = False,
        status: int | None = None,
        backoff: bool = False,
        proof: bool = False,
        words: str = "",
    ) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome
        self.ambiguous = ambiguous
        self.status = status
        self.backoff = backoff
        self.proof = proof
        self.words = words
