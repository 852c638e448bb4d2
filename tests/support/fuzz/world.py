"""The world of the state machine: a namespace, a simulated cloud, an operator in process; emptied between examples.

`settle` waits until everything is as the specs say, as far as nothing is in the way (a pause, a parent that is
not there or is going), and that it stays so.
"""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from support.admission import GROUP, PLURALS
from support.cluster import MERGE_PATCH, Cluster
from support.fuzz.in_process import Inside
from support.fuzz.wanted import CHILDREN, Body, differences, is_held_up, specs
from support.operator import Simulator, made_up
from support.scenario import cloud_objects
from support.stage import SAMPLE_ROUTER

SECONDS = 90.0
POLL, DELAY = 0.2, 0.05
LOOK = "GET /1.3/gateway?"
DRIFTS_MOST = 2
"""More corrections of one field than that, and it is a fight, which is another story."""


class Lines(logging.Handler):
    """All that the operator logs."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


class FuzzWorld:
    """What users do is a method; none of them waits, but for `restart`, `settle` and `end`."""

    def __init__(self, cluster: Cluster, cloud: Simulator, operator: Inside, namespace: str, token: str) -> None:
        self.cluster, self.cloud, self.operator, self.namespace = cluster, cloud, operator, namespace
        self.cast = list(specs())
        self.keys = [token]
        self.lines = Lines()
        self.counts = Counter[str]()
        self._drifts = Counter[str]()

    @classmethod
    @contextlib.contextmanager
    def open(cls, cluster: Cluster, folder: Path) -> Iterator[Self]:
        token = made_up("token")
        with contextlib.ExitStack() as stack:
            namespace = stack.enter_context(cluster.namespace())
            cloud = Simulator(folder / "cloud", routers=[SAMPLE_ROUTER], delay=DELAY)
            stack.callback(cloud.stop)
            operator = Inside(cluster.operator_kubeconfig(), cloud.url, namespace, token)
            operator.start()
            stack.callback(operator.stop)
            world = cls(cluster, cloud, operator, namespace, token)
            logging.getLogger("netgw").addHandler(world.lines)
            stack.callback(logging.getLogger("netgw").removeHandler, world.lines)
            yield world

    # ---- an example

    def begin(self) -> None:
        self._drifts.clear()
        self.lines.lines.clear()
        self.cloud.door("DELETE", "/calls")
        self.new_key()

    def end(self) -> None:
        """All is well once nothing is in the way any more; and everything goes when it is asked to, in either order."""
        for body in self.objects():
            self._annotate(body, None)
        self.settle()
        for kind, name in self.cast if self.counts["examples"] % 2 else reversed(self.cast):
            self.delete(kind, name)
        self._until("everything deleted", lambda: [str(each["metadata"]["name"]) for each in self.objects()])
        assert cloud_objects(self.cloud.gateways()) == [], f"left in the cloud\n{self.picture()}"
        self.counts["examples"] += 1

    # ---- users

    def apply(self, kind: str, name: str) -> None:
        body = {"apiVersion": "upcloud.netgw.dev/v1alpha1", "kind": kind, "metadata": {"name": name}}
        made = self.cluster.api("POST", self._path(kind), json={**body, "spec": specs()[kind, name]})
        assert made.status_code in (201, 409), made.text

    def edit(self, kind: str, name: str, spec: Body) -> None:
        self._patch(kind, name, {"spec": spec})

    def delete(self, kind: str, name: str) -> None:
        answer = self.cluster.api("DELETE", f"{self._path(kind)}/{name}")
        assert answer.status_code in (200, 202, 404), answer.text

    def pause(self, name: str, value: str | None) -> None:
        for body in self.objects():
            if body["metadata"]["name"] == name:
                self._annotate(body, value)

    def new_key(self) -> None:
        self.keys.append(made_up("psk"))
        path = f"/api/v1/namespaces/{self.namespace}/secrets"
        data = {"data": {"psk": base64.b64encode(self.keys[-1].encode()).decode()}}
        if self.cluster.api("PATCH", f"{path}/office-psk", json=data, content_type=MERGE_PATCH).status_code == 404:
            self.cluster.api("POST", path, json={"metadata": {"name": "office-psk"}, **data}).raise_for_status()

    # ---- others in the cloud

    def drift(self, field: str) -> None:
        for path, tunnel in self._tunnels():
            self._drifts[field] += 1
            if self._drifts[field] <= DRIFTS_MOST:
                ipsec = {"authentication": {"authentication": "psk"}, field: 77}
                self._by_hand("PATCH", path, {"name": tunnel["name"], "ipsec": ipsec})
            return

    def vanish(self) -> None:
        for path, _ in self._tunnels():
            self._by_hand("DELETE", path)
            return

    def restart(self) -> None:
        self.operator.stop()
        self.operator.start()
        self.counts["restarts"] += 1

    # ---- what must hold

    def settle(self) -> None:
        self.cloud.door("DELETE", "/faults")
        self._until("as the specs say, and at rest", self._restless)
        self._no_leak()
        self.counts["settled"] += 1

    def _restless(self) -> list[str]:
        """What is not yet as it has to be, or was written while the operator looked twice."""
        if found := self.problems():
            return found
        versions, calls = self._versions(), len(self.cloud.calls())
        self._until("a look", lambda: [] if self._called(calls, LOOK) > 1 else ["no look yet"])
        written = [str(call) for call in self.cloud.calls("POST", "PUT", "PATCH", "DELETE", since=calls)]
        return written + sorted(set(self._versions()) - set(versions)) + self.problems()

    def problems(self) -> list[str]:
        """What is not yet as it has to be."""
        objects, found = self.objects(), []
        assert self.operator.alive, "the operator ended"
        assert self.operator.app is None or self.operator.app.failed() is None
        held = {str(body.get("status", {}).get("uuid")): body for body in objects}
        there = {str(each["uuid"]): each for each in cloud_objects(self.cloud.gateways())}
        found += [f"{uuid} is of no object" for uuid in there.keys() - held.keys()]
        for body in objects:
            name, status = body["metadata"]["name"], body.get("status") or {}
            verdicts = {each["type"]: each["status"] for each in status.get("conditions", ())}
            if body["metadata"].get("deletionTimestamp"):
                below = [each for each in objects if each["kind"] == CHILDREN.get(body["kind"])]
                found += [] if below else [f"{name} is not gone"]
            elif not is_held_up(body, objects):
                if status.get("observedGeneration") != body["metadata"]["generation"]:
                    found.append(f"{name} was not looked at")
                elif (verdicts.get("Ready"), verdicts.get("Synced")) != ("True", "True"):
                    found.append(f"{name} is {verdicts}")
                else:
                    found += differences(body, there.get(str(status.get("uuid"))), self.keys[-1])
        return found

    def _no_leak(self) -> None:
        events = self.cluster.api("GET", f"/apis/events.k8s.io/v1/namespaces/{self.namespace}/events").text
        text = json.dumps(self.objects()) + events + "\n".join(self.lines.lines)
        assert [key for key in self.keys if key in text] == []

    # ---- looking

    def objects(self) -> list[Body]:
        return [
            {"kind": kind, **item}
            for kind in ("NetworkGateway", "VpnConnection", "VpnTunnel")
            for item in self.cluster.api("GET", self._path(kind)).raise_for_status().json()["items"]
        ]

    def picture(self) -> str:
        shown = [f"{each['kind']} {each['metadata']} {each['spec']} {each.get('status')}" for each in self.objects()]
        calls = [f"{call} {call.status}" for call in self.cloud.calls()[-25:]]
        return "\n".join([*shown, *calls, *self.lines.lines[-30:]])

    def _until(self, what: str, problems: Any) -> None:
        deadline = time.monotonic() + SECONDS
        while left := problems():
            assert time.monotonic() < deadline, f"not within {SECONDS} s: {what}: {left}\n{self.picture()}"
            time.sleep(POLL)

    def _called(self, since: int, words: str) -> int:
        return sum(str(call).startswith(words) for call in self.cloud.calls(since=since))

    def _versions(self) -> list[str]:
        return [f"{each['metadata']['uid']} {each['metadata']['resourceVersion']}" for each in self.objects()]

    def _tunnels(self) -> Iterator[tuple[str, Body]]:
        for gateway in self.cloud.gateways():
            for connection in gateway["connections"] if not gateway["deleting"] else ():
                for tunnel in connection["tunnels"]:
                    path = f"/gateway/{gateway['uuid']}/connections/{connection['uuid']}/tunnels/{tunnel['uuid']}"
                    yield path, tunnel

    def _by_hand(self, method: str, path: str, body: Body | None = None) -> None:
        """It may be gone meanwhile, or meet a fault that was meant for another."""
        with contextlib.suppress(AssertionError, OSError):
            self.cloud.api(method, path, body)

    def _annotate(self, body: Body, value: str | None) -> None:
        annotations = {"netgw.dev/paused": value}
        self._patch(body["kind"], body["metadata"]["name"], {"metadata": {"annotations": annotations}})

    def _patch(self, kind: str, name: str, patch: Body) -> None:
        answer = self.cluster.api("PATCH", f"{self._path(kind)}/{name}", json=patch, content_type=MERGE_PATCH)
        assert answer.status_code in (200, 404), answer.text

    def _path(self, kind: str) -> str:
        return f"{GROUP}/namespaces/{self.namespace}/{PLURALS[kind]}"
