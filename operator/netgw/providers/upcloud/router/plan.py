"""What of a router is compared, and in which words: spec and wire in one vocabulary.

A label is a value of its own, `labels[env]`; a target of None takes it away. Of the routes only those of type user are
compared, and no others are ever sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_address, ip_network
from typing import Any

from netgw.engine.ownership import MARK
from netgw.engine.plan import Change, Field, Interrupts, Value, Values
from netgw.providers.upcloud.api import Label, Router, RouterCreate, RouterModify, StaticRoute, StaticRouteCreate
from netgw.providers.upcloud.labels import is_label, label_values, labels_wanted, merged
from netgw.providers.upcloud.router.model import RouterSpec
from netgw.providers.upcloud.router.model import StaticRoute as SpecRoute

FIELDS = (
    Field("name", Interrupts.NO, "a name is no part of routing"),
    Field("staticRoutes", Interrupts.YES, "what goes to these networks takes another way", unordered=True),
    Field("labels[*]", Interrupts.NO, "labels are no part of routing"),
)


def desired(spec: RouterSpec, *, name: str | None, owner: str) -> dict[str, Value]:
    """What the spec sets, without labels that are to go. `name`: None where it is not managed."""
    routes = None if spec.static_routes is None else [_route(route) for route in spec.static_routes]
    values: dict[str, Value] = {"name": name, "staticRoutes": routes}
    values |= label_values({**(spec.labels or {}), MARK: owner})
    return {path: value for path, value in values.items() if value is not None}


def settled(values: Values, router: Router, own_keys: Iterable[str], *, replace: bool) -> Values:
    """For a router that exists: with the labels that are to go."""
    return {**values, **labels_wanted(values, router.labels, own_keys, replace=replace)}


def observed(router: Router) -> Values:
    """What the cloud has."""
    return {
        "name": router.name,
        "staticRoutes": [_route(route) for route in router.user_routes],
        **label_values({label.key: label.value for label in router.labels}),
    }


def relabels(changes: Iterable[Change]) -> bool:
    """Whether labels change, which are sent as a whole."""
    return any(is_label(change.path) for change in changes)


def modification(changes: Sequence[Change], labels: Iterable[Label]) -> RouterModify:
    """Exactly the fields that differ. `labels`: all that the router has now."""
    body: dict[str, Any] = {}
    for change in changes:
        if change.path == "name":
            body["name"] = change.target
        elif change.path == "staticRoutes":
            body["static_routes"] = _wire_routes(change.target)
    if relabels(changes):
        body["labels"] = merged(labels, changes)
    return RouterModify.model_validate(body)


def creation(name: str, values: Values) -> RouterCreate:
    """The body of the POST."""
    labels = [Change(path, None, value, Interrupts.NO) for path, value in values.items()]
    body: dict[str, Any] = {"name": name, "labels": merged((), labels)}
    if "staticRoutes" in values:
        body["static_routes"] = _wire_routes(values["staticRoutes"])
    return RouterCreate.model_validate(body)


def _wire_routes(routes: Value) -> tuple[StaticRouteCreate, ...]:
    """A list of routes as it is sent."""
    parts = (str(text).rsplit(" ", 2) for text in routes)
    return tuple(StaticRouteCreate(name=name, route=route, nexthop=nexthop) for name, route, nexthop in parts)


def _route(route: SpecRoute | StaticRoute) -> str:
    """`lab 10.9.0.0/16 10.0.1.7`: for people to read, and without loss, for only the name can have a space."""
    return f"{route.name or ''} {_prefix(route.route)} {_address(route.nexthop)}"


def _prefix(text: str) -> str:
    """In one spelling, for IPv6 has many."""
    try:
        return str(ip_network(text))
    except ValueError:
        return text


def _address(text: str) -> str:
    """As `_prefix`; a word that is no address stays."""
    try:
        return str(ip_address(text))
    except ValueError:
        return text
