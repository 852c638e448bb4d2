"""What people hear of a status that was written: a log line for new verdicts, and Events where a user should know."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from netgw.engine.objects import Json, Object
from netgw.engine.ports import Reporter

log = logging.getLogger(__name__)

SILENT = frozenset({"Creating", "Updating", "Deleting", "InSync", "ObserveOnly", "Drifted", "CannotObserve"})
"""No Event of their own: what is done or drifted has one, and not being able to look has one per account."""
EXPECTED = frozenset(
    {"SettingUp", "ParentNotFound", "ParentNotCreated", "PeerNeverConnected", "RolloutHeld", "ChildrenExist"}
)
"""Not true yet, and nothing to worry about: Normal, not Warning."""


def tell(reporter: Reporter, before: Object, after: Object) -> None:
    """One log line for a change of verdicts, and an Event of each where a user should know."""
    moved: list[Mapping[str, Json]] = []
    for kind in ("Ready", "Synced"):
        old, new = before.condition(kind) or {}, after.condition(kind) or {}
        if new and (old.get("status"), old.get("reason")) != (new["status"], new["reason"]):
            moved.append(new)
    if moved:
        verdicts = ", ".join(f"{new['type']}={new['status']} {new['reason']}" for new in moved)
        log.info("%s: %s", verdicts, " ".join(dict.fromkeys(new["message"] for new in moved)))
    advice = after.condition("Warning")
    if advice is not None and advice["message"] != (before.condition("Warning") or {}).get("message"):
        log.info("%s: %s", advice["reason"], advice["message"])
        reporter.event(after, "Warning", advice["reason"], advice["message"])
    for reason, new in {new["reason"]: new for new in reversed(moved)}.items():
        if reason not in SILENT:
            calm = new["status"] == "True" or reason in EXPECTED
            reporter.event(after, "Normal" if calm else "Warning", reason, new["message"])
