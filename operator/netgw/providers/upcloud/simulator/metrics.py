"""GET /gateway/{uuid}/metrics: key names of the API document's example (`initator`, `total_rejected_sessions`).

Numbers grow with the time that a tunnel is up, so that they can be told apart; they mean nothing else.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from . import states
from .records import Connection, Gateway, Tunnel
from .render import timestamp

if TYPE_CHECKING:
    from .world import World

_BYTES_PER_SECOND = 1000
_PACKETS_PER_SECOND = 10
_INTERNAL = {"idle": "uninitialized"}  # of the five states of the service, all others have their own name


def metrics(world: World, gateway: Gateway, now: datetime) -> dict[str, Any]:
    """`ike_sas` is null for a service without tunnels, as the OpenAPI preview allows."""
    sas = [
        _ike_sa(world, gateway, connection, tunnel, now)
        for connection in gateway.connections
        for tunnel in connection.tunnels
    ]
    online = gateway.online_at is not None and gateway.online_at <= now
    return {
        "gateways": [
            {
                "active_connections": 15 if online else 0,
                "created_at": timestamp(gateway.created_at),
                "name": gateway.name,
                "total_accepted_connections": 8773 if states.has_run(gateway, now) else 0,
                "total_rejected_sessions": 0,
                "updated_at": timestamp(now),
            }
        ],
        "ipsec_metrics": {"ike_sas": sas or None},
    }


def _ike_sa(world: World, gateway: Gateway, connection: Connection, tunnel: Tunnel, now: datetime) -> dict[str, Any]:
    seen = states.view(gateway, tunnel, now, world.tunnels)
    local = next((item.value for item in gateway.addresses if item.name == tunnel.local_address), "")
    seconds = _seconds(seen.up_since, now)
    name = f"{connection.name}/{tunnel.name}"
    return {
        "child_sas": [_child_sa(name, tunnel, seconds, now)] if seen.up else [],
        "created_at": timestamp(tunnel.created_at),
        "established": seconds,
        "heuristic_state": _heuristics(tunnel, seen, now),
        "initator": True,
        "internal_state": _INTERNAL.get(seen.operational_state, seen.operational_state),
        "local_host": local,
        "local_id": local,
        "name": name,
        "operational_state": seen.operational_state,
        "reauth_time": 0,
        "rekey_time": _left(tunnel.ipsec["rekey_time"], seconds),
        "remote_host": tunnel.remote_address,
        "remote_id": tunnel.remote_address,
        "tunnel_id": tunnel.number,
        "unique_id": str(tunnel.number),
        "updated_at": timestamp(now),
        "version": 2,
    }


def _child_sa(name: str, tunnel: Tunnel, seconds: int, now: datetime) -> dict[str, Any]:
    return {
        "bytes_in": seconds * _BYTES_PER_SECOND,
        "bytes_out": seconds * _BYTES_PER_SECOND,
        "created_at": timestamp(tunnel.created_at),
        "install_time": seconds,
        "life_time": _left(tunnel.ipsec["child_rekey_time"], seconds),
        "local_traffic_selectors": ["0.0.0.0/0", "::/0"],
        "name": name,
        "packets_in": seconds * _PACKETS_PER_SECOND,
        "packets_out": seconds * _PACKETS_PER_SECOND,
        "rekey_time": _left(tunnel.ipsec["child_rekey_time"], seconds),
        "remote_traffic_selectors": ["0.0.0.0/0", "::/0"],
        "spi_in": f"{tunnel.number * 2:08x}",
        "spi_out": f"{tunnel.number * 2 + 1:08x}",
        "state": "installed",
        "tunnel_id": tunnel.number,
        "unique_id": str(tunnel.number),
        "updated_at": timestamp(now),
    }


def _heuristics(tunnel: Tunnel, seen: states.TunnelView, now: datetime) -> dict[str, Any]:
    return {
        "down_events": tunnel.downs,
        "last_down_message": tunnel.last_down_message,
        "last_down_message_updated_at": timestamp(tunnel.last_down_message_at or tunnel.created_at),
        "log_message_bad_events": int(tunnel.last_down_message_at is not None),
        "tunnel_healthy": seen.healthy,
        "tunnel_up": seen.up,
        "up_events": tunnel.downs + seen.up,
        "updated_at": timestamp(now),
    }


def _seconds(since: datetime | None, now: datetime) -> int:
    return 0 if since is None else max(0, (now - since) // timedelta(seconds=1))


def _left(period: int, seconds: int) -> int:
    return period - seconds % period if period else 0
