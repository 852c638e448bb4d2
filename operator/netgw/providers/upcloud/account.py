"""One credential: whose it is, whether UpCloud answers to it, and one poller that looks at everything each interval.

What it sees is in `gateways` and `routers`: one read serves every object.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from weakref import WeakValueDictionary

from netgw.engine.outcome import CallFailed, Hold
from netgw.engine.ports import Clock
from netgw.kube.provider import SAMPLING, Intervals, Listener, Sampling
from netgw.kube.telemetry import AccountSample
from netgw.providers.upcloud.api import Plan, UpCloud, UpCloudError
from netgw.providers.upcloud.failures import Caller, mapped
from netgw.providers.upcloud.gateway.view import Gateways
from netgw.providers.upcloud.observing.pace import Pace
from netgw.providers.upcloud.observing.plan_list import PlanList
from netgw.providers.upcloud.observing.refusals import Refusals
from netgw.providers.upcloud.observing.sight import NOT_ASKED, REFUSALS, Sight
from netgw.providers.upcloud.router.view import Routers
from netgw.providers.upcloud.telemetry.asking import Telemetry

log = logging.getLogger(__name__)

CREDITS_AGAIN = 3600.0
ACCOUNT_REASONS = frozenset({"CredentialsRefused", "PermissionDenied", "RateLimited", "CloudUnavailable"})
"""Reasons that an account which answers again takes away."""


class Account:
    """What may be done with one credential now, and when to look. `caller`: what it is called, for people."""

    def __init__(
        self,
        *,
        caller: Caller,
        clock: Clock,
        rng: random.Random,
        intervals: Intervals,
        listener: Listener,
        sampling: Sampling = SAMPLING,
    ) -> None:
        self.caller = caller
        self._client: UpCloud | None = None
        self._withdrawn: Hold | None = None
        self._owner: str | None = None
        self._taken = False
        self.username: str | None = None
        self.expires: datetime | None = None
        self._credits: float | None = None
        self._credits_due = clock.now()
        self._plans = PlanList(clock)
        self._clock = clock
        self._pace = Pace(clock, rng, intervals)
        self._listener = listener
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._sight = Sight(clock, self._pace.slow, caller)
        self._told_blind = False
        self._refusals = Refusals(clock)
        self.gateways = Gateways(self, self._sight, clock, self._pace.fast, listener)
        self.routers = Routers(self, self.gateways, clock, Intervals(self._pace.slow, self._pace.fast), listener)
        self.telemetry = Telemetry(self, self.gateways, clock, listener, sampling)

    # ---- credentials

    @property
    def api(self) -> UpCloud:
        """The client. Raises CallFailed where there is none."""
        if self._client is None:
            raise CallFailed(self._withdrawn or NOT_ASKED)
        return self._client

    def has(self, client: UpCloud) -> bool:
        """Whether this is still the client: what another one reads may be another account's."""
        return client is self._client

    def use(self, client: UpCloud, expires: datetime | None = None) -> UpCloud | None:
        """From now on with these credentials; whose they are is settled anew. Returns the client of those before.

        `expires`: when they do, as far as somebody said so.
        """
        before, self._client = self._client, client
        self.expires = expires
        client.listen(self.telemetry.called)
        self._withdrawn, self.username = None, None
        self._sight.answers()
        self._taken = True
        self._pace.nudge()
        return before

    def withdraw(self, why: Hold) -> None:
        """The credentials are not to be had any more. What is held of them serves for deletions alone."""
        if self._withdrawn != why:
            self._withdrawn = why
            self._listener.refused()

    def give_up(self) -> UpCloud | None:
        """It serves nothing any more. Returns the client."""
        client, self._client = self._client, None
        return client

    @property
    def refused(self) -> bool:
        """Whether the credentials as they are serve no purpose: only others help."""
        failing = self._sight.failing
        return failing is not None and failing.outcome.reason == "CredentialsRefused"

    def withdrawn(self, deleting: bool) -> Hold | None:
        """Why the credentials cannot be used for an object."""
        return self._withdrawn if self._client is None or not deleting else None

    # ---- polling

    async def run(self) -> None:
        """Poll until cancelled: at once with new credentials, else for the first time one interval from now."""
        await asyncio.gather(self._poll_forever(), self.telemetry.run())

    async def _poll_forever(self) -> None:
        while True:
            await self._pace.pause(self._seconds_to_look)
            await self.poll()

    async def poll(self) -> None:
        """One look at everything. Never raises for what the cloud does."""
        if (client := self._client) is None:
            self._tell_blind()
            return
        try:
            if self.username is None:
                await self._settle()
            listing = await self.gateways.read_all(client)
            await self._plans.know(client, [entry.gateway.plan for entry in listing.entries])
            if self.telemetry.is_scraped() and self._clock.now() >= self._credits_due:
                self._know_credits((await self.api.get_account()).value.credits)
        except UpCloudError as error:
            if client is self._client:
                self._failed(error)
            return
        if client is not self._client:
            return  # other credentials came meanwhile: what was read may be another account's
        news = await self.telemetry.ask(entry.gateway for entry in listing.entries)
        self.gateways.took(listing)
        if news:
            self._listener.changed(news, False)
        await self.routers.poll()

    async def _settle(self) -> None:
        """Whose credentials are these? Until that is known nothing is written and nothing counts as absent."""
        client = self.api
        account = (await client.get_account()).value
        if client is not self._client:
            return
        username = account.username
        self._know_credits(account.credits)
        if self._owner not in (None, username):
            self.gateways.forget()
            self.routers.forget()
        self.username = self._owner = username
        log.info("%s: UpCloud account %s", self.caller.name, self.username)

    def _know_credits(self, left: float | None) -> None:
        """Nothing is decided by them, so they are read again only while somebody scrapes."""
        self._credits, self._credits_due = left, self._clock.now() + CREDITS_AGAIN

    def went_well(self, began: float) -> None:
        """A look at all gateways, that began then: whoever was stopped for want of an answer goes on."""
        if self._sight.failing is not None:
            self._refusals.forget()
        refused = self._refusals.over(began)
        recovered = self._sight.failing is not None or self._told_blind or self._taken or refused
        self._taken = self._told_blind = False
        self._sight.answers()
        self._sight.looked()
        if recovered:
            log.info("UpCloud answers to %s", self.caller.name)
            self._listener.recovered()

    def _failed(self, error: UpCloudError) -> None:
        if (outcome := self._sight.failed(error)) is not None:
            said = "UpCloud cannot be observed with %s: %s: %s"
            named = {"correlation_id": error.correlation_id}
            log.warning(said, self.caller.name, outcome.reason, error, extra=named)
            if outcome.reason in REFUSALS:
                self._listener.refused()
        self._tell_blind()

    def _tell_blind(self) -> None:
        if not self._told_blind and (blind := self.blind(None)) is not None:
            self._told_blind = True
            self._listener.blinded(blind)

    def _seconds_to_look(self, lot: float) -> float:
        if self._taken and self._sight.failing is None:
            return 0.0  # nothing was heard with these credentials yet
        if (failing := self._sight.failing) is not None:
            return self._pace.after_failure(self._sight.failures, failing.outcome.after, lot)
        return self._pace.usual(lot, moving=self.gateways.are_moving)

    def expedite(self, seconds: float) -> None:
        """Look often for a while."""
        self._pace.expedite(seconds)

    def sample(self, account: str, namespace: str, secret: str) -> AccountSample:
        """What is known of the credential itself. `account`: what it is called where that is not known."""
        hold, seen = self.hold(), self._sight.last_look
        budget, held_back = (None, 0) if self._client is None else self._client.budget()
        return AccountSample(
            account=self.username or self._owner or account,
            namespace=namespace,
            secret=secret,
            hold=None if hold is None else hold.reason,
            last_look=None if seen is None else seen.timestamp(),
            expires=None if self.expires is None else self.expires.timestamp(),
            credits=self._credits,
            budget=budget,
            held_back=held_back,
        )

    # ---- what may be done now

    def hold(self) -> Hold | None:
        """What stops every call: no answer, or not known yet whose credentials these are."""
        if self._client is None:
            return self._withdrawn or NOT_ASKED
        if self._sight.failing is not None:
            return self._sight.failing.outcome
        return NOT_ASKED if self.username is None else None

    def must_answer(self) -> None:
        """Raises CallFailed where no call can be made."""
        if (hold := self.hold()) is not None:
            raise CallFailed(hold)

    def is_blind(self) -> bool:
        """Whether there was no look for max(3 intervals, 5 min)."""
        return self._sight.is_blind()

    def blind(self, last_seen: str | None) -> str | None:
        """The message of CannotObserve. `last_seen`: the words for what the last look saw of one object."""
        return self._sight.blind(last_seen, self._withdrawn)

    # ---- plans

    @property
    def plans(self) -> dict[str, Plan]:
        """The plans that are known, by name."""
        return self._plans.known

    async def plans_with(self, name: str) -> dict[str, Plan]:
        """The plans of today; asked for again when they lack this one, at most once an hour. Raises CallFailed."""
        if self._plans.lacks(name):
            self.must_answer()
            with self.asking():
                await self._plans.find(self.api)
        return self.plans

    # ---- calls beside the looks

    def lock(self, tree: str) -> asyncio.Lock:
        """One mutating call at a time to a gateway and what is below it; "" for gateways that are being made.

        It is there for as long as somebody holds it or waits for it.
        """
        return self._locks.setdefault(tree, asyncio.Lock())

    @contextmanager
    def asking(self, *, writes: bool = False) -> Iterator[None]:
        """Around a call beside the looks. A 401 that no look meets is over, too, when a look goes well after it."""
        try:
            with mapped(self.caller):
                yield
        except CallFailed as failure:
            if failure.outcome.reason == "CredentialsRefused":
                self._refusals.note()
            raise
        if writes:
            self._refusals.forget()
