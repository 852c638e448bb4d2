"""What the simulated cloud holds. Plain mutable records; only `states` reads their times."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

GONE = ""
"""The last step of a deletion: the service answers 404 from here on."""


@dataclass(frozen=True)
class Timeline:
    """A walk through `steps`, `delay` seconds each, begun at `started`. Nothing moves it; it is read at a time."""

    started: datetime
    steps: tuple[str, ...]
    delay: float

    def reached(self, step: int) -> datetime:
        """When a step begins. Without delay all of them do right after the answer that began the walk."""
        if step == 0:
            return self.started
        return self.started + (timedelta(seconds=step * self.delay) or timedelta(microseconds=1))

    @property
    def end(self) -> datetime:
        """When the last step begins."""
        return self.reached(len(self.steps) - 1)

    def step(self, now: datetime) -> int:
        """The index of the step at a time."""
        return max(step for step in range(len(self.steps)) if step == 0 or self.reached(step) <= now)


@dataclass(frozen=True)
class Route:
    """One entry of a connection's local or remote routes."""

    name: str
    static_network: str
    type: str = "static"


Rekeying = Literal["child", "ike"]
"""Which security association is there twice, the old one beside the new."""


@dataclass(frozen=True)
class Forced:
    """What the control door says about a tunnel; None leaves that part to nature."""

    at: datetime
    operational_state: str | None = None
    tunnel_up: bool | None = None
    tunnel_healthy: bool | None = None
    rekeying: Rekeying | None = None


@dataclass
class Tunnel:
    """A tunnel. Its key is held as SHA-256 alone.

    `since` is when it last had to start over, `settle` the seconds that takes, `was_up` whether that cut it off;
    `downs` counts the times it went down.
    """

    uuid: str
    name: str
    number: int
    created_at: datetime
    updated_at: datetime
    since: datetime
    settle: float
    local_address: str = ""
    remote_address: str = ""
    authentication: str = "psk"
    psk_sha256: str = ""
    ipsec: dict[str, Any] = field(default_factory=dict)
    internal_ip: str = ""
    ping_interval: int = 0
    was_up: bool = False
    downs: int = 0
    last_down_message: str = ""
    last_down_message_at: datetime | None = None
    bad_messages: int = 0
    forced: Forced | None = None


@dataclass
class Connection:
    """A connection with its routes and tunnels, in the order in which they came."""

    uuid: str
    name: str
    type: str
    created_at: datetime
    updated_at: datetime
    local_routes: list[Route] = field(default_factory=list)
    remote_routes: list[Route] = field(default_factory=list)
    tunnels: list[Tunnel] = field(default_factory=list)


@dataclass(frozen=True)
class Address:
    """`value` is assigned from the first and shown once the service has run, like a name not asked for.

    `floating`: it is a floating IP of the account, `provisioned_by` then says "user".
    """

    name: str
    value: str
    asked_for: bool
    floating: bool = False


@dataclass
class Gateway:
    """A service. `first_ran_at` and `online_at` (since when it carries traffic) may lie ahead: time is lazy."""

    account: str
    uuid: str
    name: str
    zone: str
    plan: str
    features: list[str]
    router: str
    addresses: list[Address]
    configured_status: str
    automatic_internal_ips: bool
    created_at: datetime
    updated_at: datetime
    timeline: Timeline
    connections: list[Connection] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    first_ran_at: datetime | None = None
    online_at: datetime | None = None
    deleting: bool = False
    forced_state: str | None = None
    forced_metrics: dict[str, Any] | None = None
    nat_flushed_at: datetime | None = None

    @property
    def tunnels(self) -> list[Tunnel]:
        """Of all connections."""
        return [tunnel for connection in self.connections for tunnel in connection.tunnels]

    def stamp(self, now: datetime) -> None:
        """A change of the service gives everything in it one and the same `updated_at` (recorded)."""
        self.updated_at = now
        for connection in self.connections:
            connection.updated_at = now
        for tunnel in self.tunnels:
            tunnel.updated_at = now


@dataclass(frozen=True)
class StaticRoute:
    """A route of type `user`. Those of type `service` are not kept, they follow from the gateways."""

    name: str
    route: str
    nexthop: str


@dataclass
class Router:
    """A router; which gateways hang on it is read from the gateways. `networks` are UUIDs."""

    account: str
    uuid: str
    name: str
    labels: list[dict[str, Any]] = field(default_factory=list)
    static_routes: list[StaticRoute] = field(default_factory=list)
    networks: list[str] = field(default_factory=list)
