"""GET /gateway/{uuid}/metrics: key names of the API document's example (`initator`, `total_rejected_sessions`).

Numbers grow with time, so that they can be told apart; they mean nothing else. Those of a security association are as
old as it is: each rekey makes a new one, and they start again at nought.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from . import states
from .records import Connection, Gateway, Tunnel
from .render import timestamp

if TYPE_CHECKING:
    from .world import World

_PER_SECOND = {"bytes_in": 1000, "bytes_out": 250, "packets_in": 10, "packets_out": 5}
_ACTIVE = 15
_INTERNAL = {"idle": "uninitialized"}  # of the five states of the service, all others have their own name
_MINUTE = 60


def metrics(world: World, gateway: Gateway, now: datetime) -> dict[str, Any]:
    """`gateways` is null without the feature nat, `ike_sas` without tunnels. What the door forced comes as it is."""
    if gateway.forced_metrics is not None:
        return gateway.forced_metrics
    sas = [
        sa
        for connection in gateway.connections
        for tunnel in connection.tunnels
        for sa in _Measured.of(world, gateway, connection, tunnel, now).ike_sas()
    ]
    nat = [_nat(gateway, now)] if "nat" in gateway.features else None
    return {"gateways": nat, "ipsec_metrics": {"ike_sas": sas or None}}


def _nat(gateway: Gateway, now: datetime) -> dict[str, Any]:
    online = gateway.online_at is not None and gateway.online_at <= now
    since_flush = _ACTIVE if gateway.nat_flushed_at is None else _seconds(gateway.nat_flushed_at, now)
    seconds = _seconds(gateway.first_ran_at, now)
    return {
        "active_connections": min(_ACTIVE, since_flush) if online else 0,
        "created_at": timestamp(gateway.created_at),
        "name": gateway.name,
        "total_accepted_connections": seconds * 5,
        "total_rejected_sessions": seconds // 100,
        "updated_at": timestamp(now),
    }


@dataclass(frozen=True)
class _Sa:
    """One security association: how many came before it, its age, and what is left until the next; seconds."""

    number: int
    age: int
    left: int
    period: int

    @classmethod
    def now(cls, up: int, period: int) -> _Sa:
        """The present one of a tunnel that is up for so long. Without a period there is never another."""
        number, age = divmod(up, period) if period else (0, up)
        return cls(number, age, period - age if period else 0, period)

    def before(self) -> _Sa:
        """The one that it took over from, which is still there for a moment."""
        return _Sa(self.number - 1, (self.period or _MINUTE) + self.age, 0, self.period)


@dataclass(frozen=True)
class _Measured:
    """A tunnel in one look."""

    tunnel: Tunnel
    name: str
    local: str
    seen: states.TunnelView
    now: datetime

    @classmethod
    def of(cls, world: World, gateway: Gateway, connection: Connection, tunnel: Tunnel, now: datetime) -> _Measured:
        local = next((item.value for item in gateway.addresses if item.name == tunnel.local_address), "")
        return cls(
            tunnel, f"{connection.name}/{tunnel.name}", local, states.view(gateway, tunnel, now, world.tunnels), now
        )

    def ike_sas(self) -> list[dict[str, Any]]:
        """One, in any state; two of one name while the door says that it is being rekeyed."""
        ipsec, up = self.tunnel.ipsec, _seconds(self.seen.up_since, self.now)
        ike, child = _Sa.now(up, ipsec["rekey_time"]), _Sa.now(up, ipsec["child_rekey_time"])
        if not self.seen.up:
            return [self._ike_sa(ike, [])]
        new, old = self._child_sa(child, "installed"), self._child_sa(child.before(), "rekeyed")
        match self.tunnel.forced and self.tunnel.forced.rekeying:
            case "child":
                return [self._ike_sa(ike, [old, new])]
            case "ike":
                return [self._ike_sa(ike.before(), [old], "rekeyed"), self._ike_sa(ike, [new])]
            case _:
                return [self._ike_sa(ike, [new])]

    def _ike_sa(self, sa: _Sa, children: list[dict[str, Any]], internal_state: str = "") -> dict[str, Any]:
        state = self.seen.operational_state
        return {
            "child_sas": children,
            "created_at": timestamp(self.tunnel.created_at),
            "established": sa.age,
            "heuristic_state": self._heuristics(),
            "initator": True,
            "internal_state": internal_state or _INTERNAL.get(state, state),
            "local_host": self.local,
            "local_id": self.local,
            "name": self.name,
            "operational_state": state,
            "reauth_time": 0,
            "rekey_time": sa.left,
            "remote_host": self.tunnel.remote_address,
            "remote_id": self.tunnel.remote_address,
            "tunnel_id": self.tunnel.number,
            "unique_id": str(self._id(sa)),
            "updated_at": timestamp(self.now),
            "version": 2,
        }

    def _child_sa(self, sa: _Sa, state: str) -> dict[str, Any]:
        spi = self._id(sa) * 2 % 2**32
        return {
            **{key: sa.age * rate for key, rate in _PER_SECOND.items()},
            "created_at": timestamp(self.now - timedelta(seconds=sa.age)),
            "install_time": sa.age,
            "life_time": sa.left + sa.period // 10,
            "local_traffic_selectors": ["0.0.0.0/0", "::/0"],
            "name": self.name,
            "rekey_time": sa.left,
            "remote_traffic_selectors": ["0.0.0.0/0", "::/0"],
            "spi_in": f"{spi:08x}",
            "spi_out": f"{spi + 1:08x}",
            "state": state,
            "tunnel_id": self.tunnel.number,
            "unique_id": str(self._id(sa)),
            "updated_at": timestamp(self.now),
        }

    def _id(self, sa: _Sa) -> int:
        """Another one for every association that a tunnel ever has: after a fall, too."""
        return self.tunnel.number * 10**6 + self.tunnel.downs * 10**3 + sa.number + 1

    def _heuristics(self) -> dict[str, Any]:
        tunnel = self.tunnel
        return {
            "down_events": tunnel.downs,
            "last_down_message": tunnel.last_down_message,
            "last_down_message_updated_at": timestamp(tunnel.last_down_message_at or tunnel.created_at),
            "log_message_bad_events": tunnel.bad_messages,
            "tunnel_healthy": self.seen.healthy,
            "tunnel_up": self.seen.up,
            "up_events": tunnel.downs + self.seen.up,
            "updated_at": timestamp(self.now),
        }


def _seconds(since: datetime | None, now: datetime) -> int:
    return 0 if since is None else max(0, (now - since) // timedelta(seconds=1))
