"""Router, zone and account: the few verbs of the core API that a gateway needs around it."""

from __future__ import annotations

from typing import Any

from . import defaults, render, requests
from .problems import CoreError, Problem
from .records import Router
from .world import Ask


def routers(ask: Ask) -> dict[str, Any]:
    """All routers of the account, without paging."""
    found = [item for item in ask.world.routers.values() if item.account == ask.account]
    return {"routers": {"router": [render.router(ask.world, item) for item in found]}}


def create_router(ask: Ask) -> dict[str, Any]:
    """201."""
    try:
        body = requests.parse(requests.RouterCreate, ask.body).router
    except Problem as problem:
        raise CoreError(400, *_router_error(problem)) from None
    labels = [{"key": label.key, "value": label.value or ""} for label in body.labels]
    router = Router(ask.account, ask.world.new_uuid("04"), body.name, labels)
    ask.world.routers[router.uuid] = router
    return {"router": render.router(ask.world, router)}


def router(ask: Ask) -> dict[str, Any]:
    """One router with the gateways that hang on it."""
    return {"router": render.router(ask.world, _router(ask))}


def delete_router(ask: Ask) -> None:
    """204, or 409 while a gateway hangs on it, also one that is being deleted."""
    found = _router(ask)
    if any(item.router == found.uuid for item in ask.world.gateways.values()):
        raise CoreError(409, "ROUTER_ATTACHED", f"The router {found.uuid} is attached to a network gateway.")
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


def _router_error(problem: Problem) -> tuple[str, str]:
    if ("router.name", "Field required") in problem.invalid_params:
        return "ROUTER_NAME_MISSING", "The router name is missing."
    wrong = ", ".join(f"{name}: {reason}" for name, reason in problem.invalid_params)
    return "ROUTER_INVALID", f"The router is invalid. {wrong}".rstrip()
