"""The gateways of one account as last read, each with its connections, tunnels and their states.

`GET /1.3/gateway?limit=100` serves every object below a gateway; a change in it wakes exactly those it concerns.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from netgw.engine.outcome import CallFailed
from netgw.engine.ports import Clock
from netgw.kube.provider import Listener
from netgw.providers.upcloud.api import Connection, Gateway, UpCloud
from netgw.providers.upcloud.gateway.snapshot import Entry, Snapshot
from netgw.providers.upcloud.gateway.state import SETUP_OVERDUE, STABLE
from netgw.providers.upcloud.observing.cache import Moved
from netgw.providers.upcloud.observing.sight import Sight
from netgw.providers.upcloud.observing.view import Host, Listing, View

FAST_AFTER_TUNNEL_CHANGE = 600.0


class Gateways(View[Entry]):
    """`sight`: whether the account can be seen, which is whether its gateways can be."""

    def __init__(self, host: Host, sight: Sight, clock: Clock, fast: float, listener: Listener) -> None:
        super().__init__(host, Snapshot(), sight, clock, fast)
        self._listener = listener

    # ---- what is known

    def entries(self) -> list[Entry] | None:
        """Everything that is cached; None: there was no look yet."""
        return None if not self._sight.ever or self._host.username is None else self._cache.entries()

    def at_router(self, router: str) -> list[Gateway]:
        """The gateways at a router, as far as they are cached."""
        return [entry.gateway for entry in self._cache.entries() if router in entry.routers]

    def find_connection(self, uuid: str) -> tuple[Entry, Connection] | None:
        """A connection by its uuid in what is cached."""
        found = ((entry, known) for entry in self._cache.entries() for known in entry.connections)
        return next(((entry, known) for entry, known in found if known.uuid == uuid), None)

    def are_moving(self) -> bool:
        """Whether UpCloud sets one of ours up, or changes it, and that is not overdue."""
        young = self._clock.wall() - SETUP_OVERDUE
        return any(
            entry.gateway.operational_state not in STABLE and (entry.gateway.updated_at or young) > young
            for entry in self._cache.entries()
            if self._listener.managed(entry.gateway.uuid)
        )

    def took(self, listing: Listing[Entry]) -> None:
        super().took(listing)
        self._host.went_well(listing.began)

    def _tell(self, moved: Moved) -> None:
        if moved.tunnel:
            self._host.expedite(FAST_AFTER_TUNNEL_CHANGE)
        if moved.uuids:
            self._listener.changed(moved.uuids, moved.listed)

    # ---- reading

    async def has_connection(self, gateway: str, connection: str) -> bool:
        """Whether a uuid that the gateway does not list answers all the same. Raises CallFailed."""
        path = {"gateway": gateway, "connection": connection}
        return await self._proof(connection, lambda: self._host.api.get_connection(**path))

    async def has_tunnel(self, gateway: str, connection: str, tunnel: str) -> bool:
        """As `has_connection`."""
        path = {"gateway": gateway, "connection": connection, "tunnel": tunnel}
        return await self._proof(tunnel, lambda: self._host.api.get_tunnel(**path))

    async def _proof(self, uuid: str, read: Callable[[], Awaitable[object]]) -> bool:
        if self._cache.is_gone(uuid):
            return False
        self._host.must_answer()
        try:
            with self._host.asking():
                await read()
        except CallFailed as failure:
            if not failure.proof:
                raise
            self._cache.gone(uuid)
            return False
        return True

    async def read_all(self, client: UpCloud) -> Listing[Entry]:
        """`GET /1.3/gateway?limit=100`, page by page."""
        reply = await client.list_gateways()
        date = self._date(reply)
        gateways = [await self._complete(client, gateway) for gateway in reply.value]
        return Listing([Entry(gateway, reply.began, date) for gateway in gateways], reply.began, date)

    async def _complete(self, client: UpCloud, gateway: Gateway) -> Gateway:
        """Older answers of the list had no connections in it: then each gateway is asked for."""
        if gateway.connections is not None:
            return gateway
        return (await client.get_gateway(gateway=gateway.uuid)).value

    async def _read_one(self, client: UpCloud, uuid: str) -> Entry:
        reply = await client.get_gateway(gateway=uuid)
        return Entry(reply.value, reply.began, self._date(reply))
