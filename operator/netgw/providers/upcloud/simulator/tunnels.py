"""Tunnels: the verbs of /gateway/{uuid}/connections/{uuid}/tunnels. They stamp themselves alone."""

from __future__ import annotations

from typing import Any

from . import children, render, requests, rules
from .ask import Ask
from .behaviour import Behaviour
from .problems import NO_RESOURCE, invalid


def listed(ask: Ask) -> list[dict[str, Any]]:
    """All tunnels of the connection; `[]` when it has none."""
    gateway = ask.gateway(NO_RESOURCE)
    return [render.tunnel(ask.world, gateway, item, ask.now) for item in ask.connection(gateway).tunnels]


def create(ask: Ask) -> dict[str, Any]:
    """201 in state `idle`, every default of `ipsec` filled in."""
    draft = ask.draft(NO_RESOURCE)
    connection = ask.connection(draft)
    tunnel = children.add_tunnel(ask, draft, connection, requests.parse(requests.Tunnel, ask.body))
    rules.check(draft, ask.world.plans, ask.now)
    ask.commit(draft)
    return render.tunnel(ask.world, draft, tunnel, ask.now)


def get(ask: Ask) -> dict[str, Any]:
    """One tunnel."""
    gateway = ask.gateway(NO_RESOURCE)
    return render.tunnel(ask.world, gateway, ask.tunnel(ask.connection(gateway)), ask.now)


def modify(ask: Ask) -> dict[str, Any]:
    """Merged, inside `ipsec` too: same uuid, also when the key changes."""
    draft = ask.draft(NO_RESOURCE)
    tunnel = ask.tunnel(ask.connection(draft))
    body = requests.parse(requests.TunnelPatch, ask.body)
    _check_companions(ask.world.behaviour, body)
    children.change_tunnel(ask, draft, tunnel, body)
    rules.check(draft, ask.world.plans, ask.now)
    ask.commit(draft)
    return render.tunnel(ask.world, draft, tunnel, ask.now)


def delete(ask: Ask) -> None:
    """204."""
    draft = ask.draft(NO_RESOURCE)
    connection = ask.connection(draft)
    connection.tunnels.remove(ask.tunnel(connection))
    ask.commit(draft)


def _check_companions(behaviour: Behaviour, body: requests.TunnelPatch) -> None:
    """What today's API wants beside the change itself."""
    missing = []
    if behaviour.tunnel_name_required and not body.sent("name"):
        missing.append("name")
    if (
        behaviour.authentication_required
        and body.sent("ipsec")
        and not body.ipsec.authentication.sent("authentication")
    ):
        missing.append("ipsec.authentication.authentication")
    if missing:
        raise invalid(*((name, "Field required") for name in missing))
