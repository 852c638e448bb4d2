"""What somebody may do by hand to each field of gateway, connection and tunnel, and the call that puts it back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pydantic.alias_generators import to_camel

from netgw.engine.ownership import MARK
from netgw.providers.upcloud.simulator.records import Gateway, Route
from netgw.providers.upcloud.tunnel.plan import SETS, TIMERS

FLOATING = "198.51.100.77"
ALGORITHMS, INTEGRITY, GROUPS = ["aes256", "aes128"], ["sha512", "sha256"], [21, 14]
VALUES: dict[str, Any] = {
    **{name: GROUPS if "dh" in name else INTEGRITY if "integrity" in name else ALGORITHMS for name in SETS},
    **dict.fromkeys(TIMERS, 1000),
}
Harm = Callable[[Gateway], object]


def ipsec(field: str, value: Any) -> Harm:
    return lambda gateway: gateway.tunnels[0].ipsec.update({field: value})


def _set(part: Callable[[Gateway], Any], field: str, value: Any) -> Harm:
    return lambda gateway: setattr(part(gateway), field, value)


def _itself(gateway: Gateway) -> Any:
    return gateway


def _office(gateway: Gateway) -> Any:
    return gateway.connections[0]


def _first(gateway: Gateway) -> Any:
    return gateway.tunnels[0]


def _address(gateway: Gateway) -> None:
    gateway.addresses = [replace(each, value="203.0.113.99", floating=False) for each in gateway.addresses]


OTHER_ROUTE = [Route("other", "10.0.99.0/24")]
TUNNEL = {"name": "office-1"}
IPSEC = {"authentication": {"authentication": "psk"}}
DRIFTS: dict[str, tuple[str, Harm, Any]] = {
    "name": ("edge", _set(_itself, "name", "rim"), {"name": "edge"}),
    "plan": ("edge", _set(_itself, "plan", "advanced"), {"plan": "production"}),
    "features": ("edge", _set(_itself, "features", ["nat", "vpn"]), {"features": ["vpn"]}),
    "configuredStatus": ("edge", _set(_itself, "configured_status", "stopped"), {"configured_status": "started"}),
    "automaticTunnelInternalIpAllocation": (
        "edge",
        _set(_itself, "automatic_internal_ips", True),
        {"automatic_tunnel_internal_ip_allocation": False},
    ),
    "addresses[public].address": ("edge", _address, {"address": FLOATING}),
    "labels[env]": ("edge", lambda gateway: gateway.labels.update(env="test"), {"value": "prod"}),
    "labels[tier]": ("edge", lambda gateway: gateway.labels.pop("tier"), {"key": "tier", "value": ""}),
    f"labels[{MARK}]": ("edge", lambda gateway: gateway.labels.pop(MARK), None),
    "localRoutes": (
        "office",
        _set(_office, "local_routes", OTHER_ROUTE),
        {"local_routes": [{"name": "cloud", "type": "static", "static_network": "10.0.1.0/24"}]},
    ),
    "remoteRoutes": (
        "office",
        _set(_office, "remote_routes", []),
        {"remote_routes": [{"name": "office", "type": "static", "static_network": "10.0.2.0/24"}]},
    ),
    "tunnel name": ("office-1", _set(_first, "name", "paris-1"), TUNNEL),
    "localAddress.name": (
        "office-1",
        _set(_first, "local_address", "private"),
        TUNNEL | {"local_address": {"name": "public"}},
    ),
    "remoteAddress.address": (
        "office-1",
        _set(_first, "remote_address", "100.10.0.5"),
        TUNNEL | {"remote_address": {"address": "100.10.0.111"}},
    ),
    "tunnelInternalIp": (
        "office-1",
        _set(_first, "internal_ip", "169.254.99.1"),
        TUNNEL | {"tunnel_internal_ip": "169.254.17.1"},
    ),
    "internalPeerPingInterval": (
        "office-1",
        _set(_first, "ping_interval", 0),
        TUNNEL | {"internal_peer_ping_interval": 30},
    ),
    **{
        f"ipsec.{to_camel(field)}": (
            "office-1",
            ipsec(field, value[:1] if isinstance(value, list) else 2000),
            TUNNEL | {"ipsec": IPSEC | {field: value}},
        )
        for field, value in VALUES.items()
    },
}
"""Field to the object that has it, the harm, and the body that puts it back (None: whatever it is)."""


def harms(name: str) -> list[tuple[str, Harm, Any]]:
    """Those of one object."""
    return [(path, harm, body) for path, (whom, harm, body) in DRIFTS.items() if whom == name]
