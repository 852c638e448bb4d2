"""Which policies are in effect for an object. Pure.

The first that says something, field by field:

| layer                                   | what it can say                                          |
|-----------------------------------------|----------------------------------------------------------|
| the object's own spec                   | all                                                      |
| the defaults of its own `import`        | Observe, Retain, Report; never passed on to children     |
| the spec of the gateway that it is of   | all; where its object is gone, what was in effect        |
| the namespace (`default-policies`)      | all                                                      |
| the operator (NETGW_DEFAULT_POLICIES)   | all                                                      |
| the kind                                | Full, Delete, Correct, Allow; recreate as the kind says  |

What cannot be read stops every write and every deletion: a mistyped Retain must not end in a Delete.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

CHOICES: Mapping[str, tuple[str, ...]] = {
    "managementPolicy": ("Full", "Observe"),
    "deletionPolicy": ("Delete", "Retain"),
    "driftPolicy": ("Correct", "Report"),
    "recreatePolicy": ("Never", "Always"),
    "disruptionPolicy": ("Allow", "Ask"),
}
"""Field of the spec to the words it may have."""

IMPORTED: Mapping[str, str] = {"managementPolicy": "Observe", "deletionPolicy": "Retain", "driftPolicy": "Report"}
"""What an `import` says where the spec does not: look and leave alone."""

BUILT_IN: Mapping[str, str] = {
    "managementPolicy": "Full",
    "deletionPolicy": "Delete",
    "driftPolicy": "Correct",
    "disruptionPolicy": "Allow",
}


class InvalidPolicies(Exception):
    """A default that cannot be read; the message is one sentence that says where it stands and what is expected."""


class Defaults(Protocol):
    """What namespaces and the operator say where no spec does."""

    def policies(self, namespace: str) -> Mapping[str, str]:
        """Of this namespace, over those of the operator. Raises InvalidPolicies."""


@dataclass(frozen=True)
class Policies:
    """Those in effect, by field of the spec. `problem`: what of them cannot be read."""

    values: Mapping[str, str]
    problem: str | None = None

    @property
    def observes(self) -> bool:
        """No call but GET, also in deletion."""
        return self.values["managementPolicy"] == "Observe"

    @property
    def retains(self) -> bool:
        """A deletion leaves the cloud as it is."""
        return self.values["deletionPolicy"] == "Retain"

    @property
    def reports(self) -> bool:
        """What drifts is told and not corrected."""
        return self.values["driftPolicy"] == "Report"

    @property
    def recreates(self) -> bool:
        """What vanished is made again unasked."""
        return self.values["recreatePolicy"] == "Always"

    @property
    def asks(self) -> bool:
        """What interrupts traffic waits for approval."""
        return self.values["disruptionPolicy"] == "Ask"


def in_effect(layers: Iterable[Mapping[str, Any]], problem: str | None = None) -> Policies:
    """`layers` in the order of the table; the last of them has to say something for every field."""
    values: dict[str, str] = {}
    for layer in layers:
        for field, choices in CHOICES.items():
            said = layer.get(field)
            if said is None or field in values:
                continue
            if said in choices:
                values[field] = said
            elif problem is None:
                problem = f"{field} is {str(said)[:40]!r}; expected {' or '.join(choices)}."
    return Policies(values, problem)


def parse(text: str, where: str) -> Mapping[str, str]:
    """Defaults as JSON, {"deletionPolicy": "Retain"}. Raises InvalidPolicies, which names `where` they stand."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidPolicies(f'{where} is no JSON; expected for example {{"deletionPolicy": "Retain"}}.') from None
    if not isinstance(said, dict):
        raise InvalidPolicies(f'{where} is no JSON object; expected for example {{"deletionPolicy": "Retain"}}.')
    for field, value in said.items():
        if field not in CHOICES:
            raise InvalidPolicies(f"{where} names {str(field)[:40]!r}; expected {', '.join(CHOICES)}.")
        if value not in CHOICES[field]:
            raise InvalidPolicies(
                f"{where} has {str(value)[:40]!r} for {field}; expected {' or '.join(CHOICES[field])}."
            )
    return said
