"""The operator as a process: from settings to a clean end.

    discovery → probes → Lease (optional) → fingerprint key → LISTs and a first look → watch → until a signal → drain

It ends by itself, with status 1 and one line, when it would be blind or of no use: a kind that is not served, a watch
that broke for good, a Lease that was lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import signal
import socket
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import choice
from typing import Any, Literal

from netgw.app import App
from netgw.engine.objects import Object
from netgw.kinds import KINDS
from netgw.kube.client import Cluster
from netgw.kube.connection import Connection
from netgw.kube.defaults import CREDENTIALS
from netgw.kube.errors import KubernetesError
from netgw.kube.events import EventSink
from netgw.kube.fingerprint import FingerprintKey
from netgw.kube.guard import CredentialsGuard
from netgw.kube.lease import LeaderLease
from netgw.kube.namespaces import Namespaces
from netgw.kube.objects import Objects
from netgw.kube.provider import Client, Intervals, Making, Provider, Sampling
from netgw.kube.secret_writer import ClusterSecretWriter
from netgw.kube.secrets import SecretWatcher
from netgw.metrics import Exporter
from netgw.probes import ProbeServer, probes_app
from netgw.settings import Settings
from netgw.sources import Guard, Options, Sources, Unguarded
from netgw.tasks import cancelled, first_of, running

log = logging.getLogger(__name__)

DISCOVERY_DEADLINE = 60.0
SERVED_EVERY = 30.0
EVENTS_DRAIN = 2.0
GUARD_DRAIN = 2.0

Watch = Callable[[App, Callable[[], Awaitable[Connection]], Callable[[], None]], Awaitable[None]]
"""Feeds the app until cancelled: (app, credentials, what to call when it has started)."""

Connect = Callable[[str | None], Awaitable[Cluster]]
"""Opens the API server that a kubeconfig names (None: that of the pod)."""


class Fatal(Exception):
    """The process has to end; the message is one line that says what to do."""


class SystemClock:
    """The running loop's time and the wall clock."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def wall(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Readiness:
    """What `/readyz` says."""

    ready: bool = False
    reason: str = "starting"

    def __call__(self) -> tuple[bool, str]:
        return self.ready, self.reason


class Reports:
    """Events, from the engine's words to Kubernetes."""

    def __init__(self, sink: EventSink) -> None:
        self._sink = sink

    def event(self, obj: Object, type_: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        self._sink.emit(obj.body, type_, reason, message)


class Process:
    """One run of the operator."""

    def __init__(
        self,
        settings: Settings,
        clouds: Mapping[Provider, Client],
        watch: Watch,
        connect: Connect = Cluster.connect,
    ) -> None:
        self._settings = settings
        self._clouds = clouds
        self._watch = watch
        self._connect = connect
        self._stop = asyncio.Event()
        self._readiness = Readiness()
        self._app: App | None = None
        self._rng = random.Random()
        self._leads: Callable[[], bool] = lambda: True

    async def run(self) -> None:
        """Until SIGTERM or SIGINT. Raises Fatal, KubernetesError and what start-up finds wrong."""
        self._catch_signals()
        asyncio.get_running_loop().set_exception_handler(one_line)
        async with AsyncExitStack() as stack:
            cluster = await stack.enter_async_context(await self._connect(self._settings.kubeconfig))
            for client in self._clouds.values():
                stack.push_async_callback(client.aclose)
            await self._start_probes(stack)
            await self._until_served(cluster)
            lost = await self._lead(cluster, stack)
            if not self._stop.is_set():
                await self._operate(cluster, lost, stack)

    async def _operate(self, cluster: Cluster, lost: asyncio.Event, stack: AsyncExitStack) -> None:
        sink = EventSink(cluster)
        await stack.enter_async_context(running(sink.run(), "events"))
        stack.push_async_callback(sink.drain, EVENTS_DRAIN)
        self._app = app = await self._assemble(cluster, sink, stack)
        await app.start()
        stack.push_async_callback(app.drain)
        watching = asyncio.create_task(self._run_watch(app, cluster), name="watch")
        stack.push_async_callback(cancelled, watching)
        self._readiness.ready, self._readiness.reason = True, "working"
        log.info("ready")
        await first_of(
            [
                self._stop.wait(),
                asyncio.shield(watching),
                self._guard(app, cluster),
                raise_when(lost, "The Lease was lost to another replica."),
            ]
        )
        self._readiness.ready, self._readiness.reason = False, "stopping"
        log.info("stopping: finishing what is under way")
        await app.drain()

    async def _run_watch(self, app: App, cluster: Cluster) -> None:
        try:
            # kopf puts signal handlers of its own in place: ours come back as soon as it has.
            await self._watch(app, cluster.connection, self._catch_signals)
        except Exception as error:  # noqa: BLE001  whatever breaks the watch, the end is the same
            await self._must_be_served(cluster)
            raise Fatal(f"The watch of the Kubernetes API broke: {type(error).__name__}: {error}") from None
        raise Fatal("The watch of the Kubernetes API ended.")

    async def _assemble(self, cluster: Cluster, sink: EventSink, stack: AsyncExitStack) -> App:
        settings = self._settings
        fingerprints = await FingerprintKey.load(cluster, settings.namespace, settings.fingerprint_key_file)
        app: App

        def on_namespace(name: str) -> None:
            app.namespace_changed(name)

        secrets = SecretWatcher(
            cluster,
            lambda ref, _: app.secret_changed(ref.namespace, ref.name),
            interval=settings.secret_interval,
            rng=self._rng,
        )
        namespaces = Namespaces(cluster, on_namespace, settings.namespaces, rng=self._rng)
        guard = await self._credentials_guard(cluster, stack)
        app = App(
            Options(
                cluster=await cluster_name(cluster, settings),
                intervals=Intervals(settings.poll_interval, settings.fast_poll_interval),
                workers=settings.workers,
                read_only=settings.read_only,
                policies=settings.default_policies,
                cluster_networks=settings.cluster_networks,
                own_credentials=frozenset(settings.default_credentials_namespaces),
                sampling=Sampling(settings.metrics_interval, settings.metrics_share),
            ),
            self._clouds,
            world=Objects(cluster, KINDS, settings.namespaces),
            clock=SystemClock(),
            rng=self._rng,
            reporter=Reports(sink),
            sources=Sources(secrets, namespaces, fingerprints, Making(ClusterSecretWriter(cluster), choice), guard),
            leads=self._leads,
        )
        await namespaces.load()
        guard.look_at(namespaces.every(CREDENTIALS))  # one that nothing needs any more may have a finalizer of ours
        await stack.enter_async_context(running(namespaces.run(), "namespaces"))
        keep = secrets.follow(settings.namespaces) if settings.secret_watch else secrets.poll()
        await stack.enter_async_context(running(keep, "secrets"))
        return app

    async def _credentials_guard(self, cluster: Cluster, stack: AsyncExitStack) -> Guard:
        if not self._settings.credentials_finalizer:
            return Unguarded()
        guard = CredentialsGuard(cluster, rng=self._rng)
        await stack.enter_async_context(running(guard.run(), "guard"))
        stack.push_async_callback(guard.drain, GUARD_DRAIN)
        return guard

    async def _until_served(self, cluster: Cluster) -> None:
        """Wait for every kind, for kopf would wait in silence for one that is not there."""
        deadline = asyncio.get_running_loop().time() + DISCOVERY_DEADLINE
        while missing := await self._missing(cluster):
            self._readiness.reason = f"not served yet: {', '.join(missing)}"
            if asyncio.get_running_loop().time() > deadline:
                raise Fatal(f"Not served by this cluster: {', '.join(missing)}. Apply the CRDs: kubectl apply -f crds/")
            log.warning("waiting for %s: kubectl apply -f crds/", ", ".join(missing))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2.0):
                    await self._stop.wait()
                    return

    async def _missing(self, cluster: Cluster) -> list[str]:
        served = {group: await cluster.served_kinds(*group) for group in {(kind.group, kind.version) for kind in KINDS}}
        return [kind.crd_name for kind in KINDS if kind.plural not in served[kind.group, kind.version]]

    async def _guard(self, app: App, cluster: Cluster) -> None:
        """Ends when a task of ours died or a kind vanished: kopf would stay up and blind."""
        asked = asyncio.get_running_loop().time()
        while True:
            await asyncio.sleep(1.0)
            if (error := app.failed()) is not None:
                raise Fatal(f"A part of netgw failed: {type(error).__name__}: {error}") from error
            if asyncio.get_running_loop().time() - asked < SERVED_EVERY:
                continue
            asked = asyncio.get_running_loop().time()
            await self._must_be_served(cluster)

    async def _must_be_served(self, cluster: Cluster) -> None:
        try:
            missing = await self._missing(cluster)
        except KubernetesError as error:
            log.warning("discovery failed: %s", error)
            return
        if missing:
            raise Fatal(f"Not served any more: {', '.join(missing)}. Apply the CRDs: kubectl apply -f crds/")

    async def _lead(self, cluster: Cluster, stack: AsyncExitStack) -> asyncio.Event:
        """With leader election: wait for the Lease. The event is set when it is lost."""
        lost = asyncio.Event()
        if not self._settings.leader_election:
            return lost
        self._readiness.ready, self._readiness.reason = True, "standing by"  # else a rollout would never end
        identity = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        lease = LeaderLease(cluster, self._settings.namespace, identity, rng=self._rng)
        self._leads = lease.holds
        for client in self._clouds.values():
            client.fence(lease.holds)
        await first_of([lease.acquire(), self._stop.wait()])
        self._readiness.ready, self._readiness.reason = False, "starting"
        stack.push_async_callback(lease.release)
        await stack.enter_async_context(running(lease.keep(lost.set), "lease"))
        return lost

    async def _start_probes(self, stack: AsyncExitStack) -> None:
        exporter = Exporter(lambda: self._app)
        probes = probes_app(lambda: self._app is None or self._app.alive(), self._readiness, exporter.expose)
        server = ProbeServer(probes, self._settings.listen)
        address = await server.start()
        stack.push_async_callback(server.stop)
        log.info("probes at http://%s", address)

    def _catch_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)


async def cluster_name(cluster: Cluster, settings: Settings) -> str:
    """The name in our marks. Raises Fatal."""
    if settings.cluster_name:
        return settings.cluster_name
    uid = await cluster.namespace_uid("kube-system")
    if uid is None:
        raise Fatal("Namespace kube-system cannot be read: set NETGW_CLUSTER_NAME.")
    return uid[:8]


def one_line(_: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """An error that nobody awaits: kopf leaves some behind when a watch breaks."""
    error = context.get("exception")
    # At the end the loop closes the streams that kopf leaves open, and what these hold, in whatever order. One that
    # finds what it holds closed already says so: nothing is wrong.
    level = logging.DEBUG if "asyncgen" in context else logging.WARNING
    log.log(level, "%s: %s: %s", context.get("message"), type(error).__name__, error)
    log.debug("its traceback", exc_info=error)


async def raise_when(event: asyncio.Event, message: str) -> None:
    """End the process when this happens."""
    await event.wait()
    raise Fatal(message)
