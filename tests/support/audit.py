"""Watches an operator at work: what it must never do, whatever happens to it, checked at each call and each write.

| rule     | at what                                                                                           |
|----------|---------------------------------------------------------------------------------------------------|
| record   | a POST is recorded in status before it goes out (rule 1)                                            |
| once     | no two gateways with one mark, no two objects with one uuid                                         |
| foreign  | nothing is changed or deleted that no object of ours records                                        |
| asked    | nothing is deleted whose object is not under deletion or gone, nothing made under a parent that is  |
| hands    | nothing is changed of what is only observed, nothing deleted that is to be retained                 |
| cascade  | nothing is deleted that has something below it                                                      |
| status   | conditions are whole, times move with the status alone, generations do not go back                  |
| secrets  | no key and no credential in a status or an Event                                                    |
"""

from __future__ import annotations

import copy
import itertools
import json
import logging
import re
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from netgw.engine.conditions import ORDER
from netgw.engine.objects import Object, parse_time
from netgw.engine.ownership import MARK
from netgw.kube.errors import KubernetesError
from support.history import KEY, OTHER_KEY, History, play
from support.lifeline import Witness

SECRETS = (KEY, OTHER_KEY, "madeup-token")
FIELDS = {"name", "plan", "features", "configured_status", "automatic_internal_ips", "labels", "addresses"} | {
    "local_routes", "remote_routes", "local_address", "remote_address", "psk_sha256", "ipsec", "ping_interval",
    "static_routes",
}  # fmt: skip
GRACE = 15.0
"""Seconds in which an operator may not have heard yet: a lag of the watch, a wait for its turn."""
PATH = re.compile(
    r"/1\.3/gateway(?:/(?P<gateway>[^/]+)(?:/connections(?:/(?P<connection>[^/]+)(?:/tunnels(?:/(?P<tunnel>[^/]+))?)?)?)?)?/?"
)
ROUTER = re.compile(r"/1\.3/router(?:/(?P<router>[^/]+))?")
PARTS = re.compile(r"/1\.3/gateway/(?P<gateway>[^/]+)/(?:labels(?:/.*)?|addresses/.*|actions/nat-flush-connections)")


class Audit(Witness):
    """`violations` is empty at the end. `effects`: which value of which resource was changed to what.

    `secrets` are what must not be seen anywhere. `by_hand`: what others made, and when. `made`: for
    which object, by uid, each uuid was made that a POST of ours brought.
    """

    def __init__(self, history: History, secrets: tuple[str, ...] = SECRETS) -> None:
        super().__init__()
        self._history = history
        self._secrets = secrets
        self.violations: list[str] = []
        self.owners: dict[str, str] = {}
        self.by_hand: dict[str, float] = {}
        self.made: dict[str, str] = {}
        self._making: dict[str, tuple[str, set[str]]] = {}
        history.kubernetes.on_status = self._status_written
        self._told = 0
        self.effects: list[tuple[str, str, Any]] = []
        self._before: dict[tuple[str, str], Any] = {}

    # ---- the cloud

    def asked(self, request: httpx.Request) -> None:
        if request.method == "GET":
            return
        self._before = self._values()
        path = request.url.path
        if (part := PARTS.fullmatch(path)) is not None:
            self._may_change(request, part["gateway"])
        elif (router := ROUTER.fullmatch(path)) is not None:
            self._may_touch_router(request, router["router"])
        elif (found := PATH.fullmatch(path)) is None:
            self._wrong(f"{request.method} {path}: an unknown path")
        elif request.method == "POST":
            self._may_create(request, found["connection"] or found["gateway"])
        else:
            uuid = found["tunnel"] or found["connection"] or found["gateway"]
            self._may_change(request, uuid)
            if request.method == "DELETE":
                self._may_delete(request, uuid)

    def answered(self, request: httpx.Request) -> None:
        super().answered(request)
        if request.method == "GET":
            return
        after = self._values()
        self._was_made(after)
        for place in self._before.keys() & after.keys():
            if self._before[place] != after[place]:
                self.effects.append((*place, after[place]))
        gateways = [found for found in self._history.world.gateways.values() if not found.deleting]
        routers = self._history.world.routers.values()
        for what, marks in (
            ("gateways", [found.labels[MARK] for found in gateways if MARK in found.labels]),
            ("routers", [label["value"] for found in routers for label in found.labels if label["key"] == MARK]),
        ):
            for twice in {mark for mark in marks if marks.count(mark) > 1}:
                self._wrong(f"{request.method} {request.url.path}: two {what} of {twice}")

    def _values(self) -> dict[tuple[str, str], Any]:
        """Every value that an update can change, by uuid and field."""
        values: dict[tuple[str, str], Any] = {}
        for gateway in self._history.world.gateways.values():
            parts: list[Any] = [gateway, *gateway.connections, *gateway.tunnels]
            for part in parts:
                for field in FIELDS & vars(part).keys():
                    values[part.uuid, field] = copy.deepcopy(getattr(part, field))
        for router in self._history.world.routers.values():
            for field in FIELDS & vars(router).keys():
                values[router.uuid, field] = copy.deepcopy(getattr(router, field))
        return values

    def _may_touch_router(self, request: httpx.Request, uuid: str | None) -> None:
        if uuid is None:
            return self._may_create(request, None)
        self._may_change(request, uuid)
        if request.method == "DELETE":
            self._may_delete(request, uuid)
        return None

    def _may_create(self, request: httpx.Request, parent: str | None) -> None:
        body = json.loads(request.content)
        name = body.get("router", body)["name"]
        for obj in self._history.objects():
            record = obj.status.get("create") or {}
            if record.get("name") == name and record.get("parentUuid") == parent:
                self._making[obj.uid] = name, {uuid for uuid, _ in self._before}
                if has := [uuid for uuid in self._before_of(obj) if uuid not in self._going()]:
                    self._wrong(f"{request.method} {request.url.path}: {obj.ref} has {has} already")
                break
        else:
            self._wrong(f"{request.method} {request.url.path}: {name} is not recorded")
        if parent is not None and (owner := self._object(parent)) is not None and self._deleting_for(owner) > GRACE:
            self._wrong(f"{request.method} {request.url.path}: under {owner.ref}, which is being deleted")

    def _may_change(self, request: httpx.Request, uuid: str) -> None:
        if uuid not in self.owners and not (request.method == "DELETE" and self._nobodys(uuid)):
            self._wrong(f"{request.method} {request.url.path}: not ours")
        elif (owner := self._object(uuid)) is not None and self._policy(owner, "managementPolicy") == "Observe":
            self._wrong(f"{request.method} {request.url.path}: {owner.ref} is only observed")

    def _may_delete(self, request: httpx.Request, uuid: str) -> None:
        owner = self._object(uuid)
        if owner is None and all(known != uuid for known, _ in self._before):
            return  # gone, proven and let go by another leader, while this one's call was under way: it meets a 404
        if owner is None and self._nobodys(uuid):
            if below := list(self._below(uuid)):
                self._wrong(f"{request.method} {request.url.path}: takes {below} with it")
        elif owner is None or not owner.deleting:
            self._wrong(f"{request.method} {request.url.path}: nobody asked to")
        elif self._policy(owner, "deletionPolicy") == "Retain":
            self._wrong(f"{request.method} {request.url.path}: {owner.ref} is to be retained")
        elif owner.annotation("allow-cascade") != uuid and (below := list(self._below(uuid))):
            self._wrong(f"{request.method} {request.url.path}: takes {below} with it")

    def _was_made(self, after: Mapping[tuple[str, str], Any]) -> None:
        """Whose is what is new, and has the name that one of ours is making?"""
        for uid, (name, before) in list(self._making.items()):
            for uuid in {uuid for uuid, _ in after} - before - self.made.keys() - self.by_hand.keys():
                if after.get((uuid, "name")) == name:
                    self.made[uuid] = uid
                    self._making.pop(uid, None)

    def _before_of(self, obj: Object) -> set[str]:
        """What the cloud has of it, as far as it ever recorded that."""
        return {uuid for uuid, _ in self._before if self.owners.get(uuid) == obj.uid}

    def _going(self) -> set[str]:
        """What UpCloud is deleting."""
        gateways = [gateway for gateway in self._history.world.gateways.values() if gateway.deleting]
        parts: list[Any] = [part for gateway in gateways for part in (gateway, *gateway.connections, *gateway.tunnels)]
        return {part.uuid for part in parts}

    def _nobodys(self, uuid: str) -> bool:
        """Made for an object that was gone before it could record that: to be deleted by whoever made it."""
        maker = self.made.get(uuid)
        unrecorded = uuid not in self.owners and maker is not None
        return unrecorded and all(obj.uid != maker for obj in self._history.objects())

    def _below(self, uuid: str) -> Iterator[str]:
        """What is below a gateway or a connection, or at a router, but for what was made by hand just now."""
        for gateway in self._history.world.gateways.values():
            if gateway.router == uuid:
                yield gateway.uuid
            for connection in gateway.connections:
                inner = [tunnel.uuid for tunnel in connection.tunnels] if connection.uuid == uuid else []
                outer = [connection.uuid] if gateway.uuid == uuid else []
                for found in (*inner, *outer):
                    if self._history.clock.now() - self.by_hand.get(found, -GRACE) >= GRACE:
                        yield found

    def _object(self, uuid: str) -> Object | None:
        """The living object that records it, or did."""
        uid = self.owners.get(uuid)
        return next((obj for obj in self._history.objects() if obj.uid == uid), None)

    def _deleting_for(self, obj: Object) -> float:
        since = parse_time(obj.metadata.get("deletionTimestamp"))
        return 0.0 if since is None else (self._history.clock.wall() - since).total_seconds()

    def _policy(self, obj: Object, field: str) -> str | None:
        """What is in effect; None while the operator has not looked at today's spec, of which it may not have heard."""
        kubernetes, looked = self._history.kubernetes, obj.status.get("observedGeneration")
        edited = self._history.clock.now() - kubernetes.edited.get(obj.uid, -GRACE)
        if looked != obj.generation and not (obj.deleting and looked == obj.generation - 1 and edited >= GRACE):
            return None
        imported = {"managementPolicy": "Observe", "deletionPolicy": "Retain"} if "import" in obj.spec else {}
        # What others say may have changed just before the deletion, whose first pass writes no status before its call.
        inherited = {} if obj.deleting else obj.status.get("policies") or {}
        said = obj.spec.get(field) or imported.get(field) or inherited.get(field)
        return None if said is None else str(said)

    # ---- status and Events

    def _status_written(self, before: Object, after: Object) -> None:
        if (uuid := after.uuid) is not None:
            self.owners[uuid] = after.uid
            others = [obj.ref for obj in self._history.objects() if obj.uuid == uuid and obj.uid != after.uid]
            if others:
                self._wrong(f"{after.ref} and {others} both record {uuid}")
        for problem in itertools.chain(_conditions(before, after), self._shown(json.dumps(after.body["status"]))):
            self._wrong(f"{after.ref}: {problem}: {json.dumps(after.body['status'])}")
        events = self._history.kubernetes.events
        for event in events[self._told :]:
            for problem in self._shown(json.dumps(event)):
                self._wrong(f"{problem}: {event}")
        self._told = len(events)

    def _shown(self, text: str) -> Iterator[str]:
        for secret in self._secrets:
            if secret in text:
                yield "a secret is shown"

    def _wrong(self, what: str) -> None:
        self.violations.append(f"at {self._history.clock.now():.2f}: {what}\n{self._history.picture()}")


def audited(story: Callable[[History], Coroutine[Any, Any, None]], **options: Any) -> History:
    """Play a story under audit. A pass that fails in an unforeseen way counts as a violation."""
    found: list[str] = []

    async def watched(h: History) -> None:
        h.witness = audit = Audit(h, SECRETS)
        with failures(audit.violations):
            await story(h)
        found.extend(audit.violations)

    history = play(watched, **options)
    assert found == []
    return history


@contextmanager
def failures(found: list[str]) -> Iterator[None]:
    """Collects what is logged as an error, but for an API server that is away on purpose."""

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            error = record.exc_info[1] if record.exc_info else None
            if not isinstance(error, KubernetesError):
                found.append(self.format(record))

    handler, logger = Keep(logging.ERROR), logging.getLogger("netgw")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _conditions(before: Object, after: Object) -> Iterator[str]:
    """What is wrong with the conditions of an object, and with what became of them."""
    status = after.status
    found: list[dict[str, Any]] = status.get("conditions") or []
    if not found:
        return
    types = [condition["type"] for condition in found]
    if types != sorted(set(types), key=ORDER.index) or not {"Ready", "Synced"} <= set(types):
        yield f"conditions {types}"
    if {"Reconciling", "Stalled"} <= set(types):
        yield "both Reconciling and Stalled"
    if not (before.status.get("observedGeneration") or 0) <= status["observedGeneration"] <= after.generation:
        yield "observedGeneration out of order"
    old = {condition["type"]: condition for condition in before.status.get("conditions") or ()}
    for condition in found:
        yield from _condition(old.get(condition["type"]), condition)
        if condition["observedGeneration"] != status["observedGeneration"]:
            yield f"{condition['type']} is of another generation"
    if status["reason"] not in {condition["reason"] for condition in found[:2]}:
        yield "the reason is of no condition"


def _condition(old: dict[str, Any] | None, new: dict[str, Any]) -> Iterator[str]:
    kind = new["type"]
    if not re.fullmatch(r"([A-Z][a-z0-9]*)+", new["reason"]) or not 0 < len(new["message"]) <= 1024:
        yield f"{kind} has no proper reason or message"
    if kind in ("Reconciling", "Stalled", "Warning") and new["status"] != "True":
        yield f"{kind} although it is not"
    if old is not None and (old["lastTransitionTime"] == new["lastTransitionTime"]) < (old["status"] == new["status"]):
        yield f"the time of {kind} moved without its status"
