"""What status says of a connection: its tunnels, counted. Pure."""

from __future__ import annotations

from netgw.engine.actuator import Condition, Observation
from netgw.providers.upcloud.api import Connection, Gateway
from netgw.providers.upcloud.tunnel.state import is_up, up_of_all


def describe(gateway: Gateway, connection: Connection) -> Observation:
    """A tunnel in a state that nobody knows counts as not up."""
    ups = [is_up(tunnel) for tunnel in connection.tunnels]
    return Observation(
        ready=_ready(gateway, connection, ups),
        conditions=(_redundant(ups),),
        fields={"tunnels": up_of_all(ups), "redundant": ups.count(True) >= 2},
    )


def _ready(gateway: Gateway, connection: Connection, ups: list[bool | None]) -> Condition:
    """The connection's rows of the Ready table."""
    if gateway.configured_status == "stopped":
        said = f"Gateway {gateway.name} is stopped, as configured: no traffic."
        return Condition("Ready", "False", "GatewayStopped", said)
    if not ups:
        return Condition("Ready", "True", "NoTunnels", "It has no tunnel yet: no traffic goes through it.")
    if True in ups:
        return Condition("Ready", "True", "TunnelsUp", f"Tunnels up: {up_of_all(ups)}.")
    names = ", ".join(sorted(tunnel.name for tunnel in connection.tunnels)[:5])
    more = f" and {len(ups) - 5} more" if len(ups) > 5 else ""
    return Condition("Ready", "False", "NoTunnelUp", f"No tunnel is up ({names}{more}): no traffic. Each says why.")


def _redundant(ups: list[bool | None]) -> Condition:
    if ups.count(True) >= 2:
        return Condition("Redundant", "True", "TunnelsUp", f"Tunnels up: {up_of_all(ups)}. Any one of them may fail.")
    if len(ups) < 2:
        return Condition("Redundant", "False", "TooFewTunnels", "Fewer than two tunnels: add one to another peer.")
    return Condition("Redundant", "False", "TooFewUp", f"Tunnels up: {up_of_all(ups)}. None of them may fail.")
