"""One cluster, one simulated UpCloud and an operator that can be killed at any moment, all in virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

from pydantic import SecretStr

from netgw.app import App, Options
from netgw.engine.objects import Object
from netgw.kube.provider import Intervals
from netgw.providers.upcloud.api import Credentials, UpCloud
from netgw.providers.upcloud.provider import UPCLOUD
from netgw.providers.upcloud.simulator import World, transport
from support.memory_kubernetes import FINGERPRINTS, MemoryKubernetes, MemorySecrets
from support.virtual_time import VirtualClock, VirtualLoop, run

ROUTER = "04f55cc1-bcd9-49eb-bd56-d65d7e3f2156"
KEY = "madeup_psk_for_tests_1"
OTHER_KEY = "madeup_psk_for_tests_2"

GATEWAY: dict[str, Any] = {
    "zone": "fi-hel1",
    "plan": "production",
    "features": ["vpn"],
    "routerRef": {"uuid": ROUTER},
    "addresses": [{"name": "public"}],
}
CONNECTION: dict[str, Any] = {
    "gatewayRef": {"name": "edge"},
    "localRoutes": [{"name": "cloud", "staticNetwork": "10.0.1.0/24"}],
    "remoteRoutes": [{"name": "office", "staticNetwork": "10.0.2.0/24"}],
}


def tunnel(peer: str = "100.10.0.111", **over: Any) -> dict[str, Any]:
    ipsec = {"authentication": {"pskSecretRef": {"name": "office-psk", "key": "psk"}}, **over.pop("ipsec", {})}
    return {"connectionRef": {"name": "office"}, "remoteAddress": {"address": peer}, "ipsec": ipsec, **over}


class History:
    """What a test does to the world, and what it sees of it."""

    def __init__(
        self, loop: VirtualLoop, *, seed: int = 0, delay: float = 2.0, lag: float = 0.05, **options: Any
    ) -> None:
        self.clock = VirtualClock(loop)
        self.rng = random.Random(seed)
        self.world = World(delay=delay, clock=self.clock.wall, routers=[ROUTER], seed=seed)
        self.kubernetes = MemoryKubernetes(self.clock, self.rng, lag)
        self._options = options
        self._credentials = Credentials(token=SecretStr("madeup-token"))
        self.app: App | None = None
        self._api: UpCloud | None = None

    # ---- the operator

    async def start(self) -> App:
        self._api = UpCloud(
            self._credentials,
            base_url="http://simulator",
            transport=transport(self.world),
            **self._options.get("api", {}),
        )
        self.app = app = App(
            Options("test", Intervals(60.0, 10.0), read_only=self._options.get("read_only", False)),
            {UPCLOUD: self._api},
            world=self.kubernetes,
            clock=self.clock,
            rng=random.Random(self.rng.random()),
            reporter=self.kubernetes,
            secrets=MemorySecrets(self.kubernetes),
            fingerprints=FINGERPRINTS,
        )
        self.kubernetes.watcher = app.observe
        self.kubernetes.secret_watcher = app.secret_changed
        await app.start()
        return app

    async def kill(self) -> None:
        """Like SIGKILL: nothing is finished, nothing is recorded."""
        app, self.app = self.app, None
        self.kubernetes.watcher = self.kubernetes.secret_watcher = None
        if app is None:
            return
        tasks = [*app.queue._tasks, *app._tasks]  # noqa: SLF001  a kill asks nobody
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for timer in app.queue._timers.values():  # noqa: SLF001
            timer.cancel()
        if self._api is not None:
            await self._api.aclose()

    # ---- waiting

    async def until(self, what: Callable[[], bool], seconds: float = 600.0) -> None:
        end = self.clock.now() + seconds
        while not what():
            assert self.clock.now() < end, "not in time:\n" + self.picture()
            await asyncio.sleep(0.25)

    async def settle(self, seconds: float = 900.0) -> None:
        """Until everything is in sync and Ready is True."""
        await self.until(lambda: all(self.ready(obj) for obj in self.objects()), seconds)

    def ready(self, obj: Object) -> bool:
        conditions = {c["type"]: c["status"] for c in obj.status.get("conditions", [])}
        current = obj.status.get("observedGeneration") == obj.generation
        return current and conditions.get("Ready") == "True" and conditions.get("Synced") == "True"

    # ---- looking

    def objects(self) -> list[Object]:
        return [Object(ref.kind, body) for ref, body in self.kubernetes.objects.items()]

    def get(self, kind: str, name: str) -> Object:
        obj = self.kubernetes.get(kind, name)
        assert obj is not None, f"{kind} {name} is gone"
        return obj

    def reason(self, kind: str, name: str, condition: str = "Synced") -> str:
        found = self.get(kind, name).condition(condition) or {}
        return str(found.get("reason"))

    def calls(self, *methods: str) -> list[str]:
        return [f"{c.method} {c.path}" for c in self.world.calls if not methods or c.method in methods]

    def picture(self) -> str:
        lines = [f"t={self.clock.now():.1f}"]
        for obj in self.objects():
            conditions = {
                c["type"]: f"{c['status']} {c['reason']}: {c['message']}" for c in obj.status.get("conditions", [])
            }
            lines.append(f"{obj.ref} uuid={obj.uuid} create={obj.status.get('create')} {conditions}")
        lines += [f"{c.method} {c.path} {c.status}" for c in self.world.calls[-15:]]
        return "\n".join(lines)

    def apply_all(self, tunnels: int = 2) -> None:
        self.kubernetes.apply("NetworkGateway", "edge", GATEWAY)
        self.kubernetes.apply("VpnConnection", "office", CONNECTION)
        for number in range(1, tunnels + 1):
            self.kubernetes.apply("VpnTunnel", f"office-{number}", tunnel(f"100.10.0.{110 + number}"))
        self.kubernetes.put_secret("office-psk", KEY.encode())


def play(story: Callable[[History], Coroutine[Any, Any, None]], **options: Any) -> History:
    """Play one story in virtual time."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    history = History(loop, **options)

    async def whole() -> None:
        try:
            await story(history)
        finally:
            await history.kill()

    try:
        run(whole(), loop)
    finally:
        asyncio.set_event_loop(None)
    return history
