"""Each server that the operator needs ends and starts again while a user works, and so does its Lease.

API server and etcd are killed, or asked to end, and come back with their data; the cloud comes back with its world.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cluster import MERGE_PATCH, OPERATOR_NAMESPACE
from support.effort import effort
from support.figures import Figures
from support.operator import Operator, ended
from support.weather.sky import NAME, PACE, Sky, Weather, opened, record, work_through

ROUNDS = effort(test=1, soak=8)
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{OPERATOR_NAMESPACE}/leases/netgw"
LOST_WITHIN = 15.0


@pytest.fixture(scope="module")
def sky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sky]:
    with opened(tmp_path_factory.mktemp("restarts")) as found:
        yield found


def again(sky: Sky, name: str, grace: float) -> Iterator[None]:
    """It ends while a user works, and comes back on its port, with its data, while the user works on."""
    part = sky.plane.parts[name]
    part.stop(grace)
    sky.did[f"{name} ended"] += 1
    yield
    part.start()
    yield


def cloud_again(sky: Sky) -> Iterator[None]:
    """Killed at any moment: what it has answered it remembers."""
    sky.cloud.kill()
    sky.did["cloud killed"] += 1
    yield
    sky.cloud.start()
    yield


WEATHER: dict[str, Weather] = {
    "API server killed": functools.partial(again, name="kube-apiserver", grace=0.0),
    "API server restarted": functools.partial(again, name="kube-apiserver", grace=20.0),
    "etcd killed": functools.partial(again, name="etcd", grace=0.0),
    "cloud killed": cloud_again,
}


@pytest.mark.parametrize("turn", range(ROUNDS))
@pytest.mark.parametrize("kind", WEATHER)
def test_a_user_works_through_it(sky: Sky, kind: str, turn: int, figures: Figures) -> None:
    calls = work_through(sky, WEATHER[kind])
    record(figures, f"{kind}, {turn + 1}" if turn else kind, calls)


def test_a_lease_is_lost(sky: Sky, tmp_path: Path, figures: Figures) -> None:
    """The leader ends at once, for work under way cannot be called back, and the next one goes on from status."""
    sky.operator.stop()
    kubeconfig = sky.cluster.operator_kubeconfig()
    election = NAME | {"NETGW_LEADER_ELECTION": "true"}
    first, second = (Operator(kubeconfig, sky.cloud.url, tmp_path / name, **election) for name in ("first", "second"))
    try:
        first.start(**PACE)
        second.start(**PACE)
        sky.operator = first
        others = {id(first): second, id(second): first}

        def lost(sky: Sky) -> Iterator[None]:
            leader = sky.operator
            _hold(sky, "somebody-else")
            assert ended(leader.process, LOST_WITHIN) == 1
            sky.did["Lease lost"] += 1
            yield
            _hold(sky, "")
            sky.operator = others[id(leader)]
            yield
            leader.start()  # as a Deployment does; it waits its turn

        record(figures, "Lease lost", work_through(sky, lost))
    finally:
        first.stop()
        second.stop()


def _hold(sky: Sky, holder: str) -> None:
    sky.cluster.api("PATCH", LEASE, json={"spec": {"holderIdentity": holder}}, content_type=MERGE_PATCH)
