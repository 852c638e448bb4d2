"""The simulator as the demo sees it: through its control door, never through the operator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx


@dataclass(frozen=True)
class Call:
    """One request that the simulator got."""

    method: str
    path: str
    at: datetime


@dataclass(frozen=True)
class CloudTunnel:
    """A tunnel as it is in the cloud; of its key only the SHA-256, in hex."""

    uuid: str
    name: str
    state: str
    psk_sha256: str


@dataclass(frozen=True)
class World:
    """All that there is."""

    gateways: int
    connections: int
    tunnels: tuple[CloudTunnel, ...]

    def __str__(self) -> str:
        return f"gateways: {self.gateways}, connections: {self.connections}, tunnels: {len(self.tunnels)}"


class Cloud:
    """The control door at `url`; close it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url, timeout=10.0, trust_env=False)

    def close(self) -> None:
        """Give back the connections."""
        self._client.close()

    def calls(self) -> list[Call]:
        """Every request so far, in order."""
        return [Call(call["method"], call["path"], datetime.fromisoformat(call["time"])) for call in self._get("calls")]

    def count(self, *methods: str) -> tuple[int, ...]:
        """How many requests there were with each of these methods."""
        seen = [call.method for call in self.calls()]
        return tuple(seen.count(method) for method in methods)

    def world(self) -> World:
        """What the cloud holds now."""
        gateways = self._get("world")["gateways"]
        connections = [connection for gateway in gateways for connection in gateway["connections"]]
        tunnels = [
            CloudTunnel(tunnel["uuid"], tunnel["name"], tunnel["operational_state"], tunnel["psk_sha256"])
            for connection in connections
            for tunnel in connection["tunnels"]
        ]
        return World(len(gateways), len(connections), tuple(tunnels))

    def force(self, tunnel: str, **how: str) -> None:
        """Force what a tunnel shows; nothing lets it go back to nature."""
        self._client.post(f"/_sim/tunnels/{tunnel}", json=how).raise_for_status()

    def _get(self, what: str) -> Any:
        answer = self._client.get(f"/_sim/{what}")
        answer.raise_for_status()
        return answer.json()
