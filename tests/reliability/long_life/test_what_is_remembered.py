"""Many trees come and go, and what the operator remembers is no more than after the first of them."""

from __future__ import annotations

import asyncio

from netgw.engine.recall import LEAST
from netgw.engine.store import BURIED_MOST
from netgw.kube.telemetry import BUCKETS
from netgw.providers.upcloud.observing.cache import GONE_MOST
from support.days import TOKENS, Day, day
from support.effort import effort
from support.figures import Figures
from support.history import CONNECTION, GATEWAY, KEY, OTHER_KEY, tunnel
from support.long_life.census import Sizes, census, grown

FIRST, MORE = 3, effort(test=5, soak=100)
ANSWERS = 60
"""Of one account: each route by each status that it was answered with, however often."""
MOST = {
    "Store._buried": BURIED_MOST,
    "Snapshot._gone": GONE_MOST,
    "Snapshot._wrote": 8,  # of the last ten minutes in which anything was written
    "Recall._held": 3 * LEAST,
    "Tally.passes": 500,
    "CallLog._seconds": ANSWERS,
    "CallLog._buckets": ANSWERS,
    "CallLog._buckets[]": ANSWERS * (len(BUCKETS) + 1),
}
"""What is bounded whatever comes and goes: a fixed number of the latest, or of words. There are three `Recall`."""


class Tree:
    """A gateway, a connection, two tunnels that share a Secret; `number` is in each name.

    Each second one has credentials of its own.
    """

    def __init__(self, day: Day, number: int) -> None:
        self._day, self._kubernetes = day, day.kubernetes
        self.gateway, self.connection = f"edge-{number}", f"office-{number}"
        self.tunnels = (f"office-{number}-1", f"office-{number}-2")
        self.key, self.credentials = f"psk-{number}", f"upcloud-{number}"
        self._own_credentials = number % 2 == 1

    def make(self, plan: str = "production") -> None:
        credentials = {"credentialsSecretRef": {"name": self.credentials}} if self._own_credentials else {}
        spec = {**GATEWAY, "plan": plan, **credentials}
        self._kubernetes.put_data(self.credentials, {"token": next(iter(TOKENS)).encode()})
        self._kubernetes.put_data(self.key, {"psk": f"{KEY}\n".encode()})
        self._kubernetes.apply("NetworkGateway", self.gateway, spec)
        connection = {**CONNECTION, "gatewayRef": {"name": self.gateway}}
        self._kubernetes.apply("VpnConnection", self.connection, connection)
        for place, name in enumerate(self.tunnels):
            ipsec = {"authentication": {"pskSecretRef": {"name": self.key, "key": "psk"}}}
            spec = {**tunnel(f"100.10.0.{111 + place}", ipsec=ipsec), "connectionRef": {"name": self.connection}}
            self._kubernetes.apply("VpnTunnel", name, spec)

    async def live(self) -> None:
        """Changes of every sort, the last of them not awaited."""
        self.make()
        await self._day.settle()
        first, second = (self._kubernetes.get("VpnTunnel", name) for name in self.tunnels)
        assert first is not None
        assert second is not None
        self._day.world.force_tunnel(str(first.uuid), tunnel_up=False, last_down_message="peer is silent")
        await asyncio.sleep(90)
        self._day.world.force_tunnel(str(first.uuid))
        self._kubernetes.put_data(self.key, {"psk": f"{OTHER_KEY}\n".encode()})
        await self._day.settle()
        await self._day.ask("DELETE", f"/gateway/{self._gateway_uuid()}/connections/{self._connection_uuid()}")
        await self._day.settle()
        self.make(plan="advanced")
        await asyncio.sleep(1)

    async def go(self) -> None:
        for kind, name in (
            ("NetworkGateway", self.gateway),
            ("VpnConnection", self.connection),
            *(("VpnTunnel", name) for name in self.tunnels),
        ):
            self._kubernetes.delete(kind, name)
        await self._day.until(lambda: not self._day.objects())
        for name in (self.key, self.credentials):
            self._kubernetes.put_data(name, None)

    def _gateway_uuid(self) -> str:
        return self._uuid("NetworkGateway", self.gateway)

    def _connection_uuid(self) -> str:
        return self._uuid("VpnConnection", self.connection)

    def _uuid(self, kind: str, name: str) -> str:
        return str(self._day.get(kind, name).uuid)


async def rest(day: Day) -> Sizes:
    """Long enough for every clock that remembers something for some time."""
    await asyncio.sleep(2 * 3600)
    assert day.app is not None
    day.app.samples()
    return census(day.app)


def test_nothing_is_remembered_of_what_is_gone(figures: Figures) -> None:
    async def story(d: Day) -> None:
        await d.start()
        for number in range(FIRST):
            await live_and_go(d, number)
        before = await rest(d)
        for number in range(FIRST, FIRST + MORE):
            await live_and_go(d, number)
        found = grown(before, await rest(d))
        assert {name: sizes for name, sizes in found.items() if sizes[1] > MOST.get(name, 0)} == {}

    async def live_and_go(d: Day, number: int) -> None:
        assert d.app is not None
        tree = Tree(d, number)
        await tree.live()
        d.app.samples()  # somebody scrapes
        await tree.go()

    day(story)
    figures.put("long life", "trees that came and went, and no container is larger", FIRST + MORE)
