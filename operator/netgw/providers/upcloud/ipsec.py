"""What a tunnel proposes to its peer: algorithms and timers, and the Secret with the pre-shared key.

Phase 1 is the IKE SA, phase 2 the child SAs that carry traffic. What UpCloud fills in where a field is not set, in
every recorded answer since 2024; documentation only, for none of it is ever sent by us:

| field                        | UpCloud's default                            |
|------------------------------|----------------------------------------------|
| phase1_, phase2_algorithms   | aes128, aes256, aes128gcm128, aes256gcm128   |
| …_integrity_algorithms       | sha256, sha384, sha512                       |
| …_dh_group_numbers           | 14, 16, 18, 19, 20, 21                       |
| rekey_time, child_rekey_time | 14400, 1440                                  |
| ike_lifetime                 | 86400                                        |
| dpd_delay, dpd_timeout       | 30, 120                                      |
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from netgw.kube.resource import INT32_MAX, Model, SecretKeyRef, list_set

EncryptionAlgorithm = Literal[
    "aes128",
    "aes192",
    "aes256",
    "aes128gcm16",
    "aes128gcm128",
    "aes192gcm16",
    "aes192gcm128",
    "aes256gcm16",
    "aes256gcm128",
]
IntegrityAlgorithm = Literal["aes128gmac", "aes256gmac", "sha1", "sha256", "sha384", "sha512"]
DhGroup = Literal[2, 5, 14, 15, 16, 18, 19, 20, 21, 24]

EncryptionAlgorithms = Annotated[
    tuple[EncryptionAlgorithm, ...] | None, Field(min_length=1, max_length=9, json_schema_extra=list_set())
]
IntegrityAlgorithms = Annotated[
    tuple[IntegrityAlgorithm, ...] | None, Field(min_length=1, max_length=6, json_schema_extra=list_set())
]
DhGroups = Annotated[tuple[DhGroup, ...] | None, Field(min_length=1, max_length=10, json_schema_extra=list_set())]
Seconds = Annotated[int | None, Field(ge=0, le=INT32_MAX)]


class Authentication(Model):
    """How the two sides prove who they are: by a pre-shared key."""

    psk_secret_ref: SecretKeyRef | None = None
    """Required, unless spec.import names a tunnel that exists: without it the key is never touched. Secret with the
    pre-shared key, in the same namespace: 8 to 64 characters of A-Z a-z 0-9 _ and . with no leading
    0. One trailing newline is trimmed. A good one: openssl rand -hex 24 | sed 's/^0/a/'

    A new key is set in place, one tunnel after the other where several share the Secret. It interrupts the tunnel until
    the peer has the new key as well."""


class Ipsec(Model):
    """What the tunnel proposes to its peer. The two sides need one algorithm of each sort in common."""

    authentication: Authentication | None = None
    """How the two sides prove who they are. Required with its key, unless spec.import names a tunnel that exists."""
    phase1_algorithms: EncryptionAlgorithms = None
    """Encryption of the IKE SA (phase 1), at least one. Default of UpCloud: aes128, aes256, aes128gcm128, aes256gcm128.

    Changes in place. Counts as interrupting the tunnel: UpCloud does not say. Taking the field out of the manifest
    leaves UpCloud's value as it is; so with every field here."""
    phase1_integrity_algorithms: IntegrityAlgorithms = None
    """Integrity of the IKE SA (phase 1), at least one. Default of UpCloud: sha256, sha384, sha512.

    Changes in place. Counts as interrupting the tunnel: UpCloud does not say."""
    phase1_dh_group_numbers: DhGroups = None
    """Diffie-Hellman groups of the IKE SA (phase 1), at least one. Default of UpCloud: 14, 16, 18, 19, 20, 21.

    Changes in place. Counts as interrupting the tunnel: UpCloud does not say."""
    phase2_algorithms: EncryptionAlgorithms = None
    """Encryption of the child SAs (phase 2), at least one. Default of UpCloud: aes128, aes256, aes128gcm128,
    aes256gcm128.

    Changes in place. Counts as interrupting the tunnel: UpCloud does not say."""
    phase2_integrity_algorithms: IntegrityAlgorithms = None
    """Integrity of the child SAs (phase 2), at least one. Default of UpCloud: sha256, sha384, sha512.

    Changes in place. Counts as interrupting the tunnel: UpCloud does not say."""
    phase2_dh_group_numbers: DhGroups = None
    """Diffie-Hellman groups of the child SAs (phase 2), for perfect forward secrecy, at least one. Default of UpCloud:
    14, 16, 18, 19, 20, 21.

    Changes in place. Counts as interrupting the tunnel: UpCloud does not say."""
    rekey_time: Seconds = None
    """Seconds after which the IKE SA gets new keys, 0 to 2147483647. Default of UpCloud: 14400.

    Changes in place. Counts as interrupting the tunnel: UpCloud does not say."""
    child_rekey_time: Seconds = None
    """Seconds after which a child SA gets new keys, 0 to 2147483647. Default of UpCloud: 1440.

    Changes in place. Counts as interrupting the tunnel: UpCloud does not say."""
    ike_lifetime: Seconds = None
    """Longest life of the IKE SA in seconds, 0 to 2147483647. Default of UpCloud: 86400.

    Changes in place. Counts as interrupting the tunnel: UpCloud does not say."""
    dpd_delay: Seconds = None
    """Seconds between two looks whether the peer is alive (dead peer detection), 0 to 2147483647. Default of UpCloud:
    30.

    Changes in place. Counts as interrupting the tunnel: UpCloud does not say."""
    dpd_timeout: Seconds = None
    """Seconds without an answer after which the peer counts as dead, 0 to 2147483647. Default of UpCloud: 120.

    Changes in place. Counts as interrupting the tunnel: UpCloud does not say."""
