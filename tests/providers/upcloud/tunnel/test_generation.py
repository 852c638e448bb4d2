"""Every row of the table in `generation`, and a property: whatever comes in between, no key of the cloud is lost."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netgw.providers.upcloud.tunnel.generation import (
    KEEP,
    Blocked,
    DropPrevious,
    MakeSecret,
    Note,
    Nothing,
    Record,
    Settings,
    Sharer,
    Slots,
    Step,
    Switch,
    WriteNext,
    approval_of,
    conflict,
    decide,
    decide_missing,
)
from support.wire import NOW

HOUR = timedelta(hours=1)
TERM = Settings(720 * HOUR, 24 * HOUR)
WHERE = "default/office-psk/psk"
OLD = NOW - 1000 * HOUR


def sharer(name: str = "office-1", *, born: str = "2026-01-01T00:00:00Z", **over: Any) -> Sharer:
    """In the cloud, with key K0 accepted, up."""
    common: dict[str, Any] = {"settings": TERM, "here": True, "fingerprint": "K0", "accepted_at": OLD, "up": True}
    return Sharer(name=name, born=(born, name), **(common | over))


def record(age: float = 0.0, **over: Any) -> Record:
    return Record(NOW - age * HOUR, "K0", **over)


ANNOUNCED = record(719, announced_at=NOW - 2 * HOUR, switch_at=NOW + HOUR)
DUE = record(720, announced_at=NOW - 24 * HOUR, switch_at=NOW)
KEPT = Record(NOW - KEEP, "K1", previous="K0")
APPROVED = approval_of(Slots("K0", "K1"), WHERE)
NEW = {"fingerprint": "K1"}


def at(hours: float) -> datetime:
    return NOW + hours * HOUR


@pytest.mark.parametrize(
    ("slots", "me", "others", "step"),
    [
        # nobody asks, or another one does
        (Slots("K0"), sharer(settings=None), [], Nothing()),
        (Slots("K0"), sharer(settings=Settings()), [], Nothing()),
        (Slots("K0"), sharer(here=False), [], Nothing()),
        (Slots("K0"), sharer(), [sharer("elder", born="2025-01-01T00:00:00Z")], Nothing()),
        # no key, or none that is good: a person's matter
        (Slots(None), sharer(), [], Nothing()),
        (Slots(""), sharer(), [], Nothing()),
        # no record, or of another key
        (Slots("K0"), sharer(), [], Note(Record(OLD, "K0"))),
        (Slots("K0"), sharer(accepted_at=None), [], Note(Record(NOW, "K0"))),
        (Slots("K5", record=record(700)), sharer(), [], Note(Record(NOW, "K5"))),
        # too young
        (Slots("K0", record=record(0)), sharer(), [], Nothing(3600.0)),
        (Slots("K0", record=record(695.5)), sharer(), [], Nothing(1800.0)),
        # to be announced
        (Slots("K0", record=record(696)), sharer(), [], "next in 24"),
        (Slots("K0", record=record(700)), sharer(), [], "next in 24"),
        (Slots("K0", record=record(9999)), sharer(), [], "next in 24"),
        (Slots("K0", record=ANNOUNCED), sharer(), [], "next in 24"),
        (Slots("K0", "KP", record=record(9999)), sharer(), [], "theirs in 24"),
        (Slots("K0", "", record=record(9999)), sharer(), [], "psk-next is not a key"),
        (Slots("K0", None, "KP", record(9999)), sharer(), [], "psk-previous is there"),
        (Slots("K0", None, "KP", record(9999, previous="K9")), sharer(), [], "psk-previous is there"),
        # announced
        (Slots("K0", "K1", record=ANNOUNCED), sharer(), [], Nothing(3600.0)),
        (Slots("K0", "K1", record=ANNOUNCED), sharer(approval="else"), [], Nothing(3600.0)),
        (Slots("K0", "K2", record=ANNOUNCED), sharer(approval=APPROVED), [], Nothing(3600.0)),
        (Slots("K0", "K1", record=ANNOUNCED), sharer(approval=APPROVED), [], Switch(Record(NOW, "K1", previous="K0"))),
        (Slots("K0", "K1", record=DUE), sharer(), [], Switch(Record(NOW, "K1", previous="K0"))),
        (Slots("K0", "K1", record=DUE), sharer(), [sharer("z")], Switch(Record(NOW, "K1", previous="K0"))),
        (Slots("K0", "K1", record=DUE), sharer(), [sharer("z", **NEW, here=False)], "switch"),
        (Slots("K0", "K1", record=DUE), sharer(), [sharer("z", settings=None, up=False)], "switch"),
        (Slots("K0", "K1", record=DUE), sharer(), [sharer("z", fingerprint="K9")], "z must first have"),
        (Slots("K0", "K1", record=DUE), sharer(creating=True), [], "office-1 must first have"),
        (Slots("K0", "", record=DUE), sharer(), [], "psk-next is not a key"),
        (Slots("K0", "K1", "KP", DUE), sharer(), [], "psk-previous is there"),
        # the former key
        (Slots("K1", None, "K0", replace(KEPT, rotated_at=at(-0.1))), sharer(**NEW), [], Nothing(240.0)),
        (Slots("K1", None, "K0", KEPT), sharer(), [], Nothing(60.0)),
        (Slots("K1", None, "K0", KEPT), sharer(**NEW, up=False), [], Nothing(60.0)),
        (Slots("K1", None, "K0", KEPT), sharer(**NEW, accepted_at=None), [], Nothing(60.0)),
        (Slots("K1", None, "K0", KEPT), sharer(**NEW, creating=True), [], Nothing(60.0)),
        (Slots("K1", None, "K0", KEPT), sharer(**NEW), [sharer("z")], Nothing(60.0)),
        (Slots("K1", None, "K0", KEPT), sharer(**NEW), [sharer("z", settings=None, up=False)], Nothing(60.0)),
        (Slots("K1", None, "K0", KEPT), sharer(**NEW), [sharer("z", here=False)], "drop"),
        (Slots("K1", None, "K0", KEPT), sharer(**NEW), [sharer("z", **NEW)], "drop"),
        (Slots("K5", None, "K0", KEPT), sharer(fingerprint="K5"), [], "drop"),
        (Slots("K1", None, "K0", replace(KEPT, rotated_at=OLD)), sharer(**NEW, up=False), [], Nothing(60.0)),
    ],
)
def test_step(slots: Slots, me: Sharer, others: list[Sharer], step: Any) -> None:
    found = decide(slots, WHERE, "psk", me, others, NOW)
    match step:
        case "next in 24" | "theirs in 24":
            assert isinstance(found, WriteNext)
            assert (found.make, found.record.announced_at) == (step == "next in 24", NOW)
            due = (slots.record.rotated_at or NOW) + 720 * HOUR
            assert found.record.switch_at == max(due, at(24))
            assert found.record.previous is None
        case "switch":
            assert isinstance(found, Switch)
        case "drop":
            assert found == DropPrevious(replace(slots.record, previous=None))
        case str():
            assert isinstance(found, Blocked)
            assert found.what.startswith(step)
        case _:
            assert found == step


def test_missing_secret() -> None:
    unmade, made = sharer(here=False), sharer("z", born="2026-02-01T00:00:00Z")
    assert decide_missing(WHERE, unmade, []) == MakeSecret()
    assert decide_missing(WHERE, unmade, [replace(made, here=False)]) == MakeSecret()
    blocked = decide_missing(WHERE, unmade, [made])
    assert isinstance(blocked, Blocked)
    assert "would interrupt z," in blocked.what
    approval = blocked.what.rpartition("=")[2]
    assert decide_missing(WHERE, replace(unmade, approval=approval), [made]) == MakeSecret()
    assert isinstance(decide_missing(WHERE, made, []), Blocked)


@pytest.mark.parametrize(
    ("mine", "theirs", "advised"),
    [
        (TERM, TERM, False),
        (TERM, None, False),
        (TERM, Settings(), False),
        (Settings(), TERM, False),
        (None, TERM, False),
        (Settings(48 * HOUR, HOUR), TERM, True),
    ],
)
def test_conflict(mine: Settings | None, theirs: Settings | None, advised: bool) -> None:
    elder = sharer("elder", born="2025-01-01T00:00:00Z", settings=theirs)
    assert (conflict(sharer(settings=mine), [elder]) is not None) == advised
    assert conflict(elder, [sharer(settings=mine)]) is None


# ---- the property: a small world of one Secret and two tunnels, in which anything may come next

Move = tuple[str, int]
OURS = ["turn", "turn", "turn", "read", "send", "send", "note", "note", "fall", "rise", "wait", "long"]
THEIRS = ["edit", "sweep", "stash"]
MOVES = st.lists(st.tuples(st.sampled_from(OURS + THEIRS), st.integers(0, 1)), max_size=60)
BEGINS = st.sampled_from(
    [
        Slots("K0", record=record(690)),
        Slots("K0", record=record(720)),
        Slots("K0", "A", record=DUE),
        Slots("A", None, "K0", Record(NOW, "A", previous="K0")),
    ]
)


@dataclass
class Play:
    """`cloud` has which key (None: not made yet), `status` what is recorded of it.

    `read`: the key that a pass has in hand, as long as a pass may take. `excused`: a person overwrote the only copy.
    """

    slots: Slots
    cloud: list[str | None]
    now: datetime = NOW
    status: list[str | None] = field(init=False)
    read: list[str | None] = field(default_factory=lambda: [None, None])
    up: list[bool] = field(default_factory=lambda: [True, True])
    excused: set[int] = field(default_factory=set)
    number: int = 0

    def __post_init__(self) -> None:
        self.status = list(self.cloud)

    def key(self, letter: str = "K") -> str:
        self.number += 1
        return f"{letter}{self.number}"

    def sharers(self) -> list[Sharer]:
        return [
            sharer(f"t{n}", born=f"{n}", fingerprint=self.status[n], up=self.up[n], here=self.status[n] is not None)
            for n in range(2)
        ]

    def move(self, what: str, who: int) -> None:
        match what:
            case "turn":
                me, *others = self.sharers()
                self.write(decide(self.slots, WHERE, "psk", me, others, self.now))
            case "read":
                self.read[who] = self.slots.current
            case "send":
                self.send(who)
            case "note":
                self.status[who] = self.cloud[who]
            case "fall" | "rise":
                self.up[who] = what == "rise"
            case "wait" | "long":
                self.now += KEEP if what == "wait" else 400 * HOUR
                self.read = [None, None]
            case "edit":
                self.excused |= {n for n in range(2) if self.slots.current in (self.cloud[n], self.read[n])}
                self.slots = replace(self.slots, current=self.key("P"))
            case "stash":  # a person has a former key too
                self.slots = replace(self.slots, previous=self.slots.previous or self.key("P"))
            case _:  # a person takes the next key out, or puts one in
                there = self.key("P") if self.slots.next is None else None
                self.slots = replace(self.slots, next=there)

    def send(self, who: int) -> None:
        """UpCloud takes the key. Of a tunnel that is made this is recorded before, of another one after."""
        new, self.cloud[who] = self.cloud[who] is None, self.read[who] or self.slots.current
        if new:
            self.status[who] = self.cloud[who]
        self.read[who] = None
        if self.cloud[who] in (self.slots.current, self.slots.previous):
            self.excused.discard(who)

    def write(self, step: Step) -> None:
        before = self.slots
        match step:
            case Note(record=record):
                self.slots = replace(before, record=record)
            case WriteNext(record=record, make=make):
                assert make == (before.next is None)
                self.slots = replace(before, next=self.key() if make else before.next, record=record)
            case Switch(record=record):
                assert before.previous is None
                assert before.next is not None
                self.slots = Slots(before.next, None, before.current, record)
            case DropPrevious(record=record):
                assert before.previous == before.record.previous
                self.slots = replace(before, previous=None, record=record)
            case _:
                pass


@settings(max_examples=400)
@given(BEGINS, st.booleans(), MOVES)
def test_the_key_that_the_cloud_has_is_never_lost(slots: Slots, both: bool, moves: list[Move]) -> None:
    """It is the key or the former one, unless a person overwrote it. Deaths are the moves that do not come."""
    play = Play(slots, ["K0", "K0" if both else None])
    for what, who in moves:
        play.move(what, who)
        kept = {None, play.slots.current, play.slots.previous}
        assert all(play.cloud[n] in kept for n in range(2) if n not in play.excused)


@given(BEGINS, MOVES)
def test_it_always_comes_to_its_end(slots: Slots, moves: list[Move]) -> None:
    """Whatever happened: when all goes well from here on, the key is exchanged within two terms."""
    play = Play(slots, ["K0", "K0"])
    for what, who in moves:
        play.move(what, who)
    if not play.slots.switched:
        play.slots = replace(play.slots, previous=None)  # what it asks for
    before = play.slots.current
    for _ in range(20):
        for n in range(2):
            for what in ("send", "note", "rise"):
                play.move(what, n)
        play.move("turn", 0)
        play.now += 100 * HOUR
    assert play.slots.current != before
