"""Kind → the parts of its documentation page that list every field and every reason, in Markdown.

Fields come from the same schema as the CRD, reasons from the kind. A page is written by hand, except between two lines
`<!-- fields: generated -->` and two lines `<!-- conditions: generated -->`. It is named after its kind:
NetworkGateway is described in network-gateway.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from netgw.kube import crd
from netgw.kube.kind import Kind

MARKER = "<!-- fields: generated -->\n"
CONDITIONS_MARKER = "<!-- conditions: generated -->\n"

_SPEC_HEAD = "| field | type | required | meaning |\n|---|---|---|---|\n"
_RULES_HEAD = "| field | message of the API server |\n|---|---|\n"
_STATUS_HEAD = "| field | type | meaning |\n|---|---|---|\n"
_VERDICTS_HEAD = "| condition | status | reasons |\n|---|---|---|\n"

Schema = Mapping[str, Any]
Row = tuple[str, Schema, bool]
"""Path of a field below spec or status, its schema, and whether its parent cannot be without it."""


class PageError(Exception):
    """A page is missing or has not two markers; the message is one line that names it."""


def render(kind: Kind) -> str:
    """The fields of a kind: those of the spec, what admission refuses, those of the status."""
    spec, status = crd.schema(kind.spec), crd.schema(kind.status)
    wanted = [
        _row(f"`{path}`", _type(node), _required(path, needed), _text(node)) for path, node, needed in _rows(spec)
    ]
    refused = [_row(f"`{path}`", message) for path, message in _refusals(kind, spec)]
    seen = [_row(f"`{path}`", _type(node), _text(node)) for path, node, _ in _rows(status)]
    return (
        f"### Fields of the spec\n\n{_SPEC_HEAD}{''.join(wanted)}\n"
        "### What is refused when it is applied\n\n"
        f"Other types, words and bounds than those above, and:\n\n{_RULES_HEAD}{''.join(refused)}\n"
        f"### Fields of the status\n\n{_STATUS_HEAD}{''.join(seen)}"
    )


def render_conditions(kind: Kind) -> str:
    """The reasons that are of this kind alone, each condition linked to what to do about it."""
    shown: dict[tuple[str, str], list[str]] = {}
    for verdict in kind.verdicts:
        shown.setdefault((verdict.condition, verdict.status), []).extend(verdict.reasons)
    rows = [
        _row(
            f"[`{condition}`](conditions.md#{_section(kind, condition)})", status, ", ".join(f"`{r}`" for r in reasons)
        )
        for (condition, status), reasons in shown.items()
    ]
    return _VERDICTS_HEAD + "".join(rows)


def refresh(kinds: Iterable[Kind], folder: Path) -> list[str]:
    """Write the generated part of each page anew. Names of the files that changed. Raises PageError."""
    changed = list(_outdated(kinds, folder))
    for path, text in changed:
        path.write_text(text, encoding="utf-8")
    return [path.name for path, _ in changed]


def stale(kinds: Iterable[Kind], folder: Path) -> list[str]:
    """Names of the pages whose generated part is not what the models say. Raises PageError."""
    return [path.name for path, _ in _outdated(kinds, folder)]


def page(kind: Kind) -> str:
    """Name of the page of a kind: words in lower case with hyphens."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind.kind).lower() + ".md"


def _outdated(kinds: Iterable[Kind], folder: Path) -> Iterator[tuple[Path, str]]:
    for kind in kinds:
        path = folder / page(kind)
        if not path.is_file():
            raise PageError(f"{path} is missing: write the page of {kind.kind} first")
        text = path.read_text(encoding="utf-8")
        fresh = _between(MARKER, path, text, render(kind))
        fresh = _between(CONDITIONS_MARKER, path, fresh, render_conditions(kind))
        if fresh != text:
            yield path, fresh


def _between(marker: str, path: Path, text: str, generated: str) -> str:
    """The text with this between the two markers."""
    parts = text.split(marker)
    if len(parts) != 3:
        raise PageError(f"{path} needs the line {marker.strip()} twice")
    return f"{parts[0]}{marker}\n{generated}\n{marker}{parts[2]}"


def _section(kind: Kind, condition: str) -> str:
    """The anchor in conditions.md: Ready has a section for each kind, named by its last word."""
    if condition != "Ready":
        return condition.lower()
    return f"ready-{re.findall('[A-Z][a-z]+', kind.kind)[-1].lower()}s"


def _rows(schema: Schema, path: str = "") -> Iterator[Row]:
    """Every field below a schema, depth first, in the order of the model."""
    for name, node in schema.get("properties", {}).items():
        here = f"{path}{name}"
        yield here, node, name in schema.get("required", ())
        yield from _rows(node, f"{here}.")
        if "items" in node:
            yield from _rows(node["items"], f"{here}[].")


def _refusals(kind: Kind, spec: Schema) -> Iterator[tuple[str, str]]:
    """Paths below spec, except metadata.name, with what the user is told there."""
    for rule in kind.validations:
        path = "metadata.name" if rule.field_path is None else rule.field_path.removeprefix(".spec.")
        yield path, _cell(rule.message)
    nodes = [("spec", spec), *((path, node) for path, node, _ in _rows(spec))]
    for path, node in nodes:
        for rule in node.get("x-kubernetes-validations", ()):
            yield path, _cell(rule["message"])
        if "pattern" in node:
            yield path, f"should match `{_cell(node['pattern'])}`"


def _type(node: Schema) -> str:
    default = f", default `{node['default']}`" if "default" in node else ""
    if "enum" in node:
        return ", ".join(f"`{word}`" for word in node["enum"]) + default
    match node["type"]:
        case "array":
            return _list(node) + _range(node, "minItems", "maxItems", " items")
        case "object" if "additionalProperties" in node:
            return (
                f"map of {_type(node['additionalProperties'])}{_range(node, 'minProperties', 'maxProperties', ' keys')}"
            )
        case "integer":
            return f"integer{_range(node, 'minimum', 'maximum')}{default}"
        case "string" if node.get("format") == "date-time":
            return "time"
        case "string" if "pattern" not in node:
            return f"string{_range(node, 'minLength', 'maxLength', ' characters')}{default}"
        case other:
            return f"{other}{default}"


def _list(node: Schema) -> str:
    if node["items"]["type"] == "object":
        keys = "".join(f" by `{key}`" for key in node.get("x-kubernetes-list-map-keys", ()))
        return f"list of objects{keys}"
    return ("set of " if node.get("x-kubernetes-list-type") == "set" else "list of ") + _type(node["items"])


def _range(node: Schema, least: str, most: str, unit: str = "") -> str:
    low, high = node.get(least), node.get(most)
    match low, high:
        case None, None:
            return ""
        case None, _:
            return f", at most {high}{unit}"
        case _, None:
            return f", at least {low}{unit}"
        case _:
            return f", {low} to {high}{unit}"


def _required(path: str, needed: bool) -> str:
    if not needed:
        return ""
    return "with its parent" if "." in path else "yes"


def _text(node: Schema) -> str:
    return _cell(node.get("description", "")).replace("\n\n", "<br>")


def _cell(text: str) -> str:
    """Text that Markdown takes neither for a tag nor for the end of a cell."""
    return text.replace("<", "&lt;").replace("|", "\\|")


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"
