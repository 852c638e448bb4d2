"""`netgw release`: netgw's hands off objects, so that they can be deleted without it and the cloud is kept.

    no operator at work → our mark off in the cloud → finalizer off → look whether it stays off

Specs, annotations and statuses stay as they are, so an operator that starts again goes on where the last one ended.
An operator that is still at work would put everything back. It shows in two ways: it holds the Lease, where it uses
one, and it puts back the finalizer of the first object within a moment.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from secrets import choice

from pydantic import SecretStr

from netgw.app import App
from netgw.engine.objects import Name, Object
from netgw.engine.ports import ObjectGone, WriteConflict
from netgw.engine.release import Kept
from netgw.kinds import KINDS
from netgw.kube.client import Cluster
from netgw.kube.errors import KindNotServed, KubernetesError
from netgw.kube.guard import CREDENTIALS_FINALIZER
from netgw.kube.lease import LeaderLease
from netgw.kube.namespaces import Namespaces
from netgw.kube.objects import Objects
from netgw.kube.provider import Client, Intervals, Making, Provider
from netgw.kube.secret_writer import ClusterSecretWriter
from netgw.kube.secrets import SecretWatcher
from netgw.process import Connect, SystemClock, cluster_name
from netgw.settings import Settings
from netgw.sources import Options, Sources
from netgw.tasks import first_of, running

LEASE = "netgw"
PROBE_SECONDS = 3.0
LOOK_EVERY = 0.2
_TRIES = 10
SHOWN = 10
STOP = "Stop it first (kubectl --namespace {namespace} scale deployment netgw --replicas=0), then run this again."

Say = Callable[[str], None]


class ReleaseError(Exception):
    """Nothing more is done; the message is one line."""


class NoFingerprints:
    """Keys are neither read nor sent, so their fingerprint is not needed, and no Secret with a key for it is made."""

    def fingerprint(self, psk: SecretStr) -> str:
        raise NotImplementedError

    def knows(self, fingerprint: str) -> bool:
        return False


class NoEvents:
    """What is done is told to whoever runs the command."""

    def event(self, obj: Object, type_: str, reason: str, message: str) -> None:
        """Nothing is written."""


async def guarded(settings: Settings, names: Sequence[str], connect: Connect = Cluster.connect) -> list[Name]:
    """The objects that carry our finalizer, of these names (NAMESPACE/NAME) or all. Raises KubernetesError."""
    async with await connect(settings.kubeconfig) as cluster:
        objects = chosen(await every(Objects(cluster, KINDS, settings.namespaces)), names)
    return [obj.ref for obj in objects if obj.guarded]


async def release(
    settings: Settings,
    clouds: Mapping[Provider, Client],
    names: Sequence[str],
    say: Say,
    connect: Connect = Cluster.connect,
) -> list[str]:
    """Release these objects or all; what is left undone, a line each. Raises KubernetesError, ReleaseError."""
    async with await connect(settings.kubeconfig) as cluster:
        world = Objects(cluster, KINDS, settings.namespaces)
        objects = chosen(await every(world), names)
        if not objects:
            return []
        async with no_leader(cluster, settings.namespace):
            await probe(world, objects, settings.namespace)
            app = await assemble(cluster, settings, clouds, world)
            left = [line for obj in objects if (line := await _let_go(app, world, obj, say)) is not None]
            if not names:
                left += await _credentials(cluster, app.store.credentials(), say)
            back = [obj.ref for obj in chosen(await every(world), names) if obj.guarded]
        if back:
            raise ReleaseError(f"An operator put its finalizer back on {shown(back)}. {_stop(settings.namespace)}")
        return left


async def every(world: Objects) -> list[Object]:
    """Of every kind that is served, in an order for people."""
    found: list[Object] = []
    for kind in KINDS:
        try:
            found += await world.list(kind.kind)
        except KindNotServed:
            continue  # without its CRD there is none
    return found


def chosen(objects: Sequence[Object], names: Sequence[str]) -> list[Object]:
    """Those of these names, all without any. Raises ReleaseError for a name that nothing has."""
    known = {f"{obj.namespace}/{obj.name}" for obj in objects}
    if wrong := [name for name in names if name not in known]:
        kinds = ", ".join(kind.kind for kind in KINDS)
        raise ReleaseError(f"No {kinds} is named {', '.join(wrong)}; expected NAMESPACE/NAME.")
    return [obj for obj in objects if not names or f"{obj.namespace}/{obj.name}" in names]


def shown(refs: Sequence[Name]) -> str:
    """Some of them, for a line."""
    more = f" and {len(refs) - SHOWN} more" if len(refs) > SHOWN else ""
    return ", ".join(map(str, refs[:SHOWN])) + more


@asynccontextmanager
async def no_leader(cluster: Cluster, namespace: str) -> AsyncIterator[None]:
    """The Lease is ours meanwhile, where operators use one. Raises ReleaseError while an operator holds it."""
    if await cluster.get_lease(namespace, LEASE) is None:
        yield
        return
    identity = f"release-{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    lease = LeaderLease(cluster, namespace, identity, name=LEASE, rng=random.Random())
    await first_of([lease.acquire(), _renewed_by_another(cluster, namespace, identity)])
    try:
        async with running(lease.keep(lambda: None), "lease"):
            yield
    finally:
        await lease.release()


async def _renewed_by_another(cluster: Cluster, namespace: str, identity: str) -> None:
    """Ends with ReleaseError when somebody renews the Lease. One that nobody renews any more is ours in a while."""
    first = None
    while True:
        spec = (await cluster.get_lease(namespace, LEASE) or {}).get("spec") or {}
        seen = spec.get("holderIdentity"), spec.get("renewTime")
        if first is not None and seen != first and seen[0] not in ("", None, identity):
            raise ReleaseError(f"An operator holds the Lease {namespace}/{LEASE}. {_stop(namespace)}")
        first = seen
        await asyncio.sleep(LOOK_EVERY)


async def probe(world: Objects, objects: Sequence[Object], namespace: str) -> None:
    """Take the finalizer off one object, and see whether it stays off. Raises ReleaseError where an operator works."""
    first = next((obj for obj in objects if obj.guarded and not obj.deleting), None)
    if first is None:
        return
    await _unguard(world, first)
    until = asyncio.get_running_loop().time() + PROBE_SECONDS
    while asyncio.get_running_loop().time() < until:
        now = await world.read(first.ref)
        if now is not None and now.uid == first.uid and now.guarded:
            raise ReleaseError(f"An operator is at work: it put its finalizer back on {first.ref}. {_stop(namespace)}")
        await asyncio.sleep(LOOK_EVERY)


async def assemble(cluster: Cluster, settings: Settings, clouds: Mapping[Provider, Client], world: Objects) -> App:
    """The operator's parts, without any that works by itself."""
    rng = random.Random()
    secrets = SecretWatcher(cluster, lambda *_: None, interval=settings.secret_interval, rng=rng)
    namespaces = Namespaces(cluster, lambda _: None, settings.namespaces, rng=rng)
    app = App(
        Options(
            cluster=await cluster_name(cluster, settings),
            intervals=Intervals(settings.poll_interval, settings.fast_poll_interval),
            read_only=settings.read_only,
            policies=settings.default_policies,
            own_credentials=frozenset(settings.default_credentials_namespaces),
        ),
        clouds,
        world=world,
        clock=SystemClock(),
        rng=rng,
        reporter=NoEvents(),
        sources=Sources(secrets, namespaces, NoFingerprints(), Making(ClusterSecretWriter(cluster), choice)),
    )
    await namespaces.load()
    await app.load()
    return app


async def _let_go(app: App, world: Objects, obj: Object, say: Say) -> str | None:
    """One object. Returns what is left undone."""
    kept = await app.reconciler.release(obj)
    off = await _unguard(world, obj)
    if off or kept.uuids or kept.why is not None:
        say(f"{obj.ref}: {'finalizer off' if off else 'had no finalizer'}{_stays(kept)}")
    return None if kept.why is None else f"{obj.ref}: our mark is left in the cloud ({kept.why})"


def _stays(kept: Kept) -> str:
    what = f"; {', '.join(kept.uuids)} stays in the cloud" if kept.uuids else ""
    return what if kept.why is None else f"{what}, with our mark"


async def _unguard(world: Objects, obj: Object) -> bool:
    """Whether there was a finalizer to take off. Tries again on the fresh object when it moved."""
    for _ in range(_TRIES):
        fresh = await world.read(obj.ref)
        if fresh is None or fresh.uid != obj.uid or not fresh.guarded:
            return False
        try:
            await world.remove_finalizer(fresh)
        except WriteConflict:
            continue
        except ObjectGone:
            return False
        return True
    raise ReleaseError(f"{obj.ref} changes again and again: an operator is at work. Stop it, then run this again.")


async def _credentials(cluster: Cluster, refs: Iterable[tuple[str, str]], say: Say) -> list[str]:
    """The finalizer that keeps Secrets with credentials, where the operator was told to put it on."""
    left = []
    for namespace, name in sorted(refs):
        try:
            found = await cluster.secret_finalizers(namespace, name)
            if found is None or CREDENTIALS_FINALIZER not in found.finalizers:
                continue
            kept = [finalizer for finalizer in found.finalizers if finalizer != CREDENTIALS_FINALIZER]
            await cluster.set_secret_finalizers(found.meta, kept)
            say(f"Secret {namespace}/{name}: finalizer off")
        except KubernetesError as error:
            left.append(f"Secret {namespace}/{name}: finalizer {CREDENTIALS_FINALIZER} may be left ({error})")
    return left


def _stop(namespace: str) -> str:
    return STOP.format(namespace=namespace)
