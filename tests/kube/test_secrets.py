"""Secrets that are asked for now and then, under fake time; and a real watch under the roles that it needs."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from itertools import pairwise

import pytest
import yaml
from pydantic import SecretBytes

from netgw.kube.client import Cluster, Secret, SecretEvent, SecretMeta
from netgw.kube.errors import KubernetesError, WatchExpired
from netgw.kube.secrets import Ref, SecretWatcher
from support import cluster as support
from support.cluster import ROOT
from support.fake_time import FakeTime

A, B = Ref("tenant", "a"), Ref("tenant", "b")
INTERVAL = 300.0


class Secrets:
    """What a cluster holds, and when it was asked for what."""

    def __init__(self, time: FakeTime, *refs: Ref) -> None:
        self.time = time
        self.held: dict[Ref, SecretMeta] = {}
        self.asked: list[tuple[float, Ref]] = []
        self.failing: KubernetesError | None = None
        self.streams: list[list[SecretEvent] | KubernetesError] = []
        self.lists = 0
        for ref in refs:
            self.put(ref)

    def put(self, ref: Ref, version: str = "1", uid: str = "u1") -> SecretMeta:
        self.held[ref] = SecretMeta(*ref, uid, version)
        return self.held[ref]

    def _ask(self, ref: Ref) -> None:
        self.asked.append((self.time.now, ref))
        if self.failing:
            raise self.failing

    async def secret_metadata(self, namespace: str, name: str) -> SecretMeta | None:
        self._ask(Ref(namespace, name))
        return self.held.get(Ref(namespace, name))

    async def secret_data(self, namespace: str, name: str) -> Secret | None:
        meta = self.held.get(Ref(namespace, name))
        return Secret(meta, {"psk": SecretBytes(b"madeup_psk_for_tests_1")}) if meta else None

    async def list_secret_metadata(self, namespace: str | None) -> tuple[list[SecretMeta], str]:
        self.lists += 1
        return [meta for ref, meta in self.held.items() if namespace in (None, ref.namespace)], "1"

    async def watch_secret_metadata(self, namespace: str | None, resource_version: str) -> AsyncIterator[SecretEvent]:
        stream = self.streams.pop(0) if self.streams else []
        if isinstance(stream, KubernetesError):
            raise stream
        for event in stream:
            yield event


class Story:
    """A watcher of what a cluster holds, and what it told."""

    def __init__(self, *held: Ref, watched: set[tuple[str, str]], minutes: float, interval: float = INTERVAL) -> None:
        self.time = FakeTime(minutes * 60)
        self.secrets = Secrets(self.time, *held)
        self.told: list[tuple[Ref, str | None]] = []
        self.watcher = SecretWatcher(
            self.secrets,
            lambda ref, meta: self.told.append((ref, meta.resource_version if meta else None)),
            interval=interval,
            clock=self.time.clock,
            sleep=self.time.sleep,
            rng=random.Random(1),
        )
        self.watcher.watch(watched)

    def at(self, when: float, action: Callable[[], object]) -> None:
        self.time.at(when, lambda: (action(), None)[1])

    def poll(self) -> None:
        self.time.run(self.watcher.poll())

    def follow(self, *namespaces: str) -> None:
        self.time.run(self.watcher.follow(namespaces))


def test_each_secret_is_asked_for_once_per_interval_and_not_all_at_once() -> None:
    refs = [Ref("tenant", f"psk-{number}") for number in range(100)]
    story = Story(*refs, watched=set(refs), minutes=30)
    story.poll()
    assert story.told == []
    for ref in refs:
        times = [when for when, asked in story.secrets.asked if asked == ref]
        assert times[0] <= INTERVAL + 1
        assert all(INTERVAL * 0.9 <= later - earlier <= INTERVAL * 1.1 + 1 for earlier, later in pairwise(times))
    busiest = max(sum(minute <= when < minute + 60 for when, _ in story.secrets.asked) for minute in range(0, 1800, 60))
    assert busiest < 40


def test_change_is_told_once() -> None:
    story = Story(A, B, watched={A, B}, minutes=30)
    story.at(600, lambda: story.secrets.put(A, "2"))
    story.poll()
    assert story.told == [(A, "2")]


def test_secret_of_the_same_name_made_again_is_a_change() -> None:
    story = Story(A, watched={A}, minutes=30)
    story.at(600, lambda: story.secrets.put(A, "1", uid="u2"))
    story.poll()
    assert story.told == [(A, "1")]


def test_missing_secret_is_noticed_within_seconds() -> None:
    story = Story(watched={A}, minutes=30)
    story.at(1000, lambda: story.secrets.put(A))
    story.poll()
    assert story.told == [(A, "1")]
    before = [when for when, _ in story.secrets.asked if when < 1000]
    assert all(later - earlier <= 12 for earlier, later in pairwise(before))
    assert next(when for when, _ in story.secrets.asked if when >= 1000) <= 1012


def test_missing_secret_is_never_asked_for_less_often_than_the_others() -> None:
    story = Story(watched={A}, minutes=1, interval=2)
    story.poll()
    assert len(story.secrets.asked) >= 20


def test_vanished_secret_is_told() -> None:
    story = Story(A, watched={A}, minutes=30)
    story.at(600, story.secrets.held.clear)
    story.poll()
    assert story.told == [(A, None)]


def test_secret_that_nobody_refers_to_is_left_alone() -> None:
    story = Story(A, B, watched={A, B}, minutes=30)
    story.at(600, lambda: story.watcher.watch({B}))
    story.at(600, lambda: story.secrets.put(A, "2"))
    story.poll()
    assert story.told == []
    assert max(when for when, ref in story.secrets.asked if ref == A) < 600


def test_nothing_to_watch_asks_nothing() -> None:
    story = Story(watched=set(), minutes=5)
    story.poll()
    assert story.secrets.asked == []


def test_no_answer_tells_nothing_and_is_tried_again_soon() -> None:
    story = Story(A, watched={A}, minutes=30)
    story.at(600, lambda: setattr(story.secrets, "failing", KubernetesError("no answer")))
    story.at(610, lambda: story.secrets.put(A, "2"))
    story.at(1200, lambda: setattr(story.secrets, "failing", None))
    story.poll()
    assert story.told == [(A, "2")]
    assert next(when for when, _ in story.secrets.asked if when >= 1200) < 1210
    assert len(story.secrets.asked) < 200


def test_forbidden_secret_does_not_hold_up_the_others() -> None:
    story = Story(A, watched={A}, minutes=30)
    story.secrets.failing = KubernetesError("forbidden", 403)
    story.poll()
    assert len(story.secrets.asked) <= 7


def test_look_asks_once_and_then_knows() -> None:
    story = Story(A, watched={A}, minutes=1)

    async def looks() -> None:
        found = await asyncio.gather(*[story.watcher.look(A) for _ in range(5)])
        assert found == [story.secrets.held[A]] * 5
        assert await story.watcher.look(A) == story.secrets.held[A]

    asyncio.run(looks())
    assert len(story.secrets.asked) == 1


def test_read_of_a_changed_secret_tells_the_others() -> None:
    story = Story(A, watched={A}, minutes=1)

    async def reads() -> None:
        await story.watcher.look(A)
        story.secrets.put(A, "2")
        secret = await story.watcher.read(A)
        assert secret is not None
        assert secret.data["psk"].get_secret_value() == b"madeup_psk_for_tests_1"
        assert await story.watcher.look(A) == secret.meta

    asyncio.run(reads())
    assert story.told == [(A, "2")]


def test_secret_outside_of_the_set_can_be_read() -> None:
    story = Story(A, watched=set(), minutes=1)

    async def reads() -> None:
        assert await story.watcher.look(A) == story.secrets.held[A]
        assert await story.watcher.read(A) is not None
        assert await story.watcher.read(B) is None

    asyncio.run(reads())
    assert story.told == []


def test_watch_tells_what_changes() -> None:
    story = Story(A, B, watched={A}, minutes=1)
    new, bookmark = SecretMeta(*A, "u1", "2"), SecretMeta("", "", "", "9")
    story.secrets.streams = [
        [
            SecretEvent("MODIFIED", new),
            SecretEvent("BOOKMARK", bookmark),
            SecretEvent("MODIFIED", SecretMeta(*B, "u1", "3")),
        ],
        [SecretEvent("DELETED", new)],
    ]
    story.follow()
    assert story.told == [(A, "2"), (A, None)]
    assert story.secrets.lists == 1


@pytest.mark.parametrize("broken", [WatchExpired("too old", 410), KubernetesError("reset")])
def test_watch_lists_again_after_a_gap(broken: KubernetesError) -> None:
    story = Story(A, B, watched={A, B}, minutes=1)
    story.secrets.streams = [[], broken]
    story.at(0.5, lambda: (story.secrets.put(A, "2"), story.secrets.held.pop(B)))
    story.follow("tenant")
    assert story.told == [(A, "2"), (B, None)]
    assert story.secrets.lists == 2


def test_watch_that_keeps_failing_is_not_hammered() -> None:
    story = Story(A, watched={A}, minutes=10)
    story.secrets.streams = [KubernetesError("forbidden", 403)] * 100
    story.follow()
    assert story.secrets.lists < 30


def test_real_watch_notices_within_a_second(cluster: support.Cluster) -> None:
    """In one namespace, by a service account that may do just what deploy/rbac-secret-watch.yaml says, and get."""
    role = next(yaml.safe_load_all((ROOT / "deploy" / "rbac-secret-watch.yaml").read_text()))
    role["metadata"]["name"] = "netgw-secret-watch-test"
    role["rules"].append({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]})
    with cluster.namespace() as namespace:
        cluster.apply(yaml.safe_dump(role))
        cluster.kubectl("create", "serviceaccount", "watcher", "--namespace", namespace)
        account = f"--serviceaccount={namespace}:watcher"
        role_name = f"--clusterrole={role['metadata']['name']}"
        cluster.kubectl("create", "rolebinding", "watcher", role_name, account, "--namespace", namespace)
        kubeconfig = str(cluster.access.kubeconfig_for("watcher", namespace))
        path = f"/api/v1/namespaces/{namespace}/secrets"

        async def story() -> None:
            told: asyncio.Queue[tuple[Ref, SecretMeta | None]] = asyncio.Queue()
            async with await Cluster.connect(kubeconfig) as ours:
                watcher = SecretWatcher(
                    ours, lambda *change: told.put_nowait(change), interval=INTERVAL, rng=random.Random(1)
                )
                ref = Ref(namespace, "office-psk")
                watcher.watch({ref})
                assert await watcher.look(ref) is None
                task = asyncio.create_task(watcher.follow([namespace]))
                for request in (
                    ("POST", path, {"metadata": {"name": ref.name}, "stringData": {"psk": "madeup_psk_for_tests_1"}}),
                    ("PATCH", f"{path}/{ref.name}", {"stringData": {"psk": "madeup_psk_for_tests_2"}}),
                    ("DELETE", f"{path}/{ref.name}", None),
                ):
                    method, where, body = request
                    kind = support.MERGE_PATCH if method == "PATCH" else None
                    answer = await asyncio.to_thread(cluster.api, method, where, body, kind)
                    answer.raise_for_status()
                    changed, meta = await asyncio.wait_for(told.get(), 2)
                    assert changed == ref
                    assert (meta is None) == (method == "DELETE")
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

        asyncio.run(story())
    cluster.kubectl("delete", "clusterrole", role["metadata"]["name"])
