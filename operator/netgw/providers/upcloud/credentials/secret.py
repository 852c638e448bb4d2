"""A Secret with credentials: what its keys mean."""

from __future__ import annotations

import logging
from datetime import datetime

from pydantic import SecretStr

from netgw.engine.objects import parse_time
from netgw.kube.client import Secret
from netgw.providers.upcloud.api import Credentials, CredentialsError

log = logging.getLogger(__name__)

KEYS = "It needs a key token, or the keys username and password."
EXPIRES = "expires-at"


def credentials_of(secret: Secret) -> Credentials:
    """`token`, or `username` and `password`; one trailing newline of each is left out. Raises CredentialsError."""
    token, username, password = (_text(secret, key) for key in ("token", "username", "password"))
    return Credentials(
        token=None if token is None else SecretStr(token),
        username=username,
        password=None if password is None else SecretStr(password),
    )


def expiry_of(secret: Secret) -> datetime | None:
    """When somebody said that they expire. It stops nothing: whether UpCloud takes them, UpCloud says."""
    try:
        text = _text(secret, EXPIRES)
    except CredentialsError:
        text = ""
    expires = None if text is None else parse_time(text)
    if text is not None and expires is None:
        said = "%s of Secret %s/%s is no time such as 2026-11-22T03:00:00Z: nobody is told before it comes."
        log.warning(said, EXPIRES, secret.meta.namespace, secret.meta.name)
    return expires


def _text(secret: Secret, key: str) -> str | None:
    data = secret.data.get(key)
    if data is None:
        return None
    try:
        return data.get_secret_value().decode().removesuffix("\n").removesuffix("\r") or None
    except UnicodeDecodeError:
        raise CredentialsError(f"{key} is no text.") from None
