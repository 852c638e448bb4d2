"""The tunnels that use one key of one Secret, by their raw specs and statuses, which may be invalid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netgw.engine.objects import Json, Object, parse_time
from netgw.engine.store import Store
from netgw.kube.duration import parse_duration
from netgw.kube.resource import SecretKeyRef
from netgw.providers.upcloud.ipsec import ANNOUNCE_DEFAULT, ROTATE_LEAST
from netgw.providers.upcloud.tunnel.generation import Settings, Sharer, decider
from netgw.providers.upcloud.tunnel.key import accepted_key


@dataclass(frozen=True)
class Place:
    """One key of one Secret, and who uses it. `me` is the tunnel whose turn it is."""

    namespace: str
    ref: SecretKeyRef
    me: Sharer
    others: list[Sharer]

    @property
    def at(self) -> tuple[str, str]:
        return self.namespace, self.ref.name

    @property
    def where(self) -> str:
        return f"{self.namespace}/{self.ref.name}/{self.ref.key}"

    @property
    def slots(self) -> tuple[str, str, str]:
        """Names of the key, the next one, the former one."""
        return self.ref.key, f"{self.ref.key}-next", f"{self.ref.key}-previous"

    @property
    def chief(self) -> bool:
        return decider((self.me, *self.others)) is self.me


def secret_key(obj: Object) -> tuple[str, str] | None:
    """Name of the Secret and name of the key in it; None where the spec does not say."""
    ref = _authentication(obj).get("pskSecretRef")
    name = ref.get("name") if isinstance(ref, Mapping) else None
    return (name, str(ref.get("key") or "psk")) if isinstance(ref, Mapping) and isinstance(name, str) else None


def sharers_of(obj: Object, store: Store, *, here: bool) -> tuple[Sharer, list[Sharer]]:
    """The tunnel itself, and the others in its namespace that use its key. `here`: it is seen in the cloud."""
    used = secret_key(obj)
    others = [
        _sharer(other, here=other.uuid is not None)
        for other in store.siblings(obj)
        if other.namespace == obj.namespace and secret_key(other) == used and not other.deleting
    ]
    return _sharer(obj, here=here), others


def settings_of(generation: object) -> Settings | None:
    """What `pskGeneration` asks for, None where there is none. Without `announce`: a day, or half of a short term."""
    if not isinstance(generation, Mapping):
        return None
    rotate, announce = parse_duration(generation.get("rotateAfter")), parse_duration(generation.get("announce"))
    if rotate is None:
        return Settings()
    rotate = max(rotate, ROTATE_LEAST)
    return Settings(rotate, min(ANNOUNCE_DEFAULT, rotate / 2) if announce is None else min(announce, rotate))


def _sharer(obj: Object, *, here: bool) -> Sharer:
    psk: Mapping[str, Json] = obj.status.get("psk") or {}
    return Sharer(
        name=obj.name,
        born=(str(obj.metadata.get("creationTimestamp") or ""), obj.uid),
        settings=settings_of(_authentication(obj).get("pskGeneration")),
        here=here or obj.creating,
        creating=obj.creating,
        fingerprint=accepted_key(obj),
        accepted_at=parse_time(psk.get("acceptedAt")),
        up=obj.status.get("up") is True and not obj.status.get("interruptedAt"),
        approval=obj.annotation("approve"),
    )


def _authentication(obj: Object) -> Mapping[str, Json]:
    ipsec = obj.spec.get("ipsec")
    found = ipsec.get("authentication") if isinstance(ipsec, Mapping) else None
    return found if isinstance(found, Mapping) else {}
