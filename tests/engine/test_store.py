from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netgw.engine.objects import Key, Name, Object
from netgw.engine.store import BURIED_MOST, BURIED_SECONDS, Store
from support.made import LINKS, PARENTS, links, made

GATEWAY, CONNECTION, TUNNEL = "NetworkGateway", "VpnConnection", "VpnTunnel"
KINDS = [GATEWAY, CONNECTION, TUNNEL]
RECORD = {"name": "edge", "at": "2026-11-22T03:00:00Z"}


def filled(*objects: Object) -> Store:
    store = Store(LINKS)
    for obj in objects:
        store.apply(obj)
    return store


def names(objects: Iterable[Object]) -> list[str]:
    return sorted(obj.name for obj in objects)


def connection(name: str = "office", version: int = 1, **more: Any) -> Object:
    more.setdefault("spec", {"parent": "edge"})
    return made(name, kind=CONNECTION, version=version, **more)


def tunnel(name: str = "office-1", version: int = 1, **more: Any) -> Object:
    more.setdefault("spec", {"parent": "office", "secrets": ["psk"]})
    return made(name, kind=TUNNEL, version=version, **more)


def test_a_family() -> None:
    edge, office, one, two = made("edge"), connection(), tunnel("office-1"), tunnel("office-2")
    store = filled(one, office, two, edge)  # in any order
    assert store.parent(one) == office
    assert store.parent(office) == edge
    assert store.parent(edge) is None
    assert names(store.children(office)) == ["office-1", "office-2"]
    assert names(store.siblings(one)) == ["office-2"]
    assert store.secret_users("default", "psk") == {one.key, two.key}
    assert store.secrets() == {("default", "psk")}


def test_a_parent_by_its_uuid() -> None:
    edge = made("edge", status={"uuid": "10-1"})
    office = connection(spec={"parentUuid": "10-1"})
    branch = connection("branch", spec={"parent": "edge"}, status={"uuid": "10-2"})
    stray = tunnel("stray", spec={"parentUuid": "10-1"})  # a gateway is no parent of a tunnel
    store = filled(edge, office, branch, stray)
    assert store.parent(office) == edge
    assert names(store.children(edge)) == ["branch", "office"]
    assert names(store.siblings(office)) == ["branch"]
    assert store.parent(stray) is None


def test_siblings_share_a_secret_across_connections() -> None:
    here, there = tunnel("here"), tunnel("there", spec={"parent": "branch", "secrets": ["psk"]})
    elsewhere = tunnel("elsewhere", spec={"parent": "branch", "secrets": ["psk"]}, namespace="other")
    assert names(filled(here, there, elsewhere).siblings(here)) == ["there"]


def test_who_holds_a_uuid() -> None:
    older = made("b", status={"uuid": "10-1"}, creationTimestamp="2026-11-22T03:00:00Z")
    younger = made("a", status={"uuid": "10-1"}, creationTimestamp="2026-11-22T04:00:00Z")
    creating = made("c", status={"uuid": "10-2", "create": RECORD})
    store = filled(younger, older, creating)
    assert store.holder("10-1") == older
    assert store.holder("10-2") is None
    assert store.unbound(GATEWAY) == {creating.key}
    store.remove(older.key)
    assert store.holder("10-1") == younger


def test_who_is_about_to_hold_a_uuid() -> None:
    """From the moment it is decided, until the object is heard of again: by then it records it, or does not."""
    store = filled(made("a"), made("b"))
    store.bind(made("a").key, "10-1")
    assert store.holder("10-1") == made("a")
    store.apply(made("b", version=2))
    assert store.holder("10-1") == made("a")
    store.apply(made("a", version=2))
    assert store.holder("10-1") is None
    store.bind(made("a").key, "10-1")
    store.remove(made("a").key)
    assert store.holder("10-1") is None


def test_who_claims_a_name() -> None:
    record = {**RECORD, "parentUuid": "10-1", "account": "alice"}
    first, second = connection("first", status={"create": record}), connection("second")
    store = filled(first, second, made("gateway", status={"create": record}))
    assert store.claimant(second, "edge", "10-1", "alice") == first
    assert store.claimant(second, "edge", "10-2", "alice") is None
    assert store.claimant(second, "other", "10-1", "alice") is None
    assert store.claimant(first, "edge", "10-1", "alice") is None


@pytest.mark.parametrize(("recorded", "claimed"), [("alice", True), (None, True), ("bob", False)])
def test_who_claims_a_name_claims_it_in_one_account(recorded: str | None, claimed: bool) -> None:
    record = {**RECORD, "parentUuid": None, "account": recorded}
    first = connection("first", status={"create": {key: value for key, value in record.items() if value is not None}})
    second = connection("second")
    found = filled(first, second).claimant(second, "edge", None, "alice")
    assert found == (first if claimed else None)


def test_what_is_bound_to_an_object_that_is_gone_already_is_free() -> None:
    store = filled(made("a"))
    store.remove(made("a").key, certain=False)
    store.bind(made("a").key, "10-1")
    store.remove(made("a").key, certain=False)
    store.apply(made("a"))
    assert store.holder("10-1") is None


def test_nothing_goes_backwards() -> None:
    store = filled(made(version=9, generation=2))
    assert store.apply(made(version=8)) == set()
    assert store.apply(made(version=9)) == set()
    assert store.apply(made(version=10, generation=2)) == set()
    (obj,) = store
    assert obj.resource_version == "10"


def test_versions_are_numbers() -> None:
    store = filled(made(version=9))
    store.apply(made(version=10, generation=2))
    (obj,) = store
    assert obj.generation == 2


def test_versions_that_are_no_numbers_come_in_order() -> None:
    store = filled(made(version="b"))
    store.apply(made(version="a", generation=2))
    (obj,) = store
    assert obj.generation == 2


def test_made_again_under_the_same_name() -> None:
    former, again = made("edge", uid="1", version=5), made("edge", uid="2", version=7)
    child = connection()
    store = filled(former, child)
    woken = store.apply(again)
    assert {again.key, child.key, former.key} <= woken
    assert store.find(GATEWAY, "default", "edge") == again
    assert store.get(former.key) is None
    assert store.apply(made("edge", uid="1", version=6, deletionTimestamp="…")) == set()  # comes late
    assert store.remove(former.key) == set()
    assert store.find(GATEWAY, "default", "edge") == again


def test_an_old_namesake_that_comes_late_replaces_nobody() -> None:
    again = made("edge", uid="2", version=7)
    store = filled(again)
    assert store.apply(made("edge", uid="1", version=6)) == set()
    assert store.remove(Key(GATEWAY, "1")) == set()
    assert list(store) == [again]


def test_what_is_gone_stays_gone() -> None:
    store = filled(made(version=5))
    store.remove(made().key)
    assert store.apply(made(version=6)) == set()
    assert len(store) == 0


def test_what_seemed_gone_may_come_back() -> None:
    store = filled(made(version=5))
    store.remove(made().key, certain=False)
    assert store.apply(made(version=5)) == {made().key}
    assert len(store) == 1


def test_the_dead_are_not_remembered_for_ever() -> None:
    store = Store(LINKS)
    for number in range(BURIED_MOST + 10):
        store.remove(Key(GATEWAY, str(number)))
    assert store.apply(made(uid="5")) != set()
    assert store.apply(made("other", uid=str(BURIED_MOST))) == set()


def test_nor_for_long() -> None:
    now = 0.0
    store = Store(LINKS, lambda: now)
    for number in range(10):
        store.remove(Key(GATEWAY, str(number)))
        now += BURIED_SECONDS / 5
    store.remove(Key(GATEWAY, "another"))
    assert store.apply(made("early", uid="3")) != set()
    assert store.apply(made("late", uid="7")) == set()


def test_a_list_buries_what_it_does_not_name() -> None:
    edge, office, one = made("edge"), connection(), tunnel()
    store = filled(edge, office, one)
    assert office.key in store.replace_all(GATEWAY, [])
    assert names(store) == ["office", "office-1"]


def test_a_list_buries_nothing_that_was_heard_of_meanwhile() -> None:
    store = filled(made("old"))
    since = store.moment()
    store.apply(made("young"))
    store.replace_all(GATEWAY, [], since)
    assert names(store) == ["young"]


def test_a_list_that_is_older_than_an_event_changes_nothing() -> None:
    store = filled(made(version=5))
    since = store.moment()
    store.apply(made(version=6, generation=2))
    store.replace_all(GATEWAY, [made(version=5)], since)
    (obj,) = store
    assert obj.generation == 2


def test_the_same_state_is_held_once() -> None:
    held = made(version=5)
    store = filled(held)
    assert store.held(made(version=5)) is held
    for other in (made(version=6), made(version=4), made("other", version=5)):
        assert store.held(other) is other


@pytest.mark.parametrize(
    ("change", "woken"),
    [
        ({}, []),
        ({"generation": 2}, ["office"]),
        ({"annotations": {"other/annotation": "x"}}, []),
        ({"annotations": {"netgw.dev/paused": "true"}}, ["office"]),
        ({"finalizers": []}, ["office"]),
        ({"status": {"mine": "tampered with"}}, ["office"]),
        ({"deletionTimestamp": "…"}, ["edge", "office", "office-1", "office-2"]),
        ({"status": {"uuid": "10-5"}}, ["edge", "office", "office-1", "office-2"]),
        ({"status": {"create": RECORD}}, ["office"]),
        ({"spec": {"parent": "other"}, "generation": 2}, ["edge", "office", "office-1", "office-2", "other"]),
    ],
)
def test_whom_a_change_wakes(change: dict[str, Any], woken: list[str]) -> None:
    family = [made("edge"), made("other"), connection("branch", spec={"parent": "elsewhere"}), connection()]
    store = filled(*family, tunnel("office-1"), tunnel("office-2"))
    found = store.apply(connection(version=2, **change))
    assert sorted(key.uid.removeprefix("uid-of-") for key in found) == woken


def test_an_own_write_does_not_wake_its_own_object() -> None:
    office, one = connection(), tunnel()
    store = filled(office, one)
    assert store.apply(connection(version=2, status={"uuid": "10-5"}), own_write=True) == {one.key}


@pytest.mark.parametrize(
    ("before", "after", "woken"),
    [
        ({"uuid": "10-5"}, {}, True),
        ({"uuid": "10-5"}, {"uuid": "10-6"}, True),
        ({"uuid": "10-5"}, {"create": RECORD}, True),
        ({"create": RECORD}, {}, True),
        ({"create": RECORD}, {"uuid": "10-5"}, False),
        ({}, {"uuid": "10-5"}, False),
        ({}, {"create": RECORD}, False),
    ],
)
def test_a_name_that_is_free_wakes_who_wants_one(before: dict[str, Any], after: dict[str, Any], woken: bool) -> None:
    waiting = connection("waiting", spec={})
    store = filled(connection(status=before), waiting)
    assert (waiting.key in store.apply(connection(version=2, status=after), own_write=True)) is woken


def test_an_interruption_wakes_those_that_wait_for_its_end() -> None:
    store = filled(tunnel("office-1"), tunnel("office-2"))
    down = tunnel("office-1", version=2, status={"interruptedAt": "2026-11-22T03:00:00Z"})
    store.apply(down, own_write=True)
    assert store.apply(tunnel("office-1", version=3), own_write=True) == {tunnel("office-2").key}


def test_a_removal_wakes_parent_children_namesakes_and_itself() -> None:
    edge, office, one = made("edge"), connection(status={"uuid": "10-5"}), tunnel()
    waiting, settled = connection("waiting"), connection("settled", status={"uuid": "10-6"})
    store = filled(edge, office, one, waiting, settled)
    assert store.remove(office.key) == {edge.key, office.key, one.key, waiting.key}


# ---- random histories


class Truth:
    """What the API server has, and the events that are on their way: of one object in order, else in any."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.version = 0
        self.objects: dict[Name, Object] = {}
        self.events: dict[Key, list[tuple[str, Object]]] = {}

    def write(self, obj: Object, event: str) -> Object:
        self.version += 1
        body = {**obj.body, "metadata": {**obj.metadata, "resourceVersion": str(self.version)}}
        written = Object(obj.kind, body)
        self.objects[written.ref] = written
        self.events.setdefault(written.key, []).append((event, written))
        return written

    def create(self) -> None:
        kind = self.rng.choice(KINDS)
        name = self.rng.choice("ab")
        if Name(kind, "default", name) not in self.objects:
            self.write(made(name, kind=kind, uid=f"{kind}-{name}-{self.version}", spec=self.spec(kind)), "ADDED")

    def spec(self, kind: str) -> dict[str, Any]:
        name = self.rng.choice("ab")
        ref = self.rng.choice([{"parent": name}, {"parentUuid": f"{PARENTS.get(kind)}-{name}"}, {}])
        return {**ref, "secrets": self.rng.choice([[], ["psk"], ["psk", "other"]])}

    def status(self, obj: Object) -> dict[str, Any]:
        uuid = {"uuid": f"{obj.kind}-{obj.name}"}  # of one living object at a time
        choices: list[dict[str, Any]] = [{}, uuid, uuid, {"create": RECORD}, {**uuid, "create": RECORD}]
        return self.rng.choice(choices) | self.rng.choice([{}, {"interruptedAt": "…"}])

    def changed(self, obj: Object, *whats: str) -> Object:
        body: dict[str, Any] = {**obj.body, "metadata": dict(obj.metadata)}
        match self.rng.choice(whats):
            case "spec":
                body["spec"], body["metadata"]["generation"] = self.spec(obj.kind), obj.generation + 1
            case "status":
                body["status"] = self.status(obj)
            case "annotation":
                body["metadata"]["annotations"] = {"netgw.dev/paused": self.rng.choice(["true", "false"])}
            case _:
                body["metadata"]["deletionTimestamp"] = "…"
        return Object(obj.kind, body)

    def of(self, kind: str) -> list[Object]:
        return [obj for obj in self.objects.values() if obj.kind == kind]

    def delete(self, obj: Object) -> None:
        self.version += 1
        last = Object(obj.kind, {**obj.body, "metadata": {**obj.metadata, "resourceVersion": str(self.version)}})
        del self.objects[obj.ref]
        self.events.setdefault(obj.key, []).append(("DELETED", last))


def indexes(store: Store) -> Mapping[str, Any]:
    """What the indexes must hold, from the objects alone."""
    objects = list(store)
    by_parent: dict[Any, set[Key]] = {}
    by_secret: dict[tuple[str, str], set[Key]] = {}
    by_uuid: dict[str, set[Key]] = {}
    for obj in objects:
        found = links(obj)
        if found.parent is not None:
            by_parent.setdefault(Name(found.parent[0], obj.namespace, found.parent[1]), set()).add(obj.key)
        if found.parent_uuid is not None:
            by_parent.setdefault(found.parent_uuid, set()).add(obj.key)
        for secret in found.secrets:
            by_secret.setdefault((obj.namespace, secret), set()).add(obj.key)
        if obj.uuid is not None:
            by_uuid.setdefault(obj.uuid, set()).add(obj.key)
    return {
        "_names": {obj.ref: obj.key for obj in objects},
        "_by_parent": by_parent,
        "_by_secret": by_secret,
        "_by_uuid": by_uuid,
    }


def decides_on(store: Store) -> dict[Key, Any]:
    """For each object all that a pass of it reads, by brute force."""
    objects = list(store)
    taken = {obj.key for obj in objects if obj.uuid is not None or obj.creating}
    read: dict[Key, Any] = {}
    for obj in objects:
        parent = store.parent(obj)
        grandparent = None if parent is None else store.parent(parent)
        annotations = sorted(obj.own_annotations.items())
        read[obj.key] = {
            "itself": (obj.generation, obj.deleting, obj.finalizers, annotations, dict(obj.status)),
            "above": [(up.key, up.uuid, up.deleting) if up else None for up in (parent, grandparent)],
            "below": sorted((child.key, child.uuid, child.deleting) for child in store.children(obj)),
            "beside": sorted(other.key for other in store.siblings(obj) if other.status.get("interruptedAt")),
            "taken": set() if obj.uuid else {key for key in taken if key.kind == obj.kind},
        }
    return read


def check(store: Store, before: dict[Key, Any], woken: set[Key], own: Key | None) -> None:
    for name, expected in indexes(store).items():
        assert getattr(store, name) == expected, name
    after = decides_on(store)
    for key in after.keys() - {own}:  # it is the pass of `own` that wrote: it knows
        old, new = dict(before.get(key, {})), dict(after[key])
        if new["beside"] or not old.get("beside"):
            old["beside"] = new["beside"]  # only who waits for nobody any more has something to do
        if old.get("taken", set()) <= new["taken"] or new["itself"] != old["itself"]:
            old["taken"] = new["taken"]  # and who wants a name that is free now
        assert old == new or key in woken, (key, old, new)
    assert woken >= before.keys() - after.keys(), "what is gone is to be forgotten"


class Play:
    """Random steps, each checked: what the store holds, that it never goes back, and whom it wakes."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.truth, self.store = Truth(self.rng), Store(LINKS)
        self.newest: dict[Name, int] = {}
        self.lists: list[tuple[str, list[Object], int]] = []
        self.own: Key | None = None

    def step(self, action: Callable[[], set[Key] | None]) -> None:
        before, self.own = decides_on(self.store), None
        check(self.store, before, action() or set(), self.own)
        for obj in self.store:
            assert int(obj.resource_version) >= self.newest.get(obj.ref, 0), "went backwards"
        self.newest = {obj.ref: int(obj.resource_version) for obj in self.store}

    def any_step(self) -> None:
        often = [self.truth.create, self.change, self.change, self.deliver, self.deliver]
        self.step(self.rng.choice([*often, *often, self.write, self.delete, self.lose, self.list, self.listed]))

    def change(self) -> None:
        if self.truth.objects:
            obj = self.rng.choice(list(self.truth.objects.values()))
            self.truth.write(self.truth.changed(obj, "spec", "status", "annotation", "deletion"), "MODIFIED")

    def write(self) -> set[Key] | None:
        """Our own, of what the store knows as it is."""
        current = [obj for obj in self.truth.objects.values() if self.store.get(obj.key) == obj]
        if not current:
            return None
        written = self.truth.write(self.truth.changed(self.rng.choice(current), "status"), "MODIFIED")
        self.own = written.key
        return self.store.apply(written, own_write=True)

    def delete(self) -> None:
        if self.truth.objects:
            self.truth.delete(self.rng.choice(list(self.truth.objects.values())))

    def _next(self) -> tuple[str, Object] | None:
        waiting = [events for events in self.truth.events.values() if events]
        return self.rng.choice(waiting).pop(0) if waiting else None

    def lose(self) -> None:
        self._next()

    def deliver(self) -> set[Key] | None:
        if (found := self._next()) is None:
            return None
        event, obj = found
        return self.store.remove(obj.key) if event == "DELETED" else self.store.apply(obj)

    def list(self) -> None:
        """Begins: what it will say, and when it was asked."""
        kind = self.rng.choice(KINDS)
        self.lists.append((kind, self.truth.of(kind), self.store.moment()))

    def listed(self) -> set[Key] | None:
        return self.store.replace_all(*self.lists.pop(0)) if self.lists else None

    def end(self) -> None:
        while self.lists:
            self.step(self.listed)
        while any(self.truth.events.values()):
            self.step(self.deliver)
        for kind in KINDS:
            self.store.replace_all(kind, self.truth.of(kind), self.store.moment())
        assert {obj.ref: obj for obj in self.store} == self.truth.objects


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.integers(5, 60))
def test_whatever_comes_in_whichever_order(seed: int, steps: int) -> None:
    play = Play(seed)
    for _ in range(steps):
        play.any_step()
    play.end()
