"""Request bodies of the core API: routers. As strict as those of gateways, and refused in the older shape."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from . import requests
from .problems import CoreError, Problem
from .requests import Body, Label

NO_NEXTHOP = "no-nexthop"
"""An official client takes this word in place of an address."""


def _prefix(value: str) -> str:
    try:
        network = ip_network(value) if "/" in value else None
    except ValueError:
        network = None
    if network is None:
        raise PydanticCustomError("prefix", "Must be a prefix without host bits, like 10.9.0.0/16.")
    return str(network)


def _nexthop(value: str) -> str:
    try:
        return value if value == NO_NEXTHOP else str(ip_address(value))
    except ValueError:
        raise PydanticCustomError("nexthop", "Must be an IP address.") from None


def _unique_names(routes: list[StaticRoute]) -> list[StaticRoute]:
    names = [route.name for route in routes if route.name]
    if len(set(names)) != len(names):
        raise PydanticCustomError("unique_names", "Names must be unique.")
    return routes


def _unique_keys(labels: list[Label]) -> list[Label]:
    if len({label.key for label in labels}) != len(labels):
        raise PydanticCustomError("unique_keys", "Keys must be unique.")
    return labels


Text = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Labels = Annotated[list[Label], AfterValidator(_unique_keys)]


class StaticRoute(Body):
    """A route of type `user`, the only type that can be sent. Without a name the cloud makes one up."""

    name: Annotated[str, StringConstraints(max_length=255)] = ""
    route: Annotated[str, AfterValidator(_prefix)]
    nexthop: Annotated[str, AfterValidator(_nexthop)]
    type: Literal["user"] = "user"


StaticRoutes = Annotated[list[StaticRoute], AfterValidator(_unique_names)]


class RouterPatch(Body):
    """PATCH /router/{uuid}, inside its envelope."""

    name: Text = ""
    labels: Labels = Field(default_factory=list)
    static_routes: StaticRoutes = Field(default_factory=list)


class RouterValues(RouterPatch):
    """POST /router, inside its envelope."""

    name: Text


class RouterCreate(Body):
    """The envelope of a create."""

    router: RouterValues


class RouterModify(Body):
    """The envelope of a change."""

    router: RouterPatch


def parse_create(raw: bytes) -> RouterValues:
    """A new router, or a 400 in the older shape."""
    try:
        return requests.parse(RouterCreate, raw).router
    except Problem as problem:
        raise _refused(problem) from None


def parse_modify(raw: bytes) -> RouterPatch:
    """A change of a router, or a 400 in the older shape."""
    try:
        return requests.parse(RouterModify, raw).router
    except Problem as problem:
        raise _refused(problem) from None


def _refused(problem: Problem) -> CoreError:
    if ("router.name", "Field required") in problem.invalid_params:
        return CoreError(400, "ROUTER_NAME_MISSING", "The router name is missing.")
    wrong = ", ".join(f"{name}: {reason}" for name, reason in problem.invalid_params)
    return CoreError(400, "ROUTER_INVALID", f"The router is invalid. {wrong}".rstrip())
