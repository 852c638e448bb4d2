"""Trees in a namespace (gateway, connection, tunnel and the Secret of its key), and what users do with them.

The number of trees is the same at every rest, however many came and went: only then can two rests be compared.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from support.admission import GROUP, PLURALS
from support.cluster import MERGE_PATCH, Cluster
from support.operator import Simulator, made_up

API = "upcloud.netgw.dev/v1alpha1"
KINDS = ("NetworkGateway", "VpnConnection", "VpnTunnel")
Body = dict[str, Any]


@dataclass
class Tree:
    """One of them; `life` counts how often it was made under a new name, `edits` how often it was changed.

    `drifts`: how often somebody else changed it since its last spec.
    """

    number: int
    router: str
    token: str
    credentials: str
    life: int = 1
    edits: int = 0
    drifts: int = 0
    key: str = field(default_factory=lambda: made_up("psk"))

    @property
    def stem(self) -> str:
        return f"t{self.number}-{self.life}"

    @property
    def names(self) -> tuple[str, str, str]:
        return f"{self.stem}-edge", f"{self.stem}-office", f"{self.stem}-office-1"

    def specs(self) -> tuple[Body, Body, Body]:
        gateway, connection, _ = self.names
        routes = [{"name": "cloud", "staticNetwork": f"10.{self.edits % 200}.{self.number % 250}.0/24"}]
        return (
            {
                "zone": "fi-hel1",
                "plan": "production",
                "features": ["vpn"],
                "routerRef": {"uuid": self.router},
                "addresses": [{"name": "public"}],
                "labels": {"edits": str(self.edits)},
                "credentialsSecretRef": {"name": self.credentials},
            },
            {"gatewayRef": {"name": gateway}, "localRoutes": routes},
            {
                "connectionRef": {"name": connection},
                "remoteAddress": {"address": f"100.10.0.{100 + self.edits % 100}"},
                "ipsec": {"authentication": {"pskSecretRef": {"name": self.stem}}},
            },
        )


class Forest:
    """The trees of one namespace. `accounts`: the token of each Secret with credentials."""

    def __init__(self, cluster: Cluster, cloud: Simulator, namespace: str, accounts: dict[str, str]) -> None:
        self._cluster, self._cloud, self._namespace = cluster, cloud, namespace
        self._accounts = list(accounts.items())
        self.trees: list[Tree] = []
        for name, token in accounts.items():
            self._secret(name, "token", token)

    # ---- what users do

    def plant(self, number: int) -> None:
        """So many trees more."""
        for _ in range(number):
            credentials, token = self._accounts[len(self.trees) % len(self._accounts)]
            tree = Tree(len(self.trees), self._cloud.router(token), token, credentials)
            self.trees.append(tree)
            self.make(tree)

    def make(self, tree: Tree) -> None:
        tree.drifts = 0
        self._secret(tree.stem, "psk", tree.key)
        for kind, name, spec in zip(KINDS, tree.names, tree.specs(), strict=True):
            body = {"apiVersion": API, "kind": kind, "metadata": {"name": name}, "spec": spec}
            self._cluster.api("POST", self._path(kind), json=body).raise_for_status()

    def edit(self, tree: Tree) -> None:
        """A field of each of its three objects."""
        tree.edits, tree.drifts = tree.edits + 1, 0
        for kind, name, spec in zip(KINDS, tree.names, tree.specs(), strict=True):
            path = f"{self._path(kind)}/{name}"
            self._cluster.api("PATCH", path, json={"spec": spec}, content_type=MERGE_PATCH).raise_for_status()

    def rotate(self, tree: Tree) -> None:
        tree.key = made_up("psk")
        self._secret(tree.stem, "psk", tree.key)

    def fell(self, trees: Iterable[Tree]) -> None:
        """Begin to delete everything of them."""
        for tree in trees:
            for kind, name in zip(KINDS, tree.names, strict=True):
                self._cluster.api("DELETE", f"{self._path(kind)}/{name}").raise_for_status()

    def regrow(self, trees: Sequence[Tree], *, renamed: bool, deadline: float = 120.0) -> None:
        """Make them again when they are gone, under the names that they had or under names never seen before."""
        gone = {name for tree in trees for name in tree.names}
        self._until(lambda: not gone & {body["metadata"]["name"] for body in self.objects()}, "deleted", deadline)
        for tree in trees:
            self._cluster.api("DELETE", f"{self._secrets}/{tree.stem}").raise_for_status()
            tree.life += renamed
            self.make(tree)

    def drift(self, tree: Tree) -> None:
        """Somebody changes in the cloud what the spec says."""
        tree.drifts += 1
        uuid = next(body["uuid"] for body in self._cloud.gateways() if body["name"] == tree.names[0])
        self._cloud.by_hand("PATCH", f"/gateway/{uuid}", {"plan": "advanced"}, token=tree.token)

    # ---- looking

    def objects(self) -> list[Body]:
        return [
            {"kind": kind, **body}
            for kind in KINDS
            for body in self._cluster.api("GET", self._path(kind)).raise_for_status().json()["items"]
        ]

    def recorded(self) -> dict[str, str]:
        """The uuid that each object recorded, by kind and name."""
        found = {f"{b['kind']}/{b['metadata']['name']}": (b.get("status") or {}).get("uuid") for b in self.objects()}
        return {name: uuid for name, uuid in found.items() if uuid}

    def events(self, reason: str) -> list[str]:
        path = f"/apis/events.k8s.io/v1/namespaces/{self._namespace}/events"
        items: list[Body] = self._cluster.api("GET", path).raise_for_status().json()["items"]
        return [item["note"] for item in items if item["reason"] == reason]

    def unrest(self) -> list[str]:
        """Why this is no rest: objects that are not in sync, and keys that the cloud has not got."""
        objects = self.objects()
        wanted = {name for tree in self.trees for name in tree.names}
        found = {body["metadata"]["name"] for body in objects}
        wrong = [f"{name} is missing or left over" for name in wanted ^ found]
        wrong += [f"{body['metadata']['name']}: {_word(body)}" for body in objects if not _is_ready(body)]
        if not wrong:
            held = {t["name"]: t["psk_sha256"] for t in self._tunnels()}
            due = {tree.names[2]: hashlib.sha256(tree.key.encode()).hexdigest() for tree in self.trees}
            wrong = [f"{name} has another key or is too much" for name, _ in held.items() ^ due.items()]
        return wrong

    def settle(self, deadline: float) -> None:
        self._until(lambda: not self.unrest(), "at rest", deadline)

    def _until(self, reached: Any, what: str, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < until, f"not {what} within {seconds} s: {self.unrest()[:12]}"
            time.sleep(0.3)

    def _tunnels(self) -> list[Body]:
        return [t for gateway in self._cloud.gateways() for c in gateway["connections"] for t in c["tunnels"]]

    @property
    def _secrets(self) -> str:
        return f"/api/v1/namespaces/{self._namespace}/secrets"

    def _secret(self, name: str, key: str, value: str) -> None:
        body = {"metadata": {"name": name}, "data": {key: base64.b64encode(value.encode()).decode()}}
        if self._cluster.api("POST", self._secrets, json=body).status_code == 409:
            path = f"{self._secrets}/{name}"
            self._cluster.api("PATCH", path, json=body, content_type=MERGE_PATCH).raise_for_status()

    def _path(self, kind: str) -> str:
        return f"{GROUP}/namespaces/{self._namespace}/{PLURALS[kind]}"


def _conditions(body: Body) -> dict[str, Body]:
    return {found["type"]: found for found in (body.get("status") or {}).get("conditions") or ()}


def _is_ready(body: Body) -> bool:
    status, conditions = body.get("status") or {}, _conditions(body)
    current = status.get("observedGeneration") == body["metadata"]["generation"]
    return current and all((conditions.get(kind) or {}).get("status") == "True" for kind in ("Ready", "Synced"))


def _word(body: Body) -> str:
    return ", ".join(f"{kind}={found['status']} {found['reason']}" for kind, found in _conditions(body).items())
