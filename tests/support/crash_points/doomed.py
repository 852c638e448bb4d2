"""`netgw run` with both of its transports counted: the same settings, the same parts, and a way to die at a point."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from netgw import logs
from netgw.cli import operate
from netgw.kinds import PROVIDERS
from netgw.kube.client import Cluster
from netgw.kube.errors import KubernetesError
from netgw.kube.transport import Transport
from netgw.providers.upcloud.api import Credentials, TokenBucket, base_url_from_env
from netgw.providers.upcloud.credentials.clients import Clients
from netgw.settings import Settings
from support.crash_points.points import FOLDER, Points, to_cloud, to_kubernetes


class CountedCloud(httpx.AsyncBaseTransport):
    """The network to the cloud. An answer is there when all of its body is."""

    def __init__(self, points: Points) -> None:
        self._points = points
        self._network = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        what = to_cloud(request.method, request.url.path)
        self._points.reach("before", what)
        response = await self._network.handle_async_request(request)
        await response.aread()
        self._points.reach("after", what)
        return response

    async def aclose(self) -> None:
        await self._network.aclose()


class CountedKubernetes(Transport):
    """The calls to the API server. A refusal is an answer too; the end of a watch is none."""

    points: Points

    async def request(self, method: str, path: str, **options: Any) -> Any:
        what = to_kubernetes(method, path)
        self.points.reach("before", what)
        try:
            answer = await super().request(method, path, **options)
        except KubernetesError:
            self.points.reach("after", what)
            raise
        self.points.reach("after", what)
        return answer

    async def stream(self, path: str, **options: Any) -> AsyncIterator[Any]:
        self.points.reach("before", to_kubernetes("WATCH", path))
        async for event in super().stream(path, **options):
            yield event


def main() -> None:
    """Run until a signal or the planned point; everything comes from the environment."""
    points = Points(Path(os.environ[FOLDER]))
    settings = Settings.load()
    logs.configure(settings.log_format, settings.log_level)
    # The budget of a real account would be what most of the time goes to: each point is a new process, and it looks.
    budget = TokenBucket(rate=100, burst=100)
    cloud = Clients(
        Credentials.from_env(os.environ),
        base_url=base_url_from_env(os.environ),
        transport=CountedCloud(points),
        limiter=budget,
    )

    async def connect(kubeconfig: str | None) -> Cluster:
        transport = await CountedKubernetes.open(kubeconfig)
        assert isinstance(transport, CountedKubernetes)
        transport.points = points
        return Cluster(transport)

    (provider,) = PROVIDERS
    asyncio.run(operate(settings, {provider: cloud}, connect))
    sys.stdout.flush()
