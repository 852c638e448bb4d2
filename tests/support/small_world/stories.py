"""Stories of the smallest world: one gateway, one connection, one tunnel, one Secret."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from support.history import CONNECTION, GATEWAY, KEY, OTHER_KEY, History, tunnel

ROUTES = [{"name": "cloud", "staticNetwork": "10.0.9.0/24"}]
TUNNEL = "office-1"


@dataclass(frozen=True)
class Story:
    """`act` begins it. `begun`: everything is there and at rest before. `done`: the cloud has what is wanted.

    `effects`: the fields in the cloud that change, each once.
    """

    name: str
    act: Callable[[History], None]
    done: Callable[[History], bool]
    begun: bool = True
    left: int = 1
    effects: tuple[str, ...] = ()


def _settled(h: History) -> bool:
    h.world.stamp()
    return len(h.objects()) == 3 and all(h.ready(obj) and not obj.status.get("interruptedAt") for obj in h.objects())


def _key(h: History) -> str | None:
    return next((found.psk_sha256 for gateway in h.world.gateways.values() for found in gateway.tunnels), None)


def _has_key(h: History, key: str) -> bool:
    return _settled(h) and _key(h) == hashlib.sha256(key.encode()).hexdigest()


def _gone(h: History) -> bool:
    return not h.kubernetes.objects


def _create(h: History) -> None:
    h.apply_all(tunnels=1)


def _change_gateway(h: History) -> None:
    h.kubernetes.apply("NetworkGateway", "edge", GATEWAY | {"plan": "advanced"})


def _change_connection(h: History) -> None:
    h.kubernetes.apply("VpnConnection", "office", CONNECTION | {"localRoutes": ROUTES})


def _change_tunnel(h: History) -> None:
    h.kubernetes.apply("VpnTunnel", TUNNEL, tunnel("100.10.0.111", ipsec={"rekeyTime": 7200}))


def _rotate(h: History) -> None:
    h.kubernetes.put_secret("office-psk", OTHER_KEY.encode())


def _delete(h: History) -> None:
    for ref in list(h.kubernetes.objects):
        h.kubernetes.delete(ref.kind, ref.name)


CREATE = Story("create", _create, lambda h: _has_key(h, KEY), begun=False)
CHANGES = (
    Story("change gateway", _change_gateway, _settled, effects=("plan",)),
    Story("change connection", _change_connection, _settled, effects=("local_routes",)),
    Story("change tunnel", _change_tunnel, _settled, effects=("ipsec",)),
    Story("rotate", _rotate, lambda h: _has_key(h, OTHER_KEY), effects=("psk_sha256",)),
)
DELETE = Story("delete", _delete, _gone, left=0)
STORIES = (CREATE, *CHANGES, DELETE)
