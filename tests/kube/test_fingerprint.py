"""The operator's own key, in a Secret that it makes itself under its own roles, or in a file."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import SecretBytes, SecretStr

from netgw.kube.client import Cluster, Secret, SecretMeta
from netgw.kube.errors import KubernetesError, WriteConflict
from netgw.kube.fingerprint import SECRET_NAME, FingerprintKey, FingerprintKeyError
from support import cluster as support
from support.cluster import OPERATOR_NAMESPACE

PSK = SecretStr("madeup_psk_for_tests_1")
KEY = b"made-up-key-for-tests-of-32-byte"


class Namespace:
    """Secrets of one namespace; `rival` is made by somebody else just before our own."""

    def __init__(self, rival: Mapping[str, bytes] | None = None, refusal: KubernetesError | None = None) -> None:
        self.held: dict[str, Mapping[str, SecretBytes]] = {}
        self.rival = rival
        self.refusal = refusal

    async def secret_data(self, namespace: str, name: str) -> Secret | None:
        return Secret(SecretMeta(namespace, name, "u1", "1"), self.held[name]) if name in self.held else None

    async def create_secret(
        self, namespace: str, name: str, data: Mapping[str, SecretBytes], labels: Mapping[str, str]
    ) -> None:
        if self.refusal:
            raise self.refusal
        if self.rival is not None:
            self.held[name] = {key: SecretBytes(value) for key, value in self.rival.items()}
            raise WriteConflict("it is there", 409)
        self.held[name] = data


def load(source: Namespace, file: Path | None = None) -> FingerprintKey:
    return asyncio.run(FingerprintKey.load(source, OPERATOR_NAMESPACE, file))


def test_key_is_made_once_and_found_again(cluster: support.Cluster) -> None:
    """In a namespace of its own: operators of other tests use the key of theirs."""

    async def loaded() -> FingerprintKey:
        async with await Cluster.connect(str(cluster.kubeconfig)) as ours:
            return await FingerprintKey.load(ours, namespace, None)

    with cluster.namespace() as namespace:
        path = f"/api/v1/namespaces/{namespace}/secrets/{SECRET_NAME}"
        first, second = asyncio.run(loaded()), asyncio.run(loaded())
        assert first.fingerprint(PSK) == second.fingerprint(PSK)
        labels = cluster.api("GET", path).json()["metadata"]["labels"]
        assert labels == {"app.kubernetes.io/managed-by": "netgw"}
        cluster.api("DELETE", path)
        assert asyncio.run(loaded()).fingerprint(PSK) != first.fingerprint(PSK)


def test_shape() -> None:
    """The numbers are those of `openssl dgst -sha256`, without and with -hmac."""
    key = FingerprintKey(SecretBytes(KEY))
    assert key.key_id == "caa36a84"
    assert key.fingerprint(PSK) == "v1:caa36a84:1c2d50a4b40ef30b05841caeaf3f3165"
    assert key.fingerprint(SecretStr("madeup_psk_for_tests_2")) != key.fingerprint(PSK)


def test_knows_its_own_fingerprints() -> None:
    ours, others = FingerprintKey(SecretBytes(KEY)), FingerprintKey(SecretBytes(KEY[::-1]))
    assert ours.knows(ours.fingerprint(PSK))
    assert not ours.knows(others.fingerprint(PSK))
    assert not ours.knows("")


def test_key_of_a_faster_replica_is_taken() -> None:
    key = load(Namespace(rival={"key": KEY}))
    assert key.fingerprint(PSK) == FingerprintKey(SecretBytes(KEY)).fingerprint(PSK)


def test_key_from_a_file_ends_before_its_newline(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(KEY + b"\n")
    source = Namespace()
    assert load(source, file).key_id == FingerprintKey(SecretBytes(KEY)).key_id
    assert source.held == {}


def test_no_usable_key_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FingerprintKeyError, match=r"NETGW_FINGERPRINT_KEY_FILE .*absent cannot be read: No such file"):
        load(Namespace(), tmp_path / "absent")
    with pytest.raises(FingerprintKeyError, match="has no key 'key': delete it"):
        load(Namespace(rival={}))
    with pytest.raises(FingerprintKeyError, match="shorter than 16 bytes"):
        load(Namespace(rival={"key": b"made-up"}))
    with pytest.raises(FingerprintKeyError, match=r"cannot be made \(forbidden\): allow it, or set NETGW_FINGERPRINT"):
        load(Namespace(refusal=KubernetesError("forbidden", 403)))


def test_key_never_shows() -> None:
    key = FingerprintKey(SecretBytes(KEY))
    assert KEY.decode() not in f"{key!r} {vars(key)}"
