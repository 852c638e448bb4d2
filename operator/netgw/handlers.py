"""The watch: kopf feeds every event of every kind to the store, and does nothing else.

Only `on.event` is used. It never patches, keeps no finalizer and no annotation of kopf's on our objects, and never
waits: an event is a few dictionary operations. What to do about it is decided by the queue's workers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import kopf

from netgw.kube.connection import Connection
from netgw.kube.kind import Kind

Observe = Callable[[str, str | None, Mapping[str, Any]], None]

UNUSED_FINALIZER = "netgw.dev/never-used-by-kopf"
"""kopf strips a finalizer of its own name where no handler wants one: it must never be ours."""


def registry(kinds: Iterable[Kind], observe: Observe, connect: Callable[[], Awaitable[Connection]]) -> Any:
    """One handler for each kind, and the login with the same credentials as our own client."""
    handlers = kopf.OperatorRegistry()
    for kind in kinds:
        kopf.on.event(kind.group, kind.version, kind.plural, id="observe", registry=handlers)(_watcher(kind, observe))
    kopf.on.login(registry=handlers, errors=kopf.ErrorsMode.TEMPORARY, backoff=5)(_login(connect))
    return handlers


def settings() -> kopf.OperatorSettings:
    """Bounded streams, ten minutes of patience, no CRD scan, no Events and no finalizer of kopf's."""
    chosen = kopf.OperatorSettings()
    chosen.persistence.finalizer = UNUSED_FINALIZER
    chosen.posting.enabled = False
    chosen.scanning.disabled = True
    chosen.watching.server_timeout = 300
    chosen.watching.client_timeout = 330
    chosen.watching.chunk_size = 500
    chosen.networking.connect_timeout = 10
    chosen.networking.request_timeout = 30
    chosen.networking.error_backoffs = (1, 2, 5, 10, 20, *[30] * 20)
    chosen.queueing.idle_timeout = 1
    chosen.queueing.exit_timeout = 1
    chosen.process.ultimate_exiting_timeout = None
    return chosen


async def watch(handlers: Any, namespaces: Iterable[str], started: Callable[[], None]) -> None:
    """Watch until cancelled; ending by itself, or raising, means that the operator is blind and has to end.

    `started` is called when kopf has put its own signal handlers in place. `kopf.operator` is not used, for at its end
    it cancels every task that was created after its start, ours too.
    """
    names = tuple(namespaces)
    tasks = await kopf.spawn_tasks(
        registry=handlers, settings=settings(), standalone=True, clusterwide=not names, namespaces=names
    )
    started()
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _watcher(kind: Kind, observe: Observe) -> Any:
    async def observed(event: kopf.RawEvent, **_: Any) -> None:
        observe(kind.kind, event["type"], lean(event["object"]))

    return observed


def _login(connect: Callable[[], Awaitable[Connection]]) -> Any:
    async def login(**_: Any) -> kopf.ConnectionInfo:
        found = await connect()
        return kopf.ConnectionInfo(
            server=found.server,
            ca_path=found.ca_path,
            insecure=not found.verify_tls,
            scheme=found.scheme,
            token=found.token.get_secret_value() if found.token is not None else None,
            certificate_path=found.certificate_path,
            private_key_path=found.private_key_path,
            proxy_url=found.proxy_url,
            trust_env=found.proxy_url is None,
        )

    return login


def lean(body: Mapping[str, Any]) -> dict[str, Any]:
    """A copy, for kopf shares its dictionary, without managedFields, for they are most of the memory."""
    metadata = {key: value for key, value in body["metadata"].items() if key != "managedFields"}
    return {**body, "metadata": metadata}
