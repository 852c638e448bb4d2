"""What the state machine plays with, and what must have come of an object once nothing is in its way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from support.stage import SAMPLE_ROUTER

Body = dict[str, Any]
PARENTS = {"VpnConnection": ("NetworkGateway", "edge"), "VpnTunnel": ("VpnConnection", "office")}
CHILDREN = {"NetworkGateway": "VpnConnection", "VpnConnection": "VpnTunnel"}


def specs() -> dict[tuple[str, str], Body]:
    """Who plays: a gateway, a connection, two tunnels that share a Secret."""
    ipsec = {"authentication": {"pskSecretRef": {"name": "office-psk"}}}
    found: dict[tuple[str, str], Body] = {
        ("NetworkGateway", "edge"): {
            "zone": "fi-hel1", "plan": "production", "features": ["vpn"], "routerRef": {"uuid": SAMPLE_ROUTER},
        },
        ("VpnConnection", "office"): {
            "gatewayRef": {"name": "edge"}, "localRoutes": [{"name": "cloud", "staticNetwork": "10.0.1.0/24"}],
        },
    }  # fmt: skip
    for number in (1, 2):
        peer = {"address": f"100.10.0.{110 + number}"}
        found["VpnTunnel", f"office-{number}"] = {
            "connectionRef": {"name": "office"}, "remoteAddress": peer, "ipsec": ipsec,
        }  # fmt: skip
    return found


def differences(body: Body, seen: Body | None, key: str) -> Iterator[str]:
    """Between what an object asks for and what the cloud has of it, of what users of the state machine edit."""
    name, spec = body["metadata"]["name"], body["spec"]
    if seen is None:
        yield f"{name} is not in the cloud"
    elif body["kind"] == "VpnTunnel":
        if seen["psk_sha256"] != hashlib.sha256(key.encode()).hexdigest():
            yield f"{name} has another key"
        wanted = spec["ipsec"].get("rekeyTime", seen["ipsec"]["rekey_time"])
        if seen["ipsec"]["rekey_time"] != wanted:
            yield f"{name}: rekey_time"
    elif body["kind"] == "VpnConnection":
        wanted = [route["staticNetwork"] for route in spec.get("remoteRoutes", ())]
        if wanted and [route["static_network"] for route in seen["remote_routes"]] != wanted:
            yield f"{name}: remote_routes"
    else:
        labels = {label["key"]: label["value"] for label in seen["labels"]}
        if labels.get("env") != (spec.get("labels") or {}).get("env"):
            yield f"{name}: labels"


def is_held_up(body: Body, objects: list[Body]) -> bool:
    """Whether it, or what it lies in, is paused, is not there or is going."""
    if (body["metadata"].get("annotations") or {}).get("netgw.dev/paused"):
        return True
    parent = PARENTS.get(body["kind"])
    if parent is None:
        return False
    found = [each for each in objects if (each["kind"], each["metadata"]["name"]) == parent]
    return not found or "deletionTimestamp" in found[0]["metadata"] or is_held_up(found[0], objects)
