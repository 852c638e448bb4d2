"""What was last read of the cloud, and how old it is. No calls, no waiting.

An entry never goes backwards: a read that began earlier does not replace one that began later. What was read before our
last write to a tree proves neither absence nor drift. Gone is only what itself answered 404.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from netgw.providers.upcloud.advice.gateways import outline
from netgw.providers.upcloud.api import Connection, Gateway, Tunnel


@dataclass(frozen=True)
class Entry:
    """One gateway with all below it.

    `began`: when the request that brought it began, monotonic seconds. `date`: the cloud's clock at the answer.
    """

    gateway: Gateway
    began: float
    date: datetime

    @property
    def connections(self) -> tuple[Connection, ...]:
        """Its connections; what the answer does not tell counts as none (see `Account._complete`)."""
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


@dataclass(frozen=True)
class Moved:
    """Whom a change concerns.

    `listed`: something came or went, or a gateway itself changed (its plan, its features): then those are concerned as
    well that have no uuid yet. `tunnel`: a tunnel changed.
    """

    uuids: frozenset[str] = frozenset()
    listed: bool = False
    tunnel: bool = False


class Snapshot:
    """Every gateway of one account, by uuid."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._gone: set[str] = set()
        self._wrote: dict[str, float] = {}

    def entries(self) -> list[Entry]:
        """All of them, however old."""
        return list(self._entries.values())

    def get(self, uuid: str) -> Entry | None:
        """What is known of a gateway, however old."""
        return self._entries.get(uuid)

    def since(self, uuid: str, after: float) -> Entry | None:
        """What was read of a gateway by a request that began at `after` or later."""
        entry = self._entries.get(uuid)
        return entry if entry is not None and entry.began >= after else None

    def find_connection(self, uuid: str) -> tuple[Entry, Connection] | None:
        """A connection by its uuid."""
        for entry in self._entries.values():
            for connection in entry.connections:
                if connection.uuid == uuid:
                    return entry, connection
        return None

    def wrote(self, tree: str, at: float) -> None:
        """A mutating call to this gateway or below it ended: what began before is stale."""
        self._wrote[tree] = at

    def last_write(self, tree: str) -> float:
        """When our last write to it ended; 0 when there was none."""
        return self._wrote.get(tree, 0.0)

    def is_gone(self, uuid: str) -> bool:
        """Proven: it answered 404 itself, and no later answer named it."""
        return uuid in self._gone

    def gone(self, uuid: str) -> Moved:
        """It answered 404."""
        self._gone.add(uuid)
        return self.drop(uuid)

    def drop(self, uuid: str) -> Moved:
        """A list does not name it: forget it, which proves nothing."""
        entry = self._entries.pop(uuid, None)
        return Moved() if entry is None else Moved(frozenset(entry.uuids()), listed=True)

    def older_than(self, began: float) -> list[str]:
        """Gateways whose entry is from before `began`."""
        return [uuid for uuid, entry in self._entries.items() if entry.began < began]

    def take(self, entry: Entry) -> Moved:
        """Keep the younger of two entries, and say whom the difference concerns."""
        old = self._entries.get(entry.gateway.uuid)
        if old is not None and old.began > entry.began:
            return Moved()
        self._entries[entry.gateway.uuid] = entry
        self._gone -= entry.uuids()
        return Moved(frozenset(entry.uuids()), listed=True) if old is None else _moved(old, entry)


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
    listed = before.keys() != after.keys() or gateway in moved
    return Moved(frozenset(woken), listed, bool(moved & parents.keys()))
