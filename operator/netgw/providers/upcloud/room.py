"""Is there room under a gateway for one more connection or tunnel? Pure: judged from what was last seen of it.

| seen of the gateway             | a new child waits with                                       |
|---------------------------------|--------------------------------------------------------------|
| no feature vpn                  | FeatureMissing                                               |
| as many as the plan allows,     | QuotaReached (a plan that is not known refuses nothing)      |
| read as connections and as      |                                                              |
| tunnels: the API does not say   |                                                              |
| lists no address yet            | ParentNotCreated (tunnels)                                   |
| two addresses, none chosen      | AddressNotFound, stalled (tunnels)                           |
| not the address that is chosen  | AddressNotFound, stalled (tunnels)                           |

A refusal that is certain in every reading of the API's words costs no call, else the API decides.
Whoever waits is woken when the gateway or what is below it changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netgw.engine.outcome import Hold, Stalled, Waiting
from netgw.providers.upcloud.api import Plan
from netgw.providers.upcloud.gateway.snapshot import Entry

AGAIN = 15 * 60.0
SOON = 60.0
UNSEEN = 5.0
"""The next look is on its way."""


@dataclass(frozen=True)
class Room:
    """One gateway as seen, the plans of today, and the name of its object where it has one."""

    entry: Entry
    plans: Mapping[str, Plan]
    managed_as: str | None = None

    @property
    def called(self) -> str:
        """The gateway in the words of whoever has to change it."""
        if self.managed_as is not None:
            return f"NetworkGateway {self.managed_as}"
        return f"gateway {self.entry.gateway.name} ({self.entry.gateway.uuid})"

    def for_connection(self) -> Hold | None:
        """Why no connection can be made."""
        return self._feature() or self._quota("connection", min(self._connections, self._tunnels))

    def for_tunnel(self, address: str | None) -> Hold | str:
        """The address that a new tunnel ends at, or why none can be made. `address`: the one that the spec names."""
        held = self._feature() or self._quota("tunnel", 0) or self.no_address(address)
        return held or address or self._only_address()

    def full(self, what: str, words: str = "") -> Waiting:
        """No more room for a connection or tunnel, with the numbers. `words`: how the API said it."""
        plan = self.plans.get(self.entry.gateway.plan or "")
        amount = 0 if plan is None else plan.vpn_tunnel_amount
        larger = [other for other in self.plans.values() if other.vpn_tunnel_amount > amount]
        advice = f"Set plan: {min(larger, key=_amount).name} on {self.called}" if larger else "Make another gateway"
        has = f"plan {self.entry.gateway.plan} has {amount} {what}s and " if plan is not None else ""
        used = self._tunnels if what == "tunnel" else self._connections
        quoted = f" UpCloud says: {words}" if words else ""
        return Waiting(
            "QuotaReached",
            f"Not created: {has}{self.entry.gateway.name} uses {used}. {advice}, or delete a {what}.{quoted} Tried "
            f"again every 15 min.",
            AGAIN,
        )

    def no_address(self, name: str | None) -> Stalled | None:
        """An address that the gateway does not have; while it lists none at all, nothing can be said."""
        names = self._addresses()
        if name is None or name in names or not names:
            return None
        return Stalled(
            "AddressNotFound",
            f"{self.called} has no address {name}, it has {', '.join(names)}. Set localAddress.name to one of them.",
        )

    def _feature(self) -> Waiting | None:
        if "vpn" in self.entry.gateway.features:
            return None
        return Waiting(
            "FeatureMissing",
            f"Not created: {self.called} has no feature vpn. Add vpn to its spec.features, with a plan that has it. "
            f"Tried again every 15 min.",
            AGAIN,
        )

    def _quota(self, what: str, used: int) -> Waiting | None:
        """`used`: however the plan's number is read, so many count. A plan that has none has no room in any reading."""
        plan = self.plans.get(self.entry.gateway.plan or "")
        return None if plan is None or used < plan.vpn_tunnel_amount else self.full(what)

    @property
    def _connections(self) -> int:
        return len(self.entry.connections)

    @property
    def _tunnels(self) -> int:
        return len(list(self.entry.tunnels()))

    def _only_address(self) -> Hold | str:
        names = self._addresses()
        if not names:
            return Waiting("ParentNotCreated", f"{self.called} lists no address yet. It does when it runs.", SOON)
        if len(names) == 1:
            return names[0]
        return Stalled(
            "AddressNotFound",
            f"{self.called} has the addresses {', '.join(names)}: set localAddress.name to the one that this tunnel is "
            f"to end at.",
        )

    def _addresses(self) -> list[str]:
        return [address.name for address in self.entry.gateway.addresses]


def _amount(plan: Plan) -> int:
    return plan.vpn_tunnel_amount
