"""What the state machine plays with, and what must have come of an object once nothing is in its way."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterator, Sequence
from typing import Any

from support.recorder import Version
from support.scenario import Body, is_ready, route

Ref = tuple[str, str]
CAST: tuple[Ref, ...] = (
    ("NetworkGateway", "edge"),
    ("VpnConnection", "office"),
    ("VpnTunnel", "office-1"),
    ("VpnTunnel", "office-2"),
)
PARENTS = {"VpnConnection": CAST[0], "VpnTunnel": CAST[1]}
CHILDREN = {"NetworkGateway": "VpnConnection", "VpnConnection": "VpnTunnel"}


def spec_of(ref: Ref, router: str) -> Body:
    """With which an object is applied; edits come on top."""
    match ref[0]:
        case "NetworkGateway":
            return {"zone": "fi-hel1", "plan": "production", "features": ["vpn"], "routerRef": {"uuid": router}}
        case "VpnConnection":
            return {"gatewayRef": {"name": "edge"}, "localRoutes": [route("cloud", "10.0.1.0/24")]}
        case _:
            ipsec = {"authentication": {"pskSecretRef": {"name": "office-psk"}}}
            address = f"100.10.0.11{ref[1][-1]}"
            return {"connectionRef": {"name": "office"}, "remoteAddress": {"address": address}, "ipsec": ipsec}


def problems(objects: Sequence[Version], cloud: Sequence[Body], key: str | None) -> list[str]:
    """What is not yet as it has to be. `key`: that of the Secret, None where no tunnel can be made with it."""
    held = {str(version.status.get("uuid")) for version in objects}
    there = {str(body["uuid"]): body for body in cloud}
    found = [f"{uuid} is of no object" for uuid in there.keys() - held]
    for version in objects:
        kind, name = version.body["kind"], version.body["metadata"]["name"]
        if version.body["metadata"].get("deletionTimestamp"):
            below = any(other.body["kind"] == CHILDREN.get(kind) for other in objects)
            found += [] if below else [f"{name} is not gone"]
        elif not is_held_up(version, objects, there) and (kind != "VpnTunnel" or key is not None):
            if not is_ready(version):
                found.append(f"{name} is {version.status.get('reason')}")
            else:
                body = there.get(str(version.status.get("uuid")))
                found += [f"{name} is not in the cloud"] if body is None else differences(version, body, key)
    return found


def differences(version: Version, seen: Body, key: str | None) -> Iterator[str]:
    """Between what an object asks for and what the cloud has of it, of what users of the state machine edit."""
    for what, wanted, is_so in _compared(version.body["kind"], version.body["spec"], seen, key):
        if wanted != is_so:
            yield f"{version.body['metadata']['name']}: {what} is {is_so!r}, not {wanted!r}"


def _compared(kind: str, spec: Body, seen: Body, key: str | None) -> Iterator[tuple[str, Any, Any]]:
    match kind:
        case "NetworkGateway":
            labels = {label["key"]: label["value"] for label in seen["labels"]}
            yield "plan", spec["plan"], seen["plan"]
            yield "label env", (spec.get("labels") or {}).get("env"), labels.get("env")
        case "VpnConnection":
            for field, snake in ("localRoutes", "local_routes"), ("remoteRoutes", "remote_routes"):
                if field in spec:
                    wanted = [item["staticNetwork"] for item in spec[field]]
                    yield field, wanted, [item["static_network"] for item in seen[snake]]
        case _:
            yield "sha256 of the key", hashlib.sha256(str(key).encode()).hexdigest(), seen["psk_sha256"]
            if "rekeyTime" in spec["ipsec"]:
                yield "rekeyTime", spec["ipsec"]["rekeyTime"], seen["ipsec"]["rekey_time"]


def is_held_up(version: Version, objects: Sequence[Version], there: Container[str]) -> bool:
    """Whether it is paused, or has to wait for a parent: not there, going, or not to be made for the same reason.

    `there`: the uuids that the cloud has. What was taken away there has to be made, which nothing is below what goes.
    """
    if is_paused(version):
        return True
    if version.body["kind"] not in PARENTS:
        return False
    above = ancestors(version, objects)
    going = ["deletionTimestamp" in each.body["metadata"] for each in above]
    if not above or going[0] or (any(going) and version.status.get("uuid") not in there):
        return True
    return not above[0].status.get("uuid") and is_held_up(above[0], objects, there)


def ancestors(version: Version, objects: Sequence[Version]) -> list[Version]:
    """What is there of those above it, its parent first."""
    parent = PARENTS.get(version.body["kind"])
    found = [each for each in objects if (each.body["kind"], each.body["metadata"]["name"]) == parent]
    return [found[0], *ancestors(found[0], objects)] if found else []


def is_paused(version: Version) -> bool:
    return bool((version.body["metadata"].get("annotations") or {}).get("netgw.dev/paused"))


def tunnels(gateways: Sequence[Body]) -> list[tuple[str, Body]]:
    """All that the cloud has, each with its path."""
    connections = [(above, each) for above in gateways for each in above["connections"]]
    return [
        (f"/gateway/{above['uuid']}/connections/{connection['uuid']}/tunnels/{tunnel['uuid']}", tunnel)
        for above, connection in connections
        for tunnel in connection["tunnels"]
    ]
