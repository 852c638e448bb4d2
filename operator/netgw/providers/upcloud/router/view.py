"""The routers of one account as last read: `GET /1.3/router` beside each list of gateways, while somebody needs it.

They are no part of the list of gateways, so they are asked for only while there is a Router object of this account. A
failure of theirs stops no gateway: a credential may have no right to networks. What a list does not name is forgotten,
which proves nothing; gone is only what itself answered 404 in UpCloud's own words.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from netgw.engine.outcome import CallFailed, Hold, Waiting
from netgw.engine.ports import Clock
from netgw.kube.provider import Intervals, Listener
from netgw.providers.upcloud.api import Gateway, Reply, Router, UpCloud, UpCloudError
from netgw.providers.upcloud.cache import Cache, Flights, Moved
from netgw.providers.upcloud.failures import Caller
from netgw.providers.upcloud.sight import NOT_ASKED, REFUSALS, Sight

log = logging.getLogger(__name__)

KIND = "Router"
AGAIN = 60.0


@dataclass(frozen=True)
class RouterEntry:
    """One router. `began`: when the request that brought it began, monotonic seconds. `date`: the cloud's clock."""

    router: Router
    began: float
    date: datetime

    @property
    def uuid(self) -> str:
        """Of the router."""
        return self.router.uuid

    def uuids(self) -> set[str]:
        """There is nothing below it."""
        return {self.uuid}


class RouterCache(Cache[RouterEntry]):
    """Every router of one account, by uuid."""

    def _changed(self, old: RouterEntry, new: RouterEntry) -> Moved:
        return Moved() if old.router == new.router else Moved(frozenset({new.uuid}))


class Host(Protocol):
    """What is needed of the account."""

    caller: Caller

    @property
    def api(self) -> UpCloud: ...

    def has(self, client: UpCloud) -> bool: ...

    def must_answer(self) -> None: ...

    def asking(self, *, writes: bool = False) -> AbstractContextManager[None]: ...

    def expedite(self, seconds: float) -> None: ...

    def at_router(self, router: str) -> list[Gateway]: ...


class Routers:
    """`poll` with each look of the account; `router` and `list_now` for those who must know."""

    def __init__(self, account: Host, clock: Clock, intervals: Intervals, listener: Listener) -> None:
        self._account = account
        self._clock = clock
        self._intervals = intervals
        self._listener = listener
        self._cache = RouterCache()
        self._flights = Flights(clock, lambda uuid: self._read(uuid, account.api))
        self._sight = Sight(clock, intervals.slow, account.caller)
        self._listed = False
        self._told_blind = False

    # ---- polling

    async def poll(self) -> None:
        """One look at all of them, where there is a need. Never raises for what the cloud does."""
        if not self._listener.serves_kind(KIND):
            return self._rest()
        client = self._account.api
        try:
            reply = await client.list_routers()
        except UpCloudError as error:
            return self._failed(error)
        if self._account.has(client):
            self._took(reply)
        return None

    def _failed(self, error: UpCloudError) -> None:
        """Told at once where only a person helps, else when nothing was seen for too long."""
        outcome, blind = self._sight.failed(error), self._sight.is_blind()
        if outcome is not None:
            name = self._account.caller.name
            said, named = "routers cannot be observed with %s: %s: %s", {"correlation_id": error.correlation_id}
            log.warning(said, name, outcome.reason, error, extra=named)
        if (outcome is not None and outcome.reason in REFUSALS) or (blind and not self._told_blind):
            self._listener.refused()
        self._told_blind = blind

    def forget(self) -> None:
        """What was read belongs to somebody else."""
        self._cache = RouterCache()
        self._listed = False

    def _rest(self) -> None:
        """Nobody needs them: what nobody keeps fresh is not to be believed later."""
        if self._listed:
            self._listed = False
            for entry in self._cache.entries():
                self._tell(self._cache.drop(entry.uuid))
        self._sight = Sight(self._clock, self._intervals.slow, self._account.caller)

    def _took(self, reply: Reply[tuple[Router, ...]]) -> list[RouterEntry]:
        self._sight.answers()
        self._sight.looked()
        self._listed = True
        date = reply.date or self._clock.wall()
        listed = {router.uuid: RouterEntry(router, reply.began, date) for router in reply.value}
        for entry in listed.values():
            self._tell(self._cache.take(entry))
        for uuid in self._cache.older_than(reply.began):
            if uuid not in listed:
                self._tell(self._cache.drop(uuid))
        return list(listed.values())

    def _tell(self, moved: Moved) -> None:
        """Also those gateways that are at the router: how many networks it has is in the advice on them."""
        if moved.uuids:
            gateways = {gateway.uuid for uuid in moved.uuids for gateway in self._account.at_router(uuid)}
            self._listener.changed(moved.uuids | gateways, moved.listed)

    # ---- what may be done now

    def hold(self) -> Hold | None:
        """What stops every call for a router alone: its list is refused, or not answered."""
        if self._sight.failing is None:
            return None
        outcome = self._sight.failing.outcome
        return Waiting(outcome.reason, outcome.message, outcome.after or AGAIN)

    def blind(self, last_seen: str | None) -> str | None:
        """The message of CannotObserve, as `Account.blind`."""
        return None if self._sight.failing is None else self._sight.blind(last_seen)

    # ---- reading

    def known(self, uuid: str) -> RouterEntry | None:
        """What is cached, however old."""
        return self._cache.get(uuid)

    def entries(self) -> list[RouterEntry] | None:
        """All of them, as listed last; None: not listed yet, which is then soon done."""
        if not self._listed:
            self._account.expedite(2 * self._intervals.fast)
            return None
        return self._cache.entries()

    def is_gone(self, uuid: str) -> bool:
        """Whether this uuid is proven gone."""
        return self._cache.is_gone(uuid)

    async def router(self, uuid: str, *, fresh: bool = False) -> RouterEntry | None:
        """An entry not older than our last write to it, or than now (`fresh`). None: proven gone. Raises CallFailed."""
        after = self._clock.now() if fresh else self._cache.last_write(uuid)
        if not fresh:
            if (entry := self._cache.since(uuid, after)) is not None:
                return entry
            if self._cache.is_gone(uuid):
                return None
        self._account.must_answer()
        return await self._flights.read(uuid, after)

    async def list_now(self) -> tuple[list[RouterEntry], float, datetime]:
        """Every router by a read that begins now, with that time and the cloud's clock. Raises CallFailed."""
        self._account.must_answer()
        client = self._account.api
        with self._account.asking():
            reply = await client.list_routers()
        if not self._account.has(client):
            raise CallFailed(NOT_ASKED, backoff=True)
        return self._took(reply), reply.began, reply.date or self._clock.wall()

    async def _read(self, uuid: str, client: UpCloud) -> RouterEntry | None:
        """`client`: that of the moment in which the account was found settled."""
        try:
            with self._account.asking():
                reply = await client.get_router(router=uuid)
        except CallFailed as failure:
            if not failure.proof or not self._account.has(client):
                raise
            self._tell(self._cache.gone(uuid))
            return None
        if not self._account.has(client):
            raise CallFailed(NOT_ASKED, backoff=True)
        self._sight.looked()
        self._tell(self._cache.take(RouterEntry(reply.value, reply.began, reply.date or self._clock.wall())))
        return self._cache.get(uuid)

    # ---- writing

    @asynccontextmanager
    async def writing(self, uuid: str) -> AsyncIterator[None]:
        """Around a mutating call: whatever becomes of it, what was read of that router before is stale now."""
        try:
            with self._account.asking(writes=True):
                yield
        finally:
            self._cache.wrote(uuid, self._clock.now())
            self._account.expedite(2 * self._intervals.fast)
