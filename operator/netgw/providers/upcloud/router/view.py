"""The routers of one account as last read: `GET /1.3/router` beside each list of gateways, while somebody needs it.

They are no part of the list of gateways, so they are asked for only while there is a Router object of this account. A
failure of theirs stops no gateway: a credential may have no right to networks. What a list does not name is forgotten,
which proves nothing; gone is only what itself answered 404 in UpCloud's own words.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from netgw.engine.outcome import Hold, Waiting
from netgw.engine.ports import Clock
from netgw.kube.provider import Intervals, Listener
from netgw.providers.upcloud.api import Router, UpCloud, UpCloudError
from netgw.providers.upcloud.gateway.view import Gateways
from netgw.providers.upcloud.observing.cache import Cache, Moved
from netgw.providers.upcloud.observing.sight import REFUSALS, Sight
from netgw.providers.upcloud.observing.view import Host, Listing, View

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


class Routers(View[RouterEntry]):
    """`poll` with each look of the account."""

    def __init__(self, host: Host, gateways: Gateways, clock: Clock, intervals: Intervals, listener: Listener) -> None:
        super().__init__(host, RouterCache(), Sight(clock, intervals.slow, host.caller), clock, intervals.fast)
        self._gateways = gateways
        self._interval = intervals.slow
        self._listener = listener
        self._listed = False
        self._told_blind = False

    # ---- polling

    async def poll(self) -> None:
        """One look at all of them, where there is a need. Never raises for what the cloud does."""
        if not self._listener.serves_kind(KIND):
            return self._rest()
        client = self._host.api
        try:
            listing = await self.read_all(client)
        except UpCloudError as error:
            return self._failed(error)
        if self._host.has(client):
            self.took(listing)
        return None

    def _failed(self, error: UpCloudError) -> None:
        """Told at once where only a person helps, else when nothing was seen for too long."""
        outcome, blind = self._sight.failed(error), self._sight.is_blind()
        if outcome is not None:
            name = self._host.caller.name
            said, named = "routers cannot be observed with %s: %s: %s", {"correlation_id": error.correlation_id}
            log.warning(said, name, outcome.reason, error, extra=named)
        if (outcome is not None and outcome.reason in REFUSALS) or (blind and not self._told_blind):
            self._listener.refused()
        self._told_blind = blind

    def forget(self) -> None:
        super().forget()
        self._listed = False

    def _rest(self) -> None:
        """Nobody needs them: what nobody keeps fresh is not to be believed later."""
        if self._listed:
            self._listed = False
            for entry in self._cache.entries():
                self._tell(self._cache.drop(entry.uuid))
        self._sight = Sight(self._clock, self._interval, self._host.caller)

    def took(self, listing: Listing[RouterEntry]) -> None:
        self._sight.answers()
        self._sight.looked()
        self._listed = True
        super().took(listing)

    def _tell(self, moved: Moved) -> None:
        """Also those gateways that are at the router: how many networks it has is in the advice on them."""
        if moved.uuids:
            gateways = {gateway.uuid for uuid in moved.uuids for gateway in self._gateways.at_router(uuid)}
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

    def entries(self) -> list[RouterEntry] | None:
        """All of them, as listed last; None: not listed yet, which is then soon done."""
        if not self._listed:
            self._host.expedite(2 * self._fast)
            return None
        return self._cache.entries()

    async def read_all(self, client: UpCloud) -> Listing[RouterEntry]:
        """`GET /1.3/router`."""
        reply = await client.list_routers()
        date = self._date(reply)
        return Listing([RouterEntry(router, reply.began, date) for router in reply.value], reply.began, date)

    async def _read_one(self, client: UpCloud, uuid: str) -> RouterEntry:
        reply = await client.get_router(router=uuid)
        return RouterEntry(reply.value, reply.began, self._date(reply))
