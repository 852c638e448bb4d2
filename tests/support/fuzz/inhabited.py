"""A simulated cloud with something in it, and requests that are led to what is there."""

from __future__ import annotations

import random
from typing import Any

import httpx

from netgw.providers.upcloud.simulator import World, transport

ROUTER = "04f55cc1-bcd9-49eb-bd56-d65d7e3f2156"
TOKEN = "madeup-token"
PEER = "100.10.0.111"
GATEWAY: dict[str, Any] = {
    "name": "edge",
    "zone": "fi-hel1",
    "plan": "production",
    "features": ["nat", "vpn"],
    "routers": [{"uuid": ROUTER}],
    "configured_status": "started",
    "addresses": [{"name": "public"}],
    "labels": [{"key": "env", "value": "test"}],
}
TUNNEL: dict[str, Any] = {
    "name": "office-1",
    "local_address": {"name": "public"},
    "remote_address": {"address": PEER},
    "ipsec": {"authentication": {"authentication": "psk", "psk": "madeup_psk_for_tests_1"}},
}


def client(world: World) -> httpx.AsyncClient:
    """With a credential."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return httpx.AsyncClient(transport=transport(world), base_url="http://simulator", headers=headers)


async def inhabit(world: World) -> None:
    """As at its start, with a gateway, a connection and a tunnel."""
    world.reset()
    routes = [{"name": "cloud", "type": "static", "static_network": "10.0.1.0/24"}]
    connection = {"name": "office", "type": "ipsec", "local_routes": routes, "tunnels": [TUNNEL]}
    async with client(world) as door:
        (await door.post("/1.3/gateway", json=GATEWAY | {"connections": [connection]})).raise_for_status()
    world.attach_network(ROUTER, None)


def lead_there(case: Any, world: World, rng: random.Random) -> None:
    """Most parts of the path become names of what there is, and so do some references of the body."""
    for name, value in _there(case.operation.path, world, rng).items():
        if name in (case.path_parameters or {}) and rng.random() < 0.85:
            case.path_parameters[name] = value
    if isinstance(case.body, dict) and "routers" in case.body and rng.random() < 0.5:
        case.body |= {"routers": [{"uuid": _free_router(world, rng)}], "zone": "fi-hel1", "plan": "production"}
    if isinstance(case.body, dict) and "static_network" in str(case.body) and rng.random() < 0.5:
        case.body = _with_networks(case.body, rng)


def _free_router(world: World, rng: random.Random) -> str:
    """One without a gateway if there is any, mostly."""
    free = [uuid for uuid in world.routers if uuid not in world.attached()]
    return rng.choice(free or list(world.routers))


def _there(path: str, world: World, rng: random.Random) -> dict[str, str]:
    gateway = rng.choice(list(world.gateways.values()))
    found = {"gateway": gateway.uuid, "router": rng.choice(list(world.routers)), "plan": "production"}
    plain = filter(str.isalnum, gateway.labels)  # any other character may make it another route
    found |= {"name": "public", "key": rng.choice([*plain, "env"])}
    router = world.routers[found["router"]]
    found |= {"network": rng.choice([*router.networks, "none"])}
    if gateway.connections:
        connection = rng.choice(gateway.connections)
        found["connection"] = connection.uuid
        if connection.tunnels:
            found["tunnel"] = rng.choice(connection.tunnels).uuid
    of = next((kind for kind in ("tunnel", "gateway", "router") if path.startswith(f"/_sim/{kind}s/")), None)
    return found | ({"uuid": found[of]} if of in found else {})


def _with_networks(value: Any, rng: random.Random) -> Any:
    """Routes that are networks, and peers that are addresses of the internet, so that more than form is judged."""
    if isinstance(value, dict):
        good = {"static_network": f"10.{rng.randrange(256)}.0.0/24", "type": "static"}
        return {key: good[key] if key in good and "static_network" in value else _with_networks(each, rng)
                for key, each in value.items()}  # fmt: skip
    return [_with_networks(each, rng) for each in value] if isinstance(value, list) else value
