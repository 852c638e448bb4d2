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

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from netgw.kube.duration import DURATION_PATTERN, parse_duration
from netgw.kube.resource import INT32_MAX, Model, Rule, SecretKeyRef, list_set, rules

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


ROTATE_LEAST = timedelta(hours=24)
ANNOUNCE_DEFAULT = timedelta(hours=24)
ROTATE_RULE = Rule("duration(self) >= duration('24h')", "give at least 24h, such as 720h for thirty days")
ANNOUNCE_RULE = Rule(
    "!has(self.announce) || (has(self.rotateAfter) && duration(self.announce) < duration(self.rotateAfter))",
    "announce needs a rotateAfter that is longer",
    field_path=".announce",
)

Duration = Annotated[str, Field(pattern=DURATION_PATTERN, min_length=2, max_length=24)]


class PskGeneration(Model):
    """Lets netgw make the key and rotate it. It needs a role of its own: deploy/rbac-key-generation.yaml."""

    model_config = ConfigDict(json_schema_extra=rules(ANNOUNCE_RULE))

    rotate_after: Annotated[Duration | None, Field(json_schema_extra=rules(ROTATE_RULE))] = None
    """Age at which the key is exchanged for a new one, at least 24h, for example 720h. Not set: it is never exchanged.

    The key that a person put into the Secret is exchanged as well. Of several tunnels that use one key the eldest
    decides."""
    announce: Duration | None = None
    """How long before the exchange the new key is in the Secret for the peer to fetch, as <key>-next, for example 24h.
    Default: 24h, or half of rotateAfter where that is shorter."""

    @model_validator(mode="after")
    def _consistent(self) -> PskGeneration:
        rotate, announce = parse_duration(self.rotate_after), parse_duration(self.announce)
        if rotate is not None and rotate < ROTATE_LEAST:
            raise PydanticCustomError("rotate_after", ROTATE_RULE.message)
        if announce is not None and (rotate is None or announce >= rotate):
            raise PydanticCustomError("announce", ANNOUNCE_RULE.message)
        return self


WHERE_TO_PUT = Rule(
    "!has(self.pskGeneration) || has(self.pskSecretRef)",
    "pskGeneration needs pskSecretRef: the Secret that the key is kept in",
    reason="FieldValueRequired",
    field_path=".pskSecretRef",
)


class Authentication(Model):
    """How the two sides prove who they are: by a pre-shared key."""

    model_config = ConfigDict(json_schema_extra=rules(WHERE_TO_PUT))

    psk_secret_ref: SecretKeyRef | None = None
    """Required, unless spec.import names a tunnel that exists: without it the key is never touched. Secret with the
    pre-shared key, in the same namespace: 8 to 64 characters of A-Z a-z 0-9 _ and . with no leading 0. One trailing
    newline is trimmed. A good one: openssl rand -hex 24 | sed 's/^0/a/'

    A new key is set in place, one tunnel after the other where several share the Secret. It interrupts the tunnel until
    the peer has the new key as well."""
    psk_generation: PskGeneration | None = None
    """Lets netgw make the Secret, with a strong key, where there is none, and rotate the key. It never overwrites a
    key. Not set: netgw writes to no Secret."""


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
