"""One story: a namespace of its own, what a user does in it and in the cloud, and waiting for what comes of it.

Everything is waited for with a deadline that only a failure reaches; what is told then is the object, the operator's
last lines and the cloud's last calls.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable
from typing import Any

import httpx

from support.admission import GROUP, PLURALS
from support.cluster import MERGE_PATCH, Cluster
from support.operator import LIST, Operator, Simulator, made_up
from support.recorder import Recorder, Version

DEADLINE = 30.0
KINDS = ("NetworkGateway", "VpnConnection", "VpnTunnel")
EVERY_KIND = ("Router", *KINDS)
PREFIX = "netgw.dev/"

Body = dict[str, Any]


class Scenario:
    def __init__(
        self, cluster: Cluster, cloud: Simulator, operator: Operator, recorder: Recorder, namespace: str
    ) -> None:
        """On a cloud that is empty, with an operator that is ready."""
        self.cluster, self.cloud, self.operator, self.recorder = cluster, cloud, operator, recorder
        self.namespace = namespace
        self.router = self.cloud.router()
        self.keys: list[str] = []
        """Every pre-shared key that was used, good or bad: none may ever show up anywhere."""
        self.foreign: set[str] = set()
        """Uuids of what was made by hand or is retained: it has to stay in the cloud, bound to an object or not."""
        self.cloud.door("DELETE", "/calls")

    # ---- what a user does

    def key(self) -> str:
        """A new pre-shared key."""
        return made_up("psk")

    def secret(self, name: str = "office-psk", value: str | None = None, key: str = "psk") -> str:
        """Make or edit a Secret; the value that it has then."""
        value = self.key() if value is None else value
        self.keys.append(value)
        data = {key: base64.b64encode(value.encode()).decode()}
        path = f"/api/v1/namespaces/{self.namespace}/secrets"
        if self.cluster.api("GET", f"{path}/{name}").status_code == 404:
            self.cluster.api("POST", path, json={"metadata": {"name": name}, "data": data}).raise_for_status()
        else:
            edited = self.cluster.api("PATCH", f"{path}/{name}", json={"data": data}, content_type=MERGE_PATCH)
            edited.raise_for_status()
        return value

    def create(self, kind: str, name: str, spec: Body) -> None:
        assert self.try_create(kind, name, spec), f"{kind} {name} exists"

    def try_create(self, kind: str, name: str, spec: Body) -> bool:
        """False while the name is taken."""
        body = {"apiVersion": "upcloud.netgw.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        made = self.cluster.api("POST", self._path(kind) + "?fieldValidation=Strict", json=body)
        if made.status_code == httpx.codes.CONFLICT:
            return False
        assert made.is_success, made.text
        return True

    def gateway(self, name: str = "edge", /, **spec: Any) -> None:
        """The smallest gateway with vpn, and what `spec` adds."""
        smallest = {"zone": "fi-hel1", "plan": "production", "features": ["vpn"], "routerRef": {"uuid": self.router}}
        self.create("NetworkGateway", name, smallest | spec)

    def connection(self, name: str = "office", gateway: str = "edge", /, **spec: Any) -> None:
        smallest: Body = {"gatewayRef": {"name": gateway}, "localRoutes": [route("cloud", "10.0.1.0/24")]}
        self.create("VpnConnection", name, smallest | spec)

    def tunnel(self, name: str = "office-1", connection: str = "office", /, **spec: Any) -> None:
        """`secret` names another Secret than office-psk, `ipsec` is added to the reference."""
        reference = {"name": spec.pop("secret", "office-psk")}
        ipsec = {"authentication": {"pskSecretRef": reference}} | spec.pop("ipsec", {})
        smallest: Body = {"connectionRef": {"name": connection}, "remoteAddress": {"address": "100.10.0.111"}}
        self.create("VpnTunnel", name, smallest | {"ipsec": ipsec} | spec)

    def gateway_by_hand(self, **body: Any) -> str:
        """One that somebody made in the cloud without netgw, at a router of its own; its uuid."""
        whole: Body = {"zone": "fi-hel1", "plan": "production", "features": ["vpn"], "configured_status": "started"}
        whole |= {"routers": [{"uuid": self.cloud.router()}], **body}
        uuid = str(self.cloud.api("POST", "/gateway", whole)["uuid"])
        self.foreign.add(uuid)
        return uuid

    def site_to_site(self, tunnels: int = 2) -> None:
        """A gateway, a connection and tunnels that share a Secret, all at once, and waited for."""
        self.secret()
        self.gateway(addresses=[{"name": "public"}])
        self.connection(remoteRoutes=[route("office", "10.0.2.0/24")])
        for number in range(1, tunnels + 1):
            self.tunnel(f"office-{number}", remoteAddress={"address": f"100.10.0.{110 + number}"})
        self.wait_all_ready()

    def change(self, kind: str, name: str, /, **spec: Any) -> None:
        """A merge patch of the spec: None takes a field away."""
        self._patch(kind, name, {"spec": spec})

    def annotate(self, kind: str, name: str, **annotations: str | None) -> None:
        """`allow_cascade=…` sets netgw.dev/allow-cascade."""
        named = {PREFIX + key.replace("_", "-"): value for key, value in annotations.items()}
        self._patch(kind, name, {"metadata": {"annotations": named}})

    def annotate_namespace(self, **annotations: str | None) -> None:
        """`default_policies=…` sets netgw.dev/default-policies."""
        named = {PREFIX + key.replace("_", "-"): value for key, value in annotations.items()}
        path, body = f"/api/v1/namespaces/{self.namespace}", {"metadata": {"annotations": named}}
        self.cluster.api("PATCH", path, json=body, content_type=MERGE_PATCH).raise_for_status()

    def wipe_status(self, kind: str, name: str) -> None:
        """As a restore does that knows no subresources."""
        path = f"{self._path(kind)}/{name}/status"
        self.cluster.api("PATCH", path, json={"status": None}, content_type=MERGE_PATCH).raise_for_status()

    def delete_all(self) -> None:
        """Every object, without waiting; the order is that of a parent before its children."""
        for version in self.objects():
            self.delete(version.body["kind"], version.body["metadata"]["name"])

    def delete(self, kind: str, name: str) -> None:
        self.cluster.api("DELETE", f"{self._path(kind)}/{name}").raise_for_status()

    # ---- looking

    def find(self, kind: str, name: str) -> Version | None:
        answer = self.cluster.api("GET", f"{self._path(kind)}/{name}")
        return None if answer.status_code == 404 else Version("MODIFIED", answer.raise_for_status().json())

    def get(self, kind: str, name: str) -> Version:
        found = self.find(kind, name)
        assert found is not None, f"{kind} {name} is gone\n{self.picture()}"
        return found

    def objects(self) -> list[Version]:
        return [Version("MODIFIED", body) for kind in EVERY_KIND for body in self._list(self._path(kind), kind)]

    def events(self) -> list[Body]:
        """All Events of the namespace."""
        return self._list(f"/apis/events.k8s.io/v1/namespaces/{self.namespace}/events", "Event")

    def uuid(self, kind: str, name: str) -> str:
        return str(self.get(kind, name).status["uuid"])

    def history(self, kind: str, name: str) -> list[Version]:
        """Every version so far, the present one included."""
        self.recorder.catch_up([self.get(kind, name).body])
        return self.recorder.of(self.namespace, kind, name)

    def in_cloud(self, kind: str, name: str) -> Body:
        """What the cloud has under the recorded uuid."""
        uuid = self.uuid(kind, name)
        found = [body for body in cloud_objects(self.cloud.gateways()) if body["uuid"] == uuid]
        assert found, f"{kind} {name} ({uuid}) is not in the cloud\n{self.picture()}"
        return found[0]

    def has_key(self, tunnel: str, key: str) -> bool:
        """Whether the cloud has it."""
        return bool(self.in_cloud("VpnTunnel", tunnel)["psk_sha256"] == hashlib.sha256(key.encode()).hexdigest())

    # ---- waiting

    def wait(self, what: str, until: Callable[[], Any], *, seconds: float = DEADLINE) -> Any:
        """Until it is true; what it was then."""
        deadline = time.monotonic() + seconds
        while not (reached := until()):
            assert self.operator.alive, f"the operator ended, waiting for: {what}\n{self.operator.process.tail(30)}"
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}\n{self.picture()}"
            time.sleep(0.05)
        return reached

    def wait_for(self, kind: str, name: str, *, seconds: float = DEADLINE, **reasons: str) -> Version:
        """Until the conditions have these reasons and are about the present spec: `Ready="Up", Synced="InSync"`."""
        found: list[Version] = []

        def fits() -> bool:
            found[:] = [self.get(kind, name)]
            version = found[0]
            current = version.status.get("observedGeneration") == version.body["metadata"]["generation"]
            return current and all(version.condition(c).get("reason") == reason for c, reason in reasons.items())

        self.wait(f"{kind} {name} {reasons}", fits, seconds=seconds)
        return found[0]

    def wait_ready(self, kind: str, name: str, *, seconds: float = DEADLINE) -> Version:
        self.wait(f"{kind} {name} ready", lambda: is_ready(self.get(kind, name)), seconds=seconds)
        return self.get(kind, name)

    def wait_all_ready(self, *, seconds: float = DEADLINE) -> None:
        """Until every object is in sync and carries traffic."""
        self.wait("all objects ready", lambda: all(map(is_ready, self.objects())), seconds=seconds)

    def wait_gone(self, kind: str, name: str, *, seconds: float = DEADLINE) -> None:
        self.wait(f"{kind} {name} gone", lambda: self.find(kind, name) is None, seconds=seconds)

    def wait_all_synced(self, reason: str, *, seconds: float = DEADLINE) -> None:
        """Until every object says this of Synced about its present spec."""
        for version in self.objects():
            self.wait_for(version.body["kind"], version.body["metadata"]["name"], seconds=seconds, Synced=reason)

    def wait_event(self, reason: str, words: str = "", *, seconds: float = DEADLINE) -> Body:
        """The first Event of this reason that says these words, waited for: Events are written behind the status."""
        found: list[Body] = self.wait(f"Event {reason} {words}", lambda: self.events_of(reason, words), seconds=seconds)
        return found[0]

    def events_of(self, reason: str, words: str = "") -> list[Body]:
        return [event for event in self.events() if event["reason"] == reason and words in event["note"]]

    def wait_looks(self, number: int) -> list[str]:
        """Until the operator has looked so many times more; every call meanwhile."""
        since = len(self.cloud.calls())

        def calls() -> list[str]:
            return [str(call) for call in self.cloud.calls(since=since)]

        self.wait(f"{number} looks", lambda: calls().count(LIST) >= number)
        return calls()

    # ---- the end

    def clear(self) -> None:
        """Take every object away, whatever state it is in."""
        for kind in reversed(EVERY_KIND):
            self.cluster.api("DELETE", self._path(kind)).raise_for_status()
        for left in self.objects():  # under deletion already, so that no finalizer comes back
            where = f"{self._path(left.body['kind'])}/{left.body['metadata']['name']}"
            self.cluster.api("PATCH", where, json={"metadata": {"finalizers": None}}, content_type=MERGE_PATCH)

    def picture(self) -> str:
        """What is told when a test fails."""
        lines = [f"namespace {self.namespace}"]
        for version in self.objects():
            metadata, status = version.body["metadata"], dict(version.status)
            conditions = status.pop("conditions", [])
            deleting = " (deleting)" if metadata.get("deletionTimestamp") else ""
            lines.append(f"{version.body['kind']} {metadata['name']}{deleting} generation {metadata['generation']}")
            lines.append(f"    spec {json.dumps(version.body['spec'])}")
            lines.append(f"    status {json.dumps(status)}")
            lines += [f"    {c['type']}={c['status']} {c['reason']}: {c['message']}" for c in conditions]
        lines.append(f"operator (returncode {self.operator.process.returncode}):\n{self.operator.process.tail(40)}")
        calls = [f"  {call.time:%H:%M:%S.%f} {call} {call.status}" for call in self.cloud.calls()[-25:]]
        return "\n".join([*lines, "calls:", *calls])

    def _path(self, kind: str) -> str:
        return f"{GROUP}/namespaces/{self.namespace}/{PLURALS[kind]}"

    def _list(self, path: str, kind: str) -> list[Body]:
        items: list[Body] = self.cluster.api("GET", path).raise_for_status().json()["items"]
        return [{"kind": kind, **item} for item in items]

    def _patch(self, kind: str, name: str, patch: Body) -> None:
        answer = self.cluster.api("PATCH", f"{self._path(kind)}/{name}", json=patch, content_type=MERGE_PATCH)
        assert answer.is_success, answer.text


def route(name: str, network: str) -> Body:
    return {"name": name, "staticNetwork": network}


def is_ready(version: Version) -> bool:
    """In sync with the present spec, and traffic flows."""
    current = version.status.get("observedGeneration") == version.body["metadata"]["generation"]
    return current and all(version.condition(kind).get("status") == "True" for kind in ("Ready", "Synced"))


def cloud_objects(gateways: list[Body]) -> list[Body]:
    """Gateways, connections and tunnels, one after the other."""
    connections = [connection for gateway in gateways for connection in gateway["connections"]]
    return [*gateways, *connections, *(tunnel for connection in connections for tunnel in connection["tunnels"])]
