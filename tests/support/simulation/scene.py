"""The world of one history: cluster, cloud and operators, and what is true of them at the moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

from pydantic import SecretStr

from netgw.app import App
from netgw.engine.objects import Object
from netgw.kube.errors import KubernetesError
from netgw.kube.provider import Intervals
from netgw.providers.upcloud.api import Credentials
from netgw.providers.upcloud.simulator import World
from support.history import History
from support.lifeline import KubernetesDoor
from support.simulation.cast import ROUTERS, Cast, Ref, Spec, pick
from support.simulation.cluster import Cluster, Ear, SkewedClock, StaleDoor
from support.virtual_time import VirtualClock, VirtualLoop

TOKENS = {"madeup-token": "alice", "madeup-token-of-bob": "bob"}
ALICE, BOB = TOKENS
LOOKS = Intervals(90.0, 30.0)
"""Less often than in earnest: looking is what takes most of the time of a history."""

KEEPING = ("Retain", "Observe")
"""Policies by which what is in the cloud stays there when its object goes."""


class Scene(History):
    """`wanted`: what the spec of each object is to be by now. `foreign`: uuids of what others made.

    `inside`: of those in a gateway of ours, which it was, and when they came. `removed`: what was taken away by hand.
    `wiped`: uids of objects whose status was lost, which cannot know what was made for them.
    `kept`: uids of objects that were there when the namespace began to keep what is in the cloud; one that goes at that
    moment has no status that says so.
    `keys_known`: no status is of a backup, which cannot know of a key that was sent after it.
    `true` is the clock of cluster and cloud; the operator's own can be off.
    """

    kubernetes: Cluster  # type: ignore[mutable-override]  # a scene has no other

    def __init__(self, loop: VirtualLoop, cast: Cast, seed: int) -> None:
        super().__init__(loop, seed=seed, latency=0.1, intervals=LOOKS)
        self.true = VirtualClock(loop)
        self.skewed = SkewedClock(loop)
        self.clock = self.skewed
        self.world = World(delay=2.0, clock=self.true.wall, routers=ROUTERS, seed=seed, tokens=TOKENS)
        self.kubernetes = Cluster(self.true, self.rng, 0.05)
        self._credentials = Credentials(token=SecretStr(ALICE))
        self.cast = cast
        self.wanted: dict[Ref, Spec] = cast.wanted()
        self.foreign: set[str] = set()
        self.inside: dict[str, tuple[str, datetime]] = {}
        self.log: list[str] = []
        self.kills = 0
        self.raging = True
        self.removed: set[str] = set()
        self.wiped: set[str] = set()
        self.kept: set[str] = set()
        self.keys_known = True
        self.behind = 0.0
        self.beside_us: list[Scene] = []
        self.leading: asyncio.Future[None] | None = None
        self.down = 0.0
        self.ear: Ear | None = None
        self.by_hand_at: Callable[[str], None] = lambda uuid: None
        self.restored: Callable[[str | None, str], None] = lambda uuid, uid: None

    # ---- operators

    async def start(self) -> App:
        app = await super().start()
        self.behind = 0.0
        return app

    def _door(self) -> KubernetesDoor:
        door = StaleDoor(self.kubernetes, self.life, self._since())
        self._stale = door
        return door

    def _since(self) -> float | None:
        return self.true.now() - self.behind if self.behind else None

    def _watch(self, app: App) -> None:
        since = self._stale.since
        self._stale.since = None
        self.ear = Ear(self.kubernetes, app, self.life, self.true.now() if since is None else since)

    def beside(self) -> Scene:
        """An operator that does not know yet that it leads no more."""
        other = Scene(self.loop, self.cast, self.rng.getrandbits(32))
        other.world, other.kubernetes, other.witness = self.world, self.kubernetes, self.witness
        other.clock, other._credentials = self.clock, self._credentials
        return other

    async def up(self) -> None:
        """As a kubelet does: again and again."""
        while self.app is None or self.life.over:
            await self.kill()
            try:
                await self.start_or_die()
            except KubernetesError:
                await self.kill()
                await asyncio.sleep(self.rng.uniform(1, 10))

    async def alone(self) -> None:
        """Only one operator is left."""
        if self.leading is not None:
            self.leading.cancel()
            await asyncio.gather(self.leading, return_exceptions=True)
        while self.beside_us:
            await self.beside_us.pop().kill()

    # ---- looking around

    def note(self, what: str) -> None:
        self.log.append(f"{self.true.now():8.2f} {what}")

    def some(self, who: float, kind: str | None = None) -> Object | None:
        """One of the objects that are there."""
        found = {obj.ref: obj for obj in self.objects() if kind in (None, obj.kind)}
        ref = pick(who, found)
        return None if ref is None else found[ref]

    def missing(self) -> list[Ref]:
        """What is to be there in the end, and is not."""
        return [ref for ref in self.wanted if self.kubernetes.get(*ref) is None]

    def apply(self, ref: Ref, spec: Spec | None = None) -> None:
        self.kubernetes.apply(*ref, self.wanted[ref] if spec is None else spec)

    def reapply(self, ref: Ref) -> None:
        """To what is there."""
        if self.kubernetes.get(*ref) is not None:
            self.apply(ref)

    def paths(self) -> dict[str, str]:
        """What there is of alice's, and where, but for gateways on their way out."""
        self.world.stamp()
        paths = {}
        for gateway in self.world.gateways.values():
            if gateway.deleting or gateway.account != TOKENS[ALICE]:
                continue
            paths[gateway.uuid] = root = f"/gateway/{gateway.uuid}"
            for connection in gateway.connections:
                paths[connection.uuid] = branch = f"{root}/connections/{connection.uuid}"
                paths.update({found.uuid: f"{branch}/tunnels/{found.uuid}" for found in connection.tunnels})
        routers = (found for found in self.world.routers.values() if found.account == TOKENS[ALICE])
        paths |= {found.uuid: f"/router/{found.uuid}" for found in routers if found.uuid not in ROUTERS}
        return paths

    def with_all_in_it(self, uuid: str) -> set[str]:
        """What goes when it is deleted by hand."""
        paths = self.paths()
        return {found for found, path in paths.items() if f"{path}/".startswith(f"{paths[uuid]}/")}

    def alive(self) -> list[Any]:
        """Alice's gateways that are not on their way out, in a fixed order."""
        self.world.stamp()
        return [found for found in self.world.gateways.values() if not found.deleting and found.account != "bob"]
