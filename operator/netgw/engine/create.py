"""Making something in the cloud: once, also when the process dies or the answer is lost.

    look for the name → record in status → POST → uuid in status

All of it runs under the lock of the tree, so that two objects that want one name never both find it free.
"""

from __future__ import annotations

import logging

from netgw.engine.actuator import Absent, Desired, External, Resolution, Search
from netgw.engine.outcome import CallFailed, Hold, Outcome, Stalled, Waiting
from netgw.engine.ownership import (
    LOOKS,
    LOOKS_APART,
    Nobody,
    Ours,
    Record,
    Theirs,
    takes_over,
)
from netgw.engine.plan import digest
from netgw.engine.ports import ObjectGone, Unanswered, WriteConflict
from netgw.engine.progress import Pass, Stopping
from netgw.engine.verdict import pick
from netgw.engine.whose import claimant, rival_of, whose, whose_by_record

log = logging.getLogger(__name__)


async def create(p: Pass, gate: Hold | None) -> Outcome:
    """Create, or settle what a create before this pass left open. `gate` stops the POST alone. Raises CallFailed."""
    record = Record.of(p.obj)
    if record is not None:
        return await settle(p, record)
    if p.lost and (left := too_soon(p)) > 0:
        return _looking(left)
    return await _begin(p, gate)


async def create_if_approved(p: Pass, absent: Absent, gate: Hold | None) -> Outcome:
    """A gateway that vanished: a new one has a new address and breaks every peer, so a person has to say yes.

    Raises CallFailed.
    """
    resolution = await p.actuator.resolve(p.obj, None)
    if resolution.desired is None:
        return pick(resolution.holds)
    approval = digest({"create": dict(resolution.desired.values), "instead of": p.obj.uuid})
    if p.obj.annotation("approve") != approval:
        return Waiting(
            "ExternallyDeleted",
            f"{absent.message} It is not made again unasked, because {p.actuator.anew}. "
            f"To make it: kubectl annotate with netgw.dev/approve={approval}",
        )
    return await create(p, gate)


async def settle(p: Pass, record: Record) -> Outcome:
    """A record without uuid: was it made? By the recorded name and parent, not by today's spec. Raises CallFailed."""
    if (left := too_soon(p)) > 0:
        return _unsure(left)
    search = await p.actuator.search(p.obj, record.name, record.parent)
    verdict = await whose_by_record(p, search, record)
    if isinstance(verdict, Ours):
        rival = rival_of(p, record.name, record.parent)
        if rival is not None and not looked_twice(p, search, search.began):
            return _unsure()  # either may have made it, and whoever knows that records it soon
        p.adopt(verdict.external, record.psk, accepted=rival is None)
        found = f"{p.actuator.word} {verdict.external.uuid} was made by the create that was cut."
        p.event("Normal", "Adopted", found)
        return await _bound(p)
    elsewhere = record.account not in (None, p.actuator.account(p.obj))
    if elsewhere and (p.actuator.marked or search.parent_gone or search.parent_unseen):
        return p.other_account(str(record.account))
    proven = search.parent_gone or isinstance(verdict, Theirs)  # two of one name cannot be
    if not proven and not looked_twice(p, search, p.env.started if p.memo.post_ended is None else p.memo.post_ended):
        return _unsure()
    p.status.pop("create", None)
    p.memo.looks, p.memo.post_ended = [], None
    if isinstance(verdict, Theirs):
        return Stalled(verdict.reason, verdict.message)
    return Waiting("Creating", "It was not made.", 0.0)


def parent_lost(p: Pass) -> bool:
    """Whether the parent may be found yet, and with it this object. Else there is no place to look."""
    parent = p.env.store.parent(p.obj)
    return parent is not None and parent.lost


def too_soon(p: Pass) -> float:
    """Seconds until the next look counts as one of its own."""
    return p.memo.looks[-1] + LOOKS_APART - p.env.clock.now() if p.memo.looks else 0.0


def looked_twice(p: Pass, search: Search, after: float) -> bool:
    """Whether this look, which found nothing, was the second one that began after `after` (rule 5)."""
    if search.began >= after:
        p.memo.looks.append(search.began)
    return len(p.memo.looks) >= LOOKS


async def _begin(p: Pass, gate: Hold | None) -> Outcome:
    gates = () if gate is None else (gate,)
    if (hold := p.actuator.parent_hold(p.obj)) is not None:
        p.lost = p.lost and parent_lost(p)
        return pick((*gates, hold))
    resolution = await p.actuator.resolve(p.obj, None, may_write=gate is None)
    p.warnings = resolution.warnings
    desired = resolution.desired
    if desired is None:
        return pick((*gates, *resolution.holds))
    place, key = (desired.name, desired.parent), _key(p, desired)
    # What is missing stops the POST, not the look for what a lost status left behind: one for each place is enough.
    holds = (*gates, *resolution.holds)
    held = pick(holds) if holds else p.memo.refusal(key, p.env.clock.now())
    if held is not None and p.memo.searched == place:
        return held
    async with p.actuator.tree(p.obj, desired.parent):
        # Asked again under the lock: no child is made while its parent is read and deleted.
        if (hold := p.actuator.parent_hold(p.obj)) is not None:
            return hold
        if (rival := claimant(p, desired.name, desired.parent)) is not None:
            return Stalled("NameConflict", f"{rival.ref} is being made with the name {desired.name}.", 30.0)
        search = await p.actuator.search(p.obj, desired.name, desired.parent)
        match await _found(p, search, desired):
            case Waiting() as outcome:
                return outcome
            case Ours(external=external):
                return await _adopt(p, external, resolution, desired)
            case Theirs(reason=reason, message=message):
                return Stalled(reason, message)
            case Nobody():
                p.memo.searched = place
                return held or await _post(p, search, desired, key)


async def _found(p: Pass, search: Search, desired: Desired) -> Ours | Theirs | Nobody | Waiting:
    """Whose is what has the name. Where a status was lost there may be something, and one empty list proves nothing."""
    if search.parent_gone or search.parent_unseen:
        p.lost = False
        return Waiting("ParentNotCreated", "The parent does not exist in the cloud.", 30.0)
    verdict = await whose(p, search, desired, handed_over=takes_over(p.obj))
    if p.lost and isinstance(verdict, Nobody):
        if (elsewhere := _account_below(p)) is not None:
            return p.other_account(elsewhere, "What is below it was")
        if not looked_twice(p, search, p.env.started):
            return _looking()
    p.lost = False
    return verdict


def _account_below(p: Pass) -> str | None:
    """What its children record, where that is another account than today's: they were made below it, so it was too."""
    here = p.actuator.account(p.obj)
    recorded = [child.status.get("account") for child in p.env.store.children(p.obj)]
    return next((account for account in recorded if account not in (None, here)), None)


async def _adopt(p: Pass, external: External, resolution: Resolution, desired: Desired) -> Outcome:
    p.adopt(external, resolution.remember or desired.psk, accepted=False)
    p.event("Normal", "Adopted", f"{p.actuator.word} {external.uuid} is ours: found, not made.")
    return await _bound(p)


async def _post(p: Pass, search: Search, desired: Desired, key: str) -> Outcome:
    p.about_to_write()
    record = Record(desired.name, desired.parent, p.actuator.account(p.obj), search.date, desired.psk)
    vanished, p.look = p.look, None
    p.status.pop("uuid", None)
    p.status["create"] = record.to_status()
    p.memo.post_ended, p.memo.looks, p.memo.searched = None, [], None
    await p.save(Waiting("Creating", f"Making {p.actuator.word} {desired.name}."))
    if isinstance(vanished, Absent):
        p.event("Warning", "ExternallyDeleted", f"{vanished.message} It is made again.")
    p.about_to_write()
    try:
        created = await p.actuator.create(p.obj, desired)
    except CallFailed as failure:
        p.memo.post_ended = p.env.clock.now()
        outcome = p.memo.refuse(key, p.failed(failure), p.memo.post_ended)
        if failure.ambiguous:
            p.event("Warning", outcome.reason, f"The answer to the create was lost. {outcome.message}")
            return _unsure()
        return await _refused(p, record, failure, outcome, key)
    p.bind(created.uuid, record.psk, accepted=True, account=record.account)
    p.status.update(created.identity)
    p.event("Normal", "Created", f"{p.actuator.word} {desired.name} was made: {created.uuid}.")
    try:
        return await _bound(p)
    except ObjectGone:
        await _withdraw(p, created.uuid)
        raise


async def _withdraw(p: Pass, uuid: str) -> None:
    """Its object went while it was being made, past the finalizer (kubernetes#77988): nobody else will delete it."""
    try:
        kept = await _delete_again(p, uuid)
    except (CallFailed, Unanswered, WriteConflict, Stopping) as error:
        kept = str(error) or type(error).__name__
    fate = "It is deleted again." if kept is None else f"It is left in the cloud: {kept}"
    log.warning("%s %s was made for %s, which is gone meanwhile. %s", p.actuator.word, uuid, p.obj.ref, fate)


async def _delete_again(p: Pass, uuid: str) -> str | None:
    """Once: what this pass made, as long as it is nobody else's. Returns why it is left. Raises as calls do."""
    if p.policies.retains or p.obj.spec.get("deletionProtection") is True:
        return "it is to be kept."
    again = await p.env.kubernetes.read(p.obj.ref)
    if again is not None and (p.actuator.marked or again.uuid == uuid):
        return "an object of that name is there again, which finds it."
    p.about_to_write()
    look = await p.actuator.observe(p.current, fresh=True)
    if not isinstance(look, External):
        return "it is not seen."
    if p.actuator.marked and (look.owner is None or p.actuator.owned_by(p.current, look) is not None):
        return "its mark is not ours any more."
    if below := await p.actuator.children(p.current, look):
        return f"something is below it: {', '.join(below[:5])}."
    await p.actuator.delete(p.current, look)
    return None


async def _refused(p: Pass, record: Record, failure: CallFailed, outcome: Hold, key: str) -> Outcome:
    """A definite no. What has the name all the same is ours by the record (a proxy sent it twice), or another's."""
    if failure.status in (400, 409):
        search = await p.actuator.search(p.obj, record.name, record.parent)
        match await whose_by_record(p, search, record):
            case Ours(external=external) if rival_of(p, record.name, record.parent) is None:
                p.adopt(external, record.psk, accepted=True)
                return await _bound(p)
            case Theirs(reason=reason, message=message):
                outcome = p.memo.refuse(key, Stalled(reason, message), p.env.clock.now())
            case _:
                pass
    p.status.pop("create", None)
    p.memo.post_ended = None
    return outcome


async def _bound(p: Pass) -> Outcome:
    outcome = Waiting("Creating", "Made; waiting for the first look.", 0.0)
    await p.save_surely(outcome)
    return outcome


def _key(p: Pass, desired: Desired) -> str:
    """What is asked for, and under which circumstances: a refusal stands for just that."""
    psk = desired.psk.fingerprint if desired.psk is not None else None
    under = {"parent": desired.parent, "defaults": desired.defaults, **p.actuator.circumstances(p.obj)}
    return digest({"create": desired.values, "psk": psk, "under": under})


def _looking(after: float = LOOKS_APART) -> Waiting:
    return Waiting("Creating", "Its status was lost; looking whether anything was made for it.", after + 0.1)


def _unsure(after: float = LOOKS_APART) -> Waiting:
    return Waiting("Creating", "The answer to the create was lost; looking whether it was made.", after + 0.1)
