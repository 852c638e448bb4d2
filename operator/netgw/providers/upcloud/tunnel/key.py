"""The pre-shared key of a tunnel: from its Secret to a fingerprint, read only when it has to be.

| Secret                                   | what becomes of it                                              |
|------------------------------------------|-----------------------------------------------------------------|
| same resourceVersion as recorded         | not read: the recorded fingerprint stands                       |
| other resourceVersion, same fingerprint  | the new resourceVersion is remembered, no call                  |
| other fingerprint                        | one PATCH                                                       |
| recorded by another fingerprint key,     | remembered without acceptedAt, nothing is sent until the key    |
| or nothing recorded (adopted)            | differs from it or netgw.dev/push-psk-requested-at asks         |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from netgw.engine.actuator import Psk
from netgw.engine.objects import Object
from netgw.engine.outcome import Hold, Stalled, Waiting
from netgw.kube.client import Secret
from netgw.kube.provider import Fingerprints, Secrets
from netgw.kube.resource import SecretKeyRef
from netgw.providers.upcloud.psk import HINT, BrokenRule, check


@dataclass(frozen=True)
class KeyState:
    """`psk`: which key the Secret holds. `key`: itself, only where it was read. `unknown`: no comparison is possible."""

    psk: Psk | None = None
    key: SecretStr | None = None
    unknown: bool = False
    hold: Hold | None = None
    warning: str | None = None


class Keys:
    """Answers which key a tunnel is to have."""

    def __init__(self, secrets: Secrets, fingerprints: Fingerprints) -> None:
        self._secrets = secrets
        self._fingerprints = fingerprints

    async def state(self, obj: Object, ref: SecretKeyRef, *, needed: bool) -> KeyState:
        """`needed`: a create or an asked-for push needs the key itself. Raises when Kubernetes does not answer."""
        at = (obj.namespace, ref.name)
        recorded: Mapping[str, str] = obj.status.get("psk") or {}
        meta = await self._secrets.look(at)
        if meta is None:
            return KeyState(hold=_missing(ref))
        accepted = recorded.get("fingerprint", "")
        known = bool(accepted) and self._fingerprints.knows(accepted)
        looked_at = obj.status.get("observedGeneration") == obj.generation  # else the reference may name another key
        if known and looked_at and not needed and meta.resource_version == recorded.get("resourceVersion"):
            return KeyState(psk=Psk(accepted, meta.resource_version))
        secret = await self._secrets.read(at)
        if secret is None:
            return KeyState(hold=_missing(ref))
        return self._judge(obj, ref, secret, unknown=not known)

    def _judge(self, obj: Object, ref: SecretKeyRef, secret: Secret, *, unknown: bool) -> KeyState:
        data = secret.data.get(ref.key)
        if data is None:
            message = f"Secret {ref.name} has no key {ref.key}. Put the pre-shared key there: {HINT}"
            return KeyState(hold=Waiting("SecretKeyNotFound", message))
        good = check(data.get_secret_value())
        if isinstance(good, BrokenRule):
            return KeyState(hold=_broken(obj, ref, good))
        warning = None
        if good.trimmed:
            warning = f"Secret {ref.name}/{ref.key} ends with a newline, which is not part of the key and is left out."
        fingerprint = self._fingerprints.fingerprint(good.key)
        return KeyState(Psk(fingerprint, secret.meta.resource_version), good.key, unknown, warning=warning)


def _missing(ref: SecretKeyRef) -> Waiting:
    return Waiting(
        "SecretNotFound", f"There is no Secret {ref.name} in this namespace. It needs a key {ref.key}: {HINT}"
    )


def _broken(obj: Object, ref: SecretKeyRef, rule: BrokenRule) -> Stalled:
    at = (obj.status.get("psk") or {}).get("acceptedAt")
    keeps = f" The tunnel keeps the key accepted at {at}." if at else ""
    message = f"Secret {ref.name}/{ref.key} is not a key that UpCloud accepts ({rule.value}). {HINT}{keeps}"
    return Stalled("InvalidPsk", message)
