"""What was last read of the cloud, by uuid, and reads that serve all who ask. It knows nothing of what an entry holds.

An entry never goes backwards: a read that began earlier does not replace one that began later. What was read before our
last write proves neither absence nor drift. Gone is only what itself answered 404.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from netgw.engine.ports import Clock


class Dated(Protocol):
    """An entry. `began`: when the request that brought it began, monotonic seconds."""

    @property
    def began(self) -> float: ...

    @property
    def uuid(self) -> str: ...

    def uuids(self) -> set[str]:
        """Of itself and of everything below it."""


E = TypeVar("E", bound=Dated)

GONE_MOST = 1000
"""So many that are proven gone are remembered. What is forgotten is asked for once more, and proven again."""
UNDER_WAY = 600.0
"""No answer comes later than so many seconds after it was asked for."""


@dataclass(frozen=True)
class Moved:
    """Whom a change concerns.

    `listed`: something came or went, or a gateway itself changed (its plan, its features): then those are concerned as
    well that have no uuid yet. `tunnel`: a tunnel changed.
    """

    uuids: frozenset[str] = frozenset()
    listed: bool = False
    tunnel: bool = False


class Cache(Generic[E]):
    """Everything of one sort in one account, by uuid. A subclass says whom a change concerns."""

    def __init__(self) -> None:
        self._entries: dict[str, E] = {}
        self._gone: dict[str, None] = {}
        self._wrote: dict[str, float] = {}

    def clear(self) -> None:
        """As if nothing had been read or written."""
        self._entries.clear()
        self._gone.clear()
        self._wrote.clear()

    def entries(self) -> list[E]:
        """All of them, however old."""
        return list(self._entries.values())

    def get(self, uuid: str) -> E | None:
        """What is known of one, however old."""
        return self._entries.get(uuid)

    def since(self, uuid: str, after: float) -> E | None:
        """What was read by a request that began at `after` or later."""
        entry = self._entries.get(uuid)
        return entry if entry is not None and entry.began >= after else None

    def wrote(self, tree: str, at: float) -> None:
        """A mutating call to it or below it ended: what began before is stale."""
        self._wrote[tree] = at
        # Also of one that is not there any more, as long as an answer from before the call may still arrive.
        kept = {uuid: last for uuid, last in self._wrote.items() if uuid in self._entries or last > at - UNDER_WAY}
        self._wrote = kept

    def last_write(self, tree: str) -> float:
        """When our last write to it ended; 0 when there was none."""
        return self._wrote.get(tree, 0.0)

    def is_gone(self, uuid: str) -> bool:
        """Proven: it answered 404 itself, and no later answer named it."""
        return uuid in self._gone

    def gone(self, uuid: str) -> Moved:
        """It answered 404."""
        self._gone[uuid] = None
        if len(self._gone) > GONE_MOST:
            del self._gone[next(iter(self._gone))]
        return self.drop(uuid)

    def drop(self, uuid: str) -> Moved:
        """A list does not name it: forget it, which proves nothing."""
        entry = self._entries.pop(uuid, None)
        return Moved() if entry is None else self._came_or_went(entry)

    def older_than(self, began: float) -> list[str]:
        """Those whose entry is from before `began`."""
        return [uuid for uuid, entry in self._entries.items() if entry.began < began]

    def take(self, entry: E) -> Moved:
        """Keep the younger of two entries, and say whom the difference concerns."""
        old = self._entries.get(entry.uuid)
        if old is not None and old.began > entry.began:
            return Moved()
        self._entries[entry.uuid] = entry
        for uuid in self._gone.keys() & entry.uuids():
            del self._gone[uuid]
        return self._came_or_went(entry) if old is None else self._changed(old, entry)

    def _came_or_went(self, entry: E) -> Moved:
        return Moved(frozenset(entry.uuids()), listed=True)

    def _changed(self, old: E, new: E) -> Moved:
        raise NotImplementedError


class Flights(Generic[E]):
    """One read serves all who ask for the same, unless it began before what they need. `read` gives None for gone."""

    def __init__(self, clock: Clock, read: Callable[[str], Coroutine[Any, Any, E | None]]) -> None:
        self._clock = clock
        self._read = read
        self._under_way: dict[str, tuple[float, asyncio.Task[E | None]]] = {}

    async def read(self, uuid: str, after: float) -> E | None:
        """By a read that began at `after` or later. Raises what `read` raises."""
        flight = self._under_way.get(uuid)
        if flight is None or flight[0] < after:
            flight = (self._clock.now(), asyncio.create_task(self._read(uuid)))
            self._under_way[uuid] = flight
            flight[1].add_done_callback(lambda task: self._landed(uuid, task))
        return await asyncio.shield(flight[1])

    def _landed(self, uuid: str, task: asyncio.Task[E | None]) -> None:
        if (flight := self._under_way.get(uuid)) is not None and flight[1] is task:
            del self._under_way[uuid]
        if not task.cancelled():
            task.exception()  # whoever awaits it sees it; nobody complains where nobody does any more
