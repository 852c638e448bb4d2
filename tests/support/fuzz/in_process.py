"""The real operator in the process of the test: a thread with an event loop of its own, on the real API server.

So its state is at hand: what its store knows, what its queue still has to do, whether a task of it died. Everything but
the signals is as `netgw run` does it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from netgw import handlers
from netgw.app import App
from netgw.kinds import KINDS, PROVIDERS
from netgw.kube.connection import Connection
from netgw.process import Process
from netgw.settings import Address, Settings
from support.operator import START_SECONDS

POLL_INTERVAL, FAST_POLL_INTERVAL, SECRET_INTERVAL = 0.25, 0.1, 0.2
"""As short as they may be, for an example waits for some of each."""


class Unsignalled(Process):
    """Signals go to the main thread alone: it is ended by `end`."""

    def _catch_signals(self) -> None:
        self.loop = asyncio.get_running_loop()

    def end(self) -> None:
        self.loop.call_soon_threadsafe(self._stop.set)


class Inside:
    """One operator after the other. `app` is that of the present life."""

    def __init__(self, kubeconfig: Path, cloud: str, namespace: str, token: str) -> None:
        self._environ = {"UPCLOUD_TOKEN": token, "UPCLOUD_DEBUG_API_BASE_URL": cloud}
        self._settings = Settings(
            KUBECONFIG=str(kubeconfig),  # type: ignore[call-arg]
            namespace="netgw-system",
            namespaces=(namespace,),
            cluster_name="machine",
            listen=Address("127.0.0.1", 0),
            poll_interval=POLL_INTERVAL,
            fast_poll_interval=FAST_POLL_INTERVAL,
            secret_interval=SECRET_INTERVAL,
            metrics_interval=0,
        )
        self._process: Unsignalled | None = None
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self.app: App | None = None

    def start(self) -> None:
        """Until its watch has begun."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._live, args=(ready,), name="operator", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not ready.wait(0.05):
            assert self.alive, f"the operator ended: {self._error!r}"
            assert time.monotonic() < deadline, "the operator does not start"

    def stop(self) -> None:
        """As by SIGTERM; nothing may be left of it."""
        if self._process is None or self._thread is None:
            return
        self._process.end()
        self._thread.join(START_SECONDS)
        assert not self._thread.is_alive(), "the operator does not end"
        assert self._error is None, f"the operator ended with {self._error!r}"
        self._process = self._thread = None

    @property
    def alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _live(self, ready: threading.Event) -> None:
        async def watch(app: App, connect: Callable[[], Awaitable[Connection]], started: Callable[[], None]) -> None:
            self.app = app
            registry = handlers.registry(KINDS, app.observe, connect)

            def begun() -> None:
                started()
                ready.set()

            await handlers.watch(registry, self._settings.namespaces, begun)

        clouds: Mapping[Any, Any] = {provider: provider.client(self._environ) for provider in PROVIDERS}
        self._process = Unsignalled(self._settings, clouds, watch)
        try:
            asyncio.run(self._process.run())
        except BaseException as error:  # noqa: BLE001  told by whoever waits for it
            self._error = error
