"""What UpCloud answers, as models with sensible values, and objects of ours that belong to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from netgw.engine.objects import Object
from netgw.providers.upcloud.api import Connection, Gateway, Plan, Router, Tunnel
from netgw.providers.upcloud.api.requests import encode
from netgw.providers.upcloud.gateway.snapshot import Entry

NOW = datetime(2026, 11, 22, 3, 0, 0, tzinfo=UTC)
GATEWAY_UUID = "10c153e0-12e4-4dea-8748-4f34850ff55d"
CONNECTION_UUID = "1028b4fa-4248-4e3a-8a5d-2f346baa9455"
TUNNEL_UUID = "10c1bd87-4da5-4709-9471-3d60c8a70639"
ROUTER_UUID = "04f55cc1-bcd9-49eb-bd56-d65d7e3f2156"

PLANS = {
    name: Plan(name=name, supported_features=features, vpn_tunnel_amount=amount)
    for name, features, amount in (
        ("development", ("nat",), 0),
        ("production", ("nat", "vpn"), 2),
        ("advanced", ("nat", "vpn"), 10),
    )
}

GATEWAY_SPEC: dict[str, Any] = {
    "zone": "fi-hel1",
    "plan": "production",
    "features": ["vpn"],
    "routerRef": {"uuid": ROUTER_UUID},
}
CONNECTION_SPEC: dict[str, Any] = {
    "gatewayRef": {"name": "edge"},
    "localRoutes": [{"name": "cloud", "staticNetwork": "10.0.1.0/24"}],
}
TUNNEL_SPEC: dict[str, Any] = {
    "connectionRef": {"name": "office"},
    "remoteAddress": {"address": "100.10.0.111"},
    "ipsec": {"authentication": {"pskSecretRef": {"name": "office-psk"}}},
}


def gateway(**over: Any) -> Gateway:
    body = {
        "uuid": GATEWAY_UUID,
        "name": "edge",
        "zone": "fi-hel1",
        "plan": "production",
        "features": ["vpn"],
        "routers": [{"uuid": ROUTER_UUID}],
        "addresses": [{"name": "public", "address": "5.22.223.254"}],
        "configured_status": "started",
        "operational_state": "running",
        "connections": [],
        "labels": [],
        "automatic_tunnel_internal_ip_allocation": True,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Gateway.model_validate(body | over)


def connection(*tunnels: Tunnel, **over: Any) -> Connection:
    body = {
        "uuid": CONNECTION_UUID,
        "name": "office",
        "type": "ipsec",
        "local_routes": [{"name": "cloud", "type": "static", "static_network": "10.0.1.0/24"}],
        "remote_routes": [{"name": "office", "type": "static", "static_network": "10.0.2.0/24"}],
        "tunnels": tunnels,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Connection.model_validate(body | over)


def tunnel(**over: Any) -> Tunnel:
    ipsec = {
        "authentication": {"authentication": "psk"},
        "phase1_algorithms": ["aes128", "aes256"],
        "phase1_integrity_algorithms": ["sha256", "sha384"],
        "phase1_dh_group_numbers": [14, 16],
        "phase2_algorithms": ["aes128", "aes256"],
        "phase2_integrity_algorithms": ["sha256", "sha384"],
        "phase2_dh_group_numbers": [14, 16],
        "rekey_time": 14400,
        "child_rekey_time": 1440,
        "ike_lifetime": 86400,
        "dpd_delay": 30,
        "dpd_timeout": 120,
    }
    body = {
        "uuid": TUNNEL_UUID,
        "name": "office-1",
        "local_address": {"name": "public"},
        "remote_address": {"address": "100.10.0.111"},
        "ipsec": ipsec | over.pop("ipsec", {}),
        "operational_state": "established",
        "tunnel_up": True,
        "tunnel_healthy": True,
        "tunnel_internal_ip": "",
        "internal_peer_ping_interval": 0,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Tunnel.model_validate(body | over)


def router(**over: Any) -> Router:
    body = {
        "uuid": ROUTER_UUID,
        "name": "hub",
        "type": "normal",
        "labels": [],
        "static_routes": [],
        "attached_networks": {"network": []},
        "attached_network_gateways": [],
    }
    return Router.model_validate(body | over)


def entry(seen: Gateway, *connections: Connection) -> Entry:
    """The gateway with these connections, as just read."""
    return Entry(seen.model_copy(update={"connections": connections}), 0.0, NOW)


def obj(kind: str, name: str, spec: dict[str, Any], status: dict[str, Any] | None = None, **metadata: Any) -> Object:
    meta = {"name": name, "namespace": "default", "uid": f"uid-{name}", "generation": 1, "resourceVersion": "1"}
    body = {"metadata": meta | metadata, "spec": spec, "status": {"observedGeneration": 1, **(status or {})}}
    return Object(kind, body)


def sent(body: BaseModel) -> Any:
    """The JSON that goes on the wire."""
    return json.loads(encode(body))


@dataclass
class Hands:
    """A clock that moves when told."""

    seconds: float = 0.0

    def now(self) -> float:
        return self.seconds

    def wall(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)
