"""Never twice, never somebody else's: whose is what a search found? Pure decisions; `reconcile` acts on them.

A record of an unfinished create is in status before the POST goes out. These functions answer, after a crash, a lost
answer or a conflict, whether what carries the name is the work of that record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from netgw.engine.actuator import External, Psk, Search
from netgw.engine.objects import Json, Object, format_time, parse_time

SKEW = timedelta(minutes=2)
LOOKS, LOOKS_APART = 2, 10.0
"""An ambiguous POST is settled by this many looks of its own, this many seconds apart, begun after it ended."""

MARK = "netgw.dev/owner"
MARK_MOST = 255


@dataclass(frozen=True)
class Record:
    """`status.create`: what was about to be made, under which parent, in which account, at which time of the cloud."""

    name: str
    parent: str | None
    account: str | None
    at: datetime
    psk: Psk | None = None

    def to_status(self) -> dict[str, Json]:
        fields = {"name": self.name, "parentUuid": self.parent, "account": self.account, "at": format_time(self.at)}
        body: dict[str, Json] = {key: value for key, value in fields.items() if value is not None}
        if self.psk is not None:
            body["psk"] = self.psk.to_status()
        return body

    @classmethod
    def of(cls, obj: Object) -> Record | None:
        body = obj.status.get("create") or {}
        at = parse_time(body.get("at")) if obj.creating else None
        if at is None:
            return None
        psk = body.get("psk") or {}
        known = Psk(psk["fingerprint"], psk.get("resourceVersion", "")) if psk.get("fingerprint") else None
        return cls(str(body["name"]), body.get("parentUuid"), body.get("account"), at, known)


@dataclass(frozen=True)
class Ours:
    """Adopt it."""

    external: External


@dataclass(frozen=True)
class Theirs:
    """The name is taken. `reason`: NameConflict or OwnedByOther."""

    reason: str
    message: str


@dataclass(frozen=True)
class Nobody:
    """Nothing carries the name."""


Verdict = Ours | Theirs | Nobody

Holder = Callable[[str], Object | None]
"""Which living object records this uuid."""


def by_record(obj: Object, record: Record, search: Search, holder: Holder, *, marked: bool) -> Verdict:
    """Whether what was found is the work of the record (rule 4; for what carries a mark the mark decides)."""

    def made_by_it(external: External) -> bool:
        young = external.created_at is not None and external.created_at >= record.at - SKEW
        return young and external.parent == record.parent

    return without_record(obj, search, holder, marked=marked, adoptable=made_by_it)


def without_record(
    obj: Object,
    search: Search,
    holder: Holder,
    *,
    marked: bool,
    adoptable: Callable[[External], bool],
) -> Verdict:
    """An object that records nothing (rule 6): by the mark, or a child of a marked parent that equals the spec."""
    for external in search.mine if marked else filter(adoptable, search.named):
        if _free(obj, external, holder):
            return Ours(external)
    return _taken(obj, search.named[0], holder) if search.named else Nobody()


def _free(obj: Object, external: External, holder: Holder) -> bool:
    other = holder(external.uuid)
    return (other is None or other.uid == obj.uid) and not external.deleting


def _taken(obj: Object, external: External, holder: Holder) -> Theirs:
    other = holder(external.uuid)
    if other is not None and other.uid != obj.uid:
        return Theirs(
            "NameConflict",
            f"The name {external.name} belongs to {other.ref} (uuid {external.uuid}). Set another spec.name, "
            f"or delete that object.",
        )
    if external.deleting:
        return Theirs(
            "NameConflict",
            f"{external.name} (uuid {external.uuid}) is being deleted in the cloud; its name is free when it is gone.",
        )
    if external.owner is not None:
        return Theirs(
            "OwnedByOther",
            f"{external.name} (uuid {external.uuid}) carries the mark of {external.owner}. Set another spec.name, "
            f"or delete it there.",
        )
    return Theirs(
        "NameConflict",
        f"{external.name} (uuid {external.uuid}) exists in the cloud and was not made by netgw for this object. "
        f"Set another spec.name, or delete it in the cloud.",
    )


def mark(cluster: str, obj: Object) -> str:
    """The value of our label: who this belongs to, readable, at most 255 characters."""
    return f"{mark_path(cluster, obj)}/{obj.uid}"


def mark_path(cluster: str, obj: Object) -> str:
    """The mark without the uid: cluster, namespace and name, the name as a hash where it does not fit."""
    path = f"{cluster}/{obj.namespace}/{obj.name}"
    if len(path) <= MARK_MOST - 37:  # room for "/" and a uid
        return path
    return f"{cluster}/{obj.namespace}/{hashlib.sha256(obj.name.encode()).hexdigest()[:32]}"


def is_mine(owner: str | None, cluster: str, obj: Object, alive: Callable[[str], bool]) -> bool:
    """Our own uid, or our own path where no living object has that uid (rebuilt from Git, status lost in a restore)."""
    if owner is None:
        return False
    path, _, uid = owner.rpartition("/")
    return uid == obj.uid or (path == mark_path(cluster, obj) and not alive(uid))
