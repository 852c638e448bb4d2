"""Whether the cloud is as a spec says, field by field, without asking the operator's own plan."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from netgw.engine.objects import Object
from netgw.providers.upcloud.simulator.records import Connection, Gateway, Router, Tunnel
from support.simulation.scene import Scene

Resource = Gateway | Connection | Tunnel | Router


def resources(s: Scene) -> dict[str, tuple[Resource, str | None]]:
    """Everything in the cloud that is not on its way out, with what it is in, by uuid."""
    found: dict[str, tuple[Resource, str | None]] = {uuid: (router, None) for uuid, router in s.world.routers.items()}
    for gateway in s.alive():
        found[gateway.uuid] = gateway, gateway.router
        for connection in gateway.connections:
            found[connection.uuid] = connection, gateway.uuid
            found.update({tunnel.uuid: (tunnel, connection.uuid) for tunnel in connection.tunnels})
    return found


def differences(s: Scene) -> list[str]:
    """What is not as its spec says; only what the spec sets is compared."""
    found, wrong = resources(s), []
    for obj in s.objects():
        if obj.uuid not in found:
            wrong.append(f"{obj.ref}: {obj.uuid} is not in the cloud")
            continue
        resource, parent = found[obj.uuid]
        spec = dict(obj.spec)
        for what, wanted, seen in _compared(s, obj, spec, resource, parent):
            if wanted != seen:
                wrong.append(f"{obj.ref}: {what} is {seen!r}, not {wanted!r}")
    return wrong


def _compared(
    s: Scene, obj: Object, spec: dict[str, Any], resource: Resource, parent: str | None
) -> Iterator[tuple[str, Any, Any]]:
    yield "name", spec.get("name", obj.name), resource.name
    match resource:
        case Gateway():
            yield from _gateway(s, spec, resource, parent)
        case Router():
            labels = {label["key"]: label["value"] for label in resource.labels}
            yield "labels", spec.get("labels") or {}, {key: labels.get(key) for key in spec.get("labels") or {}}
            if "staticRoutes" in spec:
                static = [{"name": r.name, "route": r.route, "nexthop": r.nexthop} for r in resource.static_routes]
                yield "staticRoutes", spec["staticRoutes"], static
        case Connection():
            yield "gateway", _uuid(s, "NetworkGateway", spec["gatewayRef"]), parent
            for field, routes in ("localRoutes", resource.local_routes), ("remoteRoutes", resource.remote_routes):
                seen = [{"name": route.name, "staticNetwork": route.static_network} for route in routes]
                yield field, spec[field], seen
        case Tunnel():
            yield from _tunnel(s, obj, spec, resource, parent)


def _gateway(s: Scene, spec: dict[str, Any], found: Gateway, router: str | None) -> Iterator[tuple[str, Any, Any]]:
    yield "router", _uuid(s, "Router", spec["routerRef"]), router
    yield "plan", spec["plan"], found.plan
    yield "features", sorted(spec["features"]), sorted(found.features)
    wanted = spec.get("labels") or {}
    yield "labels", wanted, {key: found.labels.get(key) for key in wanted}
    if "automaticTunnelInternalIpAllocation" in spec:
        yield "automatic", spec["automaticTunnelInternalIpAllocation"], found.automatic_internal_ips


def _tunnel(
    s: Scene, obj: Object, spec: dict[str, Any], found: Tunnel, parent: str | None
) -> Iterator[tuple[str, Any, Any]]:
    yield "connection", _uuid(s, "VpnConnection", spec["connectionRef"]), parent
    yield "remoteAddress", spec["remoteAddress"]["address"], found.remote_address
    if "rekeyTime" in spec["ipsec"]:
        yield "rekeyTime", spec["ipsec"]["rekeyTime"], found.ipsec["rekey_time"]
    if s.keys_known and (obj.condition("PskInSync") or {}).get("status") == "True":
        key = s.kubernetes.secrets["default", "office-psk"].data["psk"].get_secret_value()
        yield "sha256 of the key", hashlib.sha256(key).hexdigest(), found.psk_sha256


def _uuid(s: Scene, kind: str, ref: dict[str, str]) -> str | None:
    if "uuid" in ref:
        return ref["uuid"]
    obj = s.kubernetes.get(kind, ref["name"])
    return None if obj is None else obj.uuid
