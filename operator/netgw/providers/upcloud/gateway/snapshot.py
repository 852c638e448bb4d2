"""Gateways as last read, each with all below it, and whom a change of one concerns. No calls, no waiting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from netgw.providers.upcloud.advice.gateways import outline
from netgw.providers.upcloud.api import Connection, Gateway, Tunnel
from netgw.providers.upcloud.observing.cache import Cache, Moved


@dataclass(frozen=True)
class Entry:
    """One gateway with all below it.

    `began`: when the request that brought it began, monotonic seconds. `date`: the cloud's clock at the answer.
    """

    gateway: Gateway
    began: float
    date: datetime

    @property
    def uuid(self) -> str:
        """Of the gateway."""
        return self.gateway.uuid

    @property
    def routers(self) -> set[str]:
        """The uuids of the routers that it is attached to."""
        return {router.uuid for router in self.gateway.routers}

    @property
    def connections(self) -> tuple[Connection, ...]:
        """Its connections; what the answer does not tell counts as none (see `Gateways._complete`)."""
        return self.gateway.connections or ()

    def tunnels(self) -> Iterator[tuple[Connection, Tunnel]]:
        """Every tunnel with its connection."""
        for connection in self.connections:
            for tunnel in connection.tunnels:
                yield connection, tunnel

    def uuids(self) -> set[str]:
        """Of the gateway and everything below it."""
        return set(self.parts())

    def parts(self) -> dict[str, object]:
        """Each resource by uuid, without what is below it.

        And without updated_at, which a PATCH of a gateway bumps for all of them.
        """
        parts: dict[str, object] = {self.gateway.uuid: self.gateway.model_dump(exclude={"connections", "updated_at"})}
        for connection in self.connections:
            parts[connection.uuid] = connection.model_dump(exclude={"tunnels", "updated_at"})
        for _, tunnel in self.tunnels():
            parts[tunnel.uuid] = tunnel.model_dump(exclude={"updated_at"})
        return parts


class Snapshot(Cache[Entry]):
    """Every gateway of one account, by uuid."""

    def _came_or_went(self, entry: Entry) -> Moved:
        return Moved(frozenset(entry.uuids() | entry.routers), listed=True)

    def _changed(self, old: Entry, new: Entry) -> Moved:
        return _moved(old, new)


def _moved(old: Entry, new: Entry) -> Moved:
    before, after = old.parts(), new.parts()
    moved = {uuid for uuid in before.keys() | after.keys() if before.get(uuid) != after.get(uuid)}
    if not moved:
        return Moved()
    gateway = new.gateway.uuid
    parents = {tunnel.uuid: connection.uuid for connection, tunnel in new.tunnels()}
    # A gateway's own state decides for all below it; a tunnel's shows in its connection and its gateway.
    family = gateway in moved or outline(old.gateway) != outline(new.gateway)
    woken = moved | (set(after) if family else {gateway} | {parents[uuid] for uuid in moved & parents.keys()})
    woken |= new.routers if gateway in moved else set()
    listed = before.keys() != after.keys() or gateway in moved
    return Moved(frozenset(woken), listed, bool(moved & parents.keys()))
