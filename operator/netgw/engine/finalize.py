"""Deletion: child first, never cascading over what is not ours, and done only when absence is proven.

With Observe and Retain the cloud keeps it: only our mark is taken off, where the policy and the credential let us.
"""

from __future__ import annotations

from dataclasses import replace

from netgw.engine.actuator import Absent, Desired, External, InvalidSpec, Unseen
from netgw.engine.create import looked_twice, parent_lost, settle, too_soon
from netgw.engine.objects import Object
from netgw.engine.outcome import CallFailed, Hold, Outcome, Waiting
from netgw.engine.ownership import LOOKS_APART, Nobody, Ours, Record, Theirs
from netgw.engine.progress import Pass
from netgw.engine.release import unmark
from netgw.engine.whose import whose

OVERDUE = 15 * 60.0
OUT_OF_REACH = frozenset({"CredentialsNotFound", "InvalidCredentials", "CredentialsRefused", "AccountMismatch"})
"""Reasons of a hold that may last for ever, in a namespace that is deleted for instance."""
AGAIN = 60.0
SOON = 20.0


async def finalize(p: Pass) -> Outcome | None:
    """One pass of an object under deletion. None: the finalizer may go. Raises CallFailed."""
    if p.obj.annotation("force-orphan") == "true":
        left = f"netgw.dev/force-orphan: {p.actuator.word} {p.obj.uuid or '(none)'} is left."
        p.event("Warning", "Orphaned", left)
        return None
    if (unsure := p.unsure_of_policies()) is not None:
        return Waiting(unsure.reason, f"To be deleted. {unsure.message}", AGAIN)
    keeps = p.policies.observes or p.policies.retains
    if p.lost and not keeps and (suspected := await _look_for(p)) is not None:
        return suspected
    if (held := await _children_in_kubernetes(p)) is not None:
        return held
    if Record.of(p.obj) is None and p.obj.uuid is None:
        return None  # nothing of it was ever sent, or it was looked for in vain, or nothing is to be done about it
    return await (_keep(p) if keeps else _end(p))


async def _end(p: Pass) -> Outcome | None:
    if (hold := await p.account_hold()) is not None:
        way_out = ' Or leave it there with netgw.dev/force-orphan: "true".' if hold.reason in OUT_OF_REACH else ""
        return Waiting(hold.reason, f"To be deleted. {hold.message}{way_out}", AGAIN)
    record = Record.of(p.obj)
    return await (_delete(p) if record is None else _settle(p, record))


async def _keep(p: Pass) -> Outcome | None:
    """Observe or Retain: the finalizer goes and the cloud keeps it. Taking our mark off needs the credentials."""
    if p.policies.observes:
        return _left(p, "only observed")
    if (hold := await _account_hold(p)) is not None:
        return _left_unreached(p, hold.reason)
    record = Record.of(p.obj)
    return await (_release(p) if record is None else _settle(p, record))


async def _account_hold(p: Pass) -> Hold | None:
    try:
        return await p.account_hold()
    except CallFailed as failure:
        return p.failed(failure)


def _left(p: Pass, how: str) -> Outcome | None:
    """The finalizer may go."""
    p.event("Normal", "Retained", f"{p.actuator.word} {p.obj.uuid or '(none)'} is left in the cloud: {how}.")
    return None


def _left_unreached(p: Pass, reason: str) -> Outcome | None:
    mark = ", our mark too" if p.actuator.marked else ""
    return _left(p, f"deletionPolicy Retain{mark} ({reason})")


async def _release(p: Pass) -> Outcome | None:
    """DeletionPolicy Retain. Best effort: what cannot be reached keeps our mark, which says nothing any more."""
    try:
        await unmark(p, await p.actuator.observe(p.obj, fresh=True))
    except CallFailed as failure:
        return _left_unreached(p, failure.outcome.reason)
    return _left(p, "deletionPolicy Retain")


async def _children_in_kubernetes(p: Pass) -> Waiting | None:
    """Those that have something in the cloud, or may have. One that never had does not get it under this parent."""
    children = [ref for ref in await p.env.kubernetes.children(p.obj) if not _is_idle(p.env.store.find(*ref))]
    if not children:
        return None
    names = ", ".join(f"{child.kind} {child.name}" for child in sorted(children)[:5])
    more = f" and {len(children) - 5} more" if len(children) > 5 else ""
    return Waiting("ChildrenExist", f"Waits for {names}{more} to be deleted first.", AGAIN)


def _is_idle(child: Object | None) -> bool:
    """Nothing of it was ever sent. Our own writes are in the store at once: it is not behind on that."""
    return child is not None and child.uuid is None and not child.creating and not child.lost


async def _settle(p: Pass, record: Record) -> Outcome | None:
    """What was being made, and whether it was, has to be known first."""
    outcome = await settle(p, record)
    if "uuid" not in p.status and "create" not in p.status:
        return None
    return replace(outcome, reason="Deleting") if outcome.reason == "Creating" else outcome


async def _look_for(p: Pass) -> Waiting | None:
    """Its status was lost, so it is looked for by name (rule 6). None: it has nothing in the cloud that is ours."""
    if p.actuator.parent_unknown(p.obj):
        return _suspected("is looked for when its parent is found.", AGAIN) if parent_lost(p) else None
    if (hold := p.actuator.hold(p.obj)) is not None:
        return _suspected(f"cannot be looked for. {hold.message}", AGAIN)
    if (left := too_soon(p)) > 0:
        return _suspected("is being looked for.", left)
    name, parent = p.actuator.effective_name(p.obj), p.actuator.parent_uuid(p.obj)
    search = await p.actuator.search(p.obj, name, parent)
    match await whose(p, search, await _desired(p)):
        case Nobody():
            gone = search.parent_gone or looked_twice(p, search, p.env.started)
            return None if gone else _suspected("is being looked for.", LOOKS_APART)
        case Ours(external=external):
            p.adopt(external, None, accepted=False)
            return Waiting("Deleting", f"{p.actuator.word} {external.uuid} is found to be ours.", 0.0)
        case Theirs(reason="OwnedByOther"):
            return None
        case Theirs():
            found = search.named[0]
            if p.env.store.holder(found.uuid) is not None:
                return None
            return _suspected(f"may be {p.actuator.word} {found.name} (uuid {found.uuid}): delete that there.", AGAIN)


def _suspected(what: str, after: float) -> Waiting:
    message = f"The status of this object was lost; what it has in the cloud {what}"
    return Waiting("OrphanSuspected", f'{message} Or leave it there with netgw.dev/force-orphan: "true".', after)


async def _desired(p: Pass) -> Desired | None:
    try:
        p.actuator.validate(p.obj)
    except InvalidSpec:
        return None
    return (await p.actuator.resolve(p.obj, None)).desired


async def _delete(p: Pass) -> Outcome | None:
    look = p.look = await p.actuator.observe(p.obj, fresh=p.fresh)
    match look:
        case Absent():
            p.event("Normal", "Deleted", f"{p.actuator.word} {p.obj.uuid} is gone.")
            return None
        case Unseen(message=message):
            return Waiting("Deleting", message or "Waiting for a look at the cloud.", AGAIN)
        case External():
            p.saw(look, p.actuator.describe(p.obj, look, None))
            return await _send(p, look)


async def _send(p: Pass, external: External) -> Outcome:
    now, sent = p.env.clock.now(), p.memo.deleted
    if external.deleting or (sent is not None and now - sent < AGAIN):
        return _going(p, f"{p.actuator.word} {external.uuid} is being deleted in the cloud.")
    if p.env.read_only:
        return Waiting("ReadOnly", "The operator runs with NETGW_READ_ONLY: nothing is deleted in the cloud.", AGAIN)
    if (protected := _protected(p, external)) is not None:
        return protected
    async with p.actuator.tree(p.obj):
        # Whose POST was under way before has a record, and was found by the LIST; no other begins under this parent.
        if (blocked := await _cascade(p, external)) is not None:
            return blocked
        p.about_to_write()
        try:
            await p.actuator.delete(p.obj, external)
        except CallFailed as failure:
            if failure.status != 404:
                raise
        p.memo.deleted = p.env.clock.now()
    return replace(_going(p, f"{p.actuator.word} {external.uuid}: deletion sent."), after=0.0)


def _protected(p: Pass, external: External) -> Waiting | None:
    if p.obj.spec.get("deletionProtection") is not True or p.obj.annotation("confirm-deletion") == external.uuid:
        return None
    ready = p.observation.ready.message if p.observation is not None else ""
    return Waiting(
        "DeletionProtected",
        f"Deletion asked at {p.obj.metadata['deletionTimestamp']}. {p.actuator.word.capitalize()} {external.name} is "
        f"protected (spec.deletionProtection). {ready} What is deleted cannot be got back. Keep it: deletionPolicy: "
        f"Retain. Delete it: netgw.dev/confirm-deletion: {external.uuid}",
        AGAIN,
    )


async def _cascade(p: Pass, external: External) -> Waiting | None:
    """What the API would delete along without a word, or refuses to let go. Our children are gone: this is not ours."""
    foreign = await p.actuator.children(p.obj, external)
    if not foreign or p.obj.annotation("allow-cascade") == external.uuid:
        return None
    if not p.actuator.cascades:
        return Waiting(
            "ChildrenExist",
            f"{p.actuator.word.capitalize()} {external.uuid} cannot be deleted while this is attached to it: "
            f"{', '.join(foreign[:5])}. Delete or detach it in the cloud.",
            SOON,
        )
    return Waiting(
        "CascadeBlocked",
        f"Deleting {p.actuator.word} {external.uuid} would delete what no object here stands for: "
        f"{', '.join(foreign[:5])}. Delete that in the cloud, or allow it with "
        f"netgw.dev/allow-cascade: {external.uuid}",
        AGAIN,
    )


def _going(p: Pass, message: str) -> Waiting:
    """The cloud is at it. There is no state for a deletion that failed, so time has to tell."""
    now = p.env.clock.now()
    if p.memo.deleting_since is None:
        p.memo.deleting_since = now
    if now - p.memo.deleting_since > OVERDUE or p.obj.reason == "DeletionOverdue":
        asked = f"Asked for at {p.obj.metadata['deletionTimestamp']}, and still there: ask the cloud's support."
        return Waiting("DeletionOverdue", f"{message} {asked}", AGAIN)
    return Waiting("Deleting", message, AGAIN)
