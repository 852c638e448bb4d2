"""Advice about a gateway and its router, and what of a gateway advice on its children depends on. Pure."""

from __future__ import annotations

from netgw.providers.upcloud.advice.tunnels import Parent
from netgw.providers.upcloud.api import Gateway


def advise(router: str, networks: int | None) -> tuple[str, ...]:
    """What to say on a router, or on the gateway of a router that has no object. `networks`: attached; None: unknown.

    `router`: how people call it, such as "router 04f5…" or "Router edge".
    """
    if networks != 0:
        return ()
    said = f"No network is attached to {router}: no machine reaches the gateway, and it serves nobody."
    return (f"{said} Attach a private network to the router in UpCloud.",)


def parent(gateway: Gateway | None, called: str) -> Parent:
    """The gateway as a tunnel's advice needs it. UpCloud allocates unless it says that it does not."""
    automatic = None if gateway is None else gateway.automatic_tunnel_internal_ip_allocation is not False
    return Parent(called, automatic)


def only_address(gateway: Gateway | None) -> str | None:
    """The name of the gateway's address, where it has just one."""
    if gateway is None or len(gateway.addresses) != 1:
        return None
    return gateway.addresses[0].name


def outline(gateway: Gateway) -> tuple[object, ...]:
    """What of a gateway and all below it is in advice: when it moves, each child has to be judged again.

    Without states and times, which move all the time, and without order, which means nothing.
    """
    connections = gateway.connections or ()
    return (
        gateway.name,
        gateway.automatic_tunnel_internal_ip_allocation,
        tuple(address.name for address in gateway.addresses),
        frozenset((c.uuid, c.name, c.local_routes, c.remote_routes) for c in connections),
        frozenset(
            (t.uuid, t.name, t.local_address, t.remote_address, t.tunnel_internal_ip)
            for c in connections
            for t in c.tunnels
        ),
    )
