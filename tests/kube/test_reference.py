"""The generated part of the documentation pages: fresh, complete, and readable as Markdown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netgw.kinds import KINDS
from netgw.kube import crd, reference
from netgw.kube.kind import Kind

DOCS = Path(__file__).resolve().parents[2] / "docs"
UNESCAPED_BAR = re.compile(r"(?<!\\)\|")

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)


def pages(folder: Path, text: str = "before\n{0}{0}after\n") -> Path:
    for kind in KINDS:
        whole = text.format(reference.MARKER).replace("after\n", f"{2 * reference.CONDITIONS_MARKER}after\n")
        (folder / reference.page(kind)).write_text(whole)
    return folder


def rows(kind: Kind) -> list[str]:
    return [line for line in reference.render(kind).splitlines() if line.startswith("| `")]


def paths(schema: object, path: str = "") -> set[str]:
    """Every property below a schema, found by another way than the one that is tested."""
    found: set[str] = set()
    if isinstance(schema, dict):
        for name, node in schema.get("properties", {}).items():
            found |= {f"{path}{name}"} | paths(node, f"{path}{name}.") | paths(node.get("items"), f"{path}{name}[].")
    return found


def test_committed_pages_are_fresh() -> None:
    assert reference.stale(KINDS, DOCS) == []


@each_kind
def test_every_field_has_a_row(kind: Kind) -> None:
    shown = {row.split("`")[1] for row in rows(kind)}
    assert shown >= paths(crd.schema(kind.spec)) | paths(crd.schema(kind.status))


@each_kind
def test_every_rule_of_admission_has_a_row(kind: Kind) -> None:
    text = reference.render(kind)
    assert [rule.message for rule in kind.validations if rule.message not in text] == []


@each_kind
def test_rows_have_the_cells_of_their_table(kind: Kind) -> None:
    for table in re.findall(r"(?:^\|.*\n)+", reference.render(kind), re.MULTILINE):
        assert len({len(UNESCAPED_BAR.findall(line)) for line in table.splitlines()}) == 1, table


@each_kind
def test_nothing_reads_as_a_tag(kind: Kind) -> None:
    assert set(re.findall(r"<[^>]*>", reference.render(kind))) <= {"<br>"}


@each_kind
def test_every_reason_of_the_kind_is_shown(kind: Kind) -> None:
    text = reference.render_conditions(kind)
    assert kind.verdicts
    assert [v for v in kind.verdicts if any(f"`{reason}`" not in text for reason in v.reasons)] == []


def test_refresh_replaces_what_is_between_the_markers(tmp_path: Path) -> None:
    pages(tmp_path, "before\n{0}stale words\n{0}after\n")
    names = [reference.page(kind) for kind in KINDS]

    assert reference.stale(KINDS, tmp_path) == names
    assert reference.refresh(KINDS, tmp_path) == names
    assert reference.stale(KINDS, tmp_path) == []
    assert reference.refresh(KINDS, tmp_path) == []

    text = (tmp_path / names[0]).read_text()
    assert reference.render(KINDS[0]) in text
    assert "stale words" not in text
    assert (text.startswith("before\n"), text.endswith("after\n")) == (True, True)


def test_one_changed_page_is_stale(tmp_path: Path) -> None:
    reference.refresh(KINDS, pages(tmp_path))
    changed = tmp_path / "vpn-tunnel.md"
    changed.write_text(changed.read_text().replace("Where the tunnel ends", "Where it ends"))
    assert reference.stale(KINDS, tmp_path) == ["vpn-tunnel.md"]


def test_a_page_that_is_missing_is_named(tmp_path: Path) -> None:
    (pages(tmp_path) / "vpn-connection.md").unlink()
    with pytest.raises(reference.PageError, match=r"vpn-connection\.md is missing"):
        reference.stale(KINDS, tmp_path)


def test_a_page_without_markers_is_left_alone(tmp_path: Path) -> None:
    page = pages(tmp_path) / "network-gateway.md"
    page.write_text("no markers\n")
    with pytest.raises(reference.PageError, match=r"network-gateway\.md needs the line .* twice"):
        reference.refresh(KINDS, tmp_path)
    assert page.read_text() == "no markers\n"
