"""Making something in the cloud: once, also when the process dies or the answer is lost.

    look for the name → record in status → POST → uuid in status

All of it runs under the lock of the tree, so that two objects that want one name never both find it free.
"""

from __future__ import annotations

import random

from netgw.engine.actuator import Absent, Desired, Resolution, Search
from netgw.engine.outcome import CallFailed, Outcome, Stalled, Waiting
from netgw.engine.ownership import LOOKS, LOOKS_APART, Nobody, Ours, Record, Theirs, by_record, without_record
from netgw.engine.passing import Attempt, Pass, call_outcome, pick
from netgw.engine.plan import digest
from netgw.engine.ports import Clock
from netgw.engine.store import Store


class Creation:
    """Begins creates, and settles those that were cut. `started`: when this process began, monotonic."""

    def __init__(self, *, store: Store, clock: Clock, rng: random.Random, started: float) -> None:
        self._store = store
        self._clock = clock
        self._rng = rng
        self._started = started

    async def run(self, p: Pass) -> Outcome:
        """Create, or settle what a create before this pass left open."""
        if (hold := p.actuator.hold()) is not None:
            return hold
        try:
            record = Record.from_status(p.obj.status)
            if record is not None:
                return await self.settle(p, record)
            return await self._begin(p)
        except CallFailed as failure:
            return call_outcome(p, failure, self._rng)

    async def approved(self, p: Pass, absent: Absent, gate: Waiting | None) -> Outcome:
        """A gateway that vanished: a new one has a new address and breaks every peer, so a person has to say yes."""
        resolution = await p.actuator.resolve(p.obj, None)
        if resolution.desired is None:
            return pick(resolution.holds)
        approval = digest({"create": dict(resolution.desired.values), "instead of": p.obj.uuid})
        if p.obj.annotation("approve") != approval:
            return Waiting(
                "ExternallyDeleted",
                f"{absent.message} It is not made again unasked, because a new one has a new address. "
                f"To make it: kubectl annotate with netgw.dev/approve={approval}",
            )
        return gate or await self.run(p)

    async def _begin(self, p: Pass) -> Outcome:
        if (hold := p.actuator.parent_hold(p.obj)) is not None:
            return hold
        resolution = await p.actuator.resolve(p.obj, None)
        desired = resolution.desired
        if desired is None or resolution.holds:
            return pick(resolution.holds)
        psk = desired.psk.fingerprint if desired.psk is not None else None
        key = digest({"create": desired.values, "psk": psk, "under": p.actuator.circumstances(p.obj)})
        if (refused := p.memo.refusal(key, self._clock.now())) is not None:
            return refused
        p.warning = resolution.warning
        async with p.actuator.tree(p.obj, desired.parent):
            if (hold := p.actuator.parent_hold(p.obj)) is not None:
                return hold
            return await self._create(p, resolution, desired, key)

    async def _create(self, p: Pass, resolution: Resolution, desired: Desired, key: str) -> Outcome:
        if (rival := self._store.claimant(p.obj, desired.name, desired.parent)) is not None:
            return Stalled("NameConflict", f"{rival.ref} is being made with the name {desired.name}.", 30.0)
        search = await p.actuator.search(p.obj, desired.name, desired.parent)
        if search.parent_gone:
            return Waiting("ParentNotCreated", "The parent does not exist in the cloud.", 30.0)
        match self._unrecorded(p, search, desired):
            case Ours(external=external):
                p.bind(external.uuid, resolution.remember or desired.psk, accepted=False)
                p.status.update(p.actuator.identity(external))
                p.event("Normal", "Adopted", f"{p.actuator.word} {external.uuid} is ours: found, not made.")
                return await self._bound(p)
            case Theirs(reason=reason, message=message):
                return Stalled(reason, message)
            case Nobody():
                return await self._post(p, search, desired, key)

    async def _post(self, p: Pass, search: Search, desired: Desired, key: str) -> Outcome:
        record = Record(desired.name, desired.parent, p.actuator.account(), search.date, desired.psk)
        p.status.pop("uuid", None)
        p.status["create"] = record.to_status()
        p.look = None
        await p.save(Waiting("Creating", f"Making {p.actuator.word} {desired.name}."))
        try:
            created = await p.actuator.create(p.obj, desired)
        except CallFailed as failure:
            p.memo.post_ended, p.memo.looks = self._clock.now(), []
            if failure.ambiguous:
                p.event(
                    "Warning", failure.outcome.reason, f"The answer to the create is lost: {failure.outcome.message}"
                )
                return self._unsure()
            return await self._refused(p, record, failure, key)
        p.bind(created.uuid, record.psk, accepted=True)
        p.status.update(created.identity)
        p.event("Normal", "Created", f"{p.actuator.word} {desired.name} was made: {created.uuid}.")
        return await self._bound(p)

    async def _refused(self, p: Pass, record: Record, failure: CallFailed, key: str) -> Outcome:
        """A definite no. What has the name all the same is ours by the record (a proxy sent it twice), or another's."""
        outcome: Outcome = call_outcome(p, failure, self._rng)
        if failure.status in (400, 409):
            search = await p.actuator.search(p.obj, record.name, record.parent)
            match by_record(p.obj, record, search, self._store.holder, marked=p.actuator.marked):
                case Ours(external=external):
                    p.bind(external.uuid, record.psk, accepted=True)
                    p.status.update(p.actuator.identity(external))
                    return await self._bound(p)
                case Theirs(reason=reason, message=message):
                    outcome = Stalled(reason, message)
                case Nobody():
                    pass
        p.status.pop("create", None)
        if isinstance(outcome, Waiting | Stalled):
            p.memo.attempt = Attempt(key, self._clock.now() + (outcome.after or 0.0), outcome)
        return outcome

    async def settle(self, p: Pass, record: Record) -> Outcome:
        """A record without uuid: was it made? By the recorded name and parent, not by today's spec."""
        ended = self._started if p.memo.post_ended is None else p.memo.post_ended
        looks = p.memo.looks
        if looks and (left := looks[-1] + LOOKS_APART - self._clock.now()) > 0:
            return self._unsure(left)
        search = await p.actuator.search(p.obj, record.name, record.parent)
        if search.parent_gone:
            return await self._nothing_made(p, "The parent is gone, and with it what was being made.")
        match by_record(p.obj, record, search, self._store.holder, marked=p.actuator.marked):
            case Ours(external=external):
                p.bind(external.uuid, record.psk, accepted=True)
                p.status.update(p.actuator.identity(external))
                p.event("Normal", "Adopted", f"{p.actuator.word} {external.uuid} was made by the create that was cut.")
                return await self._bound(p)
            case Theirs(reason=reason, message=message):
                p.status.pop("create", None)
                return Stalled(reason, message)
            case Nobody():
                if search.began >= ended:
                    looks.append(search.began)
                if len(looks) < LOOKS:
                    return self._unsure()
                return await self._nothing_made(p, "It was not made.")

    async def _nothing_made(self, p: Pass, message: str) -> Outcome:
        p.status.pop("create", None)
        p.memo.looks, p.memo.post_ended = [], None
        outcome = Waiting("Creating", message, 0.0)
        await p.save(outcome)
        return outcome

    async def _bound(self, p: Pass) -> Outcome:
        outcome = Waiting("Creating", "Made; waiting for the first look.", 0.0)
        await p.save_surely(outcome)
        return outcome

    def _unrecorded(self, p: Pass, search: Search, desired: Desired) -> Ours | Theirs | Nobody:
        return without_record(
            p.obj,
            search,
            self._store.holder,
            marked=p.actuator.marked,
            adoptable=lambda external: p.actuator.equal(external, desired),
        )

    def _unsure(self, after: float = LOOKS_APART) -> Waiting:
        return Waiting("Creating", "The answer to the create is lost; looking whether it was made.", after + 0.1)
