"""Rules about a whole service, checked on the draft of every change before it takes effect.

Texts are those of the API document where it has one; they are the problem's title (assumption). Names of plan, zone and
router are checked where they are given, with `invalid_params`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from . import states
from .problems import invalid, refused
from .records import Connection, Gateway, Route, Tunnel

# Not "global non-private unicast". 100.64.0.0/10 is let through: an official client's test uses it.
_NOT_PUBLIC = [
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/4",
        "255.255.255.255/32",
    )
]


Plans = Mapping[str, Mapping[str, Any]]


def check(gateway: Gateway, plans: Plans, now: datetime) -> None:
    """Raises the first rule that the draft breaks. A plan that is listed no more has no limits."""
    _features(gateway, plans)
    _quota(gateway, plans)
    if _repeated(item.name for item in gateway.connections):
        raise refused("Duplicate connection name.")
    if _repeated(item.name for item in gateway.tunnels):
        raise refused("Duplicate tunnel name.")
    if _repeated(
        [gateway.uuid, *(item.uuid for item in gateway.connections), *(item.uuid for item in gateway.tunnels)]
    ):
        raise refused("Duplicate UUID.")
    names = {address.name for address in states.addresses(gateway, now)}
    for connection in gateway.connections:
        _connection(connection)
        for tunnel in connection.tunnels:
            _tunnel(tunnel, names)
    _internal_ips(gateway)


def plan(name: str, plans: Plans) -> None:
    """A plan's name."""
    if name not in plans:
        raise invalid(("plan", "Unknown plan."))


def _features(gateway: Gateway, plans: Plans) -> None:
    for feature in gateway.features:
        if gateway.plan in plans and feature not in plans[gateway.plan]["supported_features"]:
            raise invalid(("features", f"Feature {feature} is not supported by plan {gateway.plan}."))
    if gateway.connections and "vpn" not in gateway.features:
        raise refused("Vpn feature is required for connections.")


def _quota(gateway: Gateway, plans: Plans) -> None:
    if gateway.plan not in plans:
        return
    amount = plans[gateway.plan]["vpn_tunnel_amount"]
    for what, number in (("connections", len(gateway.connections)), ("tunnels", len(gateway.tunnels))):
        if number > amount:
            raise refused(f"Service with plan {gateway.plan} can have up to {amount} {what}.")


def _connection(connection: Connection) -> None:
    if connection.type != "ipsec":
        raise refused("Unknown connection type.")
    for side, routes in (("local", connection.local_routes), ("remote", connection.remote_routes)):
        for route in routes:
            if _network(route) is None:
                raise refused(f"Invalid {side} route: {route.static_network}.")
        if _repeated(route.name for route in routes):
            raise refused(f"Duplicate {side} route name.")


def _tunnel(tunnel: Tunnel, addresses: set[str]) -> None:
    if tunnel.local_address not in addresses:
        raise refused(f"Invalid local address: {tunnel.local_address} not found in service.")
    if any(IPv4Address(tunnel.remote_address) in network for network in _NOT_PUBLIC):
        raise refused("Invalid remote address.")
    if tunnel.authentication != "psk":
        raise refused("Unknown authentication type.")


def _internal_ips(gateway: Gateway) -> None:
    links = [IPv4Network(f"{item.internal_ip}/30", strict=False) for item in gateway.tunnels if item.internal_ip]
    routes = [route for item in gateway.connections for route in (*item.local_routes, *item.remote_routes)]
    taken = [network for network in map(_network, routes) if network is not None]
    if _repeated(links) or any(link.overlaps(network) for link in links for network in taken):
        raise refused("Tunnel internal IP overlaps another network of the service.")


def _network(route: Route) -> IPv4Network | None:
    """None when it is no IPv4 prefix, or has host bits set."""
    try:
        return IPv4Network(route.static_network) if "/" in route.static_network else None
    except ValueError:
        return None


def _repeated(values: Iterable[object]) -> bool:
    seen = list(values)
    return len(set(seen)) != len(seen)
