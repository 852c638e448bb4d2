"""Import: bind an object to something that exists in the cloud. It is looked for in the snapshot, and once for real.

Nothing is made, whatever is missing. Only an object that manages what it imports must find it free of another's mark.
"""

from __future__ import annotations

from netgw.engine.actuator import External
from netgw.engine.objects import Object
from netgw.engine.outcome import Outcome, Stalled, Waiting
from netgw.engine.ownership import Ours, Theirs, imports, owned_by_other, takes_over, to_import
from netgw.engine.progress import Pass

AGAIN = 300.0
SOON = 5.0


async def bind_import(p: Pass) -> Outcome:
    """An object with `spec.import` that records nothing yet. No pause stops it, for the cloud hears nothing of it."""
    p.lost = False
    if (hold := p.actuator.parent_hold(p.obj)) is not None:
        return hold
    found = p.actuator.seen(p.obj)
    if found is None:
        return Waiting("ParentNotCreated", "Waiting for a look at the cloud.", SOON)
    store = p.env.store
    rivals = [obj for key in sorted(store.unbound(p.obj.kind)) if (obj := store.get(key)) and key != p.obj.key]
    match to_import(p.obj, found, store.holder, rivals, p.actuator.parent_uuid):
        case Ours(external=external):
            look = await _look_again(p, external)
            return _not_found(p) if look is None else await _bind(p, look)
        case Theirs(reason=reason, message=message):
            return Stalled(reason, message)
        case _:
            return _not_found(p)


def _not_found(p: Pass) -> Waiting:
    wanted = " ".join(f"{key} {value}" for key, value in p.obj.spec["import"].items())
    where = "in the account" if p.actuator.marked else "under its parent"
    message = f"There is no {p.actuator.word} with {wanted} {where}. Nothing is made: it is waited for."
    return Waiting("ImportNotFound", message, AGAIN)


async def _look_again(p: Pass, external: External) -> External | None:
    """As it is now: the snapshot may hold what was deleted meanwhile, and whoever is bound to that stays bound."""
    status = {**p.obj.status, **p.actuator.identity(external), "uuid": external.uuid}
    look = await p.actuator.observe(Object(p.obj.kind, {**p.obj.body, "status": status}), fresh=True)
    wanted = imports(p.obj)
    if not isinstance(look, External) or look.deleting or wanted is None or not wanted(look):
        return None
    holder = p.env.store.holder(look.uuid)
    return look if holder is None or holder.uid == p.obj.uid else None


async def _bind(p: Pass, external: External) -> Outcome:
    owner = p.actuator.owned_by(p.obj, external)
    if owner is not None and not p.policies.observes and not takes_over(p.obj):
        theirs = owned_by_other(external, owner)
        return Stalled(theirs.reason, theirs.message)
    p.adopt(external, None, accepted=False)
    p.event("Normal", "Imported", f"{p.actuator.word} {external.name} ({external.uuid}) is bound to this object.")
    outcome = Waiting("Creating", "Imported; waiting for the first look.", 0.0)
    await p.save_surely(outcome)
    return outcome
