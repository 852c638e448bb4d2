"""One cached view of all gateways of one credential: one read serves every object of every kind.

`GET /1.3/gateway?limit=100` returns each gateway with its connections, tunnels and their states. It is asked for every
interval, by one poller; a change in it wakes exactly the objects it concerns. Each entry carries the time at which the
request that brought it began and never goes backwards: what was read before our last write to that tree proves neither
absence nor drift, and is read anew (one `GET /1.3/gateway/{uuid}`, single flight) when somebody needs it.

Absence is believed only of a uuid that itself answered 404, in UpCloud's own error shape.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from netgw.engine.objects import format_time
from netgw.engine.outcome import CallFailed, Hold, Waiting
from netgw.engine.ports import Clock
from netgw.providers.upcloud.api import Connection, Gateway, Metrics, Plan, Reply, Tunnel, UpCloud, UpCloudError
from netgw.providers.upcloud.failures import failed
from netgw.providers.upcloud.tunnel.state import DownMessage, is_up

log = logging.getLogger(__name__)

T = TypeVar("T")

STABLE = frozenset({"running", "stopped"})
SETUP_OVERDUE = timedelta(minutes=30)
FAST_AFTER_TUNNEL_CHANGE = 600.0
BLIND_AT_LEAST = 300.0
RETRY_FIRST = 2.0
EXPLAIN_AGAIN = 300.0
ACCOUNT_REASONS = frozenset({"CredentialsRefused", "PermissionDenied", "RateLimited", "CloudUnavailable"})
"""Reasons that an account which answers again takes away."""


@dataclass(frozen=True)
class Entry:
    """One gateway with all below it. `began`: when the request that brought it began, monotonic seconds; `date`: the
    cloud's clock at the answer.
    """

    gateway: Gateway
    began: float
    date: datetime

    @property
    def connections(self) -> tuple[Connection, ...]:
        return self.gateway.connections or ()

    def tunnels(self) -> Iterator[tuple[Connection, Tunnel]]:
        for connection in self.connections:
            for tunnel in connection.tunnels:
                yield connection, tunnel


@dataclass(frozen=True)
class Failing:
    """The poller gets no answer: since when, and what it is told instead."""

    since: datetime
    outcome: Hold


class Account:
    """`managed(uuid)`: whether a living object records this uuid. `changed(uuids, listed)`: what moved in the cloud;
    `listed`: whether gateways, connections or tunnels came or went. `recovered()`: it answers again.
    """

    def __init__(
        self,
        api: UpCloud,
        *,
        clock: Clock,
        rng: random.Random,
        interval: float,
        fast_interval: float,
        managed: Callable[[str], bool],
        changed: Callable[[set[str], bool], None],
        recovered: Callable[[], None],
        blinded: Callable[[], None],
    ) -> None:
        self.api = api
        self._clock = clock
        self._rng = rng
        self._interval = interval
        self._fast_interval = min(fast_interval, interval)
        self._managed = managed
        self._changed = changed
        self._recovered = recovered
        self._blinded = blinded
        self.username: str | None = None
        self.plans: dict[str, Plan] = {}
        self._entries: dict[str, Entry] = {}
        self._gone: set[str] = set()
        self._wrote: dict[str, float] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._flights: dict[str, tuple[float, asyncio.Task[Entry | None]]] = {}
        self.down_messages: dict[str, DownMessage] = {}
        self._explained: dict[str, float] = {}
        self._failing: Failing | None = None
        self._failures = 0
        self._told_blind = False
        self._last_look: datetime | None = None
        self._last_look_at = clock.now()
        self._fast_until = clock.now()
        self._nudge = asyncio.Event()

    # ---- polling

    async def run(self) -> None:
        """Poll until cancelled, the first time one interval from now."""
        while True:
            await self._sleep_until(self._clock.now())
            await self.poll()

    async def poll(self) -> None:
        """One look at everything. Never raises for what the cloud does."""
        try:
            if self.username is None:
                await self._settle()
            reply = await self.api.list_gateways()
            gateways = [await self._complete(gateway) for gateway in reply.value]
            await self._know_plans(gateways)
            await self._explain(gateways)
        except UpCloudError as error:
            self._failed(error)
            return
        self._took(gateways, reply)

    async def _settle(self) -> None:
        """Whose credentials are these? Until that is known nothing is written and nothing counts as absent."""
        self.username = (await self.api.get_account()).value.username
        log.info("UpCloud account %s", self.username)

    async def _complete(self, gateway: Gateway) -> Gateway:
        """Older answers of the list had no connections in it: then each gateway is asked for."""
        if gateway.connections is not None:
            return gateway
        return (await self.api.get_gateway(gateway=gateway.uuid)).value

    async def _know_plans(self, gateways: list[Gateway]) -> None:
        if not self.plans or any(gateway.plan not in self.plans for gateway in gateways if gateway.plan):
            await self.read_plans()

    async def read_plans(self) -> None:
        """Plans drift from year to year, so they are read; again only when one appears that is not known."""
        self.plans = {plan.name: plan for plan in (await self.api.list_plans()).value}

    async def _explain(self, gateways: list[Gateway]) -> None:
        """Why is a tunnel down? Only the metrics say, and they are asked for only while one of ours is."""
        for gateway in gateways:
            ours = [(c.name, t) for c in gateway.connections or () for t in c.tunnels if self._managed(t.uuid)]
            down = {f"{connection}/{tunnel.name}": tunnel.uuid for connection, tunnel in ours if is_up(tunnel) is False}
            for _, tunnel in ours:
                if tunnel.uuid not in down.values():
                    self._explained.pop(tunnel.uuid, None)
            due = self._clock.now() - EXPLAIN_AGAIN
            if gateway.configured_status == "stopped" or all(self._explained.get(u, -1.0) > due for u in down.values()):
                continue
            self._explained |= dict.fromkeys(down.values(), self._clock.now())
            try:
                metrics = (await self.api.get_metrics(gateway=gateway.uuid)).value
            except UpCloudError as error:
                log.info("metrics of gateway %s: %s", gateway.uuid, error)
                continue
            self._heard(down, metrics)

    def _heard(self, down: dict[str, str], metrics: Metrics) -> None:
        """SAs carry the names `<connection>/<tunnel>` (API document)."""
        told: set[str] = set()
        for sa in metrics.ipsec_metrics.ike_sas if metrics.ipsec_metrics else ():
            state, uuid = sa.heuristic_state, down.get(sa.name or "")
            if uuid is None or state is None or not state.last_down_message:
                continue
            message = DownMessage(state.last_down_message, state.last_down_message_updated_at)
            if self.down_messages.get(uuid) != message:
                self.down_messages[uuid] = message
                told.add(uuid)
        if told:
            self._changed(told, False)

    def _took(self, gateways: list[Gateway], reply: Reply[tuple[Gateway, ...]]) -> None:
        began, date = reply.began, reply.date or self._clock.wall()
        recovered = self._failing is not None or self._told_blind
        self._failing, self._failures, self._told_blind = None, 0, False
        self._looked()
        listed = {gateway.uuid for gateway in gateways}
        for gateway in gateways:
            self._take(Entry(gateway, began, date))
        for uuid in [uuid for uuid, entry in self._entries.items() if uuid not in listed and entry.began < began]:
            self._drop(uuid)
        if recovered:
            log.info("UpCloud answers again")
            self._recovered()

    def _failed(self, error: UpCloudError) -> None:
        outcome = failed(error).outcome
        self._failures += 1
        if self._failing is None or self._failing.outcome.reason != outcome.reason:
            log.warning("UpCloud cannot be observed: %s: %s", outcome.reason, error)
            since = self._failing.since if self._failing else self._clock.wall()
            said = f"{outcome.message.rstrip('.')}, since {format_time(since)}."
            self._failing = Failing(since, Waiting(outcome.reason, said, outcome.after))
        if self.is_blind() and not self._told_blind:
            self._told_blind = True
            self._blinded()

    async def _sleep_until(self, began: float) -> None:
        while (left := began + self._pause() - self._clock.now()) > 0:
            self._nudge.clear()
            try:
                await asyncio.wait_for(self._nudge.wait(), left)
            except TimeoutError:
                return

    def _pause(self) -> float:
        if self._failing is not None:
            pause = RETRY_FIRST * 2 ** min(self._failures - 1, 10)
            return float(min(max(pause, self._failing.outcome.after or 0.0), self._interval))
        if self._clock.now() < self._fast_until or self._converging():
            return self._fast_interval
        return self._interval * self._rng.uniform(0.95, 1.05)

    def _converging(self) -> bool:
        young = self._clock.wall() - SETUP_OVERDUE
        return any(
            entry.gateway.operational_state not in STABLE and (entry.gateway.updated_at or young) > young
            for entry in self._entries.values()
            if self._managed(entry.gateway.uuid)
        )

    def expedite(self, seconds: float) -> None:
        """Look often for a while."""
        self._fast_until = max(self._fast_until, self._clock.now() + seconds)
        self._nudge.set()

    # ---- what may be done now

    def hold(self) -> Hold | None:
        if self._failing is not None:
            return self._failing.outcome
        if self.username is None:
            return Waiting("CloudUnavailable", "UpCloud has not answered yet.", 1.0)
        return None

    def is_blind(self) -> bool:
        return self._clock.now() - self._last_look_at > max(3 * self._interval, BLIND_AT_LEAST)

    def blind(self, last_seen: str | None) -> str | None:
        """The message of CannotObserve. `last_seen`: the words for what the last look saw of one object."""
        if not self.is_blind():
            return None
        why = "UpCloud does not answer." if self._failing is None else self._failing.outcome.message
        last = "No look since netgw started" if self._last_look is None else f"Last look {format_time(self._last_look)}"
        seen = f": {last_seen}" if last_seen else ""
        return f"{why} {last}{seen}. Tunnels do not depend on the API. Nothing is changed until it answers."

    def is_gone(self, uuid: str) -> bool:
        """Whether this uuid is proven gone."""
        return uuid in self._gone

    # ---- reading

    def known(self, gateway: str) -> Entry | None:
        """What is cached, however old."""
        return self._entries.get(gateway)

    def entries(self) -> list[Entry]:
        return list(self._entries.values())

    async def gateway(self, uuid: str, *, fresh: bool = False) -> Entry | None:
        """An entry not older than our last write to it, or than now (`fresh`). None: proven gone. Raises CallFailed."""
        after = self._clock.now() if fresh else self._wrote.get(uuid, 0.0)
        entry = self._entries.get(uuid)
        if entry is not None and entry.began >= after and not fresh:
            return entry
        if uuid in self._gone and not fresh:
            return None
        if (hold := self.hold()) is not None:
            raise CallFailed(hold)
        return await self._flight(uuid, after)

    async def has_connection(self, gateway: str, connection: str) -> bool:
        """Whether a uuid that the gateway does not list answers all the same. Raises CallFailed."""
        return await self._proof(connection, lambda: self.api.get_connection(gateway=gateway, connection=connection))

    async def has_tunnel(self, gateway: str, connection: str, tunnel: str) -> bool:
        return await self._proof(
            tunnel, lambda: self.api.get_tunnel(gateway=gateway, connection=connection, tunnel=tunnel)
        )

    async def list_now(self) -> tuple[list[Entry], float, datetime]:
        """Every gateway by a read that begins now, with that time and the cloud's clock. Raises CallFailed."""
        with mapped():
            reply = await self.api.list_gateways()
            gateways = [await self._complete(gateway) for gateway in reply.value]
        self._took(gateways, reply)
        date = reply.date or self._clock.wall()
        return [Entry(gateway, reply.began, date) for gateway in gateways], reply.began, date

    def find_connection(self, uuid: str) -> tuple[Entry, Connection] | None:
        """A connection by its uuid in what is cached."""
        for entry in self._entries.values():
            for connection in entry.connections:
                if connection.uuid == uuid:
                    return entry, connection
        return None

    # ---- writing

    def lock(self, tree: str) -> asyncio.Lock:
        """One mutating call at a time to a gateway and what is below it; "" for gateways that are being made."""
        return self._locks.setdefault(tree, asyncio.Lock())

    @asynccontextmanager
    async def writing(self, tree: str) -> AsyncIterator[None]:
        """Around a mutating call: whatever becomes of it, what was read of that tree before is stale now."""
        try:
            with mapped():
                yield
        finally:
            self._wrote[tree] = self._clock.now()
            self.expedite(2 * self._fast_interval)

    # ---- inside

    async def _flight(self, uuid: str, after: float) -> Entry | None:
        flight = self._flights.get(uuid)
        if flight is None or flight[0] < after:
            task = asyncio.create_task(self._read(uuid))
            flight = (self._clock.now(), task)
            self._flights[uuid] = flight
            task.add_done_callback(lambda _: self._landed(uuid, task))
        return await asyncio.shield(flight[1])

    def _landed(self, uuid: str, task: asyncio.Task[Entry | None]) -> None:
        if (flight := self._flights.get(uuid)) is not None and flight[1] is task:
            del self._flights[uuid]
        if not task.cancelled():
            task.exception()  # seen by whoever awaits it; here only so that nobody complains when nobody does

    async def _read(self, uuid: str) -> Entry | None:
        try:
            with mapped():
                reply: Reply[Gateway] = await self.api.get_gateway(gateway=uuid)
        except CallFailed as failure:
            if failure.status != 404 or not failure.proof:
                raise
            self._drop(uuid)
            self._gone.add(uuid)
            return None
        self._looked()
        return self._take(Entry(reply.value, reply.began, reply.date or self._clock.wall()))

    async def _proof(self, uuid: str, read: Callable[[], Awaitable[object]]) -> bool:
        if uuid in self._gone:
            return False
        if (hold := self.hold()) is not None:
            raise CallFailed(hold)
        try:
            with mapped():
                await read()
        except CallFailed as failure:
            if failure.status != 404 or not failure.proof:
                raise
            self._gone.add(uuid)
            return False
        return True

    def _looked(self) -> None:
        self._last_look, self._last_look_at = self._clock.wall(), self._clock.now()

    def _take(self, entry: Entry) -> Entry:
        """Keep the younger of two entries, and tell what differs."""
        old = self._entries.get(entry.gateway.uuid)
        if old is not None and old.began > entry.began:
            return old
        self._entries[entry.gateway.uuid] = entry
        self._gone -= _uuids(entry)
        self._compare(old, entry)
        return entry

    def _drop(self, uuid: str) -> None:
        entry = self._entries.pop(uuid, None)
        if entry is not None:
            self._changed(_uuids(entry), True)

    def _compare(self, old: Entry | None, new: Entry) -> None:
        if old is None:
            self._changed(_uuids(new), True)
            return
        before, after = _parts(old), _parts(new)
        moved = {uuid for uuid in before.keys() | after.keys() if before.get(uuid) != after.get(uuid)}
        if not moved:
            return
        gateway = new.gateway.uuid
        tunnels = {tunnel.uuid: connection.uuid for connection, tunnel in new.tunnels()}
        if any(uuid in tunnels for uuid in moved):
            self.expedite(FAST_AFTER_TUNNEL_CHANGE)
        if gateway in moved:
            woken = set(after)
        else:
            woken = moved | {gateway} | {tunnels[uuid] for uuid in moved if uuid in tunnels}
        self._changed(woken | moved, before.keys() != after.keys())


@contextmanager
def mapped() -> Iterator[None]:
    """UpCloud's errors become the engine's; the log keeps the correlation id."""
    try:
        yield
    except UpCloudError as error:
        log.info("%s", error)
        raise failed(error) from None


def _uuids(entry: Entry) -> set[str]:
    below = {part.uuid for connection, tunnel in entry.tunnels() for part in (connection, tunnel)}
    return {entry.gateway.uuid} | {connection.uuid for connection in entry.connections} | below


def _parts(entry: Entry) -> dict[str, object]:
    """Each resource by uuid, without what is below it and without updated_at, which a PATCH of the gateway bumps for all."""
    parts: dict[str, object] = {entry.gateway.uuid: entry.gateway.model_dump(exclude={"connections", "updated_at"})}
    for connection in entry.connections:
        parts[connection.uuid] = connection.model_dump(exclude={"tunnels", "updated_at"})
    for _, tunnel in entry.tunnels():
        parts[tunnel.uuid] = tunnel.model_dump(exclude={"updated_at"})
    return parts
