"""Events about our objects, posted under the operator's own roles."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from netgw.kube.client import Cluster
from netgw.kube.errors import KubernetesError
from netgw.kube.events import NOTE_BYTES, EventSink
from support import cluster as support
from support.admission import GATEWAY
from support.fake_time import FakeTime

OBJECT = {
    "apiVersion": "upcloud.netgw.dev/v1alpha1",
    "kind": "VpnTunnel",
    "metadata": {"name": "office-1", "namespace": "tenant", "uid": "u1", "resourceVersion": "7"},
}


class Posted:
    def __init__(self, refusal: KubernetesError | None = None) -> None:
        self.bodies: list[Mapping[str, Any]] = []
        self.refusal = refusal

    async def create_event(self, body: Mapping[str, Any]) -> None:
        if self.refusal:
            raise self.refusal
        self.bodies.append(body)


async def post(sink: EventSink) -> None:
    task = asyncio.create_task(sink.run())
    await sink.drain(5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def another(uid: str) -> dict[str, Any]:
    return {**OBJECT, "metadata": {**OBJECT["metadata"], "uid": uid}}  # type: ignore[dict-item]


def test_event_shows_on_its_object(cluster: support.Cluster) -> None:
    manifest = {**GATEWAY, "apiVersion": "upcloud.netgw.dev/v1alpha1", "metadata": {"name": "edge"}}
    with cluster.namespace() as namespace:
        path = f"/apis/upcloud.netgw.dev/v1alpha1/namespaces/{namespace}/networkgateways"
        gateway = cluster.api("POST", path, manifest).raise_for_status().json()

        async def story() -> None:
            async with await Cluster.connect(str(cluster.operator_kubeconfig())) as ours:
                sink = EventSink(ours, instance="netgw-0")
                sink.emit(gateway, "Normal", "Created", "ü" * 1000)
                await post(sink)
                assert sink.dropped == 0

        asyncio.run(story())
        items = cluster.api("GET", f"/apis/events.k8s.io/v1/namespaces/{namespace}/events").json()["items"]
        assert len(items) == 1
        event = items[0]
        assert event["regarding"] == {
            "apiVersion": "upcloud.netgw.dev/v1alpha1",
            "kind": "NetworkGateway",
            "name": "edge",
            "namespace": namespace,
            "uid": gateway["metadata"]["uid"],
            "resourceVersion": gateway["metadata"]["resourceVersion"],
        }
        assert (event["type"], event["reason"], event["action"]) == ("Normal", "Created", "Reconcile")
        assert (event["reportingController"], event["reportingInstance"]) == ("netgw.dev/netgw", "netgw-0")
        assert event["note"].endswith("ü…")
        assert NOTE_BYTES - 2 < len(event["note"].encode()) <= NOTE_BYTES
        assert "Created" in cluster.kubectl("events", "--for", "ngw/edge", "--namespace", namespace)


def test_event_in_a_dying_namespace_is_dropped_quietly(
    cluster: support.Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    guarded = {"name": "edge", "finalizers": ["netgw.dev/finalizer"]}
    manifest = {**GATEWAY, "apiVersion": "upcloud.netgw.dev/v1alpha1", "metadata": guarded}
    with cluster.namespace() as namespace:
        path = f"/apis/upcloud.netgw.dev/v1alpha1/namespaces/{namespace}/networkgateways"
        gateway = cluster.api("POST", path, manifest).raise_for_status().json()
        cluster.api("DELETE", f"/api/v1/namespaces/{namespace}").raise_for_status()

        async def story() -> None:
            async with await Cluster.connect(str(cluster.operator_kubeconfig())) as ours:
                sink = EventSink(ours)
                sink.emit(gateway, "Normal", "Deleting", "made up")
                await post(sink)
                assert sink.dropped == 1

        with caplog.at_level(logging.INFO, "netgw"):
            asyncio.run(story())
        assert caplog.messages == []


def test_same_event_is_told_again_after_ten_minutes() -> None:
    posted, time = Posted(), FakeTime()
    sink = EventSink(posted, clock=time.clock, wall=lambda: datetime(2026, 11, 23, 2, 41, tzinfo=UTC))

    async def story() -> None:
        for _ in range(3):
            sink.emit(OBJECT, "Warning", "TunnelDown", "since 02:41Z")
        sink.emit(OBJECT, "Warning", "TunnelDown", "since 02:42Z")
        sink.emit(another("u2"), "Warning", "TunnelDown", "since 02:41Z")
        await post(sink)
        assert len(posted.bodies) == 3
        await time.sleep(599)
        sink.emit(OBJECT, "Warning", "TunnelDown", "since 02:41Z")
        await post(sink)
        assert len(posted.bodies) == 3
        await time.sleep(1)
        sink.emit(OBJECT, "Warning", "TunnelDown", "since 02:41Z")
        await post(sink)
        assert len(posted.bodies) == 4

    asyncio.run(story())
    assert posted.bodies[0]["eventTime"] == "2026-11-23T02:41:00.000000Z"
    assert sink.dropped == 0


def test_full_queue_drops_and_may_tell_later() -> None:
    posted = Posted()
    sink = EventSink(posted, capacity=2)

    async def story() -> None:
        for uid in ("u1", "u2", "u3"):
            sink.emit(another(uid), "Normal", "Created", "made up")
        assert sink.dropped == 1
        await post(sink)
        sink.emit(another("u3"), "Normal", "Created", "made up")
        await post(sink)

    asyncio.run(story())
    assert [body["regarding"]["uid"] for body in posted.bodies] == ["u1", "u2", "u3"]


def test_refused_event_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    sink = EventSink(Posted(KubernetesError("POST /events: 500", 500)))

    async def story() -> None:
        sink.emit(OBJECT, "Normal", "Created", "made up")
        await post(sink)

    asyncio.run(story())
    assert sink.dropped == 1
    assert caplog.messages == ["An Event was not posted: POST /events: 500"]


def test_drain_does_not_wait_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    sink = EventSink(Posted())

    async def story() -> None:
        sink.emit(OBJECT, "Normal", "Created", "made up")
        await sink.drain(0.01)

    asyncio.run(story())
    assert caplog.messages == ["1 Events were not posted before the end"]
