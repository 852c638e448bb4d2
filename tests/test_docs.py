"""The pages say what the source says: settings, reasons, messages, examples and links."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from netgw import settings_page
from netgw.engine.policy import CHOICES
from netgw.kinds import KINDS
from netgw.kube.kind import parse_spec
from netgw.settings import Settings, flag, variable
from support.cluster import ROOT

DOCS = ROOT / "docs"
SOURCE = ROOT / "operator" / "netgw"
PAGES = [path for folder in ("*.md", "docs/**/*.md", "deploy/*.md", "helm/*.md") for path in sorted(ROOT.glob(folder))]

WORD = re.compile(r"(?:[A-Z][a-z]+)+")
POLICIES = {choice for choices in CHOICES.values() for choice in choices}
OTHER_WORDS = {"True", "False", "Unknown", "Normal", "FieldValueRequired", "Replace", "Router"}
NO_REASONS = {*OTHER_WORDS, *POLICIES, *(kind.kind for kind in KINDS)}
ROW = re.compile(r"^\| `([^`]+)` \| (.*) \|$", re.MULTILINE)
QUOTED = re.compile(r'"([^"]+)"')
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
YAML_BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def rows(page: str) -> list[tuple[str, str]]:
    """First cell, which is code, and the rest of the row."""
    return ROW.findall((DOCS / page).read_text())


# ---- settings


def test_the_page_of_settings_is_what_the_model_says() -> None:
    assert not settings_page.is_stale(DOCS / "settings.md"), "run `make generate`"


def test_every_setting_has_a_row_and_every_row_is_a_setting() -> None:
    shown = {name for name, _ in rows("settings.md") if not name.startswith("UPCLOUD_")}
    assert shown == {variable(field) for field in Settings.model_fields}


def test_defaults_are_those_of_the_source() -> None:
    shown = dict(rows("settings.md"))
    for field, info in Settings.model_fields.items():
        if info.default_factory is None and info.default not in (None, ()):
            several = type(info.default) is tuple  # not a named one, which is a single value
            default = ",".join(map(str, info.default)) if several else str(info.default).lower()
            assert shown[variable(field)].startswith(f"`{flag(field)}` | `{default}` |"), variable(field)


def test_every_variable_of_the_client_is_named() -> None:
    names = re.compile(r"UPCLOUD_[A-Z_]+")
    client = (SOURCE / "providers" / "upcloud" / "api" / "credentials.py").read_text()
    assert set(names.findall((DOCS / "settings.md").read_text())) == set(names.findall(client))


# ---- conditions


def decisions() -> Iterator[ast.Module]:
    """The modules that judge: the engine and the kinds, without models, client and simulator."""
    for folder in (SOURCE / "engine", SOURCE / "providers"):
        for path in folder.rglob("*.py"):
            if not {"api", "simulator"} & set(path.parts) and path.name != "model.py":
                yield ast.parse(path.read_text())


def reasons(node: ast.AST) -> Iterator[str]:
    """CamelCase words, except in sets, which only rank them, and as keys, which are names of exceptions."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and WORD.fullmatch(node.value):
        yield node.value
    skipped = [*node.elts] if isinstance(node, ast.Set) else [*node.keys] if isinstance(node, ast.Dict) else []
    for child in ast.iter_child_nodes(node):
        if child not in skipped:
            yield from reasons(child)


def texts(module: ast.Module) -> Iterator[str]:
    """Every string of a module, with an ellipsis for what is put in."""
    for node in ast.walk(module):
        match node:
            case ast.Constant(value=str(text)):
                yield text
            case ast.JoinedStr(values=values):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in values)
            case _:
                pass


def test_every_reason_has_a_row_and_every_row_is_a_reason() -> None:
    said = {reason for module in decisions() for reason in reasons(module)} - NO_REASONS
    assert {reason for reason, _ in rows("conditions.md")} == said


def test_quoted_messages_are_those_of_the_source() -> None:
    said = [text for module in decisions() for text in texts(module)]
    for reason, row in rows("conditions.md"):
        for message in QUOTED.findall(row):
            parts = [part for part in message.split("…") if len(part.strip()) > 3]
            assert [part for part in parts if not any(part in text for text in said)] == [], f"{reason}: {message}"


# ---- examples and links


@each_page
def test_examples_are_valid(page: Path) -> None:
    specs: dict[str, type[BaseModel]] = {kind.kind: kind.spec for kind in KINDS}
    for block in YAML_BLOCK.findall(page.read_text()):
        for obj in yaml.safe_load_all(block):
            assert obj["metadata"]["name"]
            if obj["apiVersion"].endswith("netgw.dev/v1alpha1"):
                parse_spec(specs[obj["kind"]], obj["spec"])  # type: ignore[type-var]


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(CODE.sub("", page.read_text())):
        if "://" not in link:
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target.read_text()), link


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
