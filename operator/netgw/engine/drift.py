"""`status.drift`: what came to differ by itself after the spec first said so, and since when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from netgw.engine.objects import Json
from netgw.engine.plan import Change
from netgw.engine.progress import Pass
from netgw.engine.text import SHOWN_MOST, one_line

DRIFT_MOST = 20


def note_drift(p: Pass, changes: Iterable[Change]) -> frozenset[str]:
    """Into status, and each of it told once. Returns the paths, also of what has no place in a list that is full.

    A new generation that wants the same value there is no news. An object that only observes makes no difference
    between what drifted and what never was as the spec says.
    """
    changes = [change for change in changes if not change.secret]
    before = {entry.get("path"): entry for entry in p.obj.status.get("drift") or ()}
    differing = _drifted(p, changes, before)
    drift = [
        {
            "path": _path(change),
            "desired": _word(change.target),
            "observed": _word(change.current),
            "since": before.get(_path(change), {}).get("since") or p.now_text(),
        }
        for change in differing[:DRIFT_MOST]
    ]
    for entry in drift:
        if entry["path"] not in before:
            said = f"{entry['path']} is {entry['observed']} in the cloud, the spec says {entry['desired']}."
            p.event("Warning", "Drifted", said)
            p.env.tally.drifted(p.obj.kind, "detected")
    p.put({"drift": drift or None})
    return frozenset(change.path for change in differing)


def _drifted(p: Pass, changes: Sequence[Change], before: Mapping[str, Json]) -> list[Change]:
    """Those that were in sync once with this spec, or are told already; what the spec newly says waits to be sent."""
    seen = p.obj.status.get("observedGeneration") == p.obj.generation
    synced = seen and (p.obj.condition("Synced") or {}).get("status") == "True"
    p.memo.see(p.obj.generation, () if synced else (change.path for change in changes))
    unlisted = _unlisted(changes, before)

    def drifted(change: Change) -> bool:
        known = before.get(_path(change))
        same = known is not None and known.get("desired") == _word(change.target)
        if p.policies.observes or same or change.path in unlisted:
            return True
        return seen and (synced or known is not None or change.path not in p.memo.pending)

    return [change for change in changes if drifted(change)]


def _unlisted(changes: Sequence[Change], before: Mapping[str, Json]) -> set[str]:
    """What had no place in a `status.drift` that is full: it comes after those that had, and drifted as they did."""
    listed = [at for at, change in enumerate(changes) if _path(change) in before]
    if len(before) < DRIFT_MOST or not listed:
        return set()
    return {change.path for change in changes[listed[-1] + 1 :]}


def _word(value: Json) -> str:
    return "unset" if value is None else one_line(str(value), SHOWN_MOST)


def _path(change: Change) -> str:
    """As shown: the key of a label of others is in it."""
    return one_line(change.path, SHOWN_MOST)
