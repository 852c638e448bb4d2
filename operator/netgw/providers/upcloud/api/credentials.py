"""Who calls, and where: credentials and base URL, from values or from the variables of UpCloud's official clients.

| variable | meaning |
|---|---|
| `UPCLOUD_TOKEN` | API token, sent as `Authorization: Bearer` |
| `UPCLOUD_USERNAME`, `UPCLOUD_PASSWORD` | sent as `Authorization: Basic`; never together with a token |
| `UPCLOUD_TOKEN_EXPIRES_AT` | when they expire, as RFC 3339 says it; ours, to be told in time |
| `UPCLOUD_DEBUG_API_BASE_URL` | another API address, without `/1.3`; default https://api.upcloud.com |

An empty variable counts as absent. The official Go client silently ignores a base URL that it cannot parse, and so
calls the real API; here a wrong value is an error.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from pydantic import SecretStr

from .errors import BaseUrlError, CredentialsError

DEFAULT_BASE_URL = "https://api.upcloud.com"
API_VERSION = "1.3"

_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True)
class Credentials:
    """A token, or user name and password: exactly one of the two, else `CredentialsError`. Its repr shows no secret."""

    token: SecretStr | None = None
    username: str | None = None
    password: SecretStr | None = None

    def __post_init__(self) -> None:
        if problem := self._problem():
            raise CredentialsError(problem)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Credentials:
        """Read the variables above; `CredentialsError` says which of them is missing or one too many."""
        token, username, password = (
            environ.get(name) or None for name in ("UPCLOUD_TOKEN", "UPCLOUD_USERNAME", "UPCLOUD_PASSWORD")
        )
        if token and (username or password):
            raise CredentialsError(
                "Both UPCLOUD_TOKEN and UPCLOUD_USERNAME/UPCLOUD_PASSWORD are set; set one of the two."
            )
        if not token and not username and not password:
            raise CredentialsError(
                "No UpCloud credentials: set UPCLOUD_TOKEN, or UPCLOUD_USERNAME and UPCLOUD_PASSWORD."
            )
        if not token and not (username and password):
            missing = "UPCLOUD_PASSWORD" if username else "UPCLOUD_USERNAME"
            raise CredentialsError(f"{missing} is not set; a user name and a password belong together.")
        return cls(token=_secret(token), username=username, password=_secret(password))

    def authorization(self) -> str:
        """Value of the Authorization header. A secret: to be held for the length of one request."""
        if self.token is not None:
            return f"Bearer {self.token.get_secret_value()}"
        return f"Basic {self._basic()}"

    def secrets(self) -> tuple[str, ...]:
        """Every text that must not appear anywhere: what was given, and the form in which it is sent."""
        if self.token is not None:
            return (self.token.get_secret_value(),)
        return (_reveal(self.password), self._basic())

    def _basic(self) -> str:
        return base64.b64encode(f"{self.username}:{_reveal(self.password)}".encode()).decode()

    def _problem(self) -> str | None:
        if self.token is not None:
            if self.username is not None or self.password is not None:
                return "A token, or a user name and a password: not both."
            if not _VISIBLE_ASCII.fullmatch(self.token.get_secret_value()):
                return "The token is empty or holds a space, a line break or a character outside ASCII."
            return None
        if not self.username or not _reveal(self.password):
            return "A token, or both a user name and a password, is needed."
        if ":" in self.username:
            return "The user name holds a colon, which HTTP Basic authentication cannot carry."
        return None


def expiry_from_env(environ: Mapping[str, str]) -> datetime | None:
    """`UPCLOUD_TOKEN_EXPIRES_AT`; `CredentialsError` when it is no time."""
    given = environ.get("UPCLOUD_TOKEN_EXPIRES_AT")
    if not given:
        return None
    try:
        expires = datetime.fromisoformat(given)
    except ValueError:
        said = f"UPCLOUD_TOKEN_EXPIRES_AT is {given[:40]!r}; expected a time such as 2026-11-22T03:00:00Z."
        raise CredentialsError(said) from None
    return expires if expires.tzinfo else expires.replace(tzinfo=UTC)


def base_url_from_env(environ: Mapping[str, str]) -> str:
    """`UPCLOUD_DEBUG_API_BASE_URL`, checked, or the public API. `BaseUrlError` when it is no usable URL."""
    given = environ.get("UPCLOUD_DEBUG_API_BASE_URL")
    if not given:
        return DEFAULT_BASE_URL
    try:
        return check_base_url(given)
    except BaseUrlError as error:
        raise BaseUrlError(f"UPCLOUD_DEBUG_API_BASE_URL: {error}") from None


def check_base_url(text: str) -> str:
    """The URL without its trailing slashes; `BaseUrlError`, which never quotes it, when requests cannot go there."""
    base = text.strip().rstrip("/")
    if problem := _base_url_problem(base):
        raise BaseUrlError(problem)
    return base


def _base_url_problem(base: str) -> str | None:
    try:
        url = httpx.URL(base)
        url.host.encode("idna")  # as the resolver will, which has an exception of its own
    except (httpx.InvalidURL, UnicodeError):
        return "not a URL"
    if url.scheme not in ("http", "https") or not url.host:
        return "not a URL with http:// or https:// and a host"
    if url.userinfo:
        return "holds a user name or password; these go into the credentials"
    if "?" in base or "#" in base:
        return "holds a query or a fragment"
    if not _VISIBLE_ASCII.fullmatch(base):
        return "holds a space, a line break or a character outside ASCII"
    return f"to be given without /{API_VERSION}" if url.path.endswith(f"/{API_VERSION}") else None


def _secret(value: str | None) -> SecretStr | None:
    return None if value is None else SecretStr(value)


def _reveal(value: SecretStr | None) -> str:
    return "" if value is None else value.get_secret_value()
