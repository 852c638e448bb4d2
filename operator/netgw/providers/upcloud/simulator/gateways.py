"""Services: the verbs of /gateway and /gateway/{uuid}."""

from __future__ import annotations

import re
from typing import Any

from . import addresses, children, defaults, metrics, problems, render, requests, rules, states
from .ask import Ask
from .labels import as_dict
from .problems import NO_RESOURCE, NO_SERVICE
from .records import Gateway, Timeline

_NUMBER = re.compile(r"[0-9]{1,18}")
_SORTS = {"created_at": lambda g: g.created_at, "name": lambda g: g.name, "uuid": lambda g: g.uuid}


def plans(ask: Ask) -> list[dict[str, Any]]:
    """Sorted by name (recorded)."""
    return [ask.world.plans[name] for name in sorted(ask.world.plans)]


def plan(ask: Ask) -> dict[str, Any]:
    """One plan by name."""
    if ask.params["plan"] not in ask.world.plans:
        raise problems.not_found(NO_RESOURCE)
    return ask.world.plans[ask.params["plan"]]


def listed(ask: Ask) -> list[dict[str, Any]]:
    """The services of the account: label filters (all must hold), sort (creation first), offset and limit (10)."""
    limit, offset = _number(ask, "limit", 10, most=100), _number(ask, "offset", 0)
    found = [item for item in ask.world.gateways.values() if item.account == ask.account]
    for wanted in (value for key, value in ask.query if key == "label"):
        key, separator, value = wanted.partition("=")
        found = [item for item in found if key in item.labels and (not separator or item.labels[key] == value)]
    sort = _last(ask, "sort") or "created_at"
    if sort.removeprefix("-") not in _SORTS:
        raise problems.invalid(("sort", "Unknown order."))
    found.sort(key=_SORTS[sort.removeprefix("-")], reverse=sort.startswith("-"))
    return [render.gateway(ask.world, item, ask.now) for item in found[offset : offset + limit]]


def create(ask: Ask) -> dict[str, Any]:
    """201 at once, in `pending`, with its connections and tunnels."""
    body = requests.parse(requests.GatewayCreate, ask.body)
    _check_create(ask, body)
    gateway = Gateway(
        account=ask.account,
        uuid=ask.world.new_uuid("10"),
        name=body.name,
        zone=body.zone,
        plan=body.plan or defaults.DEFAULT_PLAN,
        features=list(body.features),
        router=body.routers[0].uuid,
        addresses=addresses.made(ask, body.addresses),
        configured_status=body.configured_status,
        automatic_internal_ips=body.automatic_tunnel_internal_ip_allocation,
        created_at=ask.now,
        updated_at=ask.now,
        timeline=Timeline(ask.now, ("pending",), ask.world.delay),
        labels=as_dict(body.labels),
    )
    for index, connection in enumerate(body.connections):
        children.add_connection(ask, gateway, connection, f"connections.{index}.")
    states.restart(gateway, ask.now, ask.world.delay, ask.world.tunnels)
    rules.check(gateway, ask.world.plans, ask.now)
    ask.commit(gateway)
    return render.gateway(ask.world, gateway, ask.now)


def get(ask: Ask) -> dict[str, Any]:
    """The service, also while it is being deleted."""
    return render.gateway(ask.world, ask.gateway(NO_SERVICE), ask.now)


def replace(ask: Ask) -> dict[str, Any]:
    """PUT: name and configured_status are needed; what is left out stays (assumption).

    For other clients: the operator never uses it, nor nested writes, for they replace whole sets.
    """
    draft = ask.draft(NO_SERVICE)
    return _change(ask, draft, requests.parse(requests.GatewayPut, ask.body))


def modify(ask: Ask) -> dict[str, Any]:
    """PATCH: merged by top-level key. Goes through `pending` and stamps everything inside (recorded)."""
    draft = ask.draft(NO_SERVICE)
    body = requests.parse(requests.GatewayPatch, ask.body)
    draft.features = list(body.features) if body.sent("features") else draft.features
    return _change(ask, draft, body)


def delete(ask: Ask) -> None:
    """204 at once; the service stays readable on its way out and takes all that is in it with it."""
    draft = ask.draft(NO_SERVICE)
    states.delete(draft, ask.now, ask.world.delay, ask.world.tunnels)
    draft.updated_at = ask.now
    ask.commit(draft)


def measured(ask: Ask) -> dict[str, Any]:
    """GET metrics."""
    return metrics.metrics(ask.world, ask.gateway(NO_RESOURCE), ask.now)


def flush_nat(ask: Ask) -> dict[str, Any]:
    """Drops every NAT connection. The service keeps its state and its stamp (assumption)."""
    draft = ask.draft(NO_RESOURCE)
    draft.nat_flushed_at = ask.now
    ask.commit(draft)
    return {}


def _change(ask: Ask, draft: Gateway, body: requests.GatewayPatch | requests.GatewayPut) -> dict[str, Any]:
    if body.sent("name"):
        draft.name = body.name
        _check_name(ask, draft.name, own=draft.uuid)
    if body.sent("configured_status"):
        draft.configured_status = body.configured_status
    if body.sent("plan"):
        rules.plan(body.plan, ask.world.plans)
        draft.plan = body.plan
    if body.sent("labels"):
        draft.labels = as_dict(body.labels)
    if body.sent("automatic_tunnel_internal_ip_allocation"):
        draft.automatic_internal_ips = body.automatic_tunnel_internal_ip_allocation
    if body.sent("connections"):
        children.replace_connections(ask, draft, body.connections)
    draft.stamp(ask.now)
    states.restart(draft, ask.now, ask.world.delay, ask.world.tunnels)
    rules.check(draft, ask.world.plans, ask.now)
    ask.commit(draft)
    return render.gateway(ask.world, draft, ask.now)


def _check_create(ask: Ask, body: requests.GatewayCreate) -> None:
    if body.sent("plan"):
        rules.plan(body.plan, ask.world.plans)
    elif ask.world.behaviour.plan_required:
        raise problems.invalid(("plan", "Field required"))
    if body.zone not in defaults.ZONES:
        raise problems.invalid(("zone", "Unknown zone."))
    router = ask.world.routers.get(body.routers[0].uuid)
    if router is None or router.account != ask.account:
        raise problems.invalid(("routers.0.uuid", "Router not found."))
    if any(item.router == router.uuid for item in ask.world.gateways.values()):
        raise problems.duplicate("Service for router already exists.")
    _check_name(ask, body.name)


def _check_name(ask: Ask, name: str, own: str = "") -> None:
    others = (item for item in ask.world.gateways.values() if item.account == ask.account and item.uuid != own)
    if any(item.name == name for item in others):
        raise problems.duplicate("Service with the same name already exists.")


def _last(ask: Ask, name: str) -> str | None:
    return next((value for key, value in reversed(ask.query) if key == name), None)


def _number(ask: Ask, name: str, default: int, most: int | None = None) -> int:
    text = _last(ask, name)
    if text is None:
        return default
    if not _NUMBER.fullmatch(text) or (most is not None and int(text) > most):
        raise problems.invalid((name, f"Must be a number from 0 to {most}." if most else "Must be a number from 0."))
    return int(text)
