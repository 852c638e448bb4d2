"""kstatus, by whose rules Flux and others wait, as far as it concerns custom resources.

After its documentation and source (sigs.k8s.io/cli-utils, pkg/kstatus): deletion first, then the generation, then
Reconciling and Stalled, then Ready.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Verdict = Literal["Terminating", "InProgress", "Failed", "Current"]


def verdict(obj: Mapping[str, Any]) -> Verdict:
    """What a waiting tool takes the object for."""
    metadata, status = obj["metadata"], obj.get("status") or {}
    if metadata.get("deletionTimestamp"):
        return "Terminating"
    observed = status.get("observedGeneration")
    if observed is not None and observed != metadata["generation"]:
        return "InProgress"
    said = {condition["type"]: condition["status"] for condition in status.get("conditions") or ()}
    if said.get("Reconciling") == "True":
        return "InProgress"
    if said.get("Stalled") == "True":
        return "Failed"
    return "Current" if said.get("Ready", "True") == "True" else "InProgress"


def problems(obj: Mapping[str, Any]) -> list[str]:
    """What of an object breaks the rules for whoever writes such a status."""
    status = obj.get("status") or {}
    conditions = status.get("conditions") or ()
    kinds = [condition["type"] for condition in conditions]
    abnormal = [c for c in conditions if c["type"] in ("Reconciling", "Stalled")]
    wrong = {
        "a status without observedGeneration": bool(status) and "observedGeneration" not in status,
        "observedGeneration is not from the past": status.get("observedGeneration", 0) > obj["metadata"]["generation"],
        f"a condition twice: {kinds}": len(set(kinds)) != len(kinds),
        "no Ready": bool(conditions) and "Ready" not in kinds,
        "Reconciling or Stalled is there although not True": any(c["status"] != "True" for c in abnormal),
        "Reconciling and Stalled at once": len(abnormal) > 1,
        "a condition of another generation": any(
            c.get("observedGeneration") != status.get("observedGeneration") for c in conditions
        ),
    }
    return [what for what, is_so in wrong.items() if is_so]
