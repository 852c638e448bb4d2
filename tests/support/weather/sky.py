"""The real thing under a bad sky: an API server and etcd of its own, a cloud that keeps its world, and an operator.

A fault lasts for some seconds in which a user makes, changes and deletes a tree. Then all is well again, and within
three intervals each object is in the cloud once, each key is that of the Secret, and nothing else is there.
"""

from __future__ import annotations

import contextlib
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from netgw_dev.access import write_kubeconfig
from netgw_dev.control_plane import ControlPlane
from support.cluster import Cluster
from support.figures import Figures
from support.operator import Operator
from support.weather.lasting import LastingCloud
from support.weather.line import Line
from support.weather.proxy import Proxy

INTERVAL = 20.0
WITHIN = 3 * INTERVAL
"""Also room for the back-off of a pass, which is as long as the outage was and knows no interval."""
NAME = {"NETGW_CLUSTER_NAME": "weather"}
PACE = {"NETGW_POLL_INTERVAL": str(INTERVAL)}


@dataclass
class Sky:
    """What the tests of one file share. `did` counts what was done to it."""

    plane: ControlPlane
    cluster: Cluster
    cloud: LastingCloud
    operator: Operator
    proxy: Proxy | None = None
    did: Counter[str] = field(default_factory=Counter)

    @property
    def line(self) -> Proxy:
        """That between the operator and the API server."""
        assert self.proxy is not None
        return self.proxy

    def clear(self) -> None:
        """Nothing fails any more."""
        self.cloud.door("DELETE", "/faults")
        if self.proxy is not None:
            self.proxy.clear()
            self.did += self.proxy.failed
            self.proxy.failed.clear()


Weather = Callable[[Sky], Iterator[None]]
"""Each step of it lasts as long as a user needs to change everything."""


@contextlib.contextmanager
def opened(folder: Path, *, seed: int | None = None) -> Iterator[Sky]:
    """All of it; with a `seed` the operator reaches the API server through a proxy alone."""
    with contextlib.ExitStack() as stack:
        plane = stack.enter_context(ControlPlane())
        cluster = Cluster(plane.access)
        stack.callback(cluster.close)
        cluster.install_crds()
        kubeconfig, proxy = cluster.operator_kubeconfig(), None
        if seed is not None:
            config = yaml.safe_load(kubeconfig.read_text())
            tls = ssl.create_default_context()
            tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE  # loopback, and our own
            proxy = Proxy(config["clusters"][0]["cluster"]["server"], tls, seed)
            cluster_of_proxy = {"server": stack.enter_context(proxy.listening())}
            token = config["users"][0]["user"]["token"]
            kubeconfig = write_kubeconfig(folder / "proxied.kubeconfig", cluster_of_proxy, "netgw", token)
        cloud = LastingCloud(folder / "cloud")
        stack.callback(cloud.stop)
        sky = Sky(plane, cluster, cloud, Operator(kubeconfig, cloud.url, folder / "operator", **NAME), proxy)
        stack.callback(sky.operator.stop)
        sky.operator.start(**PACE)
        yield sky


def work_through(sky: Sky, weather: Weather) -> tuple[float, float, Counter[str]]:
    """A tree is made and changed, and deleted, in such weather. Seconds until settled, and gone; what was done."""
    before = sky.did.copy()
    with sky.cluster.namespace() as namespace:
        line = Line(sky.cluster, sky.cloud, namespace)
        line.begin()
        for _ in weather(sky):
            line.work()
        sky.clear()
        line.wait_served()
        line.apply()
        settled = _timed(lambda: line.wait("settled", line.settled, WITHIN, sky.operator))
        line.compare()
        for _ in weather(sky):
            line.delete_some()
        sky.clear()
        line.wait_served()
        line.delete_all()
        gone = _timed(lambda: line.wait("gone", line.gone, WITHIN, sky.operator))
    assert sky.cloud.gateways() == []
    assert sky.operator.alive
    return settled, gone, sky.did - before


def record(figures: Figures, kind: str, ended: tuple[float, float, Counter[str]]) -> None:
    """What was done and how long it took to heal."""
    settled, gone, did = ended
    done = ", ".join(f"{what} {times}" for what, times in sorted(did.items()))
    healed = f"settled in {settled / INTERVAL:.1f} intervals, gone in {gone / INTERVAL:.1f}"
    figures.put("faults", f"real process: {kind}", f"{done}; {healed}")


def _timed(what: Callable[[], None]) -> float:
    begun = time.monotonic()
    what()
    return time.monotonic() - begun
