"""What would change, as data: pure, total, a table test.

| desired        | external | plan                                                  |
|----------------|----------|-------------------------------------------------------|
| any            | absent   | create (the ownership rules decide whether)           |
| equal          | found    | nothing                                               |
| field unset    | found    | nothing: the cloud's default is not drift             |
| mutable differs| found    | update with exactly the fields that differ            |
| immutable diff.| found    | refuse: nothing is ever deleted to be created anew    |

Desired and External speak one vocabulary: the path of the spec field, with values in canonical form.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Value = Any
Values = Mapping[str, Value]


class Interrupts(StrEnum):
    """Whether a change cuts traffic. Unknown counts as yes."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Field:
    """One comparable field of a kind, or one for each key (`labels[*]`).

    `evidence` says why `interrupts` is what it is.
    """

    path: str
    interrupts: Interrupts
    evidence: str
    mutable: bool = True
    unordered: bool = False

    def paths(self, values: Values) -> list[str]:
        """Those of `values` that it stands for."""
        if "*" not in self.path:
            return [self.path] if self.path in values else []
        first, last = self.path.split("*")
        return sorted(path for path in values if path.startswith(first) and path.endswith(last))


@dataclass(frozen=True)
class Change:
    """One field that differs."""

    path: str
    current: Value
    target: Value
    interrupts: Interrupts
    mutable: bool = True
    unordered: bool = False

    @property
    def secret(self) -> bool:
        """Whether it is a key, of which only fingerprints are compared."""
        return self.path.endswith(".psk")

    @property
    def calm(self) -> bool:
        """Whether it is known not to cut traffic."""
        return self.interrupts is Interrupts.NO

    def __str__(self) -> str:
        if self.secret:
            return f"{self.path}: a new key"  # its values are fingerprints, of use to nobody
        return f"{self.path}: {show(self.current)} → {show(self.target)}"


def diff(fields: Iterable[Field], desired: Values, external: Values) -> tuple[Change, ...]:
    """Every field that the spec sets and the cloud has otherwise, in the order of `fields`."""
    changes = []
    for field in fields:
        for path in field.paths(desired):
            current, target = external.get(path), desired[path]
            if canonical(current, field.unordered) != canonical(target, field.unordered):
                changes.append(Change(path, current, target, field.interrupts, field.mutable, field.unordered))
    return tuple(changes)


def canonical(value: Value, unordered: bool) -> Value:
    """The form in which two values are compared: lists that are sets lose their order."""
    if unordered and isinstance(value, list | tuple):
        return sorted(json.dumps(item, sort_keys=True, default=str) for item in value)
    return list(value) if isinstance(value, tuple) else value


def interrupting(changes: Iterable[Change]) -> bool:
    """Whether one of them cuts traffic, or may."""
    return not all(change.calm for change in changes)


def digest(values: Values) -> str:
    """A short hash over paths and target values: what an approval names, and what a refused attempt is known by."""
    text = json.dumps(values, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def approval(changes: Iterable[Change]) -> str:
    """What a person says yes to: these paths with these targets, in whatever order either came."""
    return digest({change.path: canonical(change.target, change.unordered) for change in changes})


def targets(changes: Iterable[Change]) -> Values:
    """Path to wanted value."""
    return {change.path: change.target for change in changes}


def show(value: Value) -> str:
    """A value in a message: short, and in JSON so that a string and a number look different."""
    text = "unset" if value is None else json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "…"
