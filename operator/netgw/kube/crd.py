"""Kind → CustomResourceDefinition → YAML.

What pydantic calls a JSON Schema is not what Kubernetes calls a structural schema, so each difference is rewritten, and
what has no counterpart is refused here instead of by the API server:

| pydantic                        | here                                              |
|---------------------------------|---------------------------------------------------|
| $ref, $defs                     | inlined; what stands beside the $ref wins         |
| anyOf [X, null], default: null  | X, optional: unset is absence, null is no value   |
| const                           | enum of one                                       |
| title                           | dropped                                           |
| any keyword not in KEYWORDS     | TypeError                                         |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from netgw.engine.objects import NEVER_OBSERVED
from netgw.kube.kind import Column, Kind

HEADER = "# Generated from the models by `make generate`; do not edit.\n"

KEYWORDS = (
    "description",
    "type",
    "format",
    "pattern",
    "enum",
    "default",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "maxProperties",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "required",
    "properties",
    "additionalProperties",
    "items",
    "x-kubernetes-validations",
)
"""What a schema may consist of, in the order in which it is written."""

API_VERSION = "The version of the API, group/version."
KIND = "The kind of the object."


def crd(kind: Kind) -> dict[str, Any]:
    """The CustomResourceDefinition of a kind."""
    version = {
        "name": kind.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _root(kind)},
        "subresources": {"status": {}},
        "selectableFields": [{"jsonPath": path} for path in kind.selectable],
        "additionalPrinterColumns": [_column(column) for column in kind.columns],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": kind.crd_name},
        "spec": {
            "group": kind.group,
            "scope": "Namespaced",
            "names": {
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
                "plural": kind.plural,
                "singular": kind.singular,
                "shortNames": list(kind.short_names),
                "categories": list(kind.categories),
            },
            "versions": [{name: value for name, value in version.items() if value != []}],
        },
    }


def schema(model: type[BaseModel]) -> dict[str, Any]:
    """The structural schema of a model. TypeError for a model that has none."""
    raw = model.model_json_schema(by_alias=True, schema_generator=_OptionalIsAbsent)
    return _structural(raw, raw.get("$defs", {}), model.__name__)


def to_yaml(kind: Kind) -> str:
    """The CRD as it is committed: the same bytes for the same models."""
    return HEADER + yaml.dump(crd(kind), Dumper=_Readable, sort_keys=False, width=100, allow_unicode=True)


def write(kinds: Iterable[Kind], folder: Path) -> None:
    """Write one file per kind."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in _files(kinds).items():
        (folder / name).write_text(text, encoding="utf-8")


def stale(kinds: Iterable[Kind], folder: Path) -> list[str]:
    """Names of the YAML files in the folder that are missing, differ from the models, or belong to no kind."""
    wanted = _files(kinds)
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.yaml")}
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


def _files(kinds: Iterable[Kind]) -> dict[str, str]:
    return {f"{kind.group}_{kind.plural}.yaml": to_yaml(kind) for kind in kinds}


def _root(kind: Kind) -> dict[str, Any]:
    root: dict[str, Any] = {
        "description": _paragraphs(kind.description),
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"description": API_VERSION, "type": "string"},
            "kind": {"description": KIND, "type": "string"},
            "metadata": {"type": "object"},
            "spec": _as_sent(schema(kind.spec)),
            "status": schema(kind.status) | {"default": {"observedGeneration": NEVER_OBSERVED}},
        },
    }
    if kind.validations:
        root["x-kubernetes-validations"] = [rule.to_schema() for rule in kind.validations]
    return root


def _column(column: Column) -> dict[str, Any]:
    wide = {"priority": 1} if column.wide else {}
    return {"name": column.name, "type": column.type, "jsonPath": column.path, **wide}


class _OptionalIsAbsent(GenerateJsonSchema):
    """`X | None` is an optional X: null is not a value in a manifest. The order of keys is kept."""

    def sort(self, value: JsonSchemaValue, parent_key: str | None = None) -> JsonSchemaValue:
        return value

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def _structural(node: Mapping[str, Any], defs: Mapping[str, Any], path: str) -> dict[str, Any]:
    if "$ref" in node:
        name = node["$ref"].removeprefix("#/$defs/")
        rest = {key: value for key, value in defs.items() if key != name}
        if name not in defs:
            raise TypeError(f"{path}: {name} contains itself")
        return _structural({**defs[name], **{k: v for k, v in node.items() if k != "$ref"}}, rest, path)
    node = _rewritten(node)
    if unknown := sorted(node.keys() - set(KEYWORDS)):
        raise TypeError(f"{path}: {', '.join(unknown)} cannot be said in a structural schema")
    if "type" not in node:
        raise TypeError(f"{path}: a structural schema needs a type")
    if "additionalProperties" in node:
        node["additionalProperties"] = _structural(node["additionalProperties"], defs, f"{path}{{}}")
    if "items" in node:
        node["items"] = _structural(node["items"], defs, f"{path}[]")
    if "properties" in node:
        fields = node["properties"].items()
        node["properties"] = {name: _structural(field, defs, f"{path}.{name}") for name, field in fields}
    return {keyword: node[keyword] for keyword in KEYWORDS if keyword in node}


def _as_sent(node: dict[str, Any]) -> dict[str, Any]:
    """Without defaults: a spec is completed when it is parsed.

    What the API server fills into an item of a list is a difference to what Argo CD applied.
    """
    node = {key: value for key, value in node.items() if key != "default"}
    if "items" in node:
        node["items"] = _as_sent(node["items"])
    if "properties" in node:
        node["properties"] = {name: _as_sent(field) for name, field in node["properties"].items()}
    return node


def _rewritten(node: Mapping[str, Any]) -> dict[str, Any]:
    node = {key: value for key, value in node.items() if key not in ("title", "$defs")}
    if "const" in node:
        node["enum"] = [node.pop("const")]
    if node.get("default", ...) is None:
        del node["default"]
    if "description" in node:
        node["description"] = _paragraphs(node["description"])
    return node


def _paragraphs(text: str) -> str:
    """The lines of a docstring joined; paragraphs stay apart."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


class _Readable(yaml.SafeDumper):
    """Block style throughout, list items indented, long texts folded."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    folded = ">" if len(text) > 80 or "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=folded)


_Readable.add_representer(str, _text)
