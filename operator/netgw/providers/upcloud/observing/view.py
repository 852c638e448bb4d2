"""What is known of one sort of thing in one account, and reads by whoever must know it now.

What is older than our last write is read anew (one GET of that one, single flight) when somebody needs it. Absence is
believed only of a uuid that itself answered 404, in UpCloud's own error shape.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from datetime import datetime
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from netgw.engine.outcome import CallFailed
from netgw.engine.ports import Clock
from netgw.providers.upcloud.api import Reply, UpCloud
from netgw.providers.upcloud.failures import Caller
from netgw.providers.upcloud.observing.cache import Cache, Dated, Flights, Moved
from netgw.providers.upcloud.observing.sight import NOT_ASKED, Sight

E = TypeVar("E", bound=Dated)


class Host(Protocol):
    """What is needed of the account."""

    caller: Caller
    username: str | None

    @property
    def api(self) -> UpCloud: ...

    def has(self, client: UpCloud) -> bool: ...

    def must_answer(self) -> None: ...

    def asking(self, *, writes: bool = False) -> AbstractContextManager[None]: ...

    def expedite(self, seconds: float) -> None: ...

    def went_well(self, began: float) -> None: ...


class Listing(NamedTuple, Generic[E]):
    """A list as it was read. `began`: when its request did, monotonic seconds. `date`: the cloud's clock."""

    entries: list[E]
    began: float
    date: datetime


class View(Generic[E]):
    """`known` for those who can do with what was seen last, `get` and `list_now` for those who cannot.

    A subclass says how one and all are read, and whom a change concerns. `fast`: seconds between two looks in haste.
    """

    def __init__(self, host: Host, cache: Cache[E], sight: Sight, clock: Clock, fast: float) -> None:
        self._host = host
        self._cache = cache
        self._sight = sight
        self._clock = clock
        self._fast = fast
        self._flights = Flights(clock, lambda uuid: self._read(uuid, host.api))

    async def read_all(self, client: UpCloud) -> Listing[E]:
        """One read of all of them, of which nothing is kept yet. Raises UpCloudError."""
        raise NotImplementedError

    async def _read_one(self, client: UpCloud, uuid: str) -> E:
        """One read of one. Raises UpCloudError."""
        raise NotImplementedError

    def _tell(self, moved: Moved) -> None:
        """Wake whom it concerns."""
        raise NotImplementedError

    # ---- what is known

    def known(self, uuid: str) -> E | None:
        """What is cached, however old."""
        return self._cache.get(uuid)

    def is_gone(self, uuid: str) -> bool:
        """Whether this uuid is proven gone."""
        return self._cache.is_gone(uuid)

    def forget(self) -> None:
        """What was read belongs to somebody else."""
        self._cache.clear()

    def took(self, listing: Listing[E]) -> None:
        """A list is the news of everything in it, and what it does not name is forgotten, which proves nothing."""
        for entry in listing.entries:
            self._tell(self._cache.take(entry))
        named = {entry.uuid for entry in listing.entries}
        for uuid in self._cache.older_than(listing.began):
            if uuid not in named:
                self._tell(self._cache.drop(uuid))

    # ---- reading

    async def get(self, uuid: str, *, fresh: bool = False) -> E | None:
        """An entry not older than our last write to it, or than now (`fresh`). None: proven gone. Raises CallFailed."""
        after = self._clock.now() if fresh else self._cache.last_write(uuid)
        if not fresh:
            if (entry := self._cache.since(uuid, after)) is not None:
                return entry
            if self._cache.is_gone(uuid):
                return None
        self._host.must_answer()
        return await self._flights.read(uuid, after)

    async def list_now(self) -> Listing[E]:
        """All of them by a read that begins now. Raises CallFailed."""
        self._host.must_answer()
        client = self._host.api
        with self._host.asking():
            listing = await self.read_all(client)
        if not self._host.has(client):
            raise CallFailed(NOT_ASKED, backoff=True)
        self.took(listing)
        return listing

    async def _read(self, uuid: str, client: UpCloud) -> E | None:
        """`client`: that of the moment in which the account was found settled."""
        try:
            with self._host.asking():
                entry = await self._read_one(client, uuid)
        except CallFailed as failure:
            if not failure.proof or not self._host.has(client):
                raise
            self._tell(self._cache.gone(uuid))
            return None
        if not self._host.has(client):
            raise CallFailed(NOT_ASKED, backoff=True)
        self._sight.looked()
        self._tell(self._cache.take(entry))
        return self._cache.get(uuid)

    def _date(self, reply: Reply[Any]) -> datetime:
        """The cloud's clock at an answer, or ours where it does not tell."""
        return reply.date or self._clock.wall()

    # ---- writing

    @asynccontextmanager
    async def writing(self, uuid: str) -> AsyncIterator[None]:
        """Around a mutating call to it: whatever becomes of it, what was read of it before is stale now."""
        try:
            with self._host.asking(writes=True):
                yield
        finally:
            self._cache.wrote(uuid, self._clock.now())
            self._host.expedite(2 * self._fast)
