"""Metrics of the gateways of one account: when to ask for them, and whom to tell.

`GET /1.3/gateway/{uuid}/metrics` is one call per gateway, so it is asked for only

- while somebody scrapes: once per interval, spread over it, for gateways that are ours or have a tunnel of ours;
- because a tunnel of ours fell, which only the metrics explain: at once, then less and less often, for what the peer
  refuses is told after the fall, and that it does not answer minutes after it;

and all of it within a share of the calls that the credential may make. What samples say never changes what the list
says of a tunnel; into status goes nothing but the message about one that is down.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from netgw.engine.outcome import Hold
from netgw.engine.ports import Clock
from netgw.kube.provider import Listener, Sampling
from netgw.kube.telemetry import CallLog, Sample
from netgw.logs import answered
from netgw.providers.upcloud.api import Call, Gateway, Plan, Timing, TokenBucket, Tunnel, UpCloud, UpCloudError
from netgw.providers.upcloud.api.limiter import DEFAULT_BURST, DEFAULT_RATE
from netgw.providers.upcloud.gateway.snapshot import Entry
from netgw.providers.upcloud.telemetry.measured import Measured, drop
from netgw.providers.upcloud.tunnel.state import DownMessage, is_up

log = logging.getLogger(__name__)

AGAIN_FIRST, AGAIN_LAST = 15.0, 300.0
"""Seconds after which it is asked again why a tunnel is down: twice as many each time, up to the last."""
NOBODY = 300.0
"""Without a scrape for so many seconds, nobody is interested any more."""
OLD_AT_LEAST = 300.0
HELD = 10.0
PAUSE_LEAST = 0.01
"""A pause that rounding makes shorter than the clock can tell would never end."""


class Seen(Protocol):
    """What is needed of an account."""

    username: str | None

    @property
    def plans(self) -> dict[str, Plan]: ...

    @property
    def api(self) -> UpCloud: ...

    def hold(self) -> Hold | None: ...

    def is_blind(self) -> bool: ...


class Listed(Protocol):
    """What is needed of its gateways."""

    def entries(self) -> list[Entry] | None: ...

    def known(self, uuid: str) -> Entry | None: ...


class Asked(NamedTuple):
    """When it was asked why a tunnel is down, and after how many seconds it is asked again."""

    at: float
    pause: float = AGAIN_FIRST

    def again(self, now: float) -> Asked:
        return Asked(now, min(2 * self.pause, AGAIN_LAST))


class Telemetry:
    """`run` beside the poller, `ask` with each list, `samples` for a scrape."""

    def __init__(self, account: Seen, gateways: Listed, clock: Clock, listener: Listener, sampling: Sampling) -> None:
        self._account = account
        self._gateways = gateways
        self._clock = clock
        self._listener = listener
        self._interval = sampling.interval
        self._rate = DEFAULT_RATE * sampling.share
        burst = max(1, round(DEFAULT_BURST * sampling.share))
        self._bucket = TokenBucket(rate=self._rate, burst=burst, timing=Timing(clock=clock.now))
        self._calls = CallLog()
        self._owner = ""
        self._measured = Measured(listener.managed)
        self._seen_up: dict[str, float] = {}
        self._asked: dict[str, Asked] = {}
        self._wanted: dict[str, Gateway] = {}
        self._due: dict[str, float] = {}
        self._failing: set[str] = set()
        self._scraped = float("-inf")
        self._nudge = asyncio.Event()

    def samples(self) -> list[Sample]:
        """Everything that is known, which is old where nobody has asked for long: it is asked for from now on."""
        begins, now = not self.is_scraped(), self._clock.now()
        self._scraped = now
        entries = self._gateways.entries() or []
        if begins:
            self._plan(entry.gateway for entry in entries)
        one_round = max(self._interval, len(self._due) / self._rate)
        old, blind = max(3 * one_round, OLD_AT_LEAST), self._account.is_blind()
        plans = self._account.plans
        known = [s for e in entries for s in self._measured.samples(e, now, old, plans, blind=blind)]
        self._owner = self._account.username or self._owner  # not known for a moment after new credentials
        return [*known, *self._calls.samples(self._owner)]

    # ---- why is a tunnel down?

    def message(self, tunnel: str) -> DownMessage | None:
        """What was heard of it last."""
        return self._measured.message(tunnel)

    async def ask(self, gateways: Iterable[Gateway]) -> frozenset[str]:
        """With each list: asks where a tunnel of ours is newly down, or it is time again. Returns whom it has news of.

        Where the share of the calls is spent, `run` asks later, and tells the listener itself.
        """
        listed, news = list(gateways), set[str]()
        self._wanted.clear()
        due = {gateway.uuid: self._cause_due(gateway) for gateway in listed}
        now = self._clock.now()
        # Who was never asked about comes before who is asked about again.
        for gateway in sorted(listed, key=lambda gateway: due[gateway.uuid]):
            if due[gateway.uuid] > now:
                break
            if await self._bucket.acquire(0.0) > 0:
                self._wanted[gateway.uuid] = gateway
            else:
                news |= await self._read(gateway)
        self._forget({gateway.uuid for gateway in listed})
        self._plan(listed)
        return frozenset(news)

    def _cause_due(self, gateway: Gateway) -> float:
        """From when on it is to be asked why a tunnel is down: ever since if that is new, never where none is down."""
        due = math.inf
        for _, tunnel in self._measured.ours(gateway):
            if not _is_down(gateway, tunnel):
                self._seen_up[tunnel.uuid] = self._clock.now()
                self._asked.pop(tunnel.uuid, None)
                continue
            if tunnel.uuid not in self._asked and (heard := self._heard_of_fall(gateway, tunnel)) is not None:
                self._asked[tunnel.uuid] = heard
            asked = self._asked.get(tunnel.uuid)
            due = min(due, -math.inf if asked is None else asked.at + asked.pause)
        return due

    def _heard_of_fall(self, gateway: Gateway, tunnel: Tunnel) -> Asked | None:
        """A sample that shows a tunnel down which was up in the last list answers as well."""
        kept, up = self._measured.kept(gateway.uuid), self._seen_up.get(tunnel.uuid)
        if kept is None or up is None or kept.began <= up:
            return None
        reading = kept.tunnels.get(tunnel.uuid)
        return None if reading is None or reading.up else Asked(kept.began)

    # ---- asking

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            pause = await self._step()
            if pause is None or pause > 0:
                await self._rest(pause and max(pause, PAUSE_LEAST))

    async def _step(self) -> float | None:
        """One call at most; then how many seconds there is nothing to do, None: until something happens."""
        if self._account.hold() is not None:
            return HELD
        gateway = self._next()
        if gateway is None:
            return min((at - self._clock.now() for at in self._due.values()), default=None)
        if (missing := await self._bucket.acquire(0.0)) > 0:
            return missing
        self._wanted.pop(gateway.uuid, None)
        if news := await self._read(gateway):
            self._listener.changed(frozenset(news), False)
        return 0.0

    def _next(self) -> Gateway | None:
        """Causes first, then who waits longest."""
        if self._wanted:
            return next(iter(self._wanted.values()))
        if not self.is_scraped():
            self._due.clear()
        uuid = min(self._due, key=lambda due: self._due[due], default=None)
        if uuid is None or self._due[uuid] > self._clock.now():
            return None
        entry = self._gateways.known(uuid)
        if entry is not None and self._is_of_interest(entry.gateway):
            return entry.gateway
        del self._due[uuid]
        return self._next()

    def _plan(self, gateways: Iterable[Gateway]) -> None:
        """Those that are new come in turn, over one interval."""
        now = self._clock.now()
        uuids = [gateway.uuid for gateway in gateways if self._is_of_interest(gateway)] if self.is_scraped() else []
        self._due = {uuid: self._due[uuid] for uuid in uuids if uuid in self._due}
        new = [uuid for uuid in uuids if uuid not in self._due]
        self._due |= {uuid: now + number * self._interval / len(new) for number, uuid in enumerate(new)}
        self._nudge.set()

    def _is_of_interest(self, gateway: Gateway) -> bool:
        return self._listener.managed(gateway.uuid) or any(True for _ in self._measured.ours(gateway))

    def is_scraped(self) -> bool:
        """Whether somebody wants to know, and may."""
        return self._interval > 0 and self._clock.now() - self._scraped <= NOBODY

    async def _read(self, gateway: Gateway) -> set[str]:
        """One call. Returns the tunnels that are down and of which there is news."""
        now = self._clock.now()
        down = {tunnel.uuid for _, tunnel in self._measured.ours(gateway) if _is_down(gateway, tunnel)}
        for uuid in down:
            before = self._asked.get(uuid)
            self._asked[uuid] = Asked(now) if before is None else before.again(now)
        if gateway.uuid in self._due:
            self._due[gateway.uuid] = now + self._interval
        try:
            reply = await self._account.api.get_metrics(gateway=gateway.uuid)
        except UpCloudError as error:
            level = logging.DEBUG if gateway.uuid in self._failing else logging.INFO
            log.log(level, "metrics: %s", error, extra={"correlation_id": error.correlation_id})
            self._failing.add(gateway.uuid)
            return set()
        self._failing.discard(gateway.uuid)
        return down & self._measured.take(gateway, reply.value, reply.began)

    async def _rest(self, seconds: float | None) -> None:
        self._nudge.clear()
        # As in `Pace`: wait_for can swallow a cancellation in Python 3.11.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._nudge.wait()

    def _forget(self, listed: set[str]) -> None:
        self._measured.forget(listed)
        self._failing &= listed
        drop(self._seen_up, lambda uuid: not self._listener.managed(uuid))
        drop(self._asked, lambda uuid: not self._listener.managed(uuid))

    def called(self, call: Call) -> None:
        """A request was sent."""
        self._calls.add(call.method, call.route, call.status, call.seconds)
        answered(call.correlation_id)


def _is_down(gateway: Gateway, tunnel: Tunnel) -> bool:
    return gateway.configured_status != "stopped" and is_up(tunnel) is False
