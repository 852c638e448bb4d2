"""Labels as values that are compared, alike for every kind that has them. Pure.

Whose a label is decides what becomes of it when the spec does not name it:

| key                                    | Merge (the default) | Replace  |
|----------------------------------------|---------------------|----------|
| one that the spec set before           | removed             | removed  |
| one that somebody else made            | kept                | removed  |
| `_…`, the cloud's own                  | kept                | kept     |
| `netgw.dev/…`, our mark                | ours                | ours     |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from netgw.engine.objects import PREFIX
from netgw.engine.outcome import Stalled
from netgw.engine.plan import Change, Value, Values
from netgw.providers.upcloud.api import Label


def label_values(labels: Mapping[str, str]) -> dict[str, Value]:
    """`labels[key]` to value."""
    return {f"labels[{key}]": value for key, value in labels.items()}


def is_label(path: str) -> bool:
    """Whether a value is a label's."""
    return path.startswith("labels[")


def label_key(path: str) -> str:
    """The key of the label of this path."""
    return path.removeprefix("labels[").removesuffix("]")


def out_of_reach(change: Change) -> Stalled | None:
    """A label that exists is named in the path of a call, where `..` would mean the gateway itself."""
    if change.current is None or label_key(change.path) not in ("", ".", ".."):
        return None
    return Stalled(
        "Rejected",
        f"{change} cannot be asked of UpCloud's API, whose path would mean the gateway itself. Change or remove this "
        f"label in UpCloud's control panel, or take it into spec.labels as it is.",
    )


def labels_wanted(
    values: Values, there: Iterable[Label], own_keys: Iterable[str], *, replace: bool
) -> dict[str, Value]:
    """The labels that are to go, as values of None. `own_keys`: those that the spec set before."""
    own = set(own_keys)
    return {
        path: None
        for label in there
        if (path := f"labels[{label.key}]") not in values
        and not label.key.startswith(("_", PREFIX))
        and (replace or label.key in own)
    }


def own_keys(labels: Mapping[str, str] | None, before: Iterable[str], there: Iterable[Label]) -> list[str] | None:
    """`status.ownLabelKeys`: what the spec sets, and what it set until now and is still to be removed."""
    present = {label.key for label in there}
    keys = set(labels or ()) | (set(before) & present)
    return sorted(keys) or None
