"""`Kind`: all that the operator must know of a kind of custom resource, as data, and parsing of one object of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from netgw.engine.actuator import InvalidSpec
from netgw.kube.resource import Rule, Spec, Status

SHOWN_ERRORS = 5

S = TypeVar("S", bound=Spec)
T = TypeVar("T", bound=Status)


@dataclass(frozen=True)
class Column:
    """A column of `kubectl get`. `path` is a JSONPath in the object; `wide` shows it with `-o wide` only."""

    name: str
    path: str
    type: Literal["string", "integer", "boolean", "date"] = "string"
    wide: bool = False


@dataclass(frozen=True)
class Parent:
    """The kind of the parent, and the field of the spec (a `ParentRef`) that names it."""

    kind: str
    field: str


@dataclass(frozen=True)
class Verdict:
    """Reasons that a condition may have with one status, beside those that every kind has."""

    condition: str
    status: Literal["True", "False", "Unknown"]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """A kind of custom resource.

    `selectable` are paths for field selectors (`.spec.gatewayRef.name`); `validations` are CEL rules at the root of the
    object, the only place that sees metadata.name; `verdicts` are for the documentation.
    """

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    short_names: tuple[str, ...]
    categories: tuple[str, ...]
    description: str
    spec: type[Spec]
    status: type[Status]
    columns: tuple[Column, ...]
    selectable: tuple[str, ...] = ()
    validations: tuple[Rule, ...] = ()
    parent: Parent | None = None
    verdicts: tuple[Verdict, ...] = ()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}"

    @property
    def crd_name(self) -> str:
        return f"{self.plural}.{self.group}"


def condition_path(condition: str) -> str:
    """The JSONPath of a condition's status, for a column."""
    return f'.status.conditions[?(@.type=="{condition}")].status'


def parse(kind: Kind, obj: Mapping[str, Any]) -> tuple[Spec, Status]:
    """Spec and status of an object as the API server sent it. Raises InvalidSpec."""
    return parse_spec(kind.spec, obj.get("spec")), parse_status(kind.status, obj.get("status"))


def parse_spec(model: type[S], spec: object) -> S:
    """Raises InvalidSpec with one line that names each field and what is expected there, never what was given."""
    try:
        return model.model_validate({} if spec is None else spec)
    except ValidationError as error:
        raise InvalidSpec(_message(error)) from None


def parse_status(model: type[T], status: object) -> T:
    """Never fails: a field of the status that has an unknown shape counts as absent."""
    fields = dict(status) if isinstance(status, Mapping) else {}
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        broken = {details["loc"][0] for details in error.errors()}
        return model.model_validate({name: value for name, value in fields.items() if name not in broken})


def _message(error: ValidationError) -> str:
    errors = error.errors(include_url=False, include_input=False)
    lines = [f"{_path(details['loc'])}: {details['msg']}" for details in errors[:SHOWN_ERRORS]]
    more = len(errors) - len(lines)
    return "; ".join(lines) + (f"; and {more} more" if more else "")


def _path(location: tuple[int | str, ...]) -> str:
    return "spec" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
