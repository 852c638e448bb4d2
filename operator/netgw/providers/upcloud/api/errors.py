"""What can go wrong with a call.

    ValueError
    ├── CredentialsError          the credentials given cannot be used; nothing was sent
    ├── BaseUrlError              neither can the base URL, or that of a proxy
    └── TrustError                nor the authorities that the environment names
    UpCloudError                  a request that brought no usable answer
    ├── Refused                   a definite answer: nothing was done, nor will be until something changes
    │   ├── BadRequest            400 and every other 4xx: the request is wrong; `invalid_params` say where
    │   ├── Unauthorized          401: the credential is wrong, expired, revoked or used from elsewhere
    │   ├── InsufficientCredits   402: the account must be filled up
    │   ├── Forbidden             403: the credential lacks a permission
    │   ├── NotFound              404: it is not there (or a parent of it is not)
    │   ├── Conflict              409: something else has the place
    │   └── RateLimited           429, or held back by this client after one: time alone is the cure, `retry_after`
    ├── Withheld                  a changing request that was not sent: its sender may not send any more
    └── Unavailable               no definite answer: the same request may succeed later
        ├── ServerError           5xx
        ├── Unreachable           no connection came about: surely not sent
        ├── TimedOut              sent, or partly, and no whole answer in time (also 408)
        ├── Interrupted           sent, or partly, and the connection broke
        └── Malformed             an answer that is none: no JSON, JSON of another shape, a redirect

Two questions decide the class: may the same request succeed later, and what will the caller do differently?
`ambiguous` answers the third: may the cloud have done the work all the same?

The message names method, path, status, title, invalid parameters and correlation id. No error holds the request: texts
of the answer are stripped of the credential and of every secret sent; no `__cause__` or `__context__` leads to httpx.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from datetime import datetime

SAFE_METHODS = frozenset({"GET"})


class CredentialsError(ValueError):
    """The credentials cannot be used: missing, incomplete, of two sorts at once, or not sendable."""


class BaseUrlError(ValueError):
    """The base URL cannot be used, or the environment's URL of a proxy."""


class TrustError(ValueError):
    """The authorities that the environment names for TLS cannot be read."""


@dataclass(frozen=True)
class InvalidParam:
    """One entry of `invalid_params`: a dot path with indexes from 0 (`networks.0.ip_address`), and what is wrong."""

    name: str
    reason: str


@dataclass(eq=False, repr=False)
class UpCloudError(Exception):
    """A request that brought no usable answer.

    `status`: of the answer, None when there was none. `code`: UpCloud's word, as `RESOURCE_NOT_FOUND`; None when the
    body had neither of the API's two shapes: a `NotFound` without code is no proof that UpCloud said it.
    `title`: its text, or the beginning of a body of no known shape. `path`: as sent, with `/1.3`.
    `retry_after`: seconds. `date`: the Date header, aware. `sent`: False when the request surely did not leave.
    `began`: when the request began, by the client's clock; None when it never did.
    """

    message: str
    _: KW_ONLY
    status: int | None = None
    code: str | None = None
    title: str | None = None
    correlation_id: str | None = None
    invalid_params: tuple[InvalidParam, ...] = ()
    method: str = ""
    path: str = ""
    retry_after: float | None = None
    date: datetime | None = None
    began: float | None = None
    sent: bool = True

    def __str__(self) -> str:
        return self.message

    @property
    def ambiguous(self) -> bool:
        """True when a changing request may have been carried out although no good answer came back."""
        return False


class Refused(UpCloudError):
    """A definite answer: nothing was done."""


class BadRequest(Refused):
    """400, or a 4xx without a class of its own: the request itself is wrong."""


class Unauthorized(Refused):
    """401: the credential is not accepted."""


class InsufficientCredits(Refused):
    """402: the account has not enough credits for this."""


class Forbidden(Refused):
    """403: the credential is good, but not for this."""


class NotFound(Refused):
    """404: the object, or one of its parents, is not there."""


class Conflict(Refused):
    """409: as for a second gateway on one router."""


class RateLimited(Refused):
    """429, or not sent at all because an earlier 429 asked to wait: again after `retry_after` seconds, where known."""


class Withheld(UpCloudError):
    """Not sent, because who asked for it may not change anything any more: `sent` is False."""


class Unavailable(UpCloudError):
    """No definite answer; the same request may succeed later."""

    @property
    def ambiguous(self) -> bool:
        """True for every changing request that may have left."""
        return self.sent and self.method not in SAFE_METHODS


class ServerError(Unavailable):
    """5xx."""


class Unreachable(Unavailable):
    """No connection came about (refused, no such host, TLS, connect time-out): `sent` is False."""


class TimedOut(Unavailable):
    """No whole answer in time."""


class Interrupted(Unavailable):
    """The connection broke before the whole answer was there."""


class Malformed(Unavailable):
    """An answer that cannot be read as what was asked for."""
