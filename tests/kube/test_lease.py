"""Two candidates and one Lease: under fake time, and once on a real API server under the operator's own roles."""

from __future__ import annotations

import asyncio
import copy
import random
from collections.abc import Mapping
from typing import Any

import pytest

from netgw.kube.client import Cluster
from netgw.kube.errors import KubernetesError, ObjectGone, WriteConflict
from netgw.kube.lease import DURATION, GIVE_UP, LeaderLease
from support import cluster as support
from support.cluster import OPERATOR_NAMESPACE
from support.fake_time import FakeTime

PATH = f"/apis/coordination.k8s.io/v1/namespaces/{OPERATOR_NAMESPACE}/leases/netgw"


class Leases:
    """One Lease as the API keeps it.

    `down`: every call fails. `lost`: the answer to the next write gets lost. `rival`: is made just before ours.
    """

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.version = 0
        self.down = False
        self.lost = False
        self.rival: dict[str, Any] | None = None

    async def get_lease(self, namespace: str, name: str) -> dict[str, Any] | None:
        self._fail()
        return copy.deepcopy(self.lease)

    async def create_lease(self, lease: Mapping[str, Any]) -> dict[str, Any]:
        self._fail()
        self.lease = self.lease or self.rival
        if self.lease is not None:
            raise WriteConflict("it is there", 409)
        return self._write(lease)

    async def replace_lease(self, lease: Mapping[str, Any]) -> dict[str, Any]:
        self._fail()
        if self.lease is None:
            raise ObjectGone("it is gone", 404)
        if lease["metadata"]["resourceVersion"] != self.lease["metadata"]["resourceVersion"]:
            raise WriteConflict("it moved", 409)
        return self._write(lease)

    def steal(self) -> None:
        assert self.lease is not None
        self._write({**self.lease, "spec": {**self.lease["spec"], "holderIdentity": "thief"}})

    @property
    def spec(self) -> dict[str, Any]:
        assert self.lease is not None
        return dict(self.lease["spec"])

    def _write(self, lease: Mapping[str, Any]) -> dict[str, Any]:
        self.version += 1
        self.lease = copy.deepcopy({**lease, "metadata": {**lease["metadata"], "resourceVersion": str(self.version)}})
        if self.lost:
            self.lost = False
            raise KubernetesError("no answer in time")
        return copy.deepcopy(self.lease)

    def _fail(self) -> None:
        if self.down:
            raise KubernetesError("no answer in time")


def candidate(leases: Leases, time: FakeTime, identity: str) -> LeaderLease:
    return LeaderLease(leases, OPERATOR_NAMESPACE, identity, clock=time.clock, sleep=time.sleep, rng=random.Random(1))


def keep(lease: LeaderLease, time: FakeTime) -> list[float]:
    """Renew until the time is up; when the Lease was lost."""
    lost: list[float] = []
    time.run(lease.keep(lambda: lost.append(time.now)))
    return lost


def test_first_candidate_leads_at_once_and_keeps_leading() -> None:
    leases, time = Leases(), FakeTime(3600)
    first = candidate(leases, time, "a")
    time.run(first.acquire())
    assert time.now == 0
    assert leases.spec["holderIdentity"] == "a"
    assert leases.spec["leaseTransitions"] == 0
    assert leases.spec["renewTime"].endswith("Z")
    assert keep(first, time) == []
    assert 3600 / 2.4 < leases.version < 3600 / 1.6 + 2
    assert leases.spec["leaseTransitions"] == 0


def test_successor_waits_for_a_dead_leader() -> None:
    leases, time = Leases(), FakeTime(3600)
    time.run(candidate(leases, time, "a").acquire())
    time.run(candidate(leases, time, "b").acquire())
    assert DURATION <= time.now <= DURATION + 0.1
    assert leases.spec["holderIdentity"] == "b"
    assert leases.spec["leaseTransitions"] == 1


def test_successor_waits_as_long_as_the_leader_lives() -> None:
    """Only a change of the Lease counts: the clock of the leader's machine may be wrong by hours."""
    leases, time = Leases(), FakeTime(3600)
    first, second = candidate(leases, time, "a"), candidate(leases, time, "b")
    time.run(first.acquire())

    async def both() -> None:
        keeping = asyncio.create_task(first.keep(lambda: pytest.fail("lost")))
        waiting = asyncio.create_task(second.acquire())
        await asyncio.wait([keeping, waiting], return_when=asyncio.FIRST_COMPLETED)
        assert not (waiting.done() and waiting.exception() is None)
        waiting.cancel()
        keeping.cancel()
        await asyncio.gather(keeping, waiting, return_exceptions=True)

    asyncio.run(both())
    assert leases.spec["holderIdentity"] == "a"


def test_released_lease_is_taken_at_once() -> None:
    leases, time = Leases(), FakeTime(3600)
    first, second = candidate(leases, time, "a"), candidate(leases, time, "b")
    time.run(first.acquire())
    asyncio.run(first.release())
    assert leases.spec["holderIdentity"] == ""
    time.run(second.acquire())
    assert time.now == 0
    asyncio.run(first.release())
    assert leases.spec["holderIdentity"] == "b"


def test_leader_that_cannot_renew_gives_up_before_others_take_over() -> None:
    leases, time = Leases(), FakeTime(3600)
    first = candidate(leases, time, "a")
    time.run(first.acquire())
    leases.down = True
    lost = keep(first, time)
    assert len(lost) == 1
    assert GIVE_UP <= lost[0] < DURATION - 2
    asyncio.run(first.release())


def test_short_outage_is_survived() -> None:
    leases, time = Leases(), FakeTime(60)
    first = candidate(leases, time, "a")
    time.run(first.acquire())
    time.at(20, lambda: setattr(leases, "down", True))
    time.at(26, lambda: setattr(leases, "down", False))
    assert keep(first, time) == []


def test_answer_of_a_renewal_that_got_lost_is_no_loss() -> None:
    leases, time = Leases(), FakeTime(60)
    first = candidate(leases, time, "a")
    time.run(first.acquire())
    time.at(20, lambda: setattr(leases, "lost", True))
    assert keep(first, time) == []


def test_frozen_leader_ends_although_nobody_took_over() -> None:
    leases, time = Leases(), FakeTime(3600)
    first = candidate(leases, time, "a")
    time.run(first.acquire())
    time.at(20, lambda: setattr(time, "now", 500.0))
    assert keep(first, time) == [500]
    assert leases.version < 20


def test_fence_falls_before_others_take_over_whether_or_not_anything_else_runs() -> None:
    leases, time = Leases(), FakeTime(3600)
    first = candidate(leases, time, "a")
    assert not first.holds()
    time.run(first.acquire())
    assert first.holds()
    time.now = GIVE_UP - 0.1
    assert first.holds()
    time.now = GIVE_UP
    assert not first.holds()
    asyncio.run(first.release())
    time.now = 0
    assert not first.holds()


def test_stolen_or_deleted_lease_is_lost_at_once() -> None:
    for deed in (Leases.steal, lambda leases: setattr(leases, "lease", None)):
        leases, time = Leases(), FakeTime(3600)
        first = candidate(leases, time, "a")
        time.run(first.acquire())
        time.at(20, lambda deed=deed, leases=leases: deed(leases))  # type: ignore[misc]
        lost = keep(first, time)
        assert len(lost) == 1
        assert lost[0] < 23


def test_two_that_start_together_do_not_both_lead() -> None:
    leases, time = Leases(), FakeTime(10)
    time.run(candidate(leases, time, "a").acquire())
    leases.rival, leases.lease = leases.lease, None
    time.run(candidate(leases, time, "b").acquire())
    assert leases.spec["holderIdentity"] == "a"
    assert time.now > 10


def test_real_lease_changes_hands(cluster: support.Cluster) -> None:
    kubeconfig = str(cluster.operator_kubeconfig())
    cluster.api("DELETE", PATH)

    async def story() -> None:
        async with await Cluster.connect(kubeconfig) as ours:
            first = LeaderLease(ours, OPERATOR_NAMESPACE, "a", rng=random.Random(1))
            second = LeaderLease(ours, OPERATOR_NAMESPACE, "b", rng=random.Random(2))
            await first.acquire()
            keeping = asyncio.create_task(first.keep(lambda: pytest.fail("lost")))
            waiting = asyncio.create_task(second.acquire())
            await asyncio.sleep(3)
            assert not waiting.done()
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await first.release()
            await asyncio.wait_for(waiting, 4)
            await second.release()

    asyncio.run(story())
    spec = cluster.api("GET", PATH).json()["spec"]
    assert spec["leaseTransitions"] >= 1
    cluster.api("DELETE", PATH)
