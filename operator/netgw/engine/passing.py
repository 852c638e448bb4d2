"""One pass in progress: the object, what was learnt so far, and how its status is written."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from netgw.engine.actuator import Absent, Actuator, Desired, External, Look, Observation, Psk
from netgw.engine.conditions import Seen, summarise
from netgw.engine.objects import Json, Key, Object, format_time, parse_time
from netgw.engine.outcome import CallFailed, Hold, Outcome, Settled, Stalled, Waiting
from netgw.engine.plan import Change
from netgw.engine.ports import Clock, Kubernetes, ObjectGone, Reporter, WriteConflict
from netgw.engine.store import Store

log = logging.getLogger(__name__)

RETRY_FIRST, RETRY_MOST = 2.0, 300.0
SLOW_RETRY = (300.0, 900.0)
"""What a person has to mend, or another object to make room for: asked again every 5 to 15 minutes."""
PSK_PATH = "ipsec.authentication.psk"
MESSAGE_MOST = 1024
SILENT = frozenset({"Creating", "Updating", "Deleting", "InSync", "CannotObserve"})
"""No Event of their own: what is done has one (Created, Updated, …), and not being able to look has one per credential."""
EXPECTED = frozenset(
    {"SettingUp", "ParentNotFound", "ParentNotCreated", "PeerNeverConnected", "RolloutHeld", "ChildrenExist"}
)
"""Not true yet, and nothing to worry about: Normal, not Warning."""


@dataclass(frozen=True)
class Attempt:
    """A call that failed: the same one (by digest) is not made again before `not_before`."""

    key: str
    not_before: float
    outcome: Hold


@dataclass
class Memo:
    """What this process remembers of one object between passes. Losing it costs a call, never correctness."""

    attempt: Attempt | None = None
    failures: int = 0
    post_ended: float | None = None
    looks: list[float] = field(default_factory=list)
    deleted: str | None = None

    def refusal(self, key: str, now: float) -> Hold | None:
        """The outcome that still stands for the same call, with the time that is left."""
        attempt = self.attempt
        if attempt is None or attempt.key != key or now >= attempt.not_before:
            return None
        left = attempt.not_before - now
        if isinstance(attempt.outcome, Stalled):
            return Stalled(attempt.outcome.reason, attempt.outcome.message, left)
        return Waiting(attempt.outcome.reason, attempt.outcome.message, left)


@dataclass
class Pass:
    """`status` is what will be written; it begins as what stands there."""

    obj: Object
    actuator: Actuator
    memo: Memo
    clock: Clock
    kubernetes: Kubernetes
    store: Store
    reporter: Reporter
    wake: Callable[[set[Key]], None]
    look: Look | None = None
    external: External | None = None
    observation: Observation | None = None
    warning: str | None = None
    fresh: bool = False
    status: dict[str, Json] = field(init=False)
    generation: int = field(init=False)

    def __post_init__(self) -> None:
        self.status = dict(self.obj.status)
        self.generation = self.obj.generation  # what this pass decides on, also if the object moves meanwhile

    # ---- requests and gates from annotations

    def note_requests(self) -> None:
        """A new `reconcile-requested-at`: look afresh and forget what was refused."""
        asked = self.obj.annotation("reconcile-requested-at")
        if asked is not None and asked != self.status.get("lastHandledReconcileAt"):
            self.status["lastHandledReconcileAt"] = asked
            self.memo.attempt = None
            self.fresh = True

    def paused(self) -> bool:
        """`netgw.dev/paused`: "true", or until an RFC 3339 time."""
        value = self.obj.annotation("paused")
        if value is None or value == "false":
            return False
        until = parse_time(value)
        return until is None or until > self.clock.wall()

    # ---- what is remembered in status

    def remember(self, psk: Psk | None) -> None:
        """The key that the Secret holds; `acceptedAt` stays only with the fingerprint that was accepted."""
        if psk is None:
            return
        known = dict(self.status.get("psk") or {})
        if known.get("fingerprint") != psk.fingerprint:
            known = {}
        self.status["psk"] = known | psk.to_status()

    def bind(self, external_uuid: str, psk: Psk | None, *, accepted: bool) -> None:
        """The record is settled: this uuid is ours."""
        self.status.pop("create", None)
        self.status["uuid"] = external_uuid
        if account := self.actuator.account():
            self.status["account"] = account
        if psk is not None:
            self.status["psk"] = psk.to_status() | ({"acceptedAt": self.now_text()} if accepted else {})
        self.memo.post_ended, self.memo.looks, self.memo.attempt, self.memo.failures = None, [], None, 0

    def note_drift(self, changes: Iterable[Change]) -> None:
        """`status.drift`: what differs although this generation was in sync before, and since when."""
        before = {entry.get("path"): entry for entry in self.obj.status.get("drift") or ()}
        verdict = self.obj.condition("Synced") or {}
        seen = self.obj.status.get("observedGeneration") == self.obj.generation
        drift = [
            {
                "path": change.path,
                "desired": str(change.target),
                "observed": str(change.current),
                "since": before.get(change.path, {}).get("since") or self.now_text(),
            }
            for change in changes
            if change.path != PSK_PATH and seen and (verdict.get("status") == "True" or change.path in before)
        ]
        for entry in drift:
            if entry["path"] not in before:
                self.event("Warning", "Drifted", f"{entry['path']} is {entry['observed']} in the cloud, "
                           f"the spec says {entry['desired']}.")  # fmt: skip
        if drift:
            self.status["drift"] = drift[:20]
        else:
            self.status.pop("drift", None)

    async def record_update(self, changes: Iterable[Change], desired: Desired) -> None:
        """The cloud took the update: say so at once, above all which key it accepted."""
        changes = tuple(changes)
        rotated = any(change.path == PSK_PATH for change in changes)
        if rotated and desired.psk is not None:
            self.status["psk"] = desired.psk.to_status() | {"acceptedAt": self.now_text()}
            if (asked := self.obj.annotation("push-psk-requested-at")) is not None:
                self.status["lastHandledPushPskAt"] = asked
            self.event("Normal", "PskRotated", "The cloud accepted the new pre-shared key.")
        if others := [str(change) for change in changes if change.path != PSK_PATH]:
            self.event("Normal", "Updated", "; ".join(others))
        await self.save_surely(Waiting("Updating", "Changed: " + "; ".join(map(str, changes)), 0.0))

    # ---- writing

    async def save(self, outcome: Outcome | None = None) -> None:
        """Write the status as it is now. Raises WriteConflict: then the pass ends and nothing was done."""
        if outcome is not None:
            self._summarise(outcome)
        if self.status != dict(self.obj.status):
            self._took(await self.kubernetes.write_status(self.obj, self.status))

    async def save_surely(self, outcome: Outcome) -> None:
        """Record what the cloud did, also when the object moved meanwhile: on the fresh object, until it is written."""
        for _ in range(10):
            try:
                await self.save(outcome)
                return
            except WriteConflict:
                fresh = await self.kubernetes.read(self.obj.ref)
                if fresh is None or fresh.uid != self.obj.uid:
                    raise ObjectGone from None
                self.wake(self.store.apply(fresh) | {self.obj.key})
                self.obj = fresh
        raise WriteConflict

    async def finish(self, outcome: Outcome) -> None:
        """The end of the pass: conditions, one write if anything changed, Events on transitions."""
        await self.save(outcome)

    def due(self, outcome: Outcome) -> float | None:
        after = [outcome.after, None if self.observation is None else self.observation.after]
        if (until := parse_time(self.obj.annotation("paused"))) is not None and until > self.clock.wall():
            after.append((until - self.clock.wall()).total_seconds() + 0.1)
        times = [seconds for seconds in after if seconds is not None]
        return min(times) if times else None

    def event(self, type_: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        log.info("%s: %s", reason, message)
        self.reporter.event(self.obj, type_, reason, message)

    def standing(self) -> Outcome:
        """The verdict that stands in status, where this pass learnt nothing."""
        verdict = self.obj.condition("Synced")
        if verdict is None or self.obj.status.get("observedGeneration") != self.obj.generation:
            return Waiting("Updating", "Waiting for a look at the cloud.", 5.0)
        if verdict["status"] == "True":
            return Settled(verdict.get("message", ""), verdict["reason"], 5.0)
        return Waiting(verdict["reason"], verdict.get("message", ""), 5.0)

    def now_text(self) -> str:
        return format_time(self.clock.wall())

    def saw(self, external: External, observation: Observation) -> None:
        """What the cloud shows goes into status, before anything that is decided on it."""
        self.external, self.observation = external, observation
        for name, value in {**self.actuator.identity(external), **observation.fields}.items():
            if value is None:
                self.status.pop(name, None)
            else:
                self.status[name] = value

    def _summarise(self, outcome: Outcome) -> None:
        seen = Seen(
            outcome=_bounded(outcome),
            observation=self.observation,
            known=self.status.get("uuid") is not None and not self.status.get("create"),
            absent=isinstance(self.look, Absent),
            deleting=self.obj.deleting,
            blind=self.actuator.blind(self.obj),
            warning=self.warning,
        )
        before = self.obj.status.get("conditions") or []
        conditions, reason = summarise(seen, before, self.generation, self.now_text())
        self.status |= {"conditions": conditions, "reason": reason, "observedGeneration": self.generation}

    def _took(self, written: Object) -> None:
        before, self.obj = self.obj, written
        self.status = dict(written.status)
        self.wake(self.store.apply(written, own_write=True))
        self._tell(before)

    def _tell(self, before: Object) -> None:
        """One log line per change of a verdict, and an Event where a user should know."""
        told: set[str] = set()
        for kind in ("Ready", "Synced"):
            old, new = before.condition(kind) or {}, self.obj.condition(kind) or {}
            if not new or (old.get("status"), old.get("reason")) == (new["status"], new["reason"]):
                continue
            reason, said = new["reason"], new["message"] if new["message"] not in told else "…"
            log.info("%s=%s %s: %s", kind, new["status"], reason, said)
            if reason not in told and reason not in SILENT:
                calm = new["status"] == "True" or reason in EXPECTED
                self.reporter.event(self.obj, "Normal" if calm else "Warning", reason, new["message"])
            told |= {reason, new["message"]}


def pick(outcomes: Iterable[Outcome]) -> Outcome:
    """What Synced shows when several are true; the message names the others."""
    waiting = sorted((o for o in outcomes if not isinstance(o, Settled)), key=_rank)
    if not waiting:
        return Settled()
    first, others = waiting[0], list(dict.fromkeys(o.reason for o in waiting[1:] if o.reason != waiting[0].reason))
    after = min((o.after for o in waiting if o.after is not None), default=None)
    message = first.message + (f" Also: {', '.join(others)}." if others else "")
    return type(first)(first.reason, message, after)


_RANKS = (
    {"Paused"},
    {"ReadOnly"},
    {"CredentialsNotFound", "CredentialsRefused", "InvalidCredentials", "PermissionDenied", "AccountMismatch"},
    {"InsufficientCredits", "RateLimited", "CloudUnavailable"},
    {"InvalidSpec", "InvalidPsk", "Rejected", "ImmutableField", "NameConflict", "OwnedByOther", "AddressNotFound"},
    {"ParentNotFound", "ParentNotCreated", "ParentDeleting", "SecretNotFound", "SecretKeyNotFound"},
    {"AwaitingApproval"},
    {"RolloutHeld"},
    {"Drifted"},
)


def _rank(outcome: Outcome) -> int:
    return next((n for n, reasons in enumerate(_RANKS) if outcome.reason in reasons), len(_RANKS))


def call_outcome(p: Pass, failure: CallFailed, rng: random.Random) -> Hold:
    """The outcome of a failed call, with a back-off that grows where the cloud named no time."""
    p.memo.failures += 1
    outcome = failure.outcome
    if isinstance(outcome, Stalled) or outcome.after is not None:
        return outcome
    if not failure.backoff:
        return Waiting(outcome.reason, outcome.message, rng.uniform(*SLOW_RETRY))
    after = min(RETRY_FIRST * 2 ** (p.memo.failures - 1), RETRY_MOST) * rng.uniform(0.75, 1.25)
    return Waiting(outcome.reason, outcome.message, after)


def _bounded(outcome: Outcome) -> Outcome:
    if len(outcome.message) <= MESSAGE_MOST:
        return outcome
    return type(outcome)(reason=outcome.reason, message=outcome.message[: MESSAGE_MOST - 1] + "…", after=outcome.after)


def overdue(since: datetime | None, now: datetime, seconds: float) -> bool:
    """Whether more than `seconds` have passed."""
    return since is not None and (now - since).total_seconds() > seconds
