"""Never twice, never somebody else's: whose is what a search found? Pure decisions; `reconcile` acts on them.

A record of an unfinished create is in status before the POST goes out. These functions answer, after a crash, a lost
answer or a conflict, whether what carries the name is the work of that record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from netgw.engine.actuator import External, Psk, Search
from netgw.engine.objects import Json, Object, format_time, parse_time

SKEW = timedelta(minutes=2)
LOOKS, LOOKS_APART = 2, 10.0
"""An ambiguous POST is settled by this many looks of its own, this many seconds apart, begun after it ended."""

MARK = "netgw.dev/owner"
MARK_PATH = f"labels[{MARK}]"
"""The mark among the values that are compared."""
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
    handed_over: Callable[[External], bool] = lambda _: False,
) -> Verdict:
    """An object that records nothing (rule 6): by the mark, or a child of a marked parent that equals the spec.

    What is handed over on purpose is adopted by its name, whatever mark it carries and however it differs.
    """
    mine = search.mine if marked else tuple(filter(adoptable, search.named))
    for external in (*mine, *filter(handed_over, search.named)):
        if _free(obj, external, holder):
            return Ours(external)
    return _taken(obj, search.named[0], holder) if search.named else Nobody()


def takes_over(obj: Object) -> bool:
    """Whether a user hands over what the object names, on purpose."""
    return obj.annotation("take-over") == "true"


def to_import(
    obj: Object,
    found: Iterable[External],
    holder: Holder,
    rivals: Iterable[Object],
    parent_of: Callable[[Object], Json],
) -> Verdict:
    """What `spec.import` means among everything that is there. `rivals`: others of the kind without a uuid.

    Two objects that import the same: the older wins, unless the younger has it already.
    """
    wanted = imports(obj)
    external = next((external for external in found if wanted is not None and wanted(external)), None)
    if external is None or external.deleting:
        return Nobody()
    if (other := holder(external.uuid)) is not None and other.uid != obj.uid:
        what = f"{external.name} (uuid {external.uuid}) belongs to {other.ref}."
        return Theirs("NameConflict", f"{what} Set another spec.import, or delete that object.")
    older = (other for other in rivals if _age(other) < _age(obj) and parent_of(other) == parent_of(obj))
    for other in older:
        if (theirs := imports(other)) is not None and theirs(external):
            return Theirs(
                "NameConflict", f"{other.ref}, which is older, imports {external.name} ({external.uuid}) too."
            )
    return Ours(external)


def imports(obj: Object) -> Callable[[External], bool] | None:
    """Whether something is what the `import` of an object names; None where it has none."""
    wanted = obj.spec.get("import")
    if not isinstance(wanted, Mapping) or not (wanted.get("uuid") or wanted.get("name")):
        return None
    return lambda external: external.uuid == wanted.get("uuid") or external.name == wanted.get("name")


def owned_by_other(external: External, owner: str) -> Theirs:
    """Another mark than that of the object: another cluster, or another object."""
    return Theirs(
        "OwnedByOther",
        f"{external.name} (uuid {external.uuid}) carries the mark of {owner}. Name another one, delete it there, "
        f'or take it over with netgw.dev/take-over: "true".',
    )


def _age(obj: Object) -> tuple[str, str]:
    return str(obj.metadata.get("creationTimestamp")), obj.uid


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
        return owned_by_other(external, external.owner)
    return Theirs(
        "NameConflict",
        f"{external.name} (uuid {external.uuid}) exists in the cloud and was not made by netgw for this object. "
        f'Set another spec.name, delete it in the cloud, or take it over with netgw.dev/take-over: "true".',
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
