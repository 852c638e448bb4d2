"""A Kubernetes object as the engine sees it: an immutable view of the JSON that the API server sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple

FINALIZER = "netgw.dev/finalizer"
PREFIX = "netgw.dev/"
NEVER_OBSERVED = -1
"""The observedGeneration that the API server gives to an object without a status: who waits by kstatus, waits."""

LOST_REASONS = frozenset({"OrphanSuspected", "AccountMismatch"})
"""Of Synced, in a status without uuid and record: nobody knows yet whether anything was made."""

Json = Any


class Key(NamedTuple):
    """What the queue and the store know an object by: a re-created object has the same name but another uid."""

    kind: str
    uid: str


class Name(NamedTuple):
    """Kind, namespace and metadata.name."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True)
class Object:
    """One custom resource. `body` is shared and never changed in place."""

    kind: str
    body: Mapping[str, Json]

    @cached_property
    def metadata(self) -> Mapping[str, Json]:
        return self.body.get("metadata") or {}

    @cached_property
    def spec(self) -> Mapping[str, Json]:
        return self.body.get("spec") or {}

    @cached_property
    def status(self) -> Mapping[str, Json]:
        """As far as it can be read."""
        return readable(self.body.get("status"))

    @cached_property
    def key(self) -> Key:
        return Key(self.kind, self.metadata["uid"])

    @cached_property
    def ref(self) -> Name:
        return Name(self.kind, self.metadata["namespace"], self.metadata["name"])

    @property
    def uid(self) -> str:
        return str(self.metadata["uid"])

    @property
    def name(self) -> str:
        return str(self.metadata["name"])

    @property
    def namespace(self) -> str:
        return str(self.metadata["namespace"])

    @property
    def generation(self) -> int:
        return int(self.metadata.get("generation") or 0)

    @property
    def resource_version(self) -> str:
        return str(self.metadata.get("resourceVersion") or "")

    @property
    def deleting(self) -> bool:
        return bool(self.metadata.get("deletionTimestamp"))

    @property
    def deletion_time(self) -> datetime | None:
        return parse_time(self.metadata.get("deletionTimestamp"))

    @property
    def finalizers(self) -> tuple[str, ...]:
        return tuple(self.metadata.get("finalizers") or ())

    @property
    def guarded(self) -> bool:
        """Whether our finalizer is on it: nothing is created in the cloud before."""
        return FINALIZER in self.finalizers

    def annotation(self, name: str) -> str | None:
        """The value of the annotation `netgw.dev/<name>`."""
        value = (self.metadata.get("annotations") or {}).get(PREFIX + name)
        return None if value is None else str(value)

    @property
    def own_annotations(self) -> dict[str, str]:
        return {k: v for k, v in (self.metadata.get("annotations") or {}).items() if k.startswith(PREFIX)}

    @cached_property
    def creating(self) -> bool:
        """Whether a record of an unfinished create exists. A mutilated one says nothing, so it counts as none."""
        record = self.status.get("create")
        return isinstance(record, Mapping) and bool(record.get("name")) and parse_time(record.get("at")) is not None

    @cached_property
    def uuid(self) -> str | None:
        """The recorded uuid in the cloud; None while a record of an unfinished create exists, for that decides."""
        return None if self.creating else self.status.get("uuid")

    @property
    def lost(self) -> bool:
        """The status is missing or mutilated: nobody knows whether anything was made for this object."""
        unknown = not self.status.get("conditions") or "create" in self.status or self.reason in LOST_REASONS
        return unknown and not self.creating and self.uuid is None

    @property
    def reason(self) -> str | None:
        """That of Synced."""
        return (self.condition("Synced") or {}).get("reason")

    def condition(self, kind: str) -> Mapping[str, Json] | None:
        for condition in self.status.get("conditions") or ():
            if condition.get("type") == kind:
                return dict(condition)
        return None


Known = Callable[[Object], Object]
"""What is held of the same state of an object already, or the one that was read."""


def itself(obj: Object) -> Object:
    """Nothing is held."""
    return obj


def readable(status: Json) -> Mapping[str, Json]:
    """Without the fields that have another form than ours: an older CRD may have let anything in.

    Where that is the uuid, nobody knows what was made: the conditions go too, so that the status counts as lost.
    """
    if not isinstance(status, Mapping):
        return {}
    kept = {field: value for field, value in status.items() if _has_form(field, value)}
    if kept.get("observedGeneration") == NEVER_OBSERVED:
        del kept["observedGeneration"]
    if "create" in status:
        kept.setdefault("create", {})  # mutilated, and not absent
    if kept.get("uuid") is None and status.get("uuid") is not None:
        kept.pop("conditions", None)
    if "conditions" in kept:
        kept["conditions"] = [condition for condition in kept["conditions"] if _is_condition(condition)]
    return kept


def _has_form(field: str, value: Json) -> bool:
    """A field that is not in the tables has the form that it has."""
    if field in _MAPPINGS:
        return isinstance(value, Mapping) and all(part is None or isinstance(part, _PARTS) for part in value.values())
    if field in _LISTS:
        return isinstance(value, list) and all(isinstance(item, _LISTS[field]) for item in value)
    if field in _PLAIN:
        return isinstance(value, _PLAIN[field])
    return True


_MAPPINGS = ("create", "psk", "policies", "approval", "credentialsSecretRef")
_PARTS = (str, list, Mapping)
_LISTS: Mapping[str, type] = {"conditions": dict, "drift": dict, "addresses": dict, "ownLabelKeys": str}
_PLAIN: Mapping[str, type] = {
    **dict.fromkeys(("uuid", "gatewayUuid", "connectionUuid", "account", "since", "interruptedAt", "reason"), str),
    **dict.fromkeys(("operationalState", "tunnels", "plan", "configuredStatus"), str),
    **dict.fromkeys(("observedGeneration", "connections", "up", "healthy", "redundant"), int),
}


def _is_condition(condition: Mapping[str, Json]) -> bool:
    return all(isinstance(condition.get(part), str) for part in ("type", "status", "reason"))


def parse_time(value: Json) -> datetime | None:
    """An RFC 3339 time as an aware datetime; None for what is none (a status can hold anything)."""
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def format_time(time: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, as Kubernetes writes metav1.Time."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
