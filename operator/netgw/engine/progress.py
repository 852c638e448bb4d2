"""One pass in progress: the object, what was learnt so far, and how its status is written."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from netgw.engine import policy
from netgw.engine.actuator import Absent, Actuator, Desired, External, Look, Observation, Psk
from netgw.engine.conditions import Seen, summarise
from netgw.engine.memo import SLOW_RETRY, Memo
from netgw.engine.objects import Json, Key, Object, format_time, parse_time
from netgw.engine.outcome import CallFailed, Hold, Outcome, Stalled, Waiting
from netgw.engine.plan import Change
from netgw.engine.policy import Defaults, InvalidPolicies, Policies
from netgw.engine.ports import Clock, Kubernetes, ObjectGone, Reporter, WriteConflict
from netgw.engine.store import Store
from netgw.engine.tally import Tally
from netgw.engine.tell import tell
from netgw.engine.text import shown
from netgw.engine.verdict import bounded, cut

log = logging.getLogger(__name__)

FOREIGN_SECONDS = 300.0
"""After so long a time with another account's credential, which is no look at all, Ready is not believed any more."""


class Stopping(Exception):
    """The process ends: nothing new is begun."""


@dataclass
class Environment:
    """What every pass works with. `started`: when this process began, monotonic. `stopping`: begin nothing new.

    `leads`: whether this process is the one that works, at this moment.
    """

    kubernetes: Kubernetes
    store: Store
    clock: Clock
    rng: random.Random
    reporter: Reporter
    wake: Callable[[set[Key]], None]
    defaults: Defaults
    read_only: bool
    started: float
    stopping: bool = False
    tally: Tally = field(default_factory=Tally)
    leads: Callable[[], bool] = lambda: True


@dataclass
class Pass:
    """`status` is what will be written; it begins as what stands there.

    `lost`: the status was, so it has to be looked for by name before anything is said of it. `account`: whose the
    credentials are with which everything of this pass is done.
    """

    obj: Object
    actuator: Actuator
    memo: Memo
    env: Environment
    look: Look | None = None
    observation: Observation | None = None
    warnings: tuple[str, ...] = ()
    fresh: bool = False
    foreign: str | None = None
    account: str | None = None
    lost: bool = field(init=False)
    status: dict[str, Json] = field(init=False)
    generation: int = field(init=False)
    policies: Policies = field(init=False)

    def __post_init__(self) -> None:
        self.status = dict(self.obj.status)
        self.lost = self.obj.lost and not self.memo.fresh
        if not self.obj.creating:
            self.status.pop("create", None)  # mutilated, by hand: it says nothing
        self.generation = self.obj.generation  # what this pass decides on, also if the object moves meanwhile
        self.policies = self._policies()
        self.status["policies"] = dict(self.policies.values)

    @property
    def current(self) -> Object:
        """The object with what this pass has learnt so far: the policies that are in effect now, above all."""
        return Object(self.obj.kind, {**self.obj.body, "status": self.status})

    def _policies(self) -> Policies:
        inherits, heir_of = self.actuator.heir_of(self.obj)
        above: Json = (self.obj.status.get("policies") or {}) if heir_of is None else heir_of.spec
        try:
            defaults, problem = self.env.defaults.policies(self.obj.namespace), None
        except InvalidPolicies as error:
            defaults, problem = {}, str(error)
        kind = {"recreatePolicy": "Always" if self.actuator.recreate else "Never"}
        imported = policy.IMPORTED if "import" in self.obj.spec else {}
        layers = (self.obj.spec, imported, above if inherits else {}, defaults, policy.BUILT_IN, kind)
        return policy.in_effect(layers, problem)

    # ---- requests and gates

    def note_requests(self) -> None:
        """A new `reconcile-requested-at`: look afresh and forget what was refused."""
        asked = self.obj.annotation("reconcile-requested-at")
        if asked is not None and asked != self.status.get("lastHandledReconcileAt"):
            self.status["lastHandledReconcileAt"] = asked
            self.memo.attempts, self.memo.sent = {}, []
            self.fresh = True

    def gate(self) -> Hold | None:
        """What stops every write to the cloud: `netgw.dev/paused` ("true", or a time), read-only, unreadable policies.

        A deletion is not stopped by a pause.
        """
        value = self.obj.annotation("paused")
        until = parse_time(value)
        if value not in (None, "false") and (until is None or until > self.env.clock.wall()):
            after = None if until is None else (until - self.env.clock.wall()).total_seconds() + 0.1
            return Waiting("Paused", "netgw.dev/paused is set: nothing is changed in the cloud.", after)
        if self.env.read_only:
            return Waiting("ReadOnly", "The operator runs with NETGW_READ_ONLY: nothing is changed in the cloud.")
        return self.unsure_of_policies()

    def unsure_of_policies(self) -> Stalled | None:
        """A mistyped policy might have been there to keep our hands off."""
        if self.policies.problem is None:
            return None
        return Stalled("InvalidSpec", f"{self.policies.problem} Nothing is changed in the cloud until it is mended.")

    def about_to_write(self) -> None:
        """Before anything that changes the cloud. Raises Stopping, or WriteConflict when the credentials are others."""
        if self.env.stopping or not self.env.leads():
            raise Stopping
        if self.actuator.account(self.obj) != self.account:
            raise WriteConflict  # since this pass began: whose are they?

    def failed(self, failure: CallFailed) -> Hold:
        return self.memo.failed(failure, self.env.rng)

    async def account_hold(self) -> Hold | None:
        """What stops every call with this credential, or for this object (rule 8). Raises CallFailed."""
        if (hold := self.actuator.hold(self.obj)) is not None:
            return hold
        account, recorded = self.actuator.account(self.obj), self.status.get("account")
        self.account = account
        if self.obj.uuid is None or account is None:
            return None
        if recorded in (None, account) or await self.actuator.owns(self.obj):
            self.memo.foreign_since = None
            self.note_account(account)
            return None
        return self.other_account(str(recorded))

    def note_account(self, account: str | None) -> None:
        """Whose it is and by which credential it is reached, for the time when specs and parents are gone."""
        used = self.actuator.credentials(self.obj)
        self.put({"credentialsSecretRef": None if used is None else {"name": used}})
        if account is not None:
            self.status["account"] = account

    def other_account(self, recorded: str, what: str = "It was") -> Waiting:
        """AccountMismatch: what this credential sees and does not see says nothing about this object.

        `what` was made in the account `recorded`.
        """
        secret = self.actuator.credentials(self.obj)
        used = "the operator's own credentials" if secret is None else f"the credentials of Secret {secret}"
        message = (
            f"{what} made in account {recorded}, but {used} are of account {self.actuator.account(self.obj)}, "
            f"which does not know it. Nothing is observed or changed. Use credentials of {recorded}."
        )
        if self.memo.foreign_since is None:
            self.memo.foreign_since = self.env.clock.now()
        if self.env.clock.now() - self.memo.foreign_since >= FOREIGN_SECONDS:
            self.foreign = message
        return Waiting("AccountMismatch", message, self.env.rng.uniform(*SLOW_RETRY))

    # ---- what is remembered in status

    def remember(self, psk: Psk | None) -> None:
        """The key that the Secret holds; `acceptedAt` stays only with the fingerprint that was accepted."""
        if psk is None:
            return
        known = dict(self.status.get("psk") or {})
        if known.get("fingerprint") != psk.fingerprint:
            known = {}
        self.status["psk"] = known | psk.to_status()

    def bind(self, external_uuid: str, psk: Psk | None, *, accepted: bool, account: str | None = None) -> None:
        """The record is settled: this uuid is ours. `account`: in which one, where that is not today's."""
        self.env.store.bind(self.obj.key, external_uuid)
        self.status.pop("create", None)
        self.status["uuid"] = external_uuid
        self.note_account(account or self.actuator.account(self.obj))
        if psk is not None:
            self.status["psk"] = psk.to_status() | ({"acceptedAt": self.now_text()} if accepted else {})
        self.memo.settled()

    def adopt(self, external: External, psk: Psk | None, *, accepted: bool) -> None:
        """`bind` to what a search found."""
        self.bind(external.uuid, psk, accepted=accepted)
        self.status.update(self.actuator.identity(external))

    def saw(self, external: External, observation: Observation) -> None:
        """What the cloud shows goes into status, before anything that is decided on it."""
        self.observation = observation
        said = {name: shown(value) for name, value in observation.fields.items()}
        self.put({**self.actuator.identity(external), **said, **observation.notes})

    def put(self, fields: Mapping[str, Json]) -> None:
        """Into status; what is None goes."""
        for name, value in fields.items():
            if value is None:
                self.status.pop(name, None)
            else:
                self.status[name] = value

    async def record_update(self, key: str, changes: tuple[Change, ...], desired: Desired) -> Waiting:
        """The cloud took the update: say so at once, above all which key it accepted.

        `key`: what a refusal of it would be remembered under.
        """
        self.memo.sent_well(key)
        self.memo.note_sent(changes, self.env.clock.now())
        if desired.psk is not None and any(change.secret for change in changes):
            self.status["psk"] = desired.psk.to_status() | {"acceptedAt": self.now_text()}
            if (asked := self.obj.annotation("push-psk-requested-at")) is not None:
                self.status["lastHandledPushPskAt"] = asked
            self.env.tally.keys[self.obj.kind] += 1
            self.event("Normal", "PskRotated", "The cloud accepted the new pre-shared key.")
        if others := [str(change) for change in changes if not change.secret]:
            self.event("Normal", "Updated", "; ".join(others))
        outcome = Waiting("Updating", "Changed: " + "; ".join(map(str, changes)), 0.0)
        await self.save_surely(outcome)
        return outcome

    # ---- writing

    async def save(self, outcome: Outcome | None = None) -> None:
        """One write if anything changed. Raises WriteConflict: then the pass ends and nothing was done."""
        if outcome is not None:
            self._summarise(outcome)
        if self.status != dict(self.obj.status):
            before = self.obj
            self.obj = await self.env.kubernetes.write_status(self.obj, self.status)
            self.status = dict(self.obj.status)
            self.env.wake(self.env.store.apply(self.obj, own_write=True))
            tell(self.env.reporter, before, self.obj)
            self._count(before)

    def _count(self, before: Object) -> None:
        """A status was written."""
        if self.obj.reason == "DriftFight" != before.reason:
            self.env.tally.drifted(self.obj.kind, "fought")
        if self.memo.awaited and (self.obj.condition("Ready") or {}).get("status") == "True":
            self.memo.awaited = False
            self.env.tally.became_ready(self.obj, self.env.clock.wall())

    async def save_surely(self, outcome: Outcome) -> None:
        """Record what the cloud did, also when the object moved meanwhile: on the fresh object, until it is written.

        What a leader that overlaps with us wrote stays where this pass has nothing to say, and no generation goes back.
        """
        for _ in range(10):
            try:
                return await self.save(outcome)
            except WriteConflict:
                fresh = await self.env.kubernetes.read(self.obj.ref)
                if fresh is None or fresh.uid != self.obj.uid:
                    raise ObjectGone from None
                self.env.wake(self.env.store.apply(fresh) | {self.obj.key})
                said = {key: value for key, value in self.status.items() if value != self.obj.status.get(key)}
                kept = fresh.status.keys() - (self.obj.status.keys() - self.status.keys())
                self.status = {key: fresh.status[key] for key in kept} | said
                self.generation = max(self.generation, fresh.status.get("observedGeneration") or 0)
                self.obj = fresh
        raise WriteConflict

    def due(self, outcome: Outcome) -> float | None:
        """In how many seconds the object is to be looked at again by itself."""
        times = [outcome.after, None if self.observation is None else self.observation.after]
        return min((seconds for seconds in times if seconds is not None), default=None)

    def event(self, type_: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        message = cut(message)
        log.info("%s: %s", reason, message)
        self.env.reporter.event(self.obj, type_, reason, message)

    def now_text(self) -> str:
        return format_time(self.env.clock.wall())

    def _summarise(self, outcome: Outcome) -> None:
        seen = Seen(
            outcome=bounded(outcome),
            observation=self.observation,
            known=self.status.get("uuid") is not None and "create" not in self.status,
            absent=isinstance(self.look, Absent),
            deleting=self.obj.deleting,
            blind=self.actuator.blind(self.obj) or self.foreign,
            warnings=self.warnings,
        )
        before = self.obj.status.get("conditions") or []
        conditions, reason = summarise(seen, before, self.generation, self.now_text())
        self.status |= {"conditions": conditions, "reason": reason, "observedGeneration": self.generation}
