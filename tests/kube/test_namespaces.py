"""Annotations of namespaces: seen before anybody works, followed, and never a reason to fail; also on a real server."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from netgw.kube.client import Cluster, NamespaceEvent, NamespaceMeta
from netgw.kube.errors import KubernetesError, WatchExpired
from netgw.kube.namespaces import Namespaces
from support import cluster as support
from support.bare_socket import against, http
from support.cluster import OPERATOR_NAMESPACE
from support.fake_time import FakeTime
from support.grants import granted

FORBIDDEN = KubernetesError("GET /api/v1/namespaces: 403 forbidden", 403)
MINE = {"default-credentials": "mine"}
OTHER = {"default-credentials": "other"}
LAG_SECONDS = 1.0


class Held:
    """The namespaces of a cluster, and how often it was asked."""

    def __init__(self) -> None:
        self.metas: dict[str, NamespaceMeta] = {}
        self.failing: dict[str | None, KubernetesError] = {}
        self.streams: list[list[NamespaceEvent] | KubernetesError] = []
        self.lists = 0
        self.gets: list[str] = []
        self.watched_from: list[str] = []

    def put(self, name: str, annotations: dict[str, str], version: str = "1") -> NamespaceMeta:
        self.metas[name] = NamespaceMeta(name, version, annotations)
        return self.metas[name]

    async def namespace_metadata(self, name: str) -> NamespaceMeta | None:
        self.gets.append(name)
        if name in self.failing:
            raise self.failing[name]
        return self.metas.get(name)

    async def list_namespace_metadata(self) -> tuple[list[NamespaceMeta], str]:
        self.lists += 1
        if None in self.failing:
            raise self.failing[None]
        return list(self.metas.values()), "5"

    async def watch_namespace_metadata(self, resource_version: str) -> AsyncIterator[NamespaceEvent]:
        self.watched_from.append(resource_version)
        stream = self.streams.pop(0) if self.streams else []
        if isinstance(stream, KubernetesError):
            raise stream
        for event in stream:
            yield event


class Story:
    """Namespaces of a cluster that holds tenant with MINE, and what they told."""

    def __init__(self, *names: str, minutes: float = 1) -> None:
        self.time = FakeTime(minutes * 60)
        self.held = Held()
        self.held.put("tenant", MINE)
        self.told: list[str] = []
        self.namespaces = Namespaces(self.held, self.told.append, names, sleep=self.time.sleep, rng=random.Random(1))

    def at(self, when: float, action: Callable[[], object]) -> None:
        self.time.at(when, lambda: (action(), None)[1])

    def play(self) -> None:
        async def life() -> None:
            await self.namespaces.load()
            await self.namespaces.run()

        self.time.run(life())


def event(kind: str, name: str, annotations: dict[str, str], version: str) -> NamespaceEvent:
    return NamespaceEvent(kind, NamespaceMeta(name, version, annotations))


def test_load_tells_nothing_and_the_watch_goes_on_from_it() -> None:
    story = Story()
    story.play()
    assert story.namespaces.get("tenant") == MINE
    assert story.namespaces.get("absent") == {}
    assert story.told == []
    assert story.held.lists == 1
    assert set(story.held.watched_from) == {"5"}


def test_watch_tells_what_changes_and_only_that() -> None:
    story = Story()
    story.held.streams = [
        [
            event("MODIFIED", "tenant", MINE, "6"),
            event("ADDED", "plain", {}, "7"),
            event("BOOKMARK", "", {}, "8"),
            event("ADDED", "new", MINE, "9"),
            event("MODIFIED", "tenant", OTHER, "10"),
            event("DELETED", "new", MINE, "11"),
        ]
    ]
    story.play()
    assert story.told == ["new", "tenant", "new"]
    assert story.namespaces.get("tenant") == OTHER
    assert story.namespaces.get("new") == {}
    assert story.held.watched_from[1] == "11"


@pytest.mark.parametrize("broken", [WatchExpired("too old", 410), KubernetesError("reset")])
def test_after_a_gap_it_lists_again(broken: KubernetesError) -> None:
    story = Story()
    story.held.put("gone", MINE)
    story.held.streams = [[], broken]
    story.at(0.5, lambda: (story.held.put("tenant", OTHER, "9"), story.held.metas.pop("gone")))
    story.play()
    assert sorted(story.told) == ["gone", "tenant"]
    assert story.namespaces.get("tenant") == OTHER
    assert story.held.lists == 2


def test_without_the_right_there_are_no_annotations_and_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    story = Story(minutes=60)
    story.held.failing = {None: FORBIDDEN}
    story.at(1800, story.held.failing.clear)
    with caplog.at_level(logging.WARNING):
        story.play()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "deploy/rbac.yaml" in caplog.text
    assert story.held.lists <= 3 + 1800 / 270
    assert story.told == ["tenant"]
    assert story.namespaces.get("tenant") == MINE


def test_without_the_right_nobody_is_asked_for_a_single_one() -> None:
    story = Story()
    story.held.failing = {None: FORBIDDEN}

    async def looks() -> None:
        await story.namespaces.load()
        assert await story.namespaces.look("tenant") == {}

    asyncio.run(looks())
    assert story.held.gets == []


def test_right_that_is_taken_away_leaves_what_was_seen() -> None:
    story = Story(minutes=10)
    story.held.streams = [WatchExpired("too old", 410)]
    story.at(0.5, lambda: story.held.failing.update({None: FORBIDDEN}))
    story.play()
    assert story.told == []
    assert story.namespaces.get("tenant") == MINE


@pytest.mark.parametrize("names", [[], ["tenant"]])
def test_no_answer_at_the_start_is_an_error(names: list[str]) -> None:
    """Workers must not begin without knowing."""
    story = Story(*names)
    story.held.failing = dict.fromkeys([None, "tenant"], KubernetesError("no answer"))
    with pytest.raises(KubernetesError, match="no answer"):
        asyncio.run(story.namespaces.load())


@pytest.mark.parametrize("names", [[], ["tenant", "new"]])
def test_namespace_that_was_never_seen_is_asked_for(names: list[str]) -> None:
    story = Story(*names)

    async def looks() -> None:
        await story.namespaces.load()
        assert await story.namespaces.look("new") == {}
        story.held.gets.clear()
        story.held.put("new", MINE, "8")
        assert story.namespaces.get("new") == {}
        assert await story.namespaces.look("new") == MINE
        assert await story.namespaces.look("new") == MINE
        assert await story.namespaces.look("tenant") == MINE

    asyncio.run(looks())
    assert story.held.gets == ["new"]
    assert story.told == ["new"]


def test_older_event_does_not_undo_a_look() -> None:
    story = Story()
    story.held.streams = [[event("ADDED", "new", OTHER, "7"), event("MODIFIED", "new", MINE, "8")]]

    async def looks() -> None:
        await story.namespaces.load()
        story.held.put("new", MINE, "8")
        await story.namespaces.look("new")
        await story.namespaces.run()

    story.time.run(looks())
    assert story.told == ["new"]


def test_named_ones_are_asked_for_at_an_interval() -> None:
    story = Story("tenant", minutes=10)
    story.at(100, lambda: story.held.put("tenant", OTHER))
    story.play()
    assert story.told == ["tenant"]
    assert story.namespaces.get("tenant") == OTHER
    assert 18 <= len(story.held.gets) <= 24
    assert story.held.lists == 0


def test_named_one_that_refuses_is_asked_for_slowly(caplog: pytest.LogCaptureFixture) -> None:
    story = Story("tenant", minutes=60)
    story.held.failing = {"tenant": FORBIDDEN}
    story.at(1800, story.held.failing.clear)
    with caplog.at_level(logging.WARNING):
        story.play()
    assert len(caplog.records) == 1
    assert "namespace tenant" in caplog.text
    assert story.told == ["tenant"]
    assert len(story.held.gets) <= 8 + 1800 / 27


def test_named_one_without_answer_keeps_what_was_seen() -> None:
    story = Story("tenant", minutes=10)
    story.at(60, lambda: story.held.failing.update(tenant=KubernetesError("no answer")))
    story.at(300, story.held.failing.clear)
    story.play()
    assert story.told == []
    assert story.namespaces.get("tenant") == MINE


# ---- on a real API server


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def annotate(cluster: support.Cluster, namespace: str, annotations: dict[str, str | None]) -> None:
    path = f"/api/v1/namespaces/{namespace}"
    cluster.api("PATCH", path, {"metadata": {"annotations": annotations}}, support.MERGE_PATCH).raise_for_status()


def test_change_is_noticed_within_a_second(cluster: support.Cluster) -> None:
    """As the operator, with deploy/rbac.yaml; also the look that an object of a new namespace needs."""
    with cluster.namespace() as namespace:
        annotate(cluster, namespace, {"netgw.dev/default-credentials": "mine", "example.com/other": "kept out"})

        async def story() -> None:
            told: asyncio.Queue[str] = asyncio.Queue()
            async with await Cluster.connect(str(cluster.operator_kubeconfig())) as ours:
                namespaces = Namespaces(ours, told.put_nowait, rng=random.Random(1))
                await namespaces.load()
                assert namespaces.get(namespace) == MINE
                async with running(namespaces.run()):
                    for value in ("other", None):
                        began = time.monotonic()
                        await asyncio.to_thread(annotate, cluster, namespace, {"netgw.dev/default-credentials": value})
                        while await asyncio.wait_for(told.get(), 5) != namespace:
                            pass
                        assert time.monotonic() - began < LAG_SECONDS
                        assert namespaces.get(namespace) == ({} if value is None else OTHER)
                    await asyncio.to_thread(annotate, cluster, namespace, {"example.com/other": "changed"})
                    await asyncio.sleep(0.3)
                    assert namespace not in [told.get_nowait() for _ in range(told.qsize())]
                assert await Namespaces(ours, told.put_nowait, rng=random.Random(1)).look(namespace) == {}

        asyncio.run(story())


def test_watch_that_expired_is_listed_again(tmp_path: Path) -> None:
    """From a socket, for a real server takes its time until a version is too old."""

    def listed(version: str, annotations: Mapping[str, str]) -> bytes:
        item = {"metadata": {"name": "tenant", "resourceVersion": version, "annotations": annotations}}
        return http(json.dumps({"metadata": {"resourceVersion": version}, "items": [item]}))

    expired = http(json.dumps({"type": "ERROR", "object": {"kind": "Status", "code": 410}}) + "\n")
    answers = [
        listed("5", {"netgw.dev/default-credentials": "mine", "example.com/other": "kept out"}),
        expired,
        listed("9", {"netgw.dev/default-credentials": "other"}),
        b"",
    ]

    async def story(ours: Cluster) -> None:
        told: asyncio.Queue[str] = asyncio.Queue()
        namespaces = Namespaces(ours, told.put_nowait, rng=random.Random(1))
        await namespaces.load()
        assert namespaces.get("tenant") == MINE
        async with running(namespaces.run()):
            assert await asyncio.wait_for(told.get(), 5) == "tenant"
            assert namespaces.get("tenant") == OTHER

    asked = against(answers, tmp_path, story)
    assert ["watch=true" in path for path in asked[:3]] == [False, True, False]


def test_named_one_needs_no_right_outside_of_it(cluster: support.Cluster, caplog: pytest.LogCaptureFixture) -> None:
    """A service account that has deploy/rbac.yaml bound in one namespace alone."""
    with cluster.namespace() as mine, cluster.namespace() as foreign:
        cluster.kubectl("create", "serviceaccount", "narrow", "--namespace", mine)
        kubeconfig = str(cluster.access.kubeconfig_for("narrow", mine))
        for namespace in (mine, foreign):
            annotate(cluster, namespace, {"netgw.dev/default-credentials": "mine"})

        async def story() -> None:
            async with await Cluster.connect(kubeconfig) as ours:
                named = Namespaces(ours, lambda _: None, [mine, foreign], rng=random.Random(1))
                await named.load()
                assert named.get(mine) == MINE
                assert await named.look(foreign) == {}
                everywhere = Namespaces(ours, lambda _: None, rng=random.Random(1))
                await everywhere.load()
                assert everywhere.get(mine) == {}

        with granted(cluster, "rbac.yaml", mine, f"{mine}:narrow"), caplog.at_level(logging.WARNING, "netgw"):
            asyncio.run(story())
    assert len(caplog.records) == 2
    assert OPERATOR_NAMESPACE not in caplog.text
