"""The operator without its edges: store, queue, backends and passes put together, fed by whoever watches.

It knows neither kopf nor HTTP servers nor the process: `cli.py` gives it a cluster and a client, `handlers.py` feeds
it, and tests run it under virtual time with ports of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any

from netgw.engine.objects import Key, Object
from netgw.engine.ports import Clock, Reporter
from netgw.engine.progress import Environment
from netgw.engine.queue import Queue
from netgw.engine.reconcile import Reconciler
from netgw.engine.store import Store
from netgw.kube.defaults import CREDENTIALS, PolicyDefaults
from netgw.kube.provider import Client, Listener, Parts, Provider
from netgw.kube.telemetry import Sample
from netgw.logs import about
from netgw.sources import Options, Sources, World

log = logging.getLogger(__name__)

Serves = Callable[[Object], bool]

RELIST_AFTER_GAP = 2.0
RELIST_EVERY = 600.0
DRAIN_SECONDS = 18.0
SPREAD = 5.0
"""Seconds over which the objects of one credential are woken, so that they do not all write at once."""


class App:
    """Feed it with `observe`, `secret_changed`, `namespace_changed`; `start` before, `drain` at the end."""

    def __init__(
        self,
        options: Options,
        clouds: Mapping[Provider, Client],
        *,
        world: World,
        clock: Clock,
        rng: random.Random,
        reporter: Reporter,
        sources: Sources,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        """`leads`: whether this process is the one that works, asked before anything is changed in a cloud."""
        self._world = world
        self._namespaces = sources.namespaces
        self._rng = rng
        self._reporter = reporter
        self._secrets = sources.secrets
        self._guard = sources.guard
        self._fast = options.intervals.fast
        links = {kind: of for provider in clouds for kind, of in provider.links.items()}
        self.store = Store(links, clock.now)
        self.queue: Queue[Key] = Queue(self._work, workers=options.workers, rng=rng)
        self._backends = [
            provider.backend(
                client,
                Parts(
                    store=self.store,
                    clock=clock,
                    rng=rng,
                    cluster=options.cluster,
                    intervals=options.intervals,
                    listener_for=functools.partial(self._listener, provider),
                    secrets=sources.secrets,
                    namespaces=sources.namespaces,
                    fingerprints=sources.fingerprints,
                    cluster_networks=options.cluster_networks,
                    may_use_own=lambda namespace: not options.own_credentials.isdisjoint({"*", namespace}),
                    sampling=options.sampling,
                    making=sources.making,
                    reporter=reporter,
                ),
            )
            for provider, client in clouds.items()
        ]
        actuators = {kind: actuator for backend in self._backends for kind, actuator in backend.actuators.items()}
        self._kinds = tuple(actuators)
        self._passing_reasons = frozenset[str]().union(*(backend.passing_reasons for backend in self._backends))
        env = Environment(
            kubernetes=world,
            store=self.store,
            clock=clock,
            rng=rng,
            reporter=reporter,
            wake=self._wake,
            defaults=PolicyDefaults(sources.namespaces, options.policies),
            read_only=options.read_only,
            started=clock.now(),
            leads=leads,
        )
        self.reconciler = Reconciler(actuators, env)
        self.tally = env.tally
        self._passes = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._relist_at: asyncio.TimerHandle | None = None
        self._relisting = asyncio.Event()
        self.started = False

    async def load(self) -> None:
        """Every object, and one look with every credential."""
        for kind in self._kinds:
            self.store.replace_all(kind, await self._world.list(kind, self.store.held))
        self._watch_secrets()
        for backend in self._backends:
            await backend.poll()

    async def start(self) -> None:
        """No worker begins before every object is known: a parent must not look childless because we came late."""
        await self.load()
        for backend in self._backends:
            self._spawn(backend.run(), "backend")
        self._spawn(self._relist_forever(), "relist")
        self.queue.start()
        self._wake({obj.key for obj in self.store})
        self.started = True
        log.info("%d objects known, working", len(self.store))

    def observe(self, kind: str, event: str | None, body: Mapping[str, Any]) -> None:
        """One event of the watch. `event` is None for what a (re-)LIST of the watcher named."""
        obj = Object(kind, body)
        if event == "DELETED":
            self._wake(self.store.remove(obj.key))
            self.queue.forget(obj.key)
        else:
            self._wake(self.store.apply(obj))
        if event is None:
            self._relist_soon()
        self._watch_secrets()

    def secret_changed(self, namespace: str, name: str) -> None:
        """Also of one that appeared or vanished."""
        self._wake(self.store.secret_users(namespace, name))
        self._guard.look_at([(namespace, name)])
        self._look_again()

    def namespace_changed(self, namespace: str) -> None:
        """Its annotations did: policies and credentials may be others now."""
        self._wake(self.store.in_namespace(namespace))
        self._watch_secrets()
        self._look_again()

    def samples(self) -> list[Sample]:
        """What is known of traffic and calls, for a scrape."""
        return [sample for backend in self._backends for sample in backend.telemetry()]

    def failed(self) -> BaseException | None:
        """Why a task of ours ended, which none may."""
        for task in self._tasks:
            if task.done() and not task.cancelled():
                return task.exception() or RuntimeError(f"task {task.get_name()} ended")
        return None

    def alive(self) -> bool:
        return self.queue.alive() and self.failed() is None

    async def drain(self) -> None:
        """Start nothing new, finish and record what is under way."""
        self.reconciler.stop()
        finished = await self.queue.drain(DRAIN_SECONDS)
        if not finished:
            log.warning("a call was still under way after %.0f s", DRAIN_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._relist_at is not None:
            self._relist_at.cancel()

    async def relist(self) -> None:
        """Compare with whole LISTs: a watch makes up no DELETED for what went while it was broken."""
        for kind in self._kinds:
            since = self.store.moment()  # what is heard of during the LIST may be younger than it
            self._wake(self.store.replace_all(kind, await self._world.list(kind, self.store.held), since))
        self._watch_secrets()

    # ---- inside

    async def _work(self, key: Key) -> float | None:
        obj = self.store.get(key)
        self._passes += 1
        # Of a process its number is enough, and beside the uid it is found again in the logs of several.
        with about(key if obj is None else obj.ref, uid=key.uid, reconcile=f"{key.uid[:8]}-{self._passes}"):
            if obj is not None:
                # An object can be heard of before its namespace is, which may say that hands are to be kept off.
                await self._namespaces.look(obj.namespace)
            return await self.reconciler.work(key)

    def _wake(self, keys: Iterable[Key]) -> None:
        for key in sorted(keys):  # in one order, so that a seed plays the same history in every process
            self.queue.add(key)

    def _wake_spread(self, keys: Iterable[Key], seconds: float) -> None:
        for key in keys:
            self.queue.add_after(key, self._rng.uniform(0, seconds))

    def _watch_secrets(self) -> None:
        defaults = {(name, self._namespaces.get(name).get(CREDENTIALS)) for name in self.store.namespaces()}
        credentials = self.store.credentials() | {(namespace, name) for namespace, name in defaults if name is not None}
        self._secrets.watch(self.store.secrets() | credentials)
        self._guard.hold(credentials)

    def _look_again(self) -> None:
        for backend in self._backends:
            backend.look_again()

    def _cloud_changed(self, serves: Serves, uuids: frozenset[str], listed: bool) -> None:
        holders = (self.store.holder(uuid) for uuid in uuids)
        keys = {obj.key for obj in holders if obj is not None and serves(obj)}
        waiting = (self.store.get(key) for key in self.store.unbound()) if listed else ()
        self._wake(keys | {obj.key for obj in waiting if obj is not None and serves(obj)})

    def _cloud_recovered(self, serves: Serves) -> None:
        keys = self._served(serves)
        self.reconciler.forgive(keys, self._passing_reasons)
        self._wake_spread(keys, min(self._fast, SPREAD))

    def _cloud_silent(self, serves: Serves, why: str) -> None:
        """One Event per credential, and one paced write for each object that it fed."""
        keys = self._served(serves)
        if keys and (first := self.store.get(keys[0])) is not None:
            self._reporter.event(first, "Warning", "CannotObserve", why)
        self._wake_spread(keys, min(self._fast, SPREAD))

    def _served(self, serves: Serves) -> list[Key]:
        return [obj.key for obj in sorted(self.store, key=lambda obj: obj.ref) if serves(obj)]

    def _listener(self, provider: Provider, serves: Serves) -> Listener:
        kinds = frozenset(kind.kind for kind in provider.kinds)

        def ours(obj: Object) -> bool:
            return obj.kind in kinds and serves(obj)

        def managed(uuid: str) -> bool:
            holder = self.store.holder(uuid)
            return holder is not None and ours(holder)

        return Listener(
            managed=managed,
            changed=functools.partial(self._cloud_changed, ours),
            refused=lambda: self._wake_spread(self._served(ours), min(self._fast, SPREAD)),
            recovered=functools.partial(self._cloud_recovered, ours),
            blinded=functools.partial(self._cloud_silent, ours),
            serves_kind=lambda kind: any(obj.kind == kind and ours(obj) for obj in self.store),
        )

    def _relist_soon(self) -> None:
        if self._relist_at is None:
            self._relist_at = asyncio.get_running_loop().call_later(RELIST_AFTER_GAP, self._relisting.set)

    async def _relist_forever(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RELIST_EVERY * self._rng.uniform(0.9, 1.1)):
                    await self._relisting.wait()
            self._relisting.clear()
            self._relist_at = None
            await self._quietly(self.relist)

    async def _quietly(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001  the API server is away for a while: the next round
            log.warning("LIST failed: %s", error)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))
