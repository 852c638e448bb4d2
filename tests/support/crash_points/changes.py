"""What changes a tree that stands: the spec, the Secret, and somebody's hand in the cloud."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from support.crash_points.act import Act, Stand
from support.crash_points.site import body_of, made, make
from support.scenario import Body, route


@dataclass(frozen=True)
class Field:
    """One of a kind. Its `values` take turns in the spec; `drift` makes a PATCH by hand of what the cloud has."""

    kind: str
    name: str
    field: str
    values: tuple[Any, Any]
    drift: Callable[[Body], Body]

    def asked(self, stand: Stand) -> Any:
        return stand.scenario.get(self.kind, self.name).body["spec"].get(self.field)

    def in_cloud(self, stand: Stand) -> Any:
        body = body_of(stand, self.name)
        if self.field == "localRoutes":
            return [whole_route(item["name"], item["static_network"]) for item in body["local_routes"]]
        # The API leaves it out where it is 0.
        return body.get("internal_peer_ping_interval", 0) if self.kind == "VpnTunnel" else body[self.field]

    def set(self, stand: Stand) -> None:
        """The other of its values."""
        first, second = self.values
        stand.scenario.change(self.kind, self.name, **{self.field: second if self.asked(stand) == first else first})

    def applied(self, stand: Stand) -> bool:
        return made(stand) and self.in_cloud(stand) == self.asked(stand)

    def by_hand(self, stand: Stand) -> None:
        gateway, connection = body_of(stand, "edge")["uuid"], body_of(stand, "office")["uuid"]
        path = {"edge": f"/gateway/{gateway}", "office": f"/gateway/{gateway}/connections/{connection}"}
        body = body_of(stand, self.name)
        where = path.get(self.name, f"{path['office']}/tunnels/{body['uuid']}")
        stand.scenario.cloud.api("PATCH", where, self.drift(body))

    def corrected(self, stand: Stand) -> bool:
        return self.applied(stand) and not any("drift" in version.status for version in stand.scenario.objects())


def other_plan(gateway: Body) -> Body:
    return {"plan": "advanced" if gateway["plan"] == "production" else "production"}


def no_routes(_: Body) -> Body:
    return {"local_routes": []}


def no_pings(tunnel: Body) -> Body:
    return {"name": tunnel["name"], "internal_peer_ping_interval": 0}


def whole_route(name: str, network: str) -> Body:
    """As the API server hands it out."""
    return {**route(name, network), "type": "static"}


ROUTES = ([whole_route("cloud", "10.0.1.0/24")], [whole_route("cloud", "10.0.9.0/24")])
FIELDS = (
    Field("NetworkGateway", "edge", "plan", ("production", "advanced"), other_plan),
    Field("VpnConnection", "office", "localRoutes", ROUTES, no_routes),
    Field("VpnTunnel", "office-1", "internalPeerPingInterval", (20, 30), no_pings),
)


def make_whole(stand: Stand) -> None:
    """A tree whose spec has each of these fields."""
    make(stand)
    for field in FIELDS:
        stand.scenario.change(field.kind, field.name, **{field.field: field.values[0]})


def rotate(stand: Stand) -> None:
    """The Secret that both tunnels share gets another key."""
    stand.key = stand.scenario.secret()


def updates() -> list[Act]:
    return [Act(f"update {field.kind}", field.set, field.applied) for field in FIELDS]


def drifts() -> list[Act]:
    return [Act(f"drift of {field.kind}", field.by_hand, field.corrected) for field in FIELDS]
