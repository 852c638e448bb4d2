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
from typing import Annotated

from pydantic import Field

from netgw.engine.objects import PREFIX, Object
from netgw.engine.outcome import Stalled
from netgw.engine.plan import Change, Value, Values
from netgw.kube.resource import Rule, rules
from netgw.providers.upcloud.api import Label

CLOUDS_OWN = "_"
KEY_MOST = 255

KEYS = Rule(
    "self.all(k, k.matches('^[ -^`-~][ -~]{1,31}$') && !k.startsWith('netgw.dev/'))",
    "a key has 2 to 32 characters of printable ASCII and begins neither with _ (the cloud's own) nor with netgw.dev/",
)
LabelValue = Annotated[str, Field(max_length=255)]
Labels = Annotated[dict[str, LabelValue] | None, Field(max_length=200, json_schema_extra=rules(KEYS))]
"""The field of a spec."""


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
    """A label that exists is named in the path of a call, where `..` would mean the gateway itself.

    Neither can a key be named there that is longer than any that UpCloud allows (32).
    """
    key = label_key(change.path)
    if change.current is None or (key not in ("", ".", "..") and len(key) <= KEY_MOST):
        return None
    return Stalled(
        "Rejected",
        f"{change} cannot be asked of UpCloud's API, whose path would mean the gateway itself or be too long. Change "
        f"or remove this label in UpCloud's control panel, or take it into spec.labels as it is.",
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
        and not label.key.startswith((CLOUDS_OWN, PREFIX))
        and (replace or label.key in own)
    }


def own_keys(labels: Mapping[str, str] | None, before: Iterable[str], there: Iterable[Label]) -> list[str] | None:
    """`status.ownLabelKeys`: what the spec sets, and what it set until now and is still to be removed."""
    present = {label.key for label in there}
    keys = set(labels or ()) | (set(before) & present)
    return sorted(keys) or None


def recorded_keys(obj: Object, there: Iterable[Label]) -> list[str] | None:
    """`own_keys` from what an object says. Nothing is ours of what is only observed."""
    before, labels = obj.status.get("ownLabelKeys") or (), obj.spec.get("labels")
    observes = (obj.status.get("policies") or {}).get("managementPolicy") == "Observe"
    return own_keys(labels if isinstance(labels, Mapping) and not observes else {}, before, there)


def merged(there: Iterable[Label], changes: Iterable[Change]) -> tuple[Label, ...]:
    """The whole set with some changed, for an API that replaces it. Keys of the cloud's own cannot be sent."""
    values = {label.key: label.value for label in there if not label.key.startswith(CLOUDS_OWN)}
    for change in changes:
        if not is_label(change.path):
            continue
        if change.target is None:
            values.pop(label_key(change.path), None)
        else:
            values[label_key(change.path)] = change.target
    return tuple(Label(key=key, value=value) for key, value in values.items())
