"""A random day: users who change their minds, a cloud and a cluster that fail, an operator that dies. Seeded.

`rage` does harm for a while; `heal` ends all of it, does what the messages ask people to do, and waits until everything
that is left is as it should be. What must hold meanwhile is watched by `audit`; what must hold in the end is `check`.
"""

from __future__ import annotations

import asyncio
import copy
import random
import re
from collections.abc import Callable
from typing import Any

from netgw.engine.objects import Object, format_time
from netgw.kube.errors import KubernetesError
from support.audit import Audit
from support.history import CONNECTION, GATEWAY, KEY, OTHER_KEY, History, tunnel
from support.whims import APPROVAL, Whims

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
CALLS_A_MINUTE = 150
"""At most, on such a day, for a dozen objects: the client's own limit is 300."""

Spec = dict[str, Any]
Ref = tuple[str, str]


def cast(routers: list[str]) -> dict[Ref, Spec]:
    """Two gateways with three connections and four tunnels, and two who want names that others have."""
    gateway = GATEWAY | {"plan": "advanced"}
    return {
        ("NetworkGateway", "edge"): gateway | {"routerRef": {"uuid": routers[0]}},
        ("NetworkGateway", "lab"): gateway | {"routerRef": {"uuid": routers[1]}},
        ("VpnConnection", "office"): CONNECTION,
        ("VpnConnection", "branch"): CONNECTION,
        ("VpnConnection", "site"): CONNECTION | {"gatewayRef": {"name": "lab"}},
        ("VpnTunnel", "office-1"): tunnel("100.10.0.111"),
        ("VpnTunnel", "office-2"): tunnel("100.10.0.112"),
        ("VpnTunnel", "branch-1"): tunnel("100.10.0.113", connectionRef={"name": "branch"}),
        ("VpnTunnel", "site-1"): tunnel("100.10.0.114", connectionRef={"name": "site"}),
        ("VpnConnection", "rival"): CONNECTION | {"name": "office"},
        ("VpnTunnel", "rival-1"): tunnel("100.10.0.115", connectionRef={"name": "branch"}, name="office-1"),
    }


RIVALS: list[Ref] = [("VpnConnection", "rival"), ("VpnTunnel", "rival-1")]
PLACES = (
    "* /1.3/gateway*",
    "GET /1.3/gateway",
    "GET /1.3/gateway/*",
    "POST /1.3/gateway",
    "POST /1.3/gateway/*",
    "POST /1.3/gateway/*/tunnels",
    "PATCH *",
    "DELETE *",
    "GET /1.3/account",
)
WAYS: tuple[dict[str, Any], ...] = (
    {"status": 500},
    {"status": 502, "body": "<html>Bad Gateway</html>"},
    {"status": 503},
    {"status": 503, "headers": {"Retry-After": "7"}},
    {"status": 429},
    {"status": 429, "headers": {"Retry-After": "20"}},
    {"status": 401},
    {"status": 402},
    {"status": 403},
    {"status": 404, "body": "<html>Not Found</html>"},
    {"status": 200, "body": "<html>Welcome</html>"},
    {"timeout": 60.0},
    {"reset": True},
)


class Chaos:
    """One random day. `log` tells what happened, for whoever has to find out why."""

    def __init__(self, h: History, audit: Audit, seed: int) -> None:
        self.h = h
        self.audit = audit
        self.rng = random.Random(seed)
        self.cast: dict[Ref, Spec] = {}
        self.log: list[str] = []
        self.kills = 0
        self.raging = True
        self.foreign: set[str] = set()
        self.whims = Whims(h, self.rng, self.cast, self.foreign, self.note)
        self._actions: list[tuple[int, Callable[[], Any]]] = [
            (6, self.apply_some),
            (4, self.edit),
            (4, self.delete_one),
            (1, self.delete_all),
            (3, self.rotate),
            (2, self.annotate),
            (1, self.pause),
            (1, self.wipe),
            (3, self.remove_in_cloud),
            (1, self.make_in_cloud),
            (2, self.drift),
            (6, self.fault),
            (2, self.empty_list),
            (3, self.slow_watch),
            (2, self.lose_deleted),
            (2, self.trouble),
            (6, self.die),
            (2, self.stop),
            *self.whims.actions,
        ]

    # ---- the day

    async def rage(self, actions: int) -> None:
        """Harm, one thing after the other."""
        routers = [GATEWAY["routerRef"]["uuid"]]
        made = await self.h.by_hand("POST", "/router", {"router": {"name": "second"}})
        self.cast.update(cast([*routers, made["router"]["uuid"]]))
        await self.whims.begin()
        self.apply_some()
        self.rotate()
        await self._start()
        weights = [weight for weight, _ in self._actions]
        for _ in range(actions):
            (_, action), *_ = self.rng.choices(self._actions, weights)
            done = action()
            if asyncio.iscoroutine(done):
                await done
            await self._pass(self.rng.choice([0.0, 0.1, 1.0, 5.0, 20.0, 20.0, 90.0]) * self.rng.random())
            assert not self.audit.violations, self.audit.violations[0]

    async def heal(self) -> None:
        """Everything works again, and people do what they are told, until all is well."""
        self.note("heal")
        self.raging, h = False, self.h
        h.world.faults.clear()
        h.life.trouble = h.trouble = h.kubernetes.lose_deleted = 0.0
        h.kubernetes.lag = 0.05
        h.kubernetes.put_secret("office-psk", KEY.encode())
        if h.app is None or h.life.over:
            await h.kill()
            await h.start()
        self.whims.heal()
        for ref in RIVALS:
            h.kubernetes.delete(*ref)
        for obj in h.objects():
            h.kubernetes.annotate(obj.kind, obj.name, "paused", None)
        end = h.clock.now() + 8000
        while self._missing() or not all(h.ready(obj) for obj in h.objects()):
            assert h.clock.now() < end, "not healed:\n" + h.picture() + "\n" + "\n".join(self.log[-60:])
            for ref in self._missing():
                h.kubernetes.apply(*ref, copy.deepcopy(self.cast[ref]))
            await asyncio.sleep(10)
            for obj in h.objects():
                await self._obey(obj)

    async def check(self) -> None:
        """One of each, of nobody else's, and nothing to do any more."""
        h = self.h
        recorded = sorted(str(obj.uuid) for obj in h.objects())
        assert len(set(recorded)) == len(recorded), h.picture()
        h.world.stamp()
        alive = [gateway for gateway in h.world.gateways.values() if not gateway.deleting]
        found = {gateway.uuid for gateway in alive}
        found |= {connection.uuid for gateway in alive for connection in gateway.connections}
        found |= {tunnel.uuid for gateway in alive for tunnel in gateway.tunnels}
        assert found - set(recorded) <= self.foreign, (found - set(recorded), h.picture(), self.log)
        assert set(recorded) <= found, (set(recorded) - found, h.picture())
        await asyncio.sleep(1400)
        calls, writes = len(h.world.calls), len(h.kubernetes.writes)
        await asyncio.sleep(300)
        assert len(h.kubernetes.writes) == writes, h.picture()
        assert {f"{c.method} {c.path}" for c in h.world.calls[calls:]} <= {"GET /1.3/gateway?limit=100&offset=0"}
        assert self._busiest_minute() <= CALLS_A_MINUTE, self.log
        assert not self.audit.violations, self.audit.violations[0]

    async def leave(self) -> None:
        """Everything is deleted, and nothing but what is not ours stays."""
        h = self.h
        for obj in h.objects():
            h.kubernetes.delete(obj.kind, obj.name)
        end = h.clock.now() + 4000
        while h.kubernetes.objects:
            assert h.clock.now() < end, "not deleted:\n" + h.picture() + "\n" + "\n".join(self.log[-60:])
            await asyncio.sleep(5)
            for obj in h.objects():
                await self._obey(obj)
        h.world.stamp()
        left = {gateway.uuid for gateway in h.world.gateways.values() if not gateway.deleting}
        assert left <= self.foreign, (h.picture(), self.log)
        assert not self.audit.violations, self.audit.violations[0]

    def note(self, what: str) -> None:
        self.log.append(f"{self.h.clock.now():8.2f} {what}")

    # ---- users

    def apply_some(self) -> None:
        for ref, spec in self.rng.sample(sorted(self.cast.items(), key=str), self.rng.randint(3, len(self.cast))):
            self.h.kubernetes.apply(*ref, copy.deepcopy(spec))
        self.note("apply some")

    def edit(self) -> None:
        ref = self.rng.choice(sorted(self.cast))
        spec = self.cast[ref] = copy.deepcopy(self.cast[ref])
        match ref[0]:
            case "NetworkGateway":
                spec["automaticTunnelInternalIpAllocation"] = self.rng.choice([True, False])
            case "VpnConnection":
                network = f"10.0.{self.rng.randint(1, 200)}.0/24"
                spec["localRoutes"] = [{"name": "cloud", "staticNetwork": network}]
            case _:
                spec["ipsec"]["rekeyTime"] = self.rng.choice([7200, 14400, 28800])
        self.h.kubernetes.apply(*ref, copy.deepcopy(spec))
        self.note(f"edit {ref}")

    def delete_one(self) -> None:
        ref = self.rng.choice(sorted(self.cast))
        self.h.kubernetes.delete(*ref)
        self.note(f"delete {ref}")

    def delete_all(self) -> None:
        for obj in self.h.objects():
            self.h.kubernetes.delete(obj.kind, obj.name)
        self.note("delete all")

    def rotate(self) -> None:
        key = self.rng.choice([KEY, OTHER_KEY, OTHER_KEY, "short", None])
        self.h.kubernetes.put_secret("office-psk", None if key is None else key.encode())
        self.note(f"key of {len(key or '')} characters")

    def annotate(self) -> None:
        if (obj := self._any()) is not None:
            now = format_time(self.h.clock.wall())
            annotation = self.rng.choice(["reconcile-requested-at", "push-psk-requested-at"])
            self.h.kubernetes.annotate(obj.kind, obj.name, annotation, now)
            self.note(f"{annotation} {obj.ref}")

    def pause(self) -> None:
        if (obj := self._any()) is not None:
            self.h.kubernetes.annotate(obj.kind, obj.name, "paused", self.rng.choice(["true", None]))
            self.note(f"pause {obj.ref}")

    def wipe(self) -> None:
        """As a restore does that knows no status; while nobody looks, for it is no race that we could win."""
        if (obj := self._any()) is not None and not obj.creating and self.h.app is None:
            self.h.kubernetes.wipe_status(obj.kind, obj.name)
            self.note(f"wipe {obj.ref}")

    # ---- the cloud

    async def remove_in_cloud(self) -> None:
        if (path := self._some_path()) is not None:
            await self.h.by_hand("DELETE", path)
            self.note(f"removed by hand: {path}")

    async def make_in_cloud(self) -> None:
        gateways = [g for g in self.h.world.gateways.values() if not g.deleting and "vpn" in g.features]
        if gateways:
            gateway = self.rng.choice(gateways)
            name = f"by-hand-{self.rng.getrandbits(32)}"
            route = {"name": "r", "type": "static", "static_network": "10.9.0.0/24"}
            body = {"name": name, "type": "ipsec", "local_routes": [route]}
            made = await self.h.by_hand("POST", f"/gateway/{gateway.uuid}/connections", body)
            self.foreign.add(made["uuid"])
            self.audit.by_hand[made["uuid"]] = self.h.clock.now()
            self.note(f"made by hand: {name} {made['uuid']}")

    def drift(self) -> None:
        tunnels = [found for gateway in self.h.world.gateways.values() for found in gateway.tunnels]
        if tunnels:
            self.rng.choice(tunnels).ipsec["rekey_time"] = self.rng.randint(1000, 9000)
            self.note("drift")

    def fault(self) -> None:
        place, way = self.rng.choice(PLACES), self.rng.choice(WAYS)
        when: Any = self.rng.choice(["before", "after"])
        times = self.rng.choice([1, 1, 2, 4])
        self.h.world.faults.add(place, when=when, times=times, **way)
        self.note(f"fault {times} × {place} {when} {way}")

    def empty_list(self) -> None:
        self.h.world.faults.add("GET /1.3/gateway", status=200, body=[])
        self.note("an empty list")

    # ---- the cluster, and the operator

    def slow_watch(self) -> None:
        self.h.kubernetes.lag = self.rng.choice([0.05, 1.0, 6.0])
        self.note(f"lag {self.h.kubernetes.lag}")

    def lose_deleted(self) -> None:
        self.h.kubernetes.lose_deleted = self.rng.choice([0.0, 0.5])
        self.note(f"lose {self.h.kubernetes.lose_deleted} of DELETED")

    def trouble(self) -> None:
        self.h.life.trouble = self.h.trouble = self.rng.choice([0.0, 0.0, 0.2])
        self.note(f"trouble {self.h.trouble}")

    def die(self) -> None:
        life = self.h.life
        step = self.h.loop.steps + self.rng.randint(1, 300)
        self.h.loop.at_step(step, lambda: self.h.die() if self.h.life is life and self.raging else None)

    async def stop(self) -> None:
        if self.h.app is not None and not self.h.life.over:
            self.note("stop")
            await self.h.app.drain()
            await self.h.kill()

    async def _start(self) -> None:
        """As a kubelet does: again and again."""
        while True:
            try:
                await self.h.start_or_die()
            except KubernetesError:
                await self.h.kill()
                await asyncio.sleep(self.rng.uniform(1, 10))
                continue
            return

    async def _pass(self, seconds: float) -> None:
        """Let time pass, and the operator come up again when it is down."""
        end = self.h.clock.now() + seconds
        while True:
            if self.h.life.over:
                self.kills += self.h.app is not None
                await self.h.kill()
                self.note("dead")
                if self.rng.random() < 0.3:
                    self.wipe()
                await asyncio.sleep(self.rng.choice([0.0, 5.0, 60.0]))
                await self._start()
                self.note("started")
            left = end - self.h.clock.now()
            if left <= 0 and not self.h.life.over:
                return
            await asyncio.wait({asyncio.ensure_future(self.h.life.ended.wait())}, timeout=max(left, 0.01))

    # ---- what people do about what they read

    async def _obey(self, obj: Object) -> None:
        message = str((obj.condition("Synced") or {}).get("message"))
        match obj.reason:
            case "ExternallyDeleted" if found := APPROVAL.search(message):
                self.h.kubernetes.annotate(obj.kind, obj.name, "approve", found[1])
            case "NameConflict" | "OrphanSuspected" | "CascadeBlocked":
                for uuid in UUID.findall(message):
                    await self._remove(uuid)
            case "ChildrenExist":
                for child in await self.h.kubernetes.children(obj):
                    self.h.kubernetes.delete(child.kind, child.name)
            case "DriftFight" | "Rejected":
                self.h.kubernetes.annotate(
                    obj.kind, obj.name, "reconcile-requested-at", format_time(self.h.clock.wall())
                )
            case _:
                pass

    async def _remove(self, uuid: str) -> None:
        """By hand, what no object records: it was made by hand, or its object lost its status."""
        if any(obj.uuid == uuid for obj in self.h.objects()):
            return
        if (path := self._path(uuid)) is not None:
            self.note(f"removed as told: {path}")
            await self.h.by_hand("DELETE", path)

    # ---- looking around

    def _missing(self) -> list[Ref]:
        """What is to be there in the end, and is not."""
        return [ref for ref in self.cast if ref not in RIVALS and self.h.kubernetes.get(*ref) is None]

    def _any(self) -> Object | None:
        objects = sorted(self.h.objects(), key=lambda obj: obj.ref)
        return self.rng.choice(objects) if objects else None

    def _paths(self) -> dict[str, str]:
        """What there is, and where, but for gateways on their way out."""
        self.h.world.stamp()
        paths = {}
        for gateway in self.h.world.gateways.values():
            if gateway.deleting:
                continue
            paths[gateway.uuid] = root = f"/gateway/{gateway.uuid}"
            for connection in gateway.connections:
                paths[connection.uuid] = branch = f"{root}/connections/{connection.uuid}"
                paths.update({found.uuid: f"{branch}/tunnels/{found.uuid}" for found in connection.tunnels})
        return paths

    def _path(self, uuid: str) -> str | None:
        return self._paths().get(uuid)

    def _some_path(self) -> str | None:
        paths = self._paths()
        return paths[self.rng.choice(sorted(paths))] if paths else None

    def _busiest_minute(self) -> int:
        times = [call.at.timestamp() for call in self.h.world.calls]
        return max((sum(1 for other in times[i : i + 400] if other < at + 60) for i, at in enumerate(times)), default=0)
