"""What a user asks for by an annotation with a time, such as a NAT flush: done once, and told.

The request is recorded as handled before the call: a crash or a lost answer never does it twice.
"""

from __future__ import annotations

from netgw.engine.actuator import Action, External
from netgw.engine.outcome import CallFailed, Outcome, Waiting
from netgw.engine.progress import Pass


async def act(p: Pass, external: External) -> Outcome | None:
    """The first request that was not handled yet. None: there is none. Raises what the ports raise."""
    for action in p.actuator.actions:
        asked = p.obj.annotation(action.annotation)
        if asked is not None and asked != p.status.get(action.field):
            return await _do(p, external, action, asked)
    return None


async def _do(p: Pass, external: External, action: Action, asked: str) -> Outcome:
    before = p.status.get(action.field)
    p.about_to_write()
    p.status[action.field] = asked
    await p.save()
    try:
        async with p.actuator.tree(p.obj):
            p.about_to_write()
            await p.actuator.act(p.obj, external, action)
    except CallFailed as failure:
        return await _failed(p, action, failure, before)
    p.event("Normal", action.done, f"{action.words}, as asked for by netgw.dev/{action.annotation}={asked[:40]}.")
    return Waiting("Updating", f"{action.words}.", 0.0)


async def _failed(p: Pass, action: Action, failure: CallFailed, before: str | None) -> Outcome:
    """Surely not done and time may mend it: asked for again. Else it is over, and only a new time asks again."""
    outcome = p.failed(failure)
    if failure.backoff and not failure.ambiguous:
        p.put({action.field: before})
        return outcome
    unsure = "the answer was lost, so it may have been done." if failure.ambiguous else "it was not done."
    said = f"netgw.dev/{action.annotation}: {unsure}"
    p.event("Warning", action.failed, f"{said} {outcome.message} To ask again, give another time.")
    return Waiting("Updating", said, 0.0)
