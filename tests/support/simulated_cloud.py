"""A simulated UpCloud with a clock that stands still, asked through raw httpx without a socket."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from netgw.providers.upcloud.simulator import Behaviour, World, transport

PSK = "madeup_psk_for_tests_1"
OTHER_PSK = "madeup_psk_for_tests_2"
ZONE = "pl-waw1"


@dataclass
class Clock:
    """Moves when told."""

    now: datetime = field(default_factory=lambda: datetime(2026, 11, 22, 3, 0, 0, 420000, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Cloud:
    """The world, its clock, and one verb to ask it; the rest are bodies that most tests begin with."""

    def __init__(
        self,
        *,
        delay: float = 0.0,
        tunnels: Any = "up",
        behaviour: Behaviour | None = None,
        tokens: dict[str, str] | None = None,
        floating_ips: tuple[str, ...] = (),
    ) -> None:
        self.clock = Clock()
        self.world = World(
            delay=delay,
            tunnels=tunnels,
            clock=self.clock,
            behaviour=behaviour or Behaviour.today(),
            tokens=tokens,
            floating_ips=floating_ips,
            seed=1,
        )

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """One request below /1.3, with a token unless `headers` say otherwise."""
        return self.door(method, "/1.3" + path, body, **{"headers": {"Authorization": "Bearer made-up"}, **options})

    def door(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """One request to any path, without credential."""

        async def request() -> httpx.Response:
            async with httpx.AsyncClient(transport=transport(self.world), base_url="http://simulator") as client:
                return await client.request(method, path, **({} if body is None else {"json": body}), **options)

        return asyncio.run(request())

    def made(self, path: str, body: Any) -> dict[str, Any]:
        """A POST that must answer 201."""
        answer = self.ask("POST", path, body)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def router(self) -> str:
        """The UUID of a new one."""
        return str(self.made("/router", {"router": {"name": "router"}})["router"]["uuid"])

    def gateway(self, **over: Any) -> dict[str, Any]:
        """A new service on a router of its own."""
        return self.made("/gateway", gateway_body(self.router(), **over))

    def connection(self, gateway: str, **over: Any) -> dict[str, Any]:
        """A new connection, without tunnels."""
        return self.made(f"/gateway/{gateway}/connections", connection_body(**over))

    def tunnel(self, gateway: str, connection: str, **over: Any) -> dict[str, Any]:
        """A new tunnel."""
        return self.made(f"/gateway/{gateway}/connections/{connection}/tunnels", tunnel_body(**over))

    def got(self, path: str) -> Any:
        """A GET that must answer 200."""
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()


def gateway_body(router: str, **over: Any) -> dict[str, Any]:
    body = {
        "name": "edge",
        "zone": ZONE,
        "plan": "advanced",
        "features": ["vpn"],
        "routers": [{"uuid": router}],
        "addresses": [{"name": "public"}],
        "configured_status": "started",
    }
    return {key: value for key, value in (body | over).items() if value is not None}


def connection_body(**over: Any) -> dict[str, Any]:
    body = {
        "name": "office",
        "type": "ipsec",
        "local_routes": [route()],
        "remote_routes": [route("remote", "10.0.2.0/24")],
    }
    return {key: value for key, value in (body | over).items() if value is not None}


def route(name: str = "local", network: str = "10.0.1.0/24") -> dict[str, str]:
    return {"name": name, "type": "static", "static_network": network}


def tunnel_body(**over: Any) -> dict[str, Any]:
    body = {
        "name": "office-1",
        "local_address": {"name": "public"},
        "remote_address": {"address": "100.10.0.111"},
        "ipsec": {"authentication": {"authentication": "psk", "psk": PSK}},
    }
    return {key: value for key, value in (body | over).items() if value is not None}
