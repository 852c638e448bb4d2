"""The world of the state machine: a namespace, a simulated cloud and a real operator, which live through all examples.

What users and others do is a method that waits for nothing. `settle` waits until everything is as the specs say, as far
as nothing is in the way (a pause, a parent that is not there or is going, a bad key), and that it stays so.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import httpx

from support import checker
from support.admission import GROUP, PLURALS
from support.cluster import MERGE_PATCH, Cluster
from support.crash_points.forked import Doomed
from support.fuzz.complaints import SETTINGS as TALKATIVE
from support.fuzz.complaints import complaints
from support.fuzz.wanted import CAST, Ref, is_paused, problems, spec_of, tunnels
from support.operator import DRAIN_SECONDS, Simulator, ended
from support.recorder import Recorder
from support.scenario import Body, Scenario, cloud_objects
from support.zygote.forks import ForkedSimulator, Zygote

SECONDS = 120.0
"""For one rest. A POST that was lost on its way is looked for twice, ten seconds apart, and there may be several."""
PAUSE, DELAY = 0.1, 0.05
INTERVAL = 0.2
SETTINGS = {f"NETGW_{name}_INTERVAL": str(INTERVAL) for name in ("POLL", "FAST_POLL", "SECRET")}
DRIFTS_MOST = 2
"""More corrections of one field than that, and it is a fight, which is another story."""
BAD_KEY = "short"


class FuzzWorld:
    """One example at a time, between `begin` and `end`; `history` is what happened in it."""

    def __init__(
        self, cluster: Cluster, cloud: Simulator, operator: Doomed, recorder: Recorder, namespace: str
    ) -> None:
        self._stage = (cluster, cloud, operator, recorder, namespace)
        self.cluster, self.cloud, self.operator, self.recorder, self.namespace = self._stage
        self.scenario: Scenario
        self.history: list[str] = []
        self.counts = Counter[str]()
        self._key: str | None = None
        self._drifts = Counter[str]()
        self._read = 0
        self._clean = self._sound = True
        self._may_die = False

    @classmethod
    @contextlib.contextmanager
    def open(
        cls, cluster: Cluster, kubeconfig: Path, zygote: Zygote, recorder: Recorder, folder: Path
    ) -> Iterator[Self]:
        folder.mkdir()
        with contextlib.ExitStack() as closing:
            namespace = closing.enter_context(cluster.namespace())
            cloud = ForkedSimulator(zygote, folder / "cloud", delay=DELAY)
            closing.callback(cloud.stop)
            settings = SETTINGS | TALKATIVE | {"NETGW_CLUSTER_NAME": "fuzz"}
            operator = Doomed(zygote, kubeconfig, cloud.url, folder / "operator", **settings)
            operator.stay_in(namespace)
            closing.callback(operator.stop)
            operator.begin()
            yield cls(cluster, cloud, operator, recorder, namespace)

    # ---- an example

    def begin(self) -> None:
        """Nothing is there; after an example that failed, with an operator that remembers nothing of it."""
        self.history.clear()
        self._drifts.clear()
        self._may_die = False
        if not self._clean:
            self.operator.kill()
            self.scenario.clear()
            self.operator.begin()
        self.cloud.door("POST", "/reset")
        self.recorder.forget(self.namespace)
        self._clean, self._sound = False, True
        self.scenario = Scenario(*self._stage)
        self.new_key(good=True)

    def end(self) -> None:
        """All is well once nothing is in the way any more, and everything goes when it is asked to, in either order."""
        if not self._sound:
            return
        for version in self.scenario.objects():
            if is_paused(version):
                self.pause((version.body["kind"], version.body["metadata"]["name"]), None)
        if self._key is None:
            self.new_key(good=True)
        self.settle()
        checker.no_secrets(self.scenario)
        for ref in CAST if self.counts["examples"] % 2 else reversed(CAST):
            self.delete(ref)
        self._until("everything deleted", lambda: [str(v.status.get("reason")) for v in self.scenario.objects()])
        checker.no_leaks(self.scenario, [])
        self._no_complaint()
        self.counts["examples"] += 1
        self._clean = True

    # ---- users

    def apply(self, ref: Ref) -> None:
        made = self.scenario.try_create(*ref, spec_of(ref, self.scenario.router))
        self._did(f"apply {ref[1]}" + ("" if made else " (it is there)"))

    def edit(self, ref: Ref, **spec: Any) -> None:
        self._patch(ref, {"spec": spec}, f"edit {ref[1]}: {spec}")

    def delete(self, ref: Ref) -> None:
        """As it is at this moment: an API server that read it without a finalizer removes it with one, else."""
        path = f"{self._path(ref[0])}/{ref[1]}"
        while (found := self.cluster.api("GET", path)).status_code == 200:
            version = found.json()["metadata"]["resourceVersion"]
            answer = self.cluster.api("DELETE", path, json={"preconditions": {"resourceVersion": version}})
            if answer.status_code != 409:
                assert answer.status_code in (200, 202, 404), answer.text
                break
        self._did(f"delete {ref[1]}")

    def pause(self, ref: Ref, value: str | None) -> None:
        self._patch(ref, {"metadata": {"annotations": {"netgw.dev/paused": value}}}, f"pause {ref[1]}: {value}")

    def new_key(self, *, good: bool) -> None:
        key = self.scenario.secret(value=None if good else BAD_KEY)
        self._key = key if good else None
        self._did("a new key" if good else "a key that is too short")

    # ---- others in the cloud

    def drift(self, field: str) -> None:
        self._drifts[field] += 1
        if self._drifts[field] <= DRIFTS_MOST and (found := tunnels(self.cloud.gateways())):
            path, tunnel = found[0]
            ipsec = {"authentication": {"authentication": "psk"}, field: 77}
            self._by_hand("PATCH", path, {"name": tunnel["name"], "ipsec": ipsec})

    def vanish(self) -> None:
        for path, _ in tunnels(self.cloud.gateways())[:1]:
            self._by_hand("DELETE", path)

    def neighbour(self) -> None:
        """Somebody makes a gateway that is none of our business, and has to stay."""
        with contextlib.suppress(AssertionError, httpx.TransportError):  # it may meet a fault that was meant for us
            self.scenario.gateway_by_hand(name=f"theirs-{len(self.scenario.foreign)}")
        self._did("a gateway by hand")

    def fault(self, fault: Mapping[str, Any]) -> None:
        self.cloud.faults(fault)
        self._did(f"fault {fault}")

    # ---- fate

    def kill(self) -> None:
        self.operator.kill()
        self._born("SIGKILL")

    def terminate(self) -> None:
        """A death that was planned may be faster."""
        self._revive()
        try:
            self.operator.wait_ready()
        except AssertionError:
            self._revive()
            self.operator.wait_ready()
        self.operator.terminate()
        status = ended(self.operator.process, DRAIN_SECONDS)
        assert status == 0 or (self._may_die and status == -signal.SIGKILL), f"ended with {status}:\n{self.picture()}"
        self._born("SIGTERM")

    def dies_at(self, number: int) -> None:
        """Before or after one of its next calls."""
        self._revive()
        self.operator.arm(None, number)
        self._may_die = True
        self._did(f"dies at its point {number} from here")

    # ---- what must hold

    def settle(self) -> None:
        self._sound = False
        self._did("settle")
        self.cloud.door("DELETE", "/faults")
        self._until("as the specs say", self._problems)
        self._until("at rest", self._restless)
        objects = self.scenario.objects()
        checker.no_leaks(self.scenario, objects)
        self.recorder.catch_up([version.body for version in objects])
        checker.conditions(self.scenario, objects)
        self.counts["settled"] += 1
        self._sound = True

    def _restless(self) -> list[str]:
        """What was written while the operator looked, and looked again, although all had been as it has to be."""
        if self._may_die:  # this soon it has had its death, and the next life has all to look at anew
            if self.operator.alive:
                return ["it lives"]
            self._revive()
        checker.steady(self.scenario, 2, INTERVAL)
        return self._problems()

    def _problems(self) -> list[str]:
        self._revive()
        cloud = cloud_objects(self.cloud.gateways())
        ours = [body for body in cloud if body["uuid"] not in self.scenario.foreign]
        return problems(self.scenario.objects(), ours, self._key)

    def _no_complaint(self) -> None:
        log = self.operator.log()
        told = list(complaints(log[self._read :].splitlines()))
        self._read = len(log)
        assert not told, f"the operator says {told}\n{self.picture()}"

    def picture(self) -> str:
        """What is told when something does not hold."""
        return "\n".join(["what happened:", *self.history, self.scenario.picture()])

    # ---- inside

    def _did(self, what: str) -> None:
        self.history.append(f"  {what}")
        self.counts["steps"] += 1

    def _born(self, how: str) -> None:
        self.operator.begin()
        self._may_die = False
        self.counts[how] += 1
        self._did(how)

    def _revive(self) -> None:
        """Start the next life where the planned death has come."""
        if not self.operator.alive:
            status = self.operator.process.returncode
            assert self._may_die and status == -9, f"the operator ended with {status}\n{self.picture()}"  # noqa: PT018
            self._born("SIGKILL")

    def _until(self, what: str, left: Callable[[], list[str]]) -> None:
        deadline = time.monotonic() + SECONDS
        while found := left():
            assert time.monotonic() < deadline, f"not within {SECONDS} s: {what}: {found}\n{self.picture()}"
            time.sleep(PAUSE)

    def _by_hand(self, method: str, path: str, body: Body | None = None) -> None:
        """It may be gone meanwhile, or meet a fault that was meant for another."""
        with contextlib.suppress(AssertionError, httpx.TransportError):
            self.cloud.api(method, path, body)
        self._did(f"by hand: {method} {path} {body or ''}")

    def _patch(self, ref: Ref, patch: Body, told: str) -> None:
        answer = self.cluster.api("PATCH", f"{self._path(ref[0])}/{ref[1]}", json=patch, content_type=MERGE_PATCH)
        assert answer.status_code in (200, 404), answer.text
        self._did(told if answer.is_success else f"{told} (it is not there)")

    def _path(self, kind: str) -> str:
        return f"{GROUP}/namespaces/{self.namespace}/{PLURALS[kind]}"
