"""What one history is about: mostly one gateway, its connections and tunnels; seldom more. Drawn from the seed."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from support.history import CONNECTION, GATEWAY, ROUTER, tunnel

T = TypeVar("T")
Spec = dict[str, Any]
Ref = tuple[str, str]

LEGACY: Ref = ("NetworkGateway", "legacy")
HUB: Ref = ("Router", "hub")
SECOND = "04f55cc1-bcd9-49eb-bd56-d65d7e3f2157"
THIRD = "04f55cc1-bcd9-49eb-bd56-d65d7e3f2158"
ROUTERS = (ROUTER, SECOND, THIRD)
"""In the cloud from the start: for the first gateway, the second, and the one that is made by hand."""


@dataclass(frozen=True)
class Cast:
    """`specs`: what is wanted of each object at first. `rivals` want names that others have, and go in the end."""

    specs: dict[Ref, Spec]
    rivals: tuple[Ref, ...] = ()

    def wanted(self) -> dict[Ref, Spec]:
        return copy.deepcopy(self.specs)


def draw(rng: random.Random) -> Cast:
    """Gateways edge and lab, connections office and branch, tunnels of these, a Router hub, and a rival."""
    gateway = GATEWAY | {"plan": "advanced"}
    specs: dict[Ref, Spec] = {("NetworkGateway", "edge"): gateway}
    if rng.random() < 0.3:
        specs[HUB] = {}
        specs["NetworkGateway", "edge"] = gateway | {"routerRef": {"name": HUB[1]}}
    if rng.random() < 0.1:
        specs["NetworkGateway", "lab"] = gateway | {"routerRef": {"uuid": SECOND}}
    connections = ["office", "branch"][: rng.choice([1, 1, 2])]
    for name in connections:
        below = "lab" if name == "branch" and ("NetworkGateway", "lab") in specs else "edge"
        specs["VpnConnection", name] = CONNECTION | {"gatewayRef": {"name": below}}
    for number in range(rng.choice([1, 1, 2, 3])):
        office = connections[number % len(connections)]
        spec = tunnel(f"100.10.0.{111 + number}", connectionRef={"name": office})
        specs["VpnTunnel", f"{office}-{number}"] = spec
    rivals: tuple[Ref, ...] = ()
    if rng.random() < 0.1:
        rivals = (("VpnTunnel", "rival"),)
        specs[rivals[0]] = tunnel("100.10.0.120", name="office-0")
    return Cast(specs, rivals)


def pick(which: float, among: Iterable[T]) -> T | None:
    """The one at this part of the way, in a fixed order; None of nothing."""
    found = sorted(among, key=str)
    return found[min(int(which * len(found)), len(found) - 1)] if found else None
