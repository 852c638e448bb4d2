"""The finalizer on credentials Secrets: while objects need them, in the background, and only where it is allowed."""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import yaml

from netgw.kube.client import Cluster, SecretFinalizers, SecretMeta
from netgw.kube.errors import KubernetesError, ObjectGone, WriteConflict
from netgw.kube.guard import CREDENTIALS_FINALIZER, CredentialsGuard
from netgw.kube.secrets import Ref
from support import cluster as support
from support.cluster import OPERATOR_NAMESPACE, OPERATOR_SERVICE_ACCOUNT
from support.fake_time import FakeTime
from support.grants import granted

A, B, ELSEWHERE = Ref("tenant", "a"), Ref("tenant", "b"), Ref("elsewhere", "a")
OTHERS = "example.com/others"
FORBIDDEN = KubernetesError("PATCH: 403 forbidden", 403)
TOKEN = "madeup_token_for_tests_1"


class Secrets:
    """What a cluster holds, and what was written to it when."""

    def __init__(self, time: FakeTime) -> None:
        self.time = time
        self.held: dict[Ref, SecretFinalizers] = {}
        self.reads: list[tuple[float, Ref]] = []
        self.writes: list[tuple[float, Ref, tuple[str, ...]]] = []
        self.failing: list[KubernetesError] = []
        self.refusing: set[str] = set()
        self._versions = itertools.count(1)

    def put(self, ref: Ref, *finalizers: str, deleting: bool = False) -> None:
        version = str(next(self._versions))
        self.held[ref] = SecretFinalizers(SecretMeta(*ref, "u1", version), finalizers, deleting)

    def of(self, ref: Ref) -> tuple[str, ...]:
        return self.held[ref].finalizers

    async def secret_finalizers(self, namespace: str, name: str) -> SecretFinalizers | None:
        self.reads.append((self.time.now, Ref(namespace, name)))
        return self.held.get(Ref(namespace, name))

    async def set_secret_finalizers(self, meta: SecretMeta, finalizers: Iterable[str]) -> None:
        ref = Ref(meta.namespace, meta.name)
        self.writes.append((self.time.now, ref, tuple(finalizers)))
        if ref.namespace in self.refusing:
            raise FORBIDDEN
        if self.failing:
            raise self.failing.pop(0)
        assert meta == self.held[ref].meta
        self.put(ref, *self.writes[-1][2], deleting=self.held[ref].deleting)
        if self.held[ref].deleting and not self.held[ref].finalizers:
            del self.held[ref]


class Story:
    def __init__(self, minutes: float = 1) -> None:
        self.time = FakeTime(minutes * 60)
        self.secrets = Secrets(self.time)
        self.guard = CredentialsGuard(self.secrets, clock=self.time.clock, sleep=self.time.sleep, rng=random.Random(1))

    def at(self, when: float, action: Callable[[], object]) -> None:
        self.time.at(when, lambda: (action(), None)[1])

    def play(self) -> None:
        self.time.run(self.guard.run())


def test_finalizer_is_put_on_and_taken_off() -> None:
    story = Story()
    story.secrets.put(A, OTHERS)
    story.secrets.put(B)
    story.guard.hold({A, B})
    story.at(20, lambda: story.guard.hold({B}))
    story.play()
    assert story.secrets.of(A) == (OTHERS,)
    assert story.secrets.of(B) == (CREDENTIALS_FINALIZER,)
    written = [(ref, finalizers) for _, ref, finalizers in story.secrets.writes]
    assert written == [(A, (OTHERS, CREDENTIALS_FINALIZER)), (B, (CREDENTIALS_FINALIZER,)), (A, (OTHERS,))]
    assert story.secrets.writes[-1][0] - 20 <= 1


def test_steady_state_writes_nothing_and_reads_once_per_interval() -> None:
    story = Story(minutes=60)
    story.secrets.put(A)
    story.guard.hold({A})
    for minute in range(60):
        story.at(minute * 60, lambda: story.guard.hold({A}))
    story.play()
    assert len(story.secrets.writes) == 1
    assert len(story.secrets.reads) <= 1 + 60 / 4.5


def test_finalizer_that_somebody_took_off_comes_back() -> None:
    story = Story(minutes=10)
    story.secrets.put(A)
    story.guard.hold({A})
    story.at(60, lambda: story.secrets.put(A))
    story.play()
    assert story.secrets.of(A) == (CREDENTIALS_FINALIZER,)


def test_secret_that_is_made_later_is_held_as_soon_as_that_is_told() -> None:
    story = Story()
    story.guard.hold({A})
    story.at(20, lambda: story.secrets.put(A))
    story.at(20, lambda: story.guard.look_at([A]))
    story.play()
    assert [when - 20 <= 1 for when, _, _ in story.secrets.writes] == [True]


def test_secret_under_deletion_goes_with_the_last_object() -> None:
    story = Story()
    story.secrets.put(A)
    story.guard.hold({A})
    story.at(20, lambda: story.secrets.put(A, CREDENTIALS_FINALIZER, deleting=True))
    story.at(20, lambda: story.guard.look_at([A]))
    story.at(39, lambda: story.secrets.held[A])
    story.at(40, lambda: story.guard.hold(set()))
    story.play()
    assert A not in story.secrets.held
    assert len(story.secrets.writes) == 2


def test_secret_under_deletion_takes_no_new_finalizer() -> None:
    story = Story(minutes=10)
    story.secrets.put(A, OTHERS, deleting=True)
    story.guard.hold({A})
    story.play()
    assert story.secrets.writes == []


def test_earlier_life_is_found_where_it_is_told_of() -> None:
    """B is needed by nothing any more; a namespace names it as its default."""
    story = Story()
    for ref in (A, B):
        story.secrets.put(ref, CREDENTIALS_FINALIZER, deleting=True)
    story.guard.look_at([A, B])
    story.at(20, lambda: story.guard.hold({A}))
    story.play()
    assert story.secrets.of(A) == (CREDENTIALS_FINALIZER,)
    assert B not in story.secrets.held
    assert story.secrets.reads[0][0] >= 20


@pytest.mark.parametrize("error", [WriteConflict("moved", 409), KubernetesError("no answer"), ObjectGone("gone", 404)])
def test_what_went_wrong_is_tried_again(error: KubernetesError) -> None:
    story = Story()
    story.secrets.put(A)
    story.secrets.failing = [error, error]
    story.guard.hold({A})
    story.play()
    assert story.secrets.of(A) == (CREDENTIALS_FINALIZER,)
    assert len(story.secrets.writes) == 3
    assert story.secrets.writes[-1][0] < 10


def test_what_keeps_going_wrong_is_not_hammered() -> None:
    story = Story(minutes=60)
    story.secrets.put(A)
    story.secrets.failing = [KubernetesError("no answer")] * 1000
    story.guard.hold({A})
    story.play()
    assert len(story.secrets.writes) < 75


def test_object_that_comes_back_meanwhile_keeps_its_secret() -> None:
    story = Story()
    story.secrets.put(A)
    story.guard.hold({A})
    story.at(20, lambda: story.guard.hold(set()))
    story.at(20, lambda: story.guard.hold({A}))
    story.play()
    assert story.secrets.of(A) == (CREDENTIALS_FINALIZER,)
    assert len(story.secrets.writes) == 1


def test_refusal_is_told_once_and_nothing_is_tried_for_an_hour(caplog: pytest.LogCaptureFixture) -> None:
    story = Story(minutes=59)
    for ref in (A, B, ELSEWHERE):
        story.secrets.put(ref)
    story.secrets.refusing = {"tenant"}
    story.guard.hold({A, B, ELSEWHERE})
    story.at(600, lambda: story.guard.look_at([A, B]))
    with caplog.at_level(logging.WARNING):
        story.play()
    assert story.secrets.of(ELSEWHERE) == (CREDENTIALS_FINALIZER,)
    assert sum(ref.namespace == "tenant" for _, ref, _ in story.secrets.writes) == 1
    assert len(caplog.records) == 1
    assert "deploy/rbac-credentials-finalizer.yaml" in caplog.text


def test_right_that_is_granted_is_noticed_within_the_hour() -> None:
    story = Story(minutes=62)
    story.secrets.put(A)
    story.secrets.put(B)
    story.secrets.refusing = {"tenant"}
    story.guard.hold({A, B})
    story.at(600, story.secrets.refusing.clear)
    story.play()
    assert {story.secrets.of(A), story.secrets.of(B)} == {(CREDENTIALS_FINALIZER,)}


def test_drain_ends_when_all_is_done_and_in_time_when_it_cannot() -> None:
    story = Story(minutes=5)
    story.secrets.put(A, CREDENTIALS_FINALIZER)
    story.guard.hold({A})

    async def end() -> None:
        async with running(story.guard.run()):
            story.guard.hold(set())
            await story.guard.drain(5)
            assert story.secrets.of(A) == ()
            assert story.time.now < 5
        story.guard.look_at([A])
        began = story.time.now
        await story.guard.drain(5)
        assert 5 <= story.time.now - began < 6

    asyncio.run(end())


# ---- on a real API server


@asynccontextmanager
async def running(work: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def made(cluster: support.Cluster, namespace: str) -> Ref:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "upcloud"}, "stringData": {"token": TOKEN}}
    cluster.apply(yaml.safe_dump(body), namespace)
    return Ref(namespace, "upcloud")


def seen(cluster: support.Cluster, ref: Ref) -> dict[str, Any] | None:
    answer = cluster.api("GET", f"/api/v1/namespaces/{ref.namespace}/secrets/{ref.name}")
    return answer.json() if answer.status_code == 200 else None


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not await asyncio.to_thread(done):  # noqa: ASYNC110  it is the server that is waited for
            await asyncio.sleep(0.05)


def guard_of(ours: Cluster) -> CredentialsGuard:
    return CredentialsGuard(ours, rng=random.Random(1))


def finalizers(cluster: support.Cluster, ref: Ref) -> list[str]:
    found = seen(cluster, ref)
    return [] if found is None else list(found["metadata"].get("finalizers") or [])


def test_namespace_that_is_deleted_keeps_the_secret_until_it_is_let_go(cluster: support.Cluster) -> None:
    """As the operator, with deploy/rbac.yaml and this file; a restart on the way.

    Bound everywhere: a RoleBinding would go before the Secret does.
    """
    account = f"{OPERATOR_NAMESPACE}:{OPERATOR_SERVICE_ACCOUNT}"
    kubeconfig = str(cluster.operator_kubeconfig())
    with cluster.namespace() as namespace, granted(cluster, "rbac-credentials-finalizer.yaml", None, account):
        ref = made(cluster, namespace)

        async def first_life() -> None:
            async with await Cluster.connect(kubeconfig) as ours:
                guard = guard_of(ours)
                guard.hold({ref})
                async with running(guard.run()):
                    await until(lambda: finalizers(cluster, ref) == [CREDENTIALS_FINALIZER])

        async def second_life() -> None:
            async with await Cluster.connect(kubeconfig) as ours:
                guard = guard_of(ours)
                guard.hold({ref})
                async with running(guard.run()):
                    await asyncio.sleep(1.5)
                    secret = await ours.secret_data(*ref)
                    assert secret is not None
                    assert secret.data["token"].get_secret_value() == TOKEN.encode()
                    guard.hold(set())
                    await until(lambda: seen(cluster, ref) is None)

        asyncio.run(first_life())
        cluster.api("DELETE", f"/api/v1/namespaces/{namespace}").raise_for_status()
        asyncio.run(until(lambda: "deletionTimestamp" in (seen(cluster, ref) or {"metadata": {}})["metadata"]))
        asyncio.run(second_life())
        asyncio.run(until(lambda: cluster.api("GET", f"/api/v1/namespaces/{namespace}").status_code == 404))


def test_without_the_role_no_secret_is_written(cluster: support.Cluster, caplog: pytest.LogCaptureFixture) -> None:
    with cluster.namespace() as namespace:
        ref = made(cluster, namespace)
        before = seen(cluster, ref)

        async def story() -> None:
            async with await Cluster.connect(str(cluster.operator_kubeconfig())) as ours:
                guard = guard_of(ours)
                guard.hold({ref})
                async with running(guard.run()):
                    await guard.drain(5)
                    await asyncio.sleep(1.0)

        with caplog.at_level(logging.WARNING, "netgw"):
            asyncio.run(story())
        assert seen(cluster, ref) == before
    assert len(caplog.records) == 1
    assert "cannot patch resource" in caplog.text
    assert TOKEN not in caplog.text


def test_write_of_finalizers_is_fenced(cluster: support.Cluster) -> None:
    """As admin: a version that is gone, another Secret of the name, and none."""
    with cluster.namespace() as namespace:
        ref = made(cluster, namespace)

        async def story() -> None:
            async with await Cluster.connect(str(cluster.kubeconfig)) as ours:
                found = await ours.secret_finalizers(*ref)
                assert found == SecretFinalizers(found.meta if found else SecretMeta("", "", "", ""), (), False)
                for meta in (replace(found.meta, uid="another"), replace(found.meta, resource_version="1")):
                    with pytest.raises(WriteConflict):
                        await ours.set_secret_finalizers(meta, [OTHERS])
                with pytest.raises(ObjectGone):
                    await ours.set_secret_finalizers(replace(found.meta, name="absent"), [OTHERS])
                assert await ours.secret_finalizers(namespace, "absent") is None

        asyncio.run(story())
        assert finalizers(cluster, ref) == []
