"""What is written down of a rotation: on the Secret, where it is the truth, and in status, where people see it. Pure.

On the Secret it is one annotation for all its keys, JSON by name of the key: it moves with the keys in one write.

    netgw.dev/psk-rotation: {"psk": {"rotatedAt": …, "fingerprint": …, "announcedAt": …, "switchAt": …, "previous": …}}

What somebody made of it by hand is read as far as it makes sense.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from netgw.engine.objects import Json, format_time, parse_time
from netgw.providers.upcloud.tunnel.generation import Record, Sharer, Slots, approval_of, decider, due_at
from netgw.providers.upcloud.tunnel.model import Phase

ANNOTATION = "netgw.dev/psk-rotation"


def read_record(notes: Mapping[str, str], key: str) -> Record:
    """The record of one key, from the annotations of its Secret."""
    entry = _entries(notes).get(key)
    if not isinstance(entry, Mapping):
        return Record()
    return Record(
        rotated_at=parse_time(entry.get("rotatedAt")),
        fingerprint=_text(entry.get("fingerprint")),
        announced_at=parse_time(entry.get("announcedAt")),
        switch_at=parse_time(entry.get("switchAt")),
        previous=_text(entry.get("previous")),
    )


def write_record(notes: Mapping[str, str], key: str, record: Record) -> dict[str, str]:
    """The annotation with the new record of one key; the others' stay."""
    times = {"rotatedAt": record.rotated_at, "announcedAt": record.announced_at, "switchAt": record.switch_at}
    entry = {name: format_time(time) for name, time in times.items() if time is not None}
    texts = {"fingerprint": record.fingerprint, "previous": record.previous}
    entry |= {name: text for name, text in texts.items() if text is not None}
    return {ANNOTATION: json.dumps({**_entries(notes), key: entry}, sort_keys=True)}


def shown(slots: Slots, version: str, where: str, me: Sharer, others: Sequence[Sharer]) -> dict[str, str] | None:
    """`status.pskRotation`. `version`: of the Secret. None: nobody asks for it, or nothing is recorded of the key."""
    chief, record = decider((me, *others)), slots.record
    if chief is None or record.rotated_at is None:
        return None
    said = {"resourceVersion": version, "rotatedAt": format_time(record.rotated_at)}
    if slots.switched:
        return {"phase": Phase.SWITCHED.value, **said}
    if not slots.announced or record.switch_at is None:
        return {"phase": Phase.SCHEDULED.value, **said, "switchAt": format_time(due_at(record.rotated_at, chief))}
    said |= {"switchAt": format_time(record.switch_at), "nextFingerprint": str(slots.next)}
    if record.announced_at is not None:
        said["announcedAt"] = format_time(record.announced_at)
    if chief is me:
        said["approval"] = approval_of(slots, where)
    return {"phase": Phase.ANNOUNCED.value, **said}


def remembered(status: Mapping[str, Json], version: str) -> Slots | None:
    """The Secret of this version as status shows it. None: status does not, or not all of it."""
    known, psk = status.get("pskRotation"), status.get("psk") or {}
    key = psk.get("fingerprint")
    if not isinstance(known, Mapping) or {version} != {known.get("resourceVersion"), psk.get("resourceVersion")}:
        return None
    record = Record(parse_time(known.get("rotatedAt")), key)
    match known.get("phase"):
        case Phase.SCHEDULED:
            return Slots(key, record=record)
        case Phase.ANNOUNCED:
            announced_at, switch_at = parse_time(known.get("announcedAt")), parse_time(known.get("switchAt"))
            record = replace(record, announced_at=announced_at, switch_at=switch_at)
            return Slots(key, _text(known.get("nextFingerprint")), record=record)
        case Phase.SWITCHED:
            former = "former"  # which one it is does not matter for what is next
            return Slots(key, previous=former, record=replace(record, previous=former))
        case _:
            return None


def _entries(notes: Mapping[str, str]) -> dict[str, Json]:
    try:
        found = json.loads(notes.get(ANNOTATION, "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
