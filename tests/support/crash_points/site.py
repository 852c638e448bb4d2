"""The tree of most stories: a gateway, a connection, two tunnels and the Secret that both share."""

from __future__ import annotations

import hashlib

from support.crash_points.act import Stand
from support.scenario import Body, cloud_objects, is_ready, route

SITE = (("NetworkGateway", "edge"), ("VpnConnection", "office"), ("VpnTunnel", "office-1"), ("VpnTunnel", "office-2"))


def make(stand: Stand) -> None:
    scenario = stand.scenario
    stand.key = scenario.secret()
    scenario.gateway(addresses=[{"name": "public"}])
    scenario.connection(remoteRoutes=[route("office", "10.0.2.0/24")])
    for number in (1, 2):
        scenario.tunnel(f"office-{number}", remoteAddress={"address": f"100.10.0.{110 + number}"})


def all_ready(stand: Stand, number: int = 4) -> bool:
    objects = stand.scenario.objects()
    return len(objects) == number and all(map(is_ready, objects))


def keys(stand: Stand) -> dict[str, str]:
    """Of every tunnel in the cloud, the hash of its key."""
    found = cloud_objects(stand.scenario.cloud.gateways())
    return {body["uuid"]: body["psk_sha256"] for body in found if "psk_sha256" in body}


def made(stand: Stand) -> bool:
    wanted = hashlib.sha256(stand.key.encode()).hexdigest()
    return all_ready(stand) and list(keys(stand).values()) == [wanted] * 2


def gone(stand: Stand) -> bool:
    return not stand.scenario.objects() and not stand.scenario.cloud.gateways()


def body_of(stand: Stand, name: str) -> Body:
    """What the cloud has under this name."""
    return next(body for body in cloud_objects(stand.scenario.cloud.gateways()) if body["name"] == name)
