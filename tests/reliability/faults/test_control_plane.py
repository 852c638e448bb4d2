"""The real thing: a process, an API server and etcd of its own, and everything between them failing while one works.

Each fault lasts for some seconds in which a user makes, changes and deletes a tree; then all is well again, and within
three intervals each object is in the cloud once and nothing else is. The operator is one process all the while.
"""

from __future__ import annotations

import contextlib
import random
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import yaml

from netgw_dev.access import write_kubeconfig
from netgw_dev.control_plane import ControlPlane
from support.cluster import MERGE_PATCH, Cluster
from support.figures import Figures
from support.operator import Operator, Simulator
from support.weather.line import Line
from support.weather.proxy import Proxy

INTERVAL = 10.0
WITHIN = 3 * INTERVAL


@dataclass
class Sky:
    """What the tests of this module share."""

    plane: ControlPlane
    cluster: Cluster
    proxy: Proxy
    cloud: Simulator
    operator: Operator


@pytest.fixture(scope="module")
def sky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sky]:
    folder = tmp_path_factory.mktemp("weather")
    with contextlib.ExitStack() as stack:
        plane = stack.enter_context(ControlPlane())
        cluster = Cluster(plane.access)
        stack.callback(cluster.close)
        cluster.install_crds()
        config = yaml.safe_load(cluster.operator_kubeconfig().read_text())
        server = config["clusters"][0]["cluster"]["server"]
        tls = ssl.create_default_context()
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE  # loopback, and our own
        proxy = Proxy(server, tls, seed=1)
        url = stack.enter_context(proxy.listening())
        token = config["users"][0]["user"]["token"]
        kubeconfig = write_kubeconfig(folder / "proxied.kubeconfig", {"server": url}, "netgw", token)
        cloud = Simulator(folder / "cloud")
        stack.callback(cloud.stop)
        settings = {"NETGW_CLUSTER_NAME": "weather"}
        operator = Operator(kubeconfig, cloud.url, folder / "operator", **settings)
        stack.callback(operator.stop)
        operator.start(NETGW_POLL_INTERVAL=str(INTERVAL))
        yield Sky(plane, cluster, proxy, cloud, operator)


def watch_cut(sky: Sky) -> Iterator[None]:
    for _ in range(3):
        sky.proxy.cut()
        yield


def gone(sky: Sky) -> Iterator[None]:
    sky.proxy.expired = True
    sky.proxy.cut()
    yield
    yield


def conflicts(sky: Sky) -> Iterator[None]:
    """Somebody annotates the object whenever its status is about to be written: every other write meets another one."""
    rng = random.Random(2)

    def annotate(path: str) -> None:
        if rng.random() < 0.5:
            sky.proxy.failed["conflict on status"] += 1
            note = {"metadata": {"annotations": {"example.com/seen": f"{rng.random()}"}}}
            sky.cluster.api("PATCH", path, json=note, content_type=MERGE_PATCH)

    sky.proxy.before_status = annotate
    yield
    yield


def revoked(sky: Sky) -> Iterator[None]:
    sky.cloud.faults({"match": "* /1.3/*", "status": 401, "times": None})
    sky.proxy.failed["credentials revoked"] += 1
    yield
    yield


WEATHER: dict[str, Callable[[Sky], Iterator[None]]] = {
    "watch cut": watch_cut,
    "410 Gone": gone,
    "conflicts on status": conflicts,
    "credentials revoked": revoked,
}


def clear(sky: Sky) -> None:
    sky.proxy.rate, sky.proxy.expired, sky.proxy.before_status = 0.0, False, None
    sky.cloud.door("DELETE", "/faults")


@pytest.mark.parametrize("kind", WEATHER)
def test_a_user_works_through_it(sky: Sky, kind: str, figures: Figures) -> None:
    with sky.cluster.namespace() as namespace:
        line = Line(sky.cluster, sky.cloud, namespace)
        line.begin()
        failed, seen = sky.proxy.failed.copy(), sky.proxy.seen
        for _ in WEATHER[kind](sky):
            line.work()
        clear(sky)
        line.wait_served()
        line.apply()
        begun = time.monotonic()
        line.wait("settled", line.settled, WITHIN, sky.operator)
        took = time.monotonic() - begun
        line.compare()
        for _ in WEATHER[kind](sky):
            line.delete_some()
        clear(sky)
        line.wait_served()
        line.delete_all()
        begun = time.monotonic()
        line.wait("gone", line.gone, WITHIN, sky.operator)
        went = time.monotonic() - begun
        assert sky.cloud.gateways() == []
        assert sky.operator.alive
        did = sky.proxy.failed - failed
        said = f"{sky.proxy.seen - seen} calls to Kubernetes, {dict(did)}; settled in {took / INTERVAL:.1f} intervals, "
        figures.put("faults", f"real process: {kind}", said + f"gone in {went / INTERVAL:.1f}")
