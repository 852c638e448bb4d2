"""Whether a change cuts traffic: the table that decides and the page that tells people say the same, with evidence.

The first of these words in a field's description counts:

| description                               | table               |
|-------------------------------------------|---------------------|
| Immutable                                 | not mutable         |
| Counts as interrupting                    | unknown             |
| Interrupts nothing, Does not interrupt    | no                  |
| interrupts                                | yes                 |
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from netgw.engine.plan import Field, Interrupts
from netgw.kinds import KINDS
from netgw.kube import crd
from netgw.kube.kind import Kind

FIXED = "immutable"
SAYS = (
    (re.compile(r"\bimmutable\b", re.IGNORECASE), FIXED),
    (re.compile(r"\bcounts as interrupting\b", re.IGNORECASE), Interrupts.UNKNOWN),
    (re.compile(r"\b(interrupts nothing|does not interrupt)\b", re.IGNORECASE), Interrupts.NO),
    (re.compile(r"\binterrupts\b", re.IGNORECASE), Interrupts.YES),
)
OTHER_NAMES = {"ipsec.authentication.psk": "ipsec.authentication.pskSecretRef"}
"""What is compared under another path than the spec field that it comes from."""
MAPS = {"labels"}
"""Spec fields that are maps: all their keys are described at the map itself."""


def fields(kind: Kind) -> tuple[Field, ...]:
    """The table of a kind stands beside its model."""
    folder = kind.spec.__module__.rpartition(".")[0]
    table: tuple[Field, ...] = importlib.import_module(f"{folder}.plan").FIELDS
    return table


def descriptions(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Every field of a spec by its path, with what people read of it."""
    for name, node in (schema.get("properties") or {}).items():
        yield f"{path}{name}", str(node.get("description", ""))
        yield from descriptions(node, f"{path}{name}.")
        yield from descriptions(node.get("items") or {}, f"{path}{name}[].")


def told(text: str) -> str | None:
    """What a description says of a change."""
    found = [(match.start(), means) for word, means in SAYS if (match := word.search(text)) is not None]
    # "Counts as interrupting" goes before a later "interrupts"; so does whatever else comes first.
    return min(found)[1] if found else None


def decided(field: Field) -> str:
    """What the table says of it."""
    return field.interrupts if field.mutable else FIXED


def field_of(path: str) -> str:
    """The spec field that a path of the table stands for: `labels[*]` is `labels`, `a[*].b` is `a[].b`."""
    name, pattern, _ = OTHER_NAMES.get(path, path).partition("[*]")
    return name if pattern and name in MAPS else OTHER_NAMES.get(path, path).replace("[*]", "[]")


def told_of(path: str, pages: Mapping[str, str]) -> str | None:
    """What the page says of a path: at the field itself, else at what it is a part of."""
    parts = field_of(path).split(".")
    above = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((said for part in above if (said := told(pages.get(part, ""))) is not None), None)


ALL = [pytest.param(kind, field, id=f"{kind.kind}-{field.path}") for kind in KINDS for field in fields(kind)]


@pytest.mark.parametrize(("kind", "field"), ALL)
def test_every_field_has_evidence(kind: Kind, field: Field) -> None:
    assert len(field.evidence.split()) >= 2
    silent = re.search("not documented|does not say|do not say", field.evidence) is not None
    assert silent is (field.interrupts is Interrupts.UNKNOWN), "unknown is what nobody documents, and only that"


@pytest.mark.parametrize(("kind", "field"), ALL)
def test_page_and_table_agree(kind: Kind, field: Field) -> None:
    pages = dict(descriptions(crd.schema(kind.spec)))
    assert field_of(field.path) in pages
    assert told_of(field.path, pages) == decided(field), pages.get(field.path)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_what_the_page_says_to_interrupt_is_in_the_table(kind: Kind) -> None:
    pages = dict(descriptions(crd.schema(kind.spec)))
    compared = [field_of(field.path) for field in fields(kind)]
    said = [path for path, text in pages.items() if told(text) not in (None, FIXED)]
    assert [
        path for path in said if not any(f"{path}.".startswith(f"{c}.") or c.startswith(path) for c in compared)
    ] == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_a_path_is_in_the_table_once(kind: Kind) -> None:
    paths = [field.path for field in fields(kind)]
    assert sorted(set(paths)) == sorted(paths)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("plan", "plan"),
        ("labels[*]", "labels"),
        ("addresses[*].address", "addresses[].address"),
        ("ipsec.authentication.psk", "ipsec.authentication.pskSecretRef"),
    ],
)
def test_fields_of_paths(path: str, field: str) -> None:
    assert field_of(path) == field


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("Changes in place. Interrupts the tunnel.", Interrupts.YES),
        ("Changes in place. Stopping interrupts all traffic.", Interrupts.YES),
        ("Counts as interrupting the tunnel: UpCloud does not say what interrupts it.", Interrupts.UNKNOWN),
        ("Changes in place. Interrupts nothing.", Interrupts.NO),
        ("Changing it does not interrupt traffic.", Interrupts.NO),
        ("Name of the address. Immutable.", FIXED),
        ("Key, algorithms and timers.", None),
    ],
)
def test_words(text: str, means: str | None) -> None:
    assert told(text) == means
