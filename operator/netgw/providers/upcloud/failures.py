"""UpCloud's errors in the engine's words: the one place where that is decided.

| error                 | reason              | again                                     |
|-----------------------|---------------------|-------------------------------------------|
| 400                   | Rejected (stalled)  | when spec, Secret or parent changed; 1 h  |
| 400 of a quota        | QuotaReached        | 5 to 15 minutes                           |
| 401                   | CredentialsRefused  | when the account answers again            |
| 402                   | InsufficientCredits | 5 to 15 minutes                           |
| 403                   | PermissionDenied    | 5 to 15 minutes                           |
| 404 of a parent       | ParentNotCreated    | soon, later and later                     |
| 409                   | Conflict            | 5 to 15 minutes                           |
| 429                   | RateLimited         | Retry-After, else soon, later and later   |
| no answer, 5xx, …     | CloudUnavailable    | soon, later and later                     |
"""

from __future__ import annotations

from netgw.engine.outcome import CallFailed, Hold, Stalled, Waiting
from netgw.providers.upcloud.api import (
    Conflict,
    Forbidden,
    InsufficientCredits,
    NotFound,
    RateLimited,
    Unauthorized,
    Unavailable,
    UpCloudError,
)

QUOTA_WORDS = "can have up to"
"""Of "Service with plan production can have up to 2 connections.", the only wording that is documented."""


def failed(error: UpCloudError) -> CallFailed:
    """What the caller is to do about an error; correlation ids stay in the log, for they differ each time."""
    backoff = isinstance(error, NotFound | RateLimited | Unavailable)
    proof = isinstance(error, NotFound) and error.code is not None
    return CallFailed(_outcome(error), ambiguous=error.ambiguous, status=error.status, backoff=backoff, proof=proof)


def _outcome(error: UpCloudError) -> Hold:
    said = what_it_says(error)
    match error:
        case Unauthorized():
            return Waiting(
                "CredentialsRefused",
                "UpCloud answers 401: the credentials are expired, revoked, or used from an address outside their "
                "allowed_ip_ranges. Tunnels are not affected; nothing is observed or changed. "
                "Give the operator new ones.",
            )
        case InsufficientCredits():
            return Waiting("InsufficientCredits", f"UpCloud answers 402: {said} Fill up the account's credits.")
        case Forbidden():
            return Waiting("PermissionDenied", f"UpCloud answers 403: {said} Give the credentials this permission.")
        case NotFound():
            return Waiting("ParentNotCreated", f"UpCloud answers 404: {said}")
        case Conflict():
            return Waiting("Conflict", f"UpCloud answers 409: {said}")
        case RateLimited():
            return Waiting("RateLimited", "UpCloud answers 429: too many requests.", error.retry_after)
        case Unavailable():
            return Waiting("CloudUnavailable", f"UpCloud does not answer as it should ({kind_of_silence(error)}).")
        case _ if QUOTA_WORDS in said:
            return Waiting("QuotaReached", f"UpCloud answers {error.status}: {said} Set a larger plan.")
        case _:
            return Stalled("Rejected", f"UpCloud answers {error.status}: {said} Mend the spec; it is then tried again.")


def what_it_says(error: UpCloudError) -> str:
    """The cloud's own words, with what it says per field."""
    title = (error.title or type(error).__name__).rstrip(".") + "."
    fields = "; ".join(f"{param.name}: {param.reason}" for param in error.invalid_params)
    return f"{title} {fields}" if fields else title


def kind_of_silence(error: UpCloudError) -> str:
    """How it does not answer, in a word or three."""
    if error.status is not None and error.status >= 500:
        return f"HTTP {error.status}"
    return {
        "TimedOut": "time-out",
        "Unreachable": "no connection",
        "Interrupted": "the connection broke",
        "Malformed": "an answer that cannot be read",
    }.get(type(error).__name__, "no answer")
