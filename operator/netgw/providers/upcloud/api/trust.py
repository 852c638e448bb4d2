"""Whom TLS believes: one context for the clients of all credentials.

One of its own would cost each client 0.8 MiB and 70 ms in which the process does nothing else, with each new token too.
"""

from __future__ import annotations

import os
import ssl
from functools import lru_cache

import httpx

from .errors import TrustError


def trusted() -> ssl.SSLContext:
    """The authorities that the environment names, else those of certifi. `TrustError` when they cannot be read."""
    named = [(name, os.environ[name]) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)]
    name, value = named[0] if named else ("certifi", "the list of authorities")
    try:
        return _context(name, value)
    except OSError as error:  # ssl.SSLError is one
        raise TrustError(f"no certificates can be read from {value} ({name}): {error.strerror or error}") from None


@lru_cache(maxsize=1)
def _context(_name: str, _value: str) -> ssl.SSLContext:
    """Read once, as long as the environment names the same; what httpx makes of it."""
    return httpx.create_ssl_context()
