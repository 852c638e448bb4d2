"""The OpenAPI document of the simulator: its routes, the schemas of what they take, the statuses they answer with.

For clients of yours and for the fuzz. It is the simulator's own, made from its code, and no copy of UpCloud's: of
answers it says the status and the content type, and of errors the shape.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema
from pydantic_core import core_schema

from . import core_requests, door_requests, requests
from .faults import Fault
from .routes import ROUTES

Schema = dict[str, Any]
_REF = "#/components/schemas/"
_PROBLEM, _CORE_ERROR, _DOOR_ERROR = "Problem", "CoreError", "DoorError"
_GO_SPELLING = "/connections/"

_GATEWAY = "/1.3/gateway/{gateway}"
_CONNECTION = _GATEWAY + "/connections/{connection}"
BODIES: dict[tuple[str, str], type[BaseModel]] = {
    ("POST", "/1.3/gateway"): requests.GatewayCreate,
    ("PUT", _GATEWAY): requests.GatewayPut,
    ("PATCH", _GATEWAY): requests.GatewayPatch,
    ("PATCH", _GATEWAY + "/addresses/{name}"): requests.AddressPatch,
    ("POST", _GATEWAY + "/labels"): requests.Label,
    ("PATCH", _GATEWAY + "/labels/{key}"): requests.LabelPatch,
    ("POST", _GATEWAY + "/connections"): requests.Connection,
    ("PATCH", _CONNECTION): requests.ConnectionPatch,
    ("POST", _CONNECTION + "/tunnels"): requests.Tunnel,
    ("PATCH", _CONNECTION + "/tunnels/{tunnel}"): requests.TunnelPatch,
    ("POST", "/1.3/router"): core_requests.RouterCreate,
    ("PATCH", "/1.3/router/{router}"): core_requests.RouterModify,
    ("POST", "/_sim/tunnels/{uuid}"): door_requests.ForcedTunnel,
    ("POST", "/_sim/gateways/{uuid}"): door_requests.ForcedGateway,
    ("POST", "/_sim/routers/{uuid}/networks"): door_requests.Network,
    ("POST", "/_sim/floating-ips"): door_requests.FloatingIp,
    ("PUT", "/_sim/plans"): door_requests.Plan,
    ("POST", "/_sim/faults"): Fault,
}
DOOR: dict[tuple[str, str], int] = {
    ("GET", "/_sim/calls"): 200,
    ("DELETE", "/_sim/calls"): 204,
    ("POST", "/_sim/tunnels/{uuid}"): 204,
    ("POST", "/_sim/gateways/{uuid}"): 204,
    ("POST", "/_sim/routers/{uuid}/networks"): 201,
    ("DELETE", "/_sim/routers/{uuid}/networks/{network}"): 204,
    ("POST", "/_sim/floating-ips"): 204,
    ("PUT", "/_sim/plans"): 204,
    ("POST", "/_sim/faults"): 204,
    ("DELETE", "/_sim/faults"): 204,
    ("POST", "/_sim/reset"): 204,
    ("GET", "/_sim/world"): 200,
    ("GET", "/_sim/openapi.json"): 200,
}
_LISTS = {("PUT", "/_sim/plans"), ("POST", "/_sim/faults")}
_PAGED = ("GET", "/1.3/gateway")
_QUERY = {"limit": "integer", "offset": "integer", "sort": "string", "label": "string"}
_ERRORS: Schema = {
    _PROBLEM: {
        "type": "object",
        "required": ["correlation_id", "status", "title", "type"],
        "properties": {
            "correlation_id": {"type": "string"},
            "status": {"type": "integer"},
            "title": {"type": "string"},
            "type": {"type": "string"},
            "invalid_params": {"type": "array", "items": {"type": "object", "required": ["name", "reason"]}},
        },
    },
    _CORE_ERROR: {
        "type": "object",
        "required": ["error"],
        "properties": {"error": {"type": "object", "required": ["error_code", "error_message"]}},
    },
    _DOOR_ERROR: {"type": "object", "required": ["status", "title"]},
}


class _Plain(GenerateJsonSchema):
    """Without defaults, for those of the bodies are placeholders, and without titles that repeat the name."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Schema:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def document() -> Schema:
    """As it is served at /_sim/openapi.json."""
    schemas, components = _schemas()
    paths: dict[str, Schema] = {}
    cloud = [(method, path, status) for method, path, status, _ in ROUTES if not path.endswith(_GO_SPELLING)]
    for method, path, status in [*cloud, *((method, path, status) for (method, path), status in DOOR.items())]:
        paths.setdefault(path, {})[method.lower()] = _operation(method, path, status, schemas.get((method, path)))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "The UpCloud simulator of netgw",
            "version": "1.3",
            "description": "Without a credential: /_sim. With 501: whatever of UpCloud's API is not simulated.",
        },
        "paths": paths,
        "components": {
            "schemas": {**components, **_ERRORS},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "user": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _schemas() -> tuple[dict[tuple[str, str], Schema], Schema]:
    """What each route takes, and what these refer to."""
    mode: JsonSchemaMode = "validation"
    models = [(model, mode) for model in dict.fromkeys(BODIES.values())]
    refs, shared = models_json_schema(models, ref_template=_REF + "{model}", schema_generator=_Plain)
    bodies = {route: refs[model, mode] for route, model in BODIES.items()}
    return {
        route: {"type": "array", "items": body} if route in _LISTS else body for route, body in bodies.items()
    }, shared["$defs"]


def _operation(method: str, path: str, status: int, body: Schema | None) -> Schema:
    door = path.startswith("/_sim")
    found: Schema = {"parameters": _parameters(method, path), "responses": _responses(method, path, status, body)}
    if not door:
        found["security"] = [{"token": []}, {"user": []}]
    if body is not None:
        optional = door and (method, path) not in _LISTS and not path.endswith("/floating-ips")
        found["requestBody"] = {"required": not optional, "content": {"application/json": {"schema": body}}}
    return found


def _parameters(method: str, path: str) -> list[Schema]:
    parts = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"{(\w+)}", path)
    ]
    query = _QUERY.items() if (method, path) == _PAGED else ()
    return parts + [{"name": name, "in": "query", "schema": {"type": type_}} for name, type_ in query]


def _responses(method: str, path: str, status: int, body: Schema | None) -> Schema:
    door, core = path.startswith("/_sim"), not path.startswith("/1.3/gateway")
    shape = _DOOR_ERROR if door else _CORE_ERROR if core else _PROBLEM
    done: Schema = {"description": "Done."}
    if status != 204:
        done["content"] = {"application/json": {"schema": {}}}
    found: Schema = {str(status): done}
    if not door:
        found["401"] = _error("No credential, or one of nobody.", _CORE_ERROR)
    if body is not None or (method, path) == _PAGED:
        found["400"] = _error("Wrong, or against a rule.", shape)
    if "{" in path:
        found["404"] = _error("There is no such thing in this account.", shape)
    if not door and method in {"POST", "PUT", "PATCH", "DELETE"}:
        found["400"] = found.get("400") or _error("Against a rule.", shape)
        found["409"] = _error("In conflict with what is there.", shape)
    return found


def _error(description: str, shape: str) -> Schema:
    content_type = "application/problem+json" if shape == _PROBLEM else "application/json"
    return {"description": description, "content": {content_type: {"schema": {"$ref": _REF + shape}}}}
