"""UpCloud's errors in the engine's words: the one place where that is decided.

| error                 | reason              | again                                     |
|-----------------------|---------------------|-------------------------------------------|
| 400                   | Rejected (stalled)  | when spec, Secret or parent changed; 1 h  |
| 400 of a quota        | QuotaReached        | 5 to 15 minutes                           |
| 401                   | CredentialsRefused  | when the account answers again            |
| 402                   | InsufficientCredits | 5 to 15 minutes                           |
| 403                   | PermissionDenied    | 5 to 15 minutes                           |
| 404 of a parent       | ParentNotCreated    | soon, later and later                     |
| 404 of a proxy        | CloudUnavailable    | soon, later and later                     |
| 409                   | Conflict            | 5 to 15 minutes                           |
| 429                   | RateLimited         | Retry-After, else soon, later and later   |
| no answer, 5xx, …     | CloudUnavailable    | soon, later and later                     |

A refusal in neither of the API's shapes comes from something on the way: a changing call may have been carried out.
Messages never hold what differs from one answer to the next: no correlation id, no page of a proxy, no Retry-After.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from netgw.engine.objects import format_time
from netgw.engine.outcome import CallFailed, Hold, Stalled, Waiting
from netgw.engine.progress import Stopping
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
from netgw.providers.upcloud.api.errors import SAFE_METHODS, Withheld

log = logging.getLogger(__name__)

QUOTA_WORDS = "can have up to"
"""Of "Service with plan production can have up to 2 connections.", the only wording that is documented."""

TRAFFIC = "Tunnels do not depend on the API."


@dataclass(frozen=True)
class Caller:
    """Whose credentials a call goes out with: what they are called, and how they are replaced, as a sentence."""

    name: str
    replace: str


OWN_CALLER = Caller("the operator's own credentials", "Make them valid again, or start the operator with others.")


def secret_caller(namespace: str, name: str) -> Caller:
    """The credentials of a Secret."""
    return Caller(f"Secret {namespace}/{name}", "Put a new token in the Secret; it is read at once.")


def failed(error: UpCloudError, caller: Caller, since: datetime | None = None) -> CallFailed:
    """What is to be done about an error. `since`: when it began, where it goes on for a while."""
    backoff = isinstance(error, NotFound | RateLimited | Unavailable)
    outcome = _outcome(error, caller, "" if since is None else f" since {format_time(since)}")
    ambiguous = error.ambiguous or _is_hearsay(error)
    words = "" if error.status is None else what_it_says(error)
    return CallFailed(
        outcome, ambiguous=ambiguous, status=error.status, backoff=backoff, proof=_is_proof(error), words=words
    )


@contextmanager
def mapped(caller: Caller) -> Iterator[None]:
    """UpCloud's errors become the engine's; the log keeps the correlation id."""
    try:
        yield
    except Withheld as error:
        log.warning("%s", error)
        raise Stopping from None
    except UpCloudError as error:
        level = logging.DEBUG if isinstance(error, NotFound) else logging.INFO
        log.log(level, "%s", error, extra={"correlation_id": error.correlation_id})
        raise failed(error, caller) from None


def _is_hearsay(error: UpCloudError) -> bool:
    """Whether a changing call was refused by something on the way, which may not know what UpCloud did with it.

    Not so a 429: who says that did not let it through.
    """
    own_words = error.code is not None or isinstance(error, RateLimited)
    return error.method not in SAFE_METHODS and error.sent and error.status is not None and not own_words


def _is_proof(error: UpCloudError) -> bool:
    """Whether UpCloud itself says 404, and nothing on the way to it."""
    return isinstance(error, NotFound) and error.code is not None


def _outcome(error: UpCloudError, caller: Caller, since: str) -> Hold:
    answer = f"UpCloud answers {error.status}{since}"
    match error:
        case Unauthorized():
            return Waiting(
                "CredentialsRefused",
                f"UpCloud answers {error.status} to {caller.name}{since}: expired, revoked, or used from an address "
                f"outside of allowed_ip_ranges. {TRAFFIC} Nothing is observed or changed. {caller.replace}",
            )
        case InsufficientCredits():
            return Waiting(
                "InsufficientCredits",
                f"{answer}: {what_it_says(error)} Fill up the account's credits. Tried again every 5 to 15 min.",
            )
        case Forbidden():
            return Waiting(
                "PermissionDenied",
                f"{answer}: {what_it_says(error)} Give {caller.name} the permission for network gateways. {TRAFFIC} "
                f"Tried again by itself.",
            )
        case NotFound() if _is_proof(error):
            return Waiting(
                "ParentNotCreated",
                f"{answer}: {what_it_says(error)} It, or what it belongs to, is not in UpCloud. Looked for again.",
            )
        case Conflict():
            return Waiting(
                "Conflict",
                f"{answer}: {what_it_says(error)} Something else has the place, or is being changed. Tried again every "
                f"5 to 15 min.",
            )
        case RateLimited():
            what = f"{answer}: too many requests" if error.status else f"Too many requests to UpCloud{since}"
            return Waiting("RateLimited", f"{what}. {TRAFFIC} It goes on by itself.", error.retry_after)
        case Unavailable() | NotFound():
            return Waiting(
                "CloudUnavailable",
                f"UpCloud does not answer{since} ({kind_of_silence(error)}). {TRAFFIC} Nothing is changed until it "
                f"answers.",
            )
        case _ if QUOTA_WORDS in what_it_says(error):
            return Waiting(
                "QuotaReached",
                f"{answer}: {what_it_says(error)} Set a larger plan on the NetworkGateway, or delete what is not "
                f"needed. Tried again every 5 to 15 min.",
            )
        case _:
            return Stalled(
                "Rejected",
                f"{answer}: {what_it_says(error)} Mend the spec: it is then tried again at once, else in an hour.",
            )


def what_it_says(error: UpCloudError) -> str:
    """The cloud's own words, with what it says per field under the names of the manifest.

    An answer in neither of the API's shapes is a page of something on the way: it is not quoted, for such pages hold
    times and numbers of requests.
    """
    if error.code is None and not error.invalid_params:
        return "not in UpCloud's own words, so perhaps from a proxy on the way; the log has the answer."
    title = (error.title or error.code or "no reason given").rstrip(".") + "."
    fields = "; ".join(f"{_camel(param.name)}: {param.reason.rstrip('.')}" for param in error.invalid_params)
    return f"{title} {fields}." if fields else title


def kind_of_silence(error: UpCloudError) -> str:
    """How it does not answer, in a word or three."""
    if error.status is not None and error.status >= 400:
        return f"HTTP {error.status}"
    return {
        "TimedOut": "time-out",
        "Unreachable": "no connection",
        "Interrupted": "the connection broke",
        "Malformed": "an answer that cannot be read",
    }.get(type(error).__name__, "no answer")


def _camel(name: str) -> str:
    """`remote_routes.0.static_network` as in the manifest: a spec field is the API's in camelCase."""
    name = name.replace("routers.0.", "routerRef.")
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)
