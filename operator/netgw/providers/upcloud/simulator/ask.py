"""The frame in which one request is answered: who asks, when, for what; and how a change takes effect as a whole."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from . import problems
from .records import Connection, Gateway, Tunnel
from .world import World


@dataclass(frozen=True)
class Ask:
    """One request, as the verbs see it. `params` are the parts of the path, decoded."""

    world: World
    account: str
    now: datetime
    params: Mapping[str, str] = field(default_factory=dict)
    query: Sequence[tuple[str, str]] = ()
    body: bytes = b""

    def gateway(self, missing: str) -> Gateway:
        """The service of the path, or 404 with this title."""
        gateway = self.world.gateways.get(self.params["gateway"])
        if gateway is None or gateway.account != self.account:
            raise problems.not_found(missing)
        return gateway

    def draft(self, missing: str) -> Gateway:
        """A copy of the service to change; `commit` puts it in place. 409 while the service is being deleted."""
        gateway = self.gateway(missing)
        if gateway.deleting:
            raise problems.being_deleted()
        return copy.deepcopy(gateway)

    def commit(self, draft: Gateway) -> None:
        """All of the change, or nothing of it."""
        self.world.gateways[draft.uuid] = draft

    def connection(self, gateway: Gateway) -> Connection:
        """The connection of the path, or 404."""
        for connection in gateway.connections:
            if connection.uuid == self.params["connection"]:
                return connection
        raise problems.not_found(problems.NO_CONNECTION)

    def tunnel(self, connection: Connection) -> Tunnel:
        """The tunnel of the path, or 404."""
        for tunnel in connection.tunnels:
            if tunnel.uuid == self.params["tunnel"]:
                return tunnel
        raise problems.not_found(problems.NO_TUNNEL)
