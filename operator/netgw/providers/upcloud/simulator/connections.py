"""Connections: the verbs of /gateway/{uuid}/connections. They leave the service alone (assumption)."""

from __future__ import annotations

from typing import Any

from . import children, render, requests, rules
from .ask import Ask
from .problems import NO_RESOURCE, NO_SERVICE


def listed(ask: Ask) -> list[dict[str, Any]]:
    """All connections with their tunnels; no paging."""
    gateway = ask.gateway(NO_RESOURCE)
    return [render.connection(ask.world, gateway, item, ask.now) for item in gateway.connections]


def create(ask: Ask) -> dict[str, Any]:
    """201; there at once, with its tunnels."""
    draft = ask.draft(NO_RESOURCE)
    connection = children.add_connection(ask, draft, requests.parse(requests.Connection, ask.body))
    rules.check(draft, ask.world.plans, ask.now)
    ask.commit(draft)
    return render.connection(ask.world, draft, connection, ask.now)


def get(ask: Ask) -> dict[str, Any]:
    """One connection with its tunnels."""
    gateway = ask.gateway(NO_RESOURCE)
    return render.connection(ask.world, gateway, ask.connection(gateway), ask.now)


def modify(ask: Ask) -> dict[str, Any]:
    """Route lists are replaced as a whole, `[]` clears; the tunnels become exactly what is sent."""
    draft = ask.draft(NO_SERVICE)
    connection = ask.connection(draft)
    children.change_connection(ask, draft, connection, requests.parse(requests.ConnectionPatch, ask.body))
    rules.check(draft, ask.world.plans, ask.now)
    ask.commit(draft)
    return render.connection(ask.world, draft, connection, ask.now)


def delete(ask: Ask) -> None:
    """204; its tunnels go with it."""
    draft = ask.draft(NO_RESOURCE)
    draft.connections.remove(ask.connection(draft))
    ask.commit(draft)
