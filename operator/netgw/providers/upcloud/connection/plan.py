"""What of a connection is compared, and in which words: spec and wire in one vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netgw.engine.plan import Change, Field, Interrupts, Value, Values
from netgw.providers.upcloud.api import Connection, ConnectionCreate, ConnectionModify, Route
from netgw.providers.upcloud.connection.model import ConnectionSpec
from netgw.providers.upcloud.connection.model import Route as SpecRoute

STATIC = "static"
_ROUTES = "whether child SAs are installed anew is not documented"

FIELDS = (
    Field("name", Interrupts.YES, "create only in the API document", mutable=False),
    Field("type", Interrupts.YES, "create only in the API document", mutable=False),
    Field("localRoutes", Interrupts.UNKNOWN, _ROUTES, unordered=True),
    Field("remoteRoutes", Interrupts.UNKNOWN, _ROUTES, unordered=True),
)


def desired(spec: ConnectionSpec, name: str | None) -> Values:
    """What the spec sets. `name`: None where it is not managed."""
    values: dict[str, Value] = {} if name is None else {"name": name}
    if spec.type is not None:
        values["type"] = spec.type
    for path, routes in (("localRoutes", spec.local_routes), ("remoteRoutes", spec.remote_routes)):
        if routes is not None:
            values[path] = [_route(route) for route in routes]
    return values


def observed(connection: Connection) -> Values:
    """What the cloud has."""
    return {
        "name": connection.name,
        "type": connection.type,
        "localRoutes": [_route(route) for route in connection.local_routes],
        "remoteRoutes": [_route(route) for route in connection.remote_routes],
    }


def modification(changes: Sequence[Change]) -> ConnectionModify:
    """The lists that differ, each whole. Never `tunnels`: that would replace them."""
    names = {"localRoutes": "local_routes", "remoteRoutes": "remote_routes"}
    return ConnectionModify.model_validate({names[c.path]: wire_routes(c.target) for c in changes if c.path in names})


def creation(name: str, values: Values) -> ConnectionCreate:
    """The body of the POST."""
    body: dict[str, Any] = {"name": name, "type": values["type"]}
    for path, field in (("localRoutes", "local_routes"), ("remoteRoutes", "remote_routes")):
        if path in values:
            body[field] = wire_routes(values[path])
    return ConnectionCreate.model_validate(body)


def wire_routes(routes: Value) -> tuple[Route, ...]:
    """A list of routes as it is sent."""
    return tuple(_wire_route(*text.split(" ")) for text in routes)


def _wire_route(name: str, network: str, type_: str = STATIC) -> Route:
    return Route(name=name, type=type_, static_network=network)


def _route(route: SpecRoute | Route) -> str:
    """`cloud 10.0.1.0/24`: short, for people read it in messages, and without loss, for no part has a space."""
    text = f"{route.name} {route.static_network}"
    return text if route.type == STATIC else f"{text} {route.type}"
