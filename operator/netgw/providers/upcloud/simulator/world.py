"""The simulated cloud: what it holds, its clock, its dials, and what is done to it by hand.

No HTTP here. Verbs are functions of an `Ask` (in gateways, addresses, connections, tunnels, labels, core); `Ask.now` is
the one stamp of their request; they return what the answer says, or raise `Problem` or `CoreError`.
"""

from __future__ import annotations

import copy
import random
import uuid as uuids
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network
from itertools import chain, islice
from typing import Any

from . import states
from .behaviour import Behaviour
from .defaults import DEFAULT_ACCOUNT, PLANS
from .faults import Faults
from .records import GONE, Forced, Gateway, Rekeying, Router, Tunnel
from .state import Kept
from .states import Dial

TODAY = Behaviour.today()

# Documentation and benchmark networks: never anybody's. The third is there for thousands of gateways.
_PUBLIC = [IPv4Network(text) for text in ("203.0.113.0/24", "198.51.100.0/24", "198.18.0.0/15")]
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def utcnow() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


@dataclass
class Call:
    """One request as it came: path with query. `status` is None when the answer was dropped, or not given yet."""

    method: str
    path: str
    at: datetime
    status: int | None = None


class World:
    """UpCloud for as many accounts as `tokens` names; without tokens any credential opens the account `simulator`.

    `delay` is seconds per state transition, 0 means by the next request. `tunnels` says whether tunnels come up by
    themselves. `tokens` maps token → username. `routers` (UUIDs) and `floating_ips` (IPv4) are there to begin with, in
    the first account. With a `seed` every made-up value is the same each time. `delay`, `tunnels`, `behaviour`,
    `tokens` and `plans` (by name, as the API shows them; may be empty) may be changed at any time.
    """

    def __init__(
        self,
        *,
        delay: float = 0.0,
        tunnels: Dial = "up",
        clock: Callable[[], datetime] = utcnow,
        behaviour: Behaviour = TODAY,
        tokens: Mapping[str, str] | None = None,
        routers: Iterable[str] = (),
        floating_ips: Iterable[str] = (),
        seed: int | None = None,
    ) -> None:
        self.delay = delay
        self.tunnels: Dial = tunnels
        self.behaviour = behaviour
        self.tokens = None if tokens is None else dict(tokens)
        self.faults = Faults()
        self.calls: list[Call] = []
        self.on_change: Callable[[], None] = lambda: None
        """Called when a request that may have changed something had its effect, and before it is answered."""
        self.gateways: dict[str, Gateway] = {}
        self.routers: dict[str, Router] = {}
        self.floating_ips: dict[str, str] = {}
        self.plans: dict[str, dict[str, Any]] = {}
        self._clock = clock
        self._last = datetime.min.replace(tzinfo=UTC)
        self._ahead = timedelta(0)
        self._initial_routers = tuple(uuid.lower() for uuid in routers)
        self._initial_floating_ips = tuple(str(IPv4Address(address)) for address in floating_ips)
        self._random = random.Random(seed)
        self._seed = seed
        self.reset()

    def reset(self) -> None:
        """As in the beginning: no services, calls, faults; routers and floating IPs of the start, plans of today."""
        self.faults.clear()
        self.calls.clear()
        self.gateways.clear()
        self.routers.clear()
        self._random.seed(self._seed)
        self._addresses = self._tunnel_number = 0
        self.plans = copy.deepcopy(PLANS)
        owner = self._first_account()
        for number, uuid in enumerate(self._initial_routers, start=1):
            self.routers[uuid] = Router(owner, uuid, f"router-{number}")
        self.floating_ips = dict.fromkeys(self._initial_floating_ips, owner)

    def kept(self) -> Kept:
        """All that outlives this process; not a copy."""
        held = (self.gateways, self.routers, self.floating_ips, self.plans)
        return Kept(self._last, self._ahead, self._addresses, self._tunnel_number, *held)

    def restore(self, kept: Kept) -> None:
        """Go on from there. Accounts, delay and dials are those of this start."""
        self._last, self._ahead = kept.last, kept.ahead
        self._addresses, self._tunnel_number = kept.addresses, kept.tunnel_number
        self.gateways, self.routers = kept.gateways, kept.routers
        self.floating_ips, self.plans = kept.floating_ips, kept.plans

    def _first_account(self) -> str:
        return next(iter((self.tokens or {}).values()), DEFAULT_ACCOUNT)

    def stamp(self) -> datetime:
        """The time of one request: the clock, and always later than the stamp before. Drops what is gone by then."""
        clock = self._clock().astimezone(UTC)
        now = max(clock + self._ahead, self._last + timedelta(microseconds=1))
        self._last, self._ahead = now, now - clock  # kept ahead, so that a step of the clock is a step of ours
        for gateway in list(self.gateways.values()):
            if gateway.deleting and states.natural_service_state(gateway, now) == GONE:
                del self.gateways[gateway.uuid]
        return now

    def account_of(self, username: str | None, secret: str) -> str | None:
        """Whose credential this is: a token (username None), or a user with one of its tokens as password."""
        if self.tokens is None:
            return DEFAULT_ACCOUNT
        owner = self.tokens.get(secret)
        return owner if username in (None, owner) else None

    def new_uuid(self, prefix: str) -> str:
        """Lower-case version 4 beginning like real ones: `10` service, connection, tunnel; `04` router, `03` net."""
        return prefix + str(uuids.UUID(int=self._random.getrandbits(128), version=4))[len(prefix) :]

    def new_correlation_id(self, now: datetime) -> str:
        """A ULID: 48 bits of milliseconds, 80 of chance, 26 characters."""
        number = int(now.timestamp() * 1000) << 80 | self._random.getrandbits(80)
        return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -5, -5))

    def new_address(self) -> str:
        """A public address that no other service of this world ever had, and none that floats."""
        for address in islice(_public_addresses(), self._addresses, None):
            self._addresses += 1
            if address not in self.floating_ips:
                return address
        raise OverflowError("every address was given to somebody")

    def new_tunnel_number(self) -> int:
        """The `tunnel_id` of the metrics."""
        self._tunnel_number += 1
        return self._tunnel_number

    def attached(self) -> dict[str, Gateway]:
        """The gateway of each router that has one, by the router's UUID."""
        return {gateway.router: gateway for gateway in self.gateways.values()}

    def attach_network(self, router: str, network: str | None = None) -> str | None:
        """By hand: a network on a router, with a made-up UUID unless one is given. Its UUID; None: no such router."""
        if router not in self.routers:
            return None
        uuid = network or self.new_uuid("03")
        if uuid not in self.routers[router].networks:
            self.routers[router].networks.append(uuid)
        return uuid

    def detach_network(self, router: str, network: str) -> bool:
        """By hand: takes it off again. False: no such router, or not on it."""
        if router not in self.routers or network not in self.routers[router].networks:
            return False
        self.routers[router].networks.remove(network)
        return True

    def add_floating_ip(self, address: str, *, account: str | None = None) -> None:
        """By hand: one more, in the first account unless told; a ValueError says that it is no IPv4 address."""
        self.floating_ips[str(IPv4Address(address))] = account or self._first_account()

    def find_tunnel(self, uuid: str) -> tuple[Gateway, Tunnel] | None:
        """In any account; for the control door."""
        for gateway in self.gateways.values():
            for tunnel in gateway.tunnels:
                if tunnel.uuid == uuid:
                    return gateway, tunnel
        return None

    def force_tunnel(
        self,
        uuid: str,
        *,
        operational_state: str | None = None,
        tunnel_up: bool | None = None,
        tunnel_healthy: bool | None = None,
        last_down_message: str | None = None,
        rekeying: Rekeying | None = None,
    ) -> bool:
        """Replaces what was forced before; without a value the tunnel goes back to nature. False: no such tunnel.

        A message alone also makes the tunnel unhealthy, and stays in the metrics when nature returns. `rekeying` shows
        in the metrics alone, while the tunnel is up.
        """
        now = self.stamp()
        found = self.find_tunnel(uuid)
        if found is None:
            return False
        gateway, tunnel = found
        before = states.view(gateway, tunnel, now, self.tunnels)
        if last_down_message is not None:
            tunnel.last_down_message, tunnel.last_down_message_at = last_down_message, now
            tunnel.bad_messages += 1
            tunnel_healthy = False if tunnel_healthy is None else tunnel_healthy
        forced = Forced(now, operational_state, tunnel_up, tunnel_healthy, rekeying)
        tunnel.forced = None if forced == Forced(now) else forced
        after = states.view(gateway, tunnel, now, self.tunnels)
        tunnel.downs += before.up and not after.up
        if tunnel.forced is not None and after.up and before.up_since is not None:
            tunnel.forced = replace(forced, at=before.up_since)  # up is as old as it was
        return True

    def force_gateway(
        self, uuid: str, *, operational_state: str | None = None, metrics: dict[str, Any] | None = None
    ) -> bool:
        """What the service calls its state, and what its metrics answer, whatever it does; None goes back to nature.

        False: no such service.
        """
        self.stamp()
        if uuid not in self.gateways:
            return False
        self.gateways[uuid].forced_state = operational_state
        self.gateways[uuid].forced_metrics = metrics
        return True


def _public_addresses() -> Iterator[str]:
    return chain.from_iterable(map(str, network.hosts()) for network in _PUBLIC)
