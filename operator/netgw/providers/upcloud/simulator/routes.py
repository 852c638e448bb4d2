"""The URLs: which method and path is which verb, and with which status it succeeds. All else is answered with 501."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from . import addresses, connections, core, gateways, labels, problems, tunnels
from .ask import Ask

Verb = Callable[[Ask], Any]

_GATEWAY = "/1.3/gateway/{gateway}"
_ADDRESS = _GATEWAY + "/addresses/{name}"
_CONNECTION = _GATEWAY + "/connections/{connection}"
_TUNNEL = _CONNECTION + "/tunnels/{tunnel}"
ROUTES: list[tuple[str, str, int, Verb]] = [
    ("GET", "/1.3/gateway/plans", 200, gateways.plans),
    ("GET", "/1.3/gateway/plans/{plan}", 200, gateways.plan),
    ("GET", "/1.3/gateway", 200, gateways.listed),
    ("POST", "/1.3/gateway", 201, gateways.create),
    ("GET", _GATEWAY, 200, gateways.get),
    ("PUT", _GATEWAY, 200, gateways.replace),
    ("PATCH", _GATEWAY, 200, gateways.modify),
    ("DELETE", _GATEWAY, 204, gateways.delete),
    ("GET", _GATEWAY + "/metrics", 200, gateways.measured),
    ("PATCH", _GATEWAY + "/actions/nat-flush-connections", 200, gateways.flush_nat),
    ("GET", _GATEWAY + "/addresses", 200, addresses.listed),
    ("GET", _ADDRESS, 200, addresses.get),
    ("PATCH", _ADDRESS, 200, addresses.modify),
    ("POST", _ADDRESS + "/release", 202, addresses.release),
    ("GET", _GATEWAY + "/labels", 200, labels.listed),
    ("POST", _GATEWAY + "/labels", 201, labels.add),
    ("GET", _GATEWAY + "/labels/{key}", 200, labels.get),
    ("PATCH", _GATEWAY + "/labels/{key}", 200, labels.modify),
    ("DELETE", _GATEWAY + "/labels/{key}", 204, labels.remove),
    ("GET", _GATEWAY + "/connections", 200, connections.listed),
    ("POST", _GATEWAY + "/connections", 201, connections.create),
    ("POST", _GATEWAY + "/connections/", 201, connections.create),  # the Go SDK's spelling
    ("GET", _CONNECTION, 200, connections.get),
    ("PATCH", _CONNECTION, 200, connections.modify),
    ("DELETE", _CONNECTION, 204, connections.delete),
    ("GET", _CONNECTION + "/tunnels", 200, tunnels.listed),
    ("POST", _CONNECTION + "/tunnels", 201, tunnels.create),
    ("GET", _TUNNEL, 200, tunnels.get),
    ("PATCH", _TUNNEL, 200, tunnels.modify),
    ("DELETE", _TUNNEL, 204, tunnels.delete),
    ("GET", "/1.3/router", 200, core.routers),
    ("POST", "/1.3/router", 201, core.create_router),
    ("GET", "/1.3/router/{router}", 200, core.router),
    ("PATCH", "/1.3/router/{router}", 200, core.modify_router),
    ("DELETE", "/1.3/router/{router}", 204, core.delete_router),
    ("GET", "/1.3/zone", 200, core.zones),
    ("GET", "/1.3/account", 200, core.account),
]


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)))


_COMPILED = [(method, _pattern(path), status, verb) for method, path, status, verb in ROUTES]


def find(method: str, path: str) -> tuple[dict[str, str], int, Verb]:
    """The decoded parts of the path, the status and the verb."""
    for each, pattern, status, verb in _COMPILED:
        found = pattern.fullmatch(path)
        if found and each == method:
            return {key: unquote(value) for key, value in found.groupdict().items()}, status, verb
    raise problems.not_simulated(f"{method} {path}")
