"""When a key is made, announced, switched and dropped: decided here one step at a time, and never done. Pure.

The first row that fits, for the eldest tunnel of those that use one key of one Secret and ask for rotation:

| the Secret                        | and                                                 | step         |
|-----------------------------------|-----------------------------------------------------|--------------|
| is absent                         | no tunnel that uses it is in the cloud, or approved | MakeSecret   |
| has the former key (…-previous)   | all are up with the new one, and it was kept 10 min | DropPrevious |
| has the next one, announced       | its time has come, or approved; all have the key    | Switch       |
| has a key that no record is about |                                                     | Note         |
| has a key that is to be announced |                                                     | WriteNext    |

Each step is one write, made only if the Secret is still what it was decided on, so that a death at any moment leaves
one of these rows. What the cloud may have is in the Secret at all times: as the key, or as the former one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from netgw.engine.plan import digest

KEEP = timedelta(minutes=10)
"""So long the former key is kept at least: a create that was begun with it may still be under way."""
AGAIN = 60.0
"""Seconds until it is asked again whether all are up: no event tells it of each."""
BLOCKED_AGAIN = 300.0
LOOK_MOST = 3600.0
"""A clock can be set, so no alarm is for longer."""


@dataclass(frozen=True)
class Settings:
    """What a tunnel asks for. `rotate_after` None: only that the Secret is made."""

    rotate_after: timedelta | None = None
    announce: timedelta = timedelta(0)


@dataclass(frozen=True)
class Record:
    """What the Secret itself remembers of one of its keys. `fingerprint`: of the key that is since `rotated_at`.

    `previous`: of the former key, while it is ours to drop. `switch_at`: only while a next one is announced.
    """

    rotated_at: datetime | None = None
    fingerprint: str | None = None
    announced_at: datetime | None = None
    switch_at: datetime | None = None
    previous: str | None = None


@dataclass(frozen=True)
class Slots:
    """Which keys the Secret has, by fingerprint: None for one that is not there, "" for one that UpCloud refuses."""

    current: str | None
    next: str | None = None
    previous: str | None = None
    record: Record = Record()

    @property
    def announced(self) -> bool:
        return self.next is not None and self.record.switch_at is not None

    @property
    def switched(self) -> bool:
        return self.previous is not None and self.previous == self.record.previous


@dataclass(frozen=True)
class Sharer:
    """A tunnel that uses the key, as its object says. `here`: it is in the cloud, or may be.

    `fingerprint` is of the key that it has there, as far as known; `accepted_at` None: it was never sent from here.
    """

    name: str
    born: tuple[str, str]
    settings: Settings | None
    here: bool
    creating: bool = False
    fingerprint: str | None = None
    accepted_at: datetime | None = None
    up: bool = False
    approval: str | None = None

    def has(self, fingerprint: str | None) -> bool:
        return not self.creating and self.fingerprint == fingerprint


@dataclass(frozen=True)
class Nothing:
    """`after`: seconds until time alone may change that."""

    after: float | None = None


@dataclass(frozen=True)
class Blocked:
    """A step is due and cannot be taken: `what` stands in the way."""

    what: str


@dataclass(frozen=True)
class MakeSecret:
    """With a new key."""


@dataclass(frozen=True)
class Note:
    """No key is written, only since when the one is there that is there."""

    record: Record


@dataclass(frozen=True)
class WriteNext:
    """`make`: with a new key. Else the one that somebody put there is announced."""

    record: Record
    make: bool


@dataclass(frozen=True)
class Switch:
    """The next becomes the key, the key the former one."""

    record: Record


@dataclass(frozen=True)
class DropPrevious:
    """The former key is taken out."""

    record: Record


Step = Nothing | Blocked | MakeSecret | Note | WriteNext | Switch | DropPrevious


def decider(sharers: Iterable[Sharer]) -> Sharer | None:
    """The eldest that is in the cloud and asks for rotation: one rotation for all, by its settings."""
    asking = [s for s in sharers if s.here and s.settings is not None and s.settings.rotate_after is not None]
    return min(asking, key=lambda sharer: sharer.born, default=None)


def decide_missing(where: str, me: Sharer, others: Sequence[Sharer]) -> MakeSecret | Blocked:
    """There is no Secret. `where`: which key of which Secret, for approvals."""
    here = [sharer for sharer in (me, *others) if sharer.here]
    approval = digest({"make": where, "instead of": sorted(str(sharer.fingerprint) for sharer in here)})
    if not here or me.approval == approval:
        return MakeSecret()
    names = ", ".join(sorted(sharer.name for sharer in here)[:5])
    return Blocked(
        f"A new key would interrupt {names}, so none is made unasked. Put the Secret back, or have a new one made with "
        f"netgw.dev/approve={approval}"
    )


def decide(slots: Slots, where: str, key: str, me: Sharer, others: Sequence[Sharer], now: datetime) -> Step:
    """`key`: the name of the key in the Secret, for messages."""
    sharers = (me, *others)
    if decider(sharers) is not me or not slots.current:
        return Nothing()
    if slots.switched:
        return _kept(slots, sharers, now)
    if slots.announced:
        return _announced(slots, where, key, me, sharers, now)
    record = slots.record
    if record.rotated_at is None or record.fingerprint != slots.current:
        since = me.accepted_at if me.accepted_at is not None and me.fingerprint == slots.current else now
        return Note(Record(since, slots.current))
    due = due_at(record.rotated_at, me)
    if now < due - _settings(me).announce:
        return Nothing(_until(due - _settings(me).announce, now))
    if slots.previous is not None:
        return Blocked(_in_the_way(key))
    if slots.next == "":
        return Blocked(f"{key}-next is not a key that UpCloud accepts: mend it, or take it away for a new one.")
    switch_at = max(due, now + _settings(me).announce)
    return WriteNext(replace(record, announced_at=now, switch_at=switch_at, previous=None), make=slots.next is None)


def approval_of(slots: Slots, where: str) -> str:
    """The hash that approves the switch to this next key."""
    return digest({"switch": where, "to": slots.next})


def due_at(rotated_at: datetime, sharer: Sharer) -> datetime:
    """When the key is as old as it may get."""
    return rotated_at + (_settings(sharer).rotate_after or timedelta(0))


def conflict(me: Sharer, others: Sequence[Sharer]) -> str | None:
    """Advice for a tunnel whose wishes do not count."""
    chief = decider((me, *others))
    if chief is None or chief is me or me.settings is None or me.settings.rotate_after is None:
        return None
    if me.settings == chief.settings:
        return None
    return (
        f"Its pskGeneration differs from that of VpnTunnel {chief.name}, which uses the same key and is the eldest: "
        f"that one counts."
    )


def _kept(slots: Slots, sharers: Sequence[Sharer], now: datetime) -> Step:
    since = slots.record.rotated_at or now
    if now < since + KEEP:
        return Nothing(_until(since + KEEP, now))
    for sharer in sharers:
        if sharer.here and not (sharer.has(slots.current) and sharer.accepted_at is not None and sharer.up):
            return Nothing(AGAIN)
    return DropPrevious(replace(slots.record, previous=None))


def _announced(
    slots: Slots, where: str, key: str, me: Sharer, sharers: Sequence[Sharer], now: datetime
) -> Nothing | Blocked | Switch:
    switch_at = slots.record.switch_at or now
    if now < switch_at and me.approval != approval_of(slots, where):
        return Nothing(_until(switch_at, now))
    if slots.next == "":
        return Blocked(f"{key}-next is not a key that UpCloud accepts: mend it, or take it away for a new one.")
    if slots.previous is not None:
        return Blocked(_in_the_way(key))
    if behind := sorted(sharer.name for sharer in sharers if sharer.here and not sharer.has(slots.current)):
        return Blocked(f"{', '.join(behind[:5])} must first have the key that the Secret has now.")
    return Switch(Record(now, slots.next, previous=slots.current))


def _in_the_way(key: str) -> str:
    return f"{key}-previous is there and was not put there by netgw: take it out of the Secret."


def _settings(sharer: Sharer) -> Settings:
    return sharer.settings or Settings()


def _until(then: datetime, now: datetime) -> float:
    return min((then - now).total_seconds(), LOOK_MOST)
