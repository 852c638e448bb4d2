"""What the metrics of one account's gateways said, kept for the next scrape. No calls, no waiting.

What the list says of a tunnel stands above what a sample says of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from netgw.kube.telemetry import GatewaySample, Part, TunnelSample
from netgw.providers.upcloud.api import Connection, Gateway, Metrics, Plan, Tunnel
from netgw.providers.upcloud.gateway.snapshot import Entry
from netgw.providers.upcloud.telemetry.reading import NatTally, Reading, TunnelTally, nat, readings
from netgw.providers.upcloud.tunnel.state import DownMessage, is_up

T = TypeVar("T")

_NOTHING = Reading()


@dataclass(frozen=True)
class Kept:
    """The last sample of a gateway; `tunnels` by uuid. `began`: when its request did, monotonic seconds."""

    began: float
    active_connections: int | None = None
    unknown_sas: int | None = None
    tunnels: dict[str, Reading] = field(default_factory=dict)


class Measured:
    """Samples and sums, for what `managed` says that a living object records."""

    def __init__(self, managed: Callable[[str], bool]) -> None:
        self._managed = managed
        self._kept: dict[str, Kept] = {}
        self._tunnels: dict[str, TunnelTally] = {}
        self._nat: dict[str, NatTally] = {}
        self._messages: dict[str, DownMessage] = {}

    def message(self, tunnel: str) -> DownMessage | None:
        """What was heard last of why a tunnel went down."""
        return self._messages.get(tunnel)

    def kept(self, gateway: str) -> Kept | None:
        """The last sample, however old."""
        return self._kept.get(gateway)

    def ours(self, gateway: Gateway) -> Iterator[tuple[Connection, Tunnel]]:
        """The tunnels that objects of ours record."""
        for connection in gateway.connections or ():
            for tunnel in connection.tunnels:
                if self._managed(tunnel.uuid):
                    yield connection, tunnel

    def take(self, gateway: Gateway, metrics: Metrics, began: float) -> set[str]:
        """One answer. Returns the tunnels about which the cloud says something new."""
        kept = self._kept.get(gateway.uuid)
        if kept is not None and kept.began >= began:
            return set()
        names = {f"{c.name}/{tunnel.name}": tunnel.uuid for c in gateway.connections or () for tunnel in c.tunnels}
        found, unknown = readings(metrics, names)
        natted = nat(metrics, gateway.name)
        self._nat.setdefault(gateway.uuid, NatTally()).take(natted)
        active = None if natted is None else natted.active_connections
        self._kept[gateway.uuid] = Kept(began, active, unknown, found)
        return {tunnel.uuid for _, tunnel in self.ours(gateway) if self._heard(tunnel.uuid, found)}

    def _heard(self, tunnel: str, found: dict[str, Reading]) -> bool:
        reading = found.get(tunnel, _NOTHING)
        self._tunnels.setdefault(tunnel, TunnelTally()).take(reading)
        message = reading.message
        if message is None or self._messages.get(tunnel) == message:
            return False
        self._messages[tunnel] = message
        return True

    def forget(self, listed: set[str]) -> None:
        """What no object records any more, and samples of gateways that are not in the last list."""
        drop(self._tunnels, self._unmanaged)
        drop(self._nat, self._unmanaged)
        drop(self._messages, self._unmanaged)
        drop(self._kept, lambda uuid: uuid not in listed)

    def _unmanaged(self, uuid: str) -> bool:
        return not self._managed(uuid)

    def samples(
        self, entry: Entry, now: float, old: float, plans: Mapping[str, Plan], *, blind: bool
    ) -> Iterator[GatewaySample | TunnelSample]:
        """Of one gateway. A sample older than `old` seconds says nothing of now; neither does a list when `blind`."""
        gateway, kept = entry.gateway, self._kept.get(entry.gateway.uuid)
        age = None if kept is None else now - kept.began
        if kept is None or age is None or age > old:
            kept = Kept(now)
        if self._managed(gateway.uuid):
            yield self._of_gateway(gateway, kept, age, plans.get(gateway.plan or ""))
        for connection, tunnel in self.ours(gateway):
            yield self._of_tunnel(gateway, connection, tunnel, kept.tunnels.get(tunnel.uuid, _NOTHING), age, blind)

    def _of_gateway(self, gateway: Gateway, kept: Kept, age: float | None, plan: Plan | None) -> GatewaySample:
        tally = self._nat.get(gateway.uuid, NatTally())
        return GatewaySample(
            gateway=Part(gateway.uuid, gateway.name),
            active_connections=kept.active_connections,
            accepted_connections=tally.accepted.total,
            rejected_sessions=tally.rejected.total,
            unknown_sas=kept.unknown_sas,
            connections_limit=None if plan is None else plan.per_gateway_max_connections,
            age=age,
        )

    def _of_tunnel(
        self, gateway: Gateway, connection: Connection, tunnel: Tunnel, reading: Reading, age: float | None, blind: bool
    ) -> TunnelSample:
        tally = self._tunnels.get(tunnel.uuid)
        up = None if blind else is_up(tunnel)
        return TunnelSample(
            tunnel=Part(tunnel.uuid, tunnel.name),
            connection=Part(connection.uuid, connection.name),
            gateway=Part(gateway.uuid, gateway.name),
            up=up,
            healthy=_healthy(tunnel, reading) if up else None,
            traffic=None if tally is None else tally.traffic,
            up_events=None if tally is None else tally.up_events.total,
            down_events=None if tally is None else tally.down_events.total,
            rekey_seconds=reading.rekey_seconds,
            life_seconds=None if reading.child is None else reading.child.life_time,
            age=age,
        )


def _healthy(tunnel: Tunnel, reading: Reading) -> bool | None:
    """The list first; older answers of it do not tell."""
    if tunnel.tunnel_healthy is not None or reading.heuristic is None:
        return tunnel.tunnel_healthy
    return reading.heuristic.tunnel_healthy


def drop(memory: dict[str, T], gone: Callable[[str], bool]) -> None:
    """Take out of a memory by uuid what is gone."""
    for uuid in [uuid for uuid in memory if gone(uuid)]:
        del memory[uuid]
