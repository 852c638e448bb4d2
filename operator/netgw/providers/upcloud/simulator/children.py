"""Connections and tunnels from request bodies: how they are made, merged and how a list replaces a list.

Recorded: a connection's `tunnels` list renamed a lone tunnel in place (same addresses, new name); a service's
`connections` list made a connection with a new name anew. Matching by uuid and name is an assumption.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from . import defaults, problems, requests, states
from .ask import Ask
from .records import Connection, Gateway, Route, Tunnel

Old = TypeVar("Old", Connection, Tunnel)
New = TypeVar("New", requests.Connection, requests.Tunnel)


def add_connection(ask: Ask, gateway: Gateway, body: requests.Connection, path: str = "") -> Connection:
    """A new connection in the draft. `path` is where the body stands in the request, for `invalid_params`."""
    if not (body.local_routes or body.remote_routes or body.tunnels):
        raise problems.invalid(
            (f"{path}local_routes", "At least one of local_routes, remote_routes, tunnels is needed.")
        )
    uuid = body.uuid or ask.world.new_uuid("10")
    connection = Connection(uuid, body.name, body.type, created_at=ask.now, updated_at=ask.now)
    gateway.connections.append(connection)
    change_connection(ask, gateway, connection, body, path)
    return connection


def change_connection(
    ask: Ask, gateway: Gateway, connection: Connection, body: requests.ConnectionPatch, path: str = ""
) -> None:
    """What was sent replaces what was there; what was not stays."""
    if body.sent("uuid") and body.uuid != connection.uuid:
        raise problems.invalid((f"{path}uuid", "Cannot be changed."))
    connection.name = body.name if body.sent("name") else connection.name
    connection.type = body.type if body.sent("type") else connection.type
    if body.sent("local_routes"):
        connection.local_routes = _routes(body.local_routes)
    if body.sent("remote_routes"):
        connection.remote_routes = _routes(body.remote_routes)
    if body.sent("tunnels"):
        _replace_tunnels(ask, gateway, connection, body.tunnels, path)
    connection.updated_at = ask.now


def replace_connections(ask: Ask, gateway: Gateway, bodies: Sequence[requests.Connection]) -> None:
    """The set becomes what was sent. Kept, with their uuids: those of a sent uuid or name.

    For other clients: the operator writes each connection by itself, so that it ends none that it does not know.
    """
    kept = _match(gateway.connections, bodies)
    gateway.connections = []
    for index, (body, old) in enumerate(zip(bodies, kept, strict=True)):
        path = f"connections.{index}."
        if old is None:
            add_connection(ask, gateway, body, path)
        else:
            gateway.connections.append(old)
            change_connection(ask, gateway, old, body, path)


def add_tunnel(ask: Ask, gateway: Gateway, connection: Connection, body: requests.Tunnel, path: str = "") -> Tunnel:
    """A new tunnel in the draft, every default filled in."""
    if not body.ipsec.authentication.sent("psk"):
        raise problems.invalid((f"{path}ipsec.authentication.psk", "Field required"))
    tunnel = Tunnel(
        uuid=body.uuid or ask.world.new_uuid("10"),
        name=body.name,
        number=ask.world.new_tunnel_number(),
        created_at=ask.now,
        updated_at=ask.now,
        since=ask.now,
        settle=ask.world.delay,
        ipsec=copy.deepcopy(defaults.IPSEC),
    )
    connection.tunnels.append(tunnel)
    _fill(gateway, tunnel, body, path)
    tunnel.updated_at = ask.now
    return tunnel


def change_tunnel(
    ask: Ask, gateway: Gateway, tunnel: Tunnel, body: requests.Tunnel | requests.TunnelPatch, path: str = ""
) -> None:
    """Merges what was sent, inside `ipsec` too. A change that both peers must agree on cuts an up tunnel off."""
    before = _agreed(tunnel)
    was = states.natural_state(gateway, tunnel, ask.now, ask.world.tunnels)
    if body.sent("name"):
        tunnel.name = body.name
    _fill(gateway, tunnel, body, path)
    tunnel.updated_at = ask.now
    if _agreed(tunnel) != before:
        states.start_over(tunnel, ask.now, ask.world.delay, was_up=was in states.UP_STATES)


def _replace_tunnels(
    ask: Ask, gateway: Gateway, connection: Connection, bodies: Sequence[requests.Tunnel], path: str
) -> None:
    kept = _match(connection.tunnels, bodies, _same_addresses)
    connection.tunnels = []
    for index, (body, old) in enumerate(zip(bodies, kept, strict=True)):
        at = f"{path}tunnels.{index}."
        if old is None:
            add_tunnel(ask, gateway, connection, body, at)
        else:
            connection.tunnels.append(old)
            change_tunnel(ask, gateway, old, body, at)


def _fill(gateway: Gateway, tunnel: Tunnel, body: requests.Tunnel | requests.TunnelPatch, path: str) -> None:
    if body.sent("local_address"):
        tunnel.local_address = body.local_address.name
    if body.sent("remote_address"):
        tunnel.remote_address = body.remote_address.address
    if body.sent("tunnel_internal_ip"):
        if body.tunnel_internal_ip and gateway.automatic_internal_ips:
            reason = "Cannot be assigned while automatic_tunnel_internal_ip_allocation is true."
            raise problems.invalid((f"{path}tunnel_internal_ip", reason))
        tunnel.internal_ip = body.tunnel_internal_ip
    if body.sent("internal_peer_ping_interval"):
        tunnel.ping_interval = body.internal_peer_ping_interval
    if body.sent("ipsec"):
        tunnel.ipsec |= body.ipsec.values_sent()
        authentication = body.ipsec.authentication
        if authentication.sent("authentication"):
            tunnel.authentication = authentication.authentication
        if authentication.sent("psk"):
            tunnel.psk_sha256 = hashlib.sha256(authentication.psk.get_secret_value().encode()).hexdigest()


def _agreed(tunnel: Tunnel) -> tuple[object, ...]:
    proposals = [tunnel.ipsec[key] for key in defaults.PROPOSALS]
    return tunnel.psk_sha256, tunnel.local_address, tunnel.remote_address, proposals


def _routes(bodies: Sequence[requests.Route]) -> list[Route]:
    return [Route(body.name, body.static_network, body.type) for body in bodies]


def _same_addresses(old: Tunnel, new: requests.Tunnel) -> bool:
    return (old.local_address, old.remote_address) == (new.local_address.name, new.remote_address.address)


def _match(
    olds: Sequence[Old], news: Sequence[New], alike: Callable[[Old, New], bool] | None = None
) -> list[Old | None]:
    """For each new item the old one that it continues: of its uuid, else of its name, else the only one alike."""
    free = list(olds)
    found: dict[int, Old] = {}
    tests: list[Callable[[Old, New], bool]] = [
        lambda o, n: o.uuid == n.uuid,
        lambda o, n: o.name == n.name and not n.uuid,
    ]
    if alike is not None:
        tests.append(lambda o, n: alike(o, n) and not n.uuid)
    for same in tests:
        for index, new in enumerate(news):
            candidates = [old for old in free if same(old, new)]
            if index not in found and len(candidates) == 1:
                found[index] = candidates[0]
                free.remove(candidates[0])
    return [found.get(index) for index in range(len(news))]
