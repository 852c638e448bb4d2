"""Our objects as the demo sees them: what it shows and waits for, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


class Condition(NamedTuple):
    """One entry of status.conditions."""

    status: str = "Unknown"
    reason: str = "NotSeen"
    message: str = "not there yet"


@dataclass(frozen=True)
class Item:
    """A gateway, connection or tunnel in Kubernetes. `uuid` is its name in the cloud, `uid` the one in Kubernetes."""

    kind: str
    name: str
    uid: str
    uuid: str
    conditions: dict[str, Condition]
    tunnels: str
    fingerprint: str
    interrupted: bool

    @classmethod
    def of(cls, kind: str, body: dict[str, Any]) -> Item:
        """From the object as the API server shows it; one of a list does not tell its kind."""
        status = body.get("status") or {}
        conditions = status.get("conditions") or ()
        return cls(
            kind=kind,
            name=body["metadata"]["name"],
            uid=body["metadata"]["uid"],
            uuid=status.get("uuid") or "",
            conditions={c["type"]: Condition(c["status"], c["reason"], c["message"]) for c in conditions},
            tunnels=status.get("tunnels") or "",
            fingerprint=(status.get("psk") or {}).get("fingerprint") or "",
            interrupted=bool(status.get("interruptedAt")),
        )

    def condition(self, kind: str) -> Condition:
        """The one of this type, Unknown when it is not there."""
        return self.conditions.get(kind, Condition())

    @property
    def settled(self) -> bool:
        """Ready, and the cloud has what the spec says."""
        return self.condition("Ready").status == self.condition("Synced").status == "True"

    @property
    def row(self) -> tuple[str, str]:
        """In a few words."""
        ready, synced = self.condition("Ready"), self.condition("Synced")
        waits = "" if synced.status == "True" else f", Synced={synced.status} {synced.reason}"
        return f"{self.kind} {self.name}", f"Ready={ready.status} {ready.reason}{waits}"

    def told(self, kind: str) -> str:
        """One condition in full."""
        status, reason, message = self.condition(kind)
        return f"{kind}={status} {reason}: {message}"
