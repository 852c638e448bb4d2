"""The pre-shared key of a tunnel: from its Secret to a fingerprint, read only when it has to be.

| Secret                                   | what becomes of it                                              |
|------------------------------------------|-----------------------------------------------------------------|
| same resourceVersion as recorded         | not read: the recorded fingerprint stands                       |
| other resourceVersion, same fingerprint  | the new resourceVersion is remembered, no call                  |
| other fingerprint                        | one PATCH                                                       |
| one was sent, the answer is not recorded | one PATCH, whichever key the Secret has by now                  |
| recorded by another fingerprint key,     | remembered without acceptedAt, nothing is sent until the key    |
| or nothing recorded (adopted)            | differs from it or netgw.dev/push-psk-requested-at asks         |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from netgw.engine.actuator import Psk
from netgw.engine.objects import Object
from netgw.engine.outcome import Hold, Stalled, Waiting
from netgw.engine.recall import Recall
from netgw.kube.client import Secret
from netgw.kube.errors import KubernetesError
from netgw.kube.provider import Fingerprints, Secrets
from netgw.kube.resource import SecretKeyRef
from netgw.providers.upcloud.psk import HINT, BrokenRule, check

UNREAD_AGAIN = 30.0


@dataclass(frozen=True)
class KeyState:
    """`psk`: which key the Secret holds. `key`: itself, only where it was read. `unknown`: it cannot be compared."""

    psk: Psk | None = None
    key: SecretStr | None = None
    unknown: bool = False
    hold: Hold | None = None
    warnings: tuple[str, ...] = ()


class Keys:
    """Answers which key a tunnel is to have. `used`: whether an object refers to the Secret."""

    def __init__(self, secrets: Secrets, fingerprints: Fingerprints, used: Callable[[str, str], bool]) -> None:
        self._secrets = secrets
        self._fingerprints = fingerprints
        self._trimmed: Recall[tuple[str, str, str], str] = Recall(lambda at: used(*at[:2]))

    async def state(self, obj: Object, ref: SecretKeyRef, *, new: bool) -> KeyState:
        """`new`: a create needs the key itself."""
        try:
            needed = new or push_requested(obj) or look_requested(obj) or is_sending(obj)
            return await self._state(obj, ref, needed=needed)
        except KubernetesError as error:
            said = f"Secret {ref.name} cannot be read: {error}. Tried again every 30 s.{_keeps(obj)}"
            return KeyState(hold=Waiting("SecretNotFound", said, UNREAD_AGAIN))

    async def _state(self, obj: Object, ref: SecretKeyRef, *, needed: bool) -> KeyState:
        at = (obj.namespace, ref.name)
        recorded: Mapping[str, str] = obj.status.get("psk") or {}
        meta = await self._secrets.look(at)
        if meta is None:
            return KeyState(hold=_missing(obj, ref))
        accepted = recorded.get("fingerprint", "")
        known = bool(accepted) and self._fingerprints.knows(accepted)
        looked_at = obj.status.get("observedGeneration") == obj.generation  # else the reference may name another key
        if known and looked_at and not needed and meta.resource_version == recorded.get("resourceVersion"):
            return KeyState(Psk(accepted, meta.resource_version), warnings=self._told(obj, ref, meta.resource_version))
        secret = await self._secrets.read(at)
        if secret is None:
            return KeyState(hold=_missing(obj, ref))
        return self._judge(obj, ref, secret, unknown=not known)

    def _judge(self, obj: Object, ref: SecretKeyRef, secret: Secret, *, unknown: bool) -> KeyState:
        data, version = secret.data.get(ref.key), secret.meta.resource_version
        if data is None:
            said = f"Secret {ref.name} has no key {ref.key}. Put the pre-shared key there: {HINT}{_keeps(obj)}"
            return KeyState(hold=Waiting("SecretKeyNotFound", said))
        good = check(data.get_secret_value())
        if isinstance(good, BrokenRule):
            said = f"Secret {ref.name}/{ref.key} is not a key that UpCloud accepts ({good.value}). {HINT}{_keeps(obj)}"
            return KeyState(hold=Stalled("InvalidPsk", said))
        if good.trimmed:
            self._trimmed.keep((obj.namespace, ref.name, ref.key), version)
        psk = Psk(self._fingerprints.fingerprint(good.key), version)
        return KeyState(psk, good.key, unknown, warnings=(_newline(ref),) if good.trimmed else ())

    def _told(self, obj: Object, ref: SecretKeyRef, version: str) -> tuple[str, ...]:
        """The warning goes on while the Secret is as it was, without reading it again: known here, or in status."""
        here = self._trimmed.get((obj.namespace, ref.name, ref.key)) == version
        there = _newline(ref) in str((obj.condition("Warning") or {}).get("message"))
        return (_newline(ref),) if here or there else ()


def is_sending(obj: Object) -> bool:
    """Whether a key was sent, or was about to be, whose answer is not recorded: the process died, or none came."""
    return bool((obj.status.get("psk") or {}).get("sending"))


def accepted_key(obj: Object) -> str | None:
    """Fingerprint of the key that UpCloud has, None while nobody knows it."""
    return None if is_sending(obj) else (obj.status.get("psk") or {}).get("fingerprint")


def push_requested(obj: Object) -> bool:
    """Whether a user asks to send the key although nothing says that it differs."""
    asked = obj.annotation("push-psk-requested-at")
    return asked is not None and asked != obj.status.get("lastHandledPushPskAt")


def look_requested(obj: Object) -> bool:
    """Whether a user asks to look at everything afresh: then at the Secret as well."""
    asked = obj.annotation("reconcile-requested-at")
    return asked is not None and asked != obj.status.get("lastHandledReconcileAt")


def _newline(ref: SecretKeyRef) -> str:
    return f"Secret {ref.name}/{ref.key} ends with a newline, which is not part of the key and is left out."


def _missing(obj: Object, ref: SecretKeyRef) -> Waiting:
    message = f"There is no Secret {ref.name} in this namespace. It needs a key {ref.key}: {HINT}{_keeps(obj)}"
    return Waiting("SecretNotFound", message)


def _keeps(obj: Object) -> str:
    at = (obj.status.get("psk") or {}).get("acceptedAt")
    return f" The tunnel keeps the key accepted at {at}." if at else ""
