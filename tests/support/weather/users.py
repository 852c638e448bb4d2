"""Users at work in bad weather: in the cluster, with the clock of the operator's machine, and with its credentials."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from netgw.engine.objects import format_time
from support.history import CONNECTION, GATEWAY, KEY, OTHER_KEY, History, tunnel
from support.virtual_time import VirtualClock

ACCOUNT = {"madeup-token": "simulator"}

Ref = tuple[str, str]
CAST: dict[Ref, dict[str, Any]] = {
    ("Router", "hub"): {},
    ("NetworkGateway", "edge"): GATEWAY,
    ("NetworkGateway", "lab"): GATEWAY | {"routerRef": {"name": "hub"}},
    ("VpnConnection", "office"): CONNECTION,
    ("VpnConnection", "site"): CONNECTION | {"gatewayRef": {"name": "lab"}},
    ("VpnTunnel", "office-1"): tunnel("100.10.0.111"),
    ("VpnTunnel", "office-2"): tunnel("100.10.0.112"),
    ("VpnTunnel", "site-1"): tunnel("100.10.0.113", connectionRef={"name": "site"}),
}

KINDS = tuple(sorted({kind for kind, _ in CAST}))


class JumpingClock(VirtualClock):
    """The wall clock of one machine, which somebody sets; the other clock goes on."""

    skew = timedelta(0)

    def wall(self) -> datetime:
        return super().wall() + self.skew


class Users:
    """`cast`: what is wanted by now. `log` says what was done, for whoever has to find out why."""

    def __init__(self, h: History, rng: random.Random, clock: JumpingClock) -> None:
        self.h = h
        self.rng = rng
        self.clock = clock
        self.cast = copy.deepcopy(CAST)
        self.log: list[str] = []
        self._acts: list[tuple[int, Callable[[], None]]] = [
            (6, self.apply_some),
            (5, self.edit),
            (3, self.label),
            (1, self.flush),
            (3, self.delete_one),
            (3, self.rotate),
            (1, self.lose_peer),
            (2, self.jump),
            (2, self.revoke),
            (3, self.give_back),
            (2, self.lag),
        ]

    def do_something(self) -> None:
        self.rng.choices(self._acts, [weight for weight, _ in self._acts])[0][1]()

    def apply_all(self) -> None:
        for ref, spec in self.cast.items():
            self.h.kubernetes.apply(*ref, copy.deepcopy(spec))

    def apply_some(self) -> None:
        for ref in self.rng.sample(sorted(self.cast), self.rng.randint(2, len(self.cast))):
            self.h.kubernetes.apply(*ref, copy.deepcopy(self.cast[ref]))
        self.note("apply some")

    def edit(self) -> None:
        ref = self._some(self.rng.choice(KINDS))
        spec = self.cast[ref]
        match ref[0]:
            case "NetworkGateway":
                spec["plan"] = self.rng.choice(["production", "advanced"])
            case "VpnConnection":
                network = f"10.0.{self.rng.randint(10, 200)}.0/24"
                spec["localRoutes"] = [{"name": "cloud", "staticNetwork": network}]
            case "Router":
                network = f"10.{self.rng.randint(10, 200)}.0.0/16"
                spec["staticRoutes"] = [{"name": "lab", "route": network, "nexthop": "no-nexthop"}]
            case _:
                spec["ipsec"]["rekeyTime"] = self.rng.choice([7200, 14400, 28800])
        self.h.kubernetes.apply(*ref, copy.deepcopy(spec))
        self.note(f"edit {ref}")

    def label(self) -> None:
        ref = self._some("NetworkGateway", "Router")
        keys = self.rng.choice([[], ["env"], ["env", "tier"]])
        self.cast[ref]["labels"] = dict.fromkeys(keys, self.rng.choice(["1", "2"]))
        self.h.kubernetes.apply(*ref, copy.deepcopy(self.cast[ref]))
        self.note(f"label {ref}")

    def flush(self) -> None:
        name = self._some("NetworkGateway")[1]
        if self.h.kubernetes.get("NetworkGateway", name) is not None:
            when = format_time(self.h.clock.wall())
            self.h.kubernetes.annotate("NetworkGateway", name, "flush-nat-requested-at", when)
        self.note(f"flush {name}")

    def delete_one(self) -> None:
        """With what is below it, as who deletes a folder does."""
        ref = self._some(*KINDS)
        self.delete_tree(ref)
        self.note(f"delete {ref}")

    def delete_tree(self, ref: Ref) -> None:
        for below in [ref, *(child for child in self.cast if ref in self._above(child))]:
            self.h.kubernetes.delete(*below)

    def _above(self, ref: Ref) -> list[Ref]:
        spec = self.cast[ref]
        match ref[0]:
            case "VpnTunnel":
                parent = ("VpnConnection", spec["connectionRef"]["name"])
            case "VpnConnection":
                parent = ("NetworkGateway", spec["gatewayRef"]["name"])
            case "NetworkGateway" if "name" in spec["routerRef"]:
                parent = ("Router", spec["routerRef"]["name"])
            case _:
                return []
        return [parent, *self._above(parent)]

    def _some(self, *kinds: str) -> Ref:
        return self.rng.choice([ref for ref in sorted(self.cast) if ref[0] in kinds])

    def rotate(self) -> None:
        self.h.kubernetes.put_secret("office-psk", self.rng.choice([KEY, OTHER_KEY]).encode())
        self.note("rotate")

    def jump(self) -> None:
        self.clock.skew += timedelta(seconds=self.rng.choice([-3600, -120, -5, 5, 120, 3600]))
        self.note(f"the clock is off by {self.clock.skew}")

    def revoke(self) -> None:
        self.h.world.tokens = {"madeup-token-of-nobody": "simulator"}
        self.note("revoked")

    def give_back(self) -> None:
        self.h.world.tokens = ACCOUNT
        self.note("given back")

    def lag(self) -> None:
        self.h.kubernetes.lag = self.rng.choice([0.05, 1.0, 6.0])

    def lose_peer(self) -> None:
        """Until the sky is clear."""
        found = [one.uuid for gateway in self.h.world.gateways.values() for one in gateway.tunnels]
        if found:
            lost = self.rng.choice(found)
            self.h.world.force_tunnel(lost, operational_state="connecting", last_down_message="no response")
            self.note(f"peer of {lost} lost")

    def find_peers(self) -> None:
        for one in [one.uuid for gateway in self.h.world.gateways.values() for one in gateway.tunnels]:
            self.h.world.force_tunnel(one)

    def note(self, what: str) -> None:
        self.log.append(f"{self.h.clock.now():8.2f} {what}")
