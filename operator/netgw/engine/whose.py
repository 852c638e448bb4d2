"""Whose is what a search found? Answered from the store, and before anything is adopted from Kubernetes itself.

For a leader that overlaps with us may have made it for another object, and our watch not have told that yet.
"""

from __future__ import annotations

from collections.abc import Callable

from netgw.engine.actuator import Desired, Search
from netgw.engine.objects import Object
from netgw.engine.ownership import Ours, Record, Theirs, Verdict, by_record, without_record
from netgw.engine.progress import Pass


async def whose(p: Pass, search: Search, desired: Desired | None, *, handed_over: bool = False) -> Verdict:
    """Without a record (rule 6). `handed_over`: what has the name is, whoever made it."""

    def judge() -> Verdict:
        return without_record(
            p.obj,
            search,
            p.env.store.holder,
            marked=p.actuator.marked,
            adoptable=lambda external: desired is not None and p.actuator.equal(external, desired),
            handed_over=lambda external: handed_over and desired is not None and external.parent == desired.parent,
        )

    verdict = await _sure(p, judge)
    if isinstance(verdict, Ours) and (rival := rival_of(p, verdict.external.name, verdict.external.parent)) is not None:
        return Theirs("NameConflict", f"{rival.ref} is being made with the name {verdict.external.name}.")
    return verdict


async def whose_by_record(p: Pass, search: Search, record: Record) -> Verdict:
    """Whether a create that is recorded made it (rule 4)."""
    return await _sure(p, lambda: by_record(p.obj, record, search, p.env.store.holder, marked=p.actuator.marked))


def rival_of(p: Pass, name: str, parent: str | None) -> Object | None:
    """Another object that may have made what has this name. Where there are marks, they tell."""
    return None if p.actuator.marked else claimant(p, name, parent)


def claimant(p: Pass, name: str, parent: str | None) -> Object | None:
    """Another object that is making something of this name. Names are one account's alone."""
    return p.env.store.claimant(p.obj, name, parent, p.actuator.account(p.obj))


async def _sure(p: Pass, judge: Callable[[], Verdict]) -> Verdict:
    verdict = judge()
    if p.actuator.marked or not isinstance(verdict, Ours):
        return verdict
    await _hear_siblings(p)
    return judge()


async def _hear_siblings(p: Pass) -> None:
    """Read those under the same parent: few, and only when one of them is about to adopt something."""
    parent = p.env.store.parent(p.obj)
    known = [sibling.ref for sibling in p.env.store.siblings(p.obj)]
    for ref in known if parent is None else await p.env.kubernetes.children(parent):
        if ref.kind == p.obj.kind and ref != p.obj.ref and (fresh := await p.env.kubernetes.read(ref)) is not None:
            p.env.wake(p.env.store.apply(fresh))
