"""Keyed fingerprints of pre-shared keys, so that status can say which key was last accepted without a way back to it.

Shape: `v1:<key id>:<hmac>`: the key id is the first 8 hex digits of the SHA-256 of our key, the hmac the first 32 of an
HMAC-SHA256. An unkeyed hash would let anybody who reads a status try out keys.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, Self

from pydantic import SecretBytes, SecretStr

from netgw.kube.client import Secret
from netgw.kube.errors import KubernetesError, WriteConflict

SECRET_NAME = "netgw-fingerprint-key"
SECRET_KEY = "key"
_LABELS = {"app.kubernetes.io/managed-by": "netgw"}
_KEY_BYTES = 32
_MIN_BYTES = 16


class FingerprintKeyError(Exception):
    """There is no usable key; the message is one line that says what to do."""


class Source(Protocol):
    """The part of `kube.client.Cluster` that is needed here."""

    async def secret_data(self, namespace: str, name: str) -> Secret | None: ...
    async def create_secret(
        self, namespace: str, name: str, data: Mapping[str, SecretBytes], labels: Mapping[str, str]
    ) -> object: ...


class FingerprintKey:
    """The operator's own key. It is never shown, and lost keys do no harm: fingerprints are then made anew."""

    def __init__(self, key: SecretBytes):
        if len(key.get_secret_value()) < _MIN_BYTES:
            raise FingerprintKeyError(f"the key for fingerprints is shorter than {_MIN_BYTES} bytes")
        self._key = key
        self.key_id = hashlib.sha256(key.get_secret_value()).hexdigest()[:8]

    @classmethod
    async def load(cls, source: Source, namespace: str, file: Path | None) -> Self:
        """From the file if there is one, else from a Secret in the operator's own namespace, made when absent."""
        if file is not None:
            return cls(_from_file(file))
        key = await _from_secret(source, namespace)
        if key is None:
            key = await _made(source, namespace)
        return cls(key)

    def fingerprint(self, psk: SecretStr) -> str:
        digest = hmac.new(self._key.get_secret_value(), psk.get_secret_value().encode(), hashlib.sha256)
        return f"v1:{self.key_id}:{digest.hexdigest()[:32]}"

    def knows(self, fingerprint: str) -> bool:
        """Whether this key made the fingerprint, so that comparing with it means something."""
        return fingerprint.startswith(f"v1:{self.key_id}:")


def _from_file(file: Path) -> SecretBytes:
    try:
        # Tools that make keys as text end them with a newline.
        return SecretBytes(file.read_bytes().removesuffix(b"\n"))
    except OSError as error:
        raise FingerprintKeyError(f"NETGW_FINGERPRINT_KEY_FILE {file} cannot be read: {error.strerror}") from None


async def _from_secret(source: Source, namespace: str) -> SecretBytes | None:
    secret = await source.secret_data(namespace, SECRET_NAME)
    if secret is None:
        return None
    if SECRET_KEY not in secret.data:
        raise FingerprintKeyError(
            f"Secret {namespace}/{SECRET_NAME} has no key {SECRET_KEY!r}: delete it, it is made anew"
        )
    return secret.data[SECRET_KEY]


async def _made(source: Source, namespace: str) -> SecretBytes:
    key = SecretBytes(secrets.token_bytes(_KEY_BYTES))
    try:
        await source.create_secret(namespace, SECRET_NAME, {SECRET_KEY: key}, _LABELS)
    except WriteConflict:
        # Another replica was faster: its key is the one.
        if theirs := await _from_secret(source, namespace):
            return theirs
        raise
    except KubernetesError as error:
        raise FingerprintKeyError(
            f"Secret {namespace}/{SECRET_NAME} cannot be made ({error}): allow it, or set NETGW_FINGERPRINT_KEY_FILE"
        ) from None
    return key
