"""Router, zone and account: the few verbs of the core API that a gateway needs around it."""

from __future__ import annotations

from itertools import count
from typing import Any

from . import core_requests, defaults, render
from .ask import Ask
from .problems import CoreError
from .records import Router, StaticRoute


def routers(ask: Ask) -> dict[str, Any]:
    """All routers of the account, without paging."""
    attached = ask.world.attached()
    found = [item for item in ask.world.routers.values() if item.account == ask.account]
    return {"routers": {"router": [render.router(ask.world, item, attached.get(item.uuid), ask.now) for item in found]}}


def create_router(ask: Ask) -> dict[str, Any]:
    """201."""
    body = core_requests.parse_create(ask.body)
    router = Router(ask.account, ask.world.new_uuid("04"), body.name, _labels(body), _routes(body))
    ask.world.routers[router.uuid] = router
    return _shown(ask, router)


def router(ask: Ask) -> dict[str, Any]:
    """One router with the gateways and networks that hang on it."""
    return _shown(ask, _router(ask))


def modify_router(ask: Ask) -> dict[str, Any]:
    """Merged by key. Labels, and the routes of type user, are replaced as a set; routes of type service are no part."""
    found = _router(ask)
    body = core_requests.parse_modify(ask.body)
    found.name = body.name if body.sent("name") else found.name
    found.labels = _labels(body) if body.sent("labels") else found.labels
    found.static_routes = _routes(body) if body.sent("static_routes") else found.static_routes
    return _shown(ask, found)


def delete_router(ask: Ask) -> None:
    """204, or 409 while a network hangs on it, or a gateway, also one that is being deleted."""
    found = _router(ask)
    for what, hangs in (("a network gateway", found.uuid in ask.world.attached()), ("a network", found.networks)):
        if hangs:
            raise CoreError(409, "ROUTER_ATTACHED", f"The router {found.uuid} is attached to {what}.")
    del ask.world.routers[found.uuid]


def zones(_: Ask) -> dict[str, Any]:
    """All public zones."""
    found = [{"description": text, "id": zone, "public": "yes"} for zone, text in defaults.ZONES.items()]
    return {"zones": {"zone": found}}


def account(ask: Ask) -> dict[str, Any]:
    """Whose credential it is; the limits are shown, not enforced."""
    limits = dict(defaults.ACCOUNT_LIMITS)
    return {"account": {"credits": 10000.0, "resource_limits": limits, "username": ask.account}}


def _router(ask: Ask) -> Router:
    found = ask.world.routers.get(ask.params["router"])
    if found is None or found.account != ask.account:
        raise CoreError(404, "ROUTER_NOT_FOUND", f"The router {ask.params['router']} does not exist.")
    return found


def _shown(ask: Ask, router: Router) -> dict[str, Any]:
    gateway = ask.world.attached().get(router.uuid)
    return {"router": render.router(ask.world, router, gateway, ask.now)}


def _labels(body: core_requests.RouterPatch) -> list[dict[str, Any]]:
    return [{"key": label.key, "value": label.value or ""} for label in body.labels]


def _routes(body: core_requests.RouterPatch) -> list[StaticRoute]:
    taken = {route.name for route in body.static_routes}
    free = (name for name in map("static-route-{}".format, count()) if name not in taken)
    return [StaticRoute(route.name or next(free), route.route, route.nexthop) for route in body.static_routes]
