"""A user of a real cluster that is not always there: says again what was not heard, until it is."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import random
import time
from collections.abc import Callable
from typing import Any

import httpx

from support.admission import GROUP, PLURALS
from support.cluster import MERGE_PATCH, Cluster
from support.operator import Operator, Simulator, made_up
from support.recorder import Version
from support.scenario import cloud_objects, is_ready, route

PAUSE = 1.5
SERVED_SECONDS = 60.0

Ref = tuple[str, str]


class Line:
    """One tree of a gateway, two connections and three tunnels in a namespace of its own."""

    def __init__(self, cluster: Cluster, cloud: Simulator, namespace: str) -> None:
        self._cluster = cluster
        self._cloud = cloud
        self._namespace = namespace
        self._rng = random.Random(namespace)
        self._key = made_up("psk")
        self._number = 0
        gateway = {"zone": "fi-hel1", "plan": "advanced", "features": ["vpn"], "routerRef": {"uuid": cloud.router()}}
        self._specs: dict[Ref, dict[str, Any]] = {("NetworkGateway", "edge"): gateway}
        for connection in ("office", "site"):
            self._specs["VpnConnection", connection] = {
                "gatewayRef": {"name": "edge"},
                "localRoutes": [route("cloud", "10.0.1.0/24")],
            }
        for number, connection in enumerate(("office", "office", "site"), start=1):
            self._specs["VpnTunnel", f"t-{number}"] = {
                "connectionRef": {"name": connection},
                "remoteAddress": {"address": f"100.10.0.{number}"},
                "ipsec": {"authentication": {"pskSecretRef": {"name": "psk"}}},
            }

    # ---- what the user does

    def begin(self) -> None:
        """The Secret, and the first half of everything."""
        self._put_secret("POST", "")
        for ref in list(self._specs)[:3]:
            self._apply(ref)

    def work(self) -> None:
        """A change of everything that may change, heard or not; the missing is made; then a moment passes."""
        self._number += 1
        for connection in ("office", "site"):
            network = f"10.0.{10 + self._number}.0/24"
            self._specs["VpnConnection", connection]["localRoutes"] = [route("cloud", network)]
        self._specs["VpnTunnel", "t-1"]["ipsec"]["rekeyTime"] = 7200 + self._number
        self._key = made_up("psk")
        with contextlib.suppress(httpx.HTTPError):
            self._say_everything()
            self._put_secret("PATCH", "/psk")
        time.sleep(PAUSE)

    def apply(self) -> None:
        """Everything as it is to be in the end."""
        self._say_everything()
        self._put_secret("PATCH", "/psk")

    def delete_some(self) -> None:
        """Half of what is left, children and parents as it comes; then a moment passes."""
        with contextlib.suppress(httpx.HTTPError):
            for ref in self._rng.sample(sorted(self._specs), len(self._specs) // 2):
                self._delete(ref)
        time.sleep(PAUSE)

    def delete_all(self) -> None:
        for ref in self._specs:
            self._delete(ref)

    # ---- what the user sees

    def wait_served(self) -> None:
        """Until the API server answers again."""
        deadline = time.monotonic() + SERVED_SECONDS
        while not self._served():
            assert time.monotonic() < deadline, "the API server does not come back"
            time.sleep(0.1)

    def wait(self, what: str, until: Callable[[], bool], seconds: float, operator: Operator) -> None:
        """Until it is so, with an operator that lives."""
        deadline = time.monotonic() + seconds
        while not until():
            assert operator.alive, f"the operator ended:\n{operator.process.tail(30)}"
            assert time.monotonic() < deadline, (
                f"not {what} in {seconds} s:\n{self._picture()}\n{operator.process.tail(30)}"
            )
            time.sleep(0.1)

    def settled(self) -> bool:
        found = self._objects()
        return len(found) == len(self._specs) and all(map(is_ready, found)) and self._keys() == {self._sha()}

    def gone(self) -> bool:
        return not self._objects() and not self._cloud.gateways()

    def compare(self) -> None:
        """Each object once in the cloud, and nothing else there."""
        recorded = sorted(str(version.status["uuid"]) for version in self._objects())
        assert recorded == sorted(body["uuid"] for body in cloud_objects(self._cloud.gateways())), self._picture()
        assert len(set(recorded)) == len(self._specs), self._picture()
        routes = {body["local_routes"][0]["static_network"] for body in self._cloud.gateways()[0]["connections"]}
        assert routes == {self._specs["VpnConnection", "office"]["localRoutes"][0]["staticNetwork"]}, self._picture()

    # ---- inside

    def _say_everything(self) -> None:
        for ref in self._specs:
            self._apply(ref)

    def _apply(self, ref: Ref) -> None:
        kind, name = ref
        body = {"apiVersion": "upcloud.netgw.dev/v1alpha1", "kind": kind, "metadata": {"name": name}}
        body["spec"] = self._specs[ref]
        path = f"{self._path(kind)}/{name}?fieldManager=user&force=true"
        self._cluster.api("PATCH", path, json=body, content_type="application/apply-patch+yaml").raise_for_status()

    def _delete(self, ref: Ref) -> None:
        kind, name = ref
        answer = self._cluster.api("DELETE", f"{self._path(kind)}/{name}")
        if answer.status_code != httpx.codes.NOT_FOUND:
            answer.raise_for_status()

    def _put_secret(self, method: str, where: str) -> None:
        body = {"metadata": {"name": "psk"}, "data": {"psk": base64.b64encode(self._key.encode()).decode()}}
        path = f"/api/v1/namespaces/{self._namespace}/secrets{where}"
        content_type = MERGE_PATCH if method == "PATCH" else None
        self._cluster.api(method, path, json=body, content_type=content_type).raise_for_status()

    def _served(self) -> bool:
        try:
            return self._cluster.api("GET", "/readyz").is_success and bool(self._cluster.api("GET", GROUP).is_success)
        except httpx.TransportError:
            return False

    def _objects(self) -> list[Version]:
        found = []
        for kind in ("NetworkGateway", "VpnConnection", "VpnTunnel"):
            items = self._cluster.api("GET", self._path(kind)).raise_for_status().json()["items"]
            found += [Version("MODIFIED", {"kind": kind, **item}) for item in items]
        return found

    def _keys(self) -> set[str]:
        return {body["psk_sha256"] for body in cloud_objects(self._cloud.gateways()) if "psk_sha256" in body}

    def _sha(self) -> str:
        return hashlib.sha256(self._key.encode()).hexdigest()

    def _path(self, kind: str) -> str:
        return f"{GROUP}/namespaces/{self._namespace}/{PLURALS[kind]}"

    def _picture(self) -> str:
        lines = [f"{v.body['kind']} {v.body['metadata']['name']}: {v.status}" for v in self._objects()]
        return "\n".join([*lines, *(f"{call} {call.status}" for call in self._cloud.calls()[-20:])])
