"""One cluster, one simulated UpCloud and an operator that can be killed at any moment, all in virtual time."""

from __future__ import annotations

import asyncio
import copy
import random
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
from pydantic import SecretStr

from netgw.app import App
from netgw.engine.objects import Name, Object
from netgw.kube.provider import Intervals, Making
from netgw.providers.upcloud.api import Credentials
from netgw.providers.upcloud.api.limiter import Timing
from netgw.providers.upcloud.credentials.clients import Clients
from netgw.providers.upcloud.provider import UPCLOUD
from netgw.providers.upcloud.simulator import World, transport
from netgw.providers.upcloud.simulator.faults import Faults
from netgw.sources import Guard, Options, Sources, Unguarded
from support.lifeline import CloudDoor, KubernetesDoor, Life, NamespacesDoor, SecretsDoor, Witness
from support.memory_kubernetes import FINGERPRINTS, MemoryKubernetes
from support.virtual_time import VirtualClock, VirtualLoop, run

ROUTER = "04f55cc1-bcd9-49eb-bd56-d65d7e3f2156"
LOOKS = Intervals(60.0, 10.0)
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
        self,
        loop: VirtualLoop,
        *,
        seed: int = 0,
        delay: float = 2.0,
        lag: float = 0.05,
        latency: float = 0.02,
        **options: Any,
    ) -> None:
        self.loop = loop
        self.clock = self.operators_clock = VirtualClock(loop)
        self.rng = random.Random(seed)
        self.world = World(delay=delay, clock=self.clock.wall, routers=[ROUTER], seed=seed)
        self.kubernetes = MemoryKubernetes(self.clock, self.rng, lag)
        self.latency, self.trouble = latency, 0.0
        self.life = Life(self.rng, latency)
        self.witness = Witness()
        self.road: Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport] = lambda cloud: cloud
        """What lies between the operator and the cloud."""
        self._options = options
        self._credentials: Credentials | None = Credentials(token=SecretStr("madeup-token"))
        self.cluster = "test"
        self.guard: Guard = Unguarded()
        self.told_late: dict[Name, float] = {}
        """After how many seconds the first list of a watch comes to these."""
        self.app: App | None = None
        self._api: Clients | None = None

    # ---- the operator

    async def start(self) -> App:
        self.life = Life(self.rng, self.latency, self.trouble)
        self._api = Clients(
            self._credentials,
            base_url="http://simulator",
            transport=self._cloud_door(self.road(transport(self.world))),
            timing=Timing(uniform=random.Random(self.rng.random()).uniform),
            **self._options.get("api", {}),
        )
        door = self._door()
        secrets = self._secrets_door()
        self.app = app = App(
            Options(self.cluster, self._options.get("intervals", LOOKS), **self._options.get("app", {})),
            {UPCLOUD: self._api},
            world=door,
            clock=self.operators_clock,
            rng=random.Random(self.rng.random()),
            reporter=door,
            sources=Sources(
                secrets,
                NamespacesDoor(self.kubernetes),
                FINGERPRINTS,
                Making(secrets, random.Random(self.rng.random()).choice),
                self.guard,
            ),
        )
        await app.start()
        self._watch(app)
        return app

    def _door(self) -> KubernetesDoor:
        return KubernetesDoor(self.kubernetes, self.life)

    def _secrets_door(self) -> SecretsDoor:
        return SecretsDoor(self.kubernetes, self.life, forbidden=self._options.get("forbidden", False))

    def _cloud_door(self, cloud: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        return CloudDoor(cloud, self.life, self.witness)

    def _watch(self, app: App) -> None:
        """As kopf does: a list of its own first, of which it tells with no type of event."""
        life = self.life

        def tell(kind: str, event: str | None, body: dict[str, Any]) -> None:
            if not life.over:
                app.observe(kind, event, body)

        for ref, body in list(self.kubernetes.objects.items()):
            told = copy.deepcopy(body)
            if (late := self.told_late.get(ref)) is None:
                tell(ref.kind, None, told)
            else:
                self.loop.call_later(late, tell, ref.kind, None, told)
        self.kubernetes.watchers.append(tell)
        self.kubernetes.secret_watcher = lambda *ref: None if life.over else app.secret_changed(*ref)
        self.kubernetes.namespace_watcher = lambda name: None if life.over else app.namespace_changed(name)

    def beside(self) -> History:
        """A second operator for the same cluster and cloud."""
        other = History(self.loop, seed=self.rng.getrandbits(32), latency=self.latency, **self._options)
        other.world, other.kubernetes, other.witness = self.world, self.kubernetes, self.witness
        return other

    async def start_or_die(self) -> None:
        """As `start`, but the process may die before it has come up, and does when whoever waits for it gives up."""
        starting = asyncio.create_task(self.start())
        await asyncio.sleep(0)
        ended = asyncio.create_task(self.life.ended.wait())
        try:
            await asyncio.wait({starting, ended}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self.die()
            raise
        finally:
            ended.cancel()
            if self.life.over:
                starting.cancel()
                await asyncio.gather(starting, return_exceptions=True)
        if not self.life.over:
            await starting

    async def kill(self) -> None:
        """Like SIGKILL: nothing is finished, nothing is recorded."""
        self.die()
        app, self.app = self.app, None
        if app is None:
            return
        tasks = {*app.queue._tasks, *app._tasks}  # noqa: SLF001  a kill asks nobody
        while tasks:
            for task in tasks:
                task.cancel()
            _, tasks = await asyncio.wait(tasks, timeout=1.0)
        for timer in app.queue._timers.values():  # noqa: SLF001
            timer.cancel()
        if self._api is not None:
            await self._api.aclose()

    def die(self) -> None:
        """At once, between two steps: from here on nothing of the process has any effect. `kill` cleans up."""
        self.life.ended.set()

    def credential(self, token: str) -> None:
        """From the next start on."""
        self._credentials = Credentials(token=SecretStr(token))

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

    # ---- others

    async def by_hand(self, method: str, path: str, body: Any = None) -> Any:
        """Somebody uses the API of the cloud, with the same account: not met by faults, not counted as a call."""
        before, faults = len(self.world.calls), self.world.faults
        self.world.faults = Faults()
        headers = {"Authorization": "Bearer madeup-token"}
        async with httpx.AsyncClient(transport=transport(self.world), base_url="http://simulator") as client:
            answer = await client.request(method, "/1.3" + path, json=body, headers=headers)
        del self.world.calls[before:]
        self.world.faults = faults
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

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


def play(
    story: Callable[[History], Coroutine[Any, Any, None]],
    *,
    world: Callable[..., History] | None = None,
    **options: Any,
) -> History:
    """Play one story in virtual time. `world` makes the history, where it is to be one of another class."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    history = (world or History)(loop, **options)

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
