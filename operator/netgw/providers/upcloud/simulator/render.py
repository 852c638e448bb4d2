"""Records → JSON of the wire. Keys are sorted where the JSON is written."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from . import states
from .defaults import SERVICE_ROUTE
from .records import Address, Connection, Gateway, Route, Router, Tunnel

if TYPE_CHECKING:
    from .world import World


def timestamp(at: datetime) -> str:
    """RFC 3339 in UTC, up to six fractional digits, trailing zeros trimmed (recorded)."""
    text = at.strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0").rstrip(".")
    return text + "Z"


def gateway(world: World, item: Gateway, now: datetime) -> dict[str, Any]:
    """The service with everything in it."""
    behaviour = world.behaviour
    body: dict[str, Any] = {
        "addresses": [address(world, item, each, now) for each in states.addresses(item, now)],
        "configured_status": item.configured_status,
        "created_at": timestamp(item.created_at),
        "features": item.features,
        "labels": labels(item),
        "name": item.name,
        "operational_state": item.forced_state or states.natural_service_state(item, now),
        "routers": [{"created_at": timestamp(item.created_at), "uuid": item.router}],
        "updated_at": timestamp(states.updated_at(item, now)),
        "uuid": item.uuid,
        "zone": item.zone,
    }
    if behaviour.plan_and_connections:
        body["connections"] = [connection(world, item, each, now) for each in item.connections]
        body["plan"] = item.plan
    if behaviour.later_fields:
        body["automatic_tunnel_internal_ip_allocation"] = item.automatic_internal_ips
    return body


def labels(item: Gateway) -> list[dict[str, str]]:
    """A bare list of key and value."""
    return [{"key": key, "value": value} for key, value in item.labels.items()]


def address(world: World, parent: Gateway, item: Address, now: datetime) -> dict[str, str]:
    """One public address; the key `address` is there once the service has run."""
    body = {"name": item.name}
    if states.has_run(parent, now):
        body["address"] = item.value
    if world.behaviour.later_fields:
        body["provisioned_by"] = "user" if item.floating else "service"
    return body


def connection(world: World, parent: Gateway, item: Connection, now: datetime) -> dict[str, Any]:
    """The connection with its tunnels."""
    return {
        "created_at": timestamp(item.created_at),
        "local_routes": [_route(route) for route in item.local_routes],
        "name": item.name,
        "remote_routes": [_route(route) for route in item.remote_routes],
        "tunnels": [tunnel(world, parent, each, now) for each in item.tunnels],
        "type": item.type,
        "updated_at": timestamp(item.updated_at),
        "uuid": item.uuid,
    }


def _route(route: Route) -> dict[str, str]:
    return {"name": route.name, "static_network": route.static_network, "type": route.type}


def tunnel(world: World, parent: Gateway, item: Tunnel, now: datetime) -> dict[str, Any]:
    """The tunnel; its key is not in there and never was."""
    seen = states.view(parent, item, now, world.tunnels)
    body: dict[str, Any] = {
        "created_at": timestamp(item.created_at),
        "ipsec": {"authentication": {"authentication": item.authentication}, **item.ipsec},
        "local_address": {"name": item.local_address},
        "name": item.name,
        "operational_state": seen.operational_state,
        "remote_address": {"address": item.remote_address},
        "updated_at": timestamp(item.updated_at),
        "uuid": item.uuid,
    }
    if world.behaviour.later_fields:
        body["internal_peer_ping_interval"] = item.ping_interval
        body["tunnel_healthy"] = seen.healthy
        body["tunnel_internal_ip"] = item.internal_ip
        body["tunnel_up"] = seen.up
    return body


def router(world: World, item: Router, gateway: Gateway | None, now: datetime) -> dict[str, Any]:
    """The router as the core API shows it, with the route that its gateway adds while it lives."""
    routes = [{**asdict(route), "type": "user"} for route in item.static_routes]
    if gateway is not None and states.has_run(gateway, now):
        routes.append({"name": f"gateway-{gateway.uuid[:8]}", **SERVICE_ROUTE, "type": "service"})
    body: dict[str, Any] = {
        "attached_networks": {"network": [{"uuid": uuid} for uuid in item.networks]},
        "labels": item.labels,
        "name": item.name,
        "static_routes": routes,
        "type": "normal",
        "uuid": item.uuid,
    }
    if world.behaviour.attached_gateways:
        body["attached_network_gateways"] = [{"uuid": gateway.uuid}] if gateway is not None else []
    return body
