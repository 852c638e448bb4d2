"""A user who may make every netgw object in a namespace and read no Secret there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import yaml

from netgw_dev.access import Access
from support.admission import GROUP, PLURALS
from support.cluster import Cluster

ROLE = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: tenant}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: tenant}
rules:
  - {apiGroups: [upcloud.netgw.dev], resources: ["*"], verbs: ["*"]}
  - {apiGroups: [events.k8s.io], resources: [events], verbs: [get, list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: tenant}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: tenant}
subjects: [{kind: ServiceAccount, name: tenant}]
"""
MAY_READ_ONE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reads-one}
rules:
  - {apiGroups: [""], resources: [secrets], resourceNames: [NAME], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reads-one}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reads-one}
subjects: [{kind: ServiceAccount, name: tenant}]
"""


class Tenant:
    """What this user may ask for, in a namespace."""

    def __init__(self, client: httpx.Client, namespace: str) -> None:
        self._client, self._namespace = client, namespace

    def get(self, path: str) -> httpx.Response:
        """`path` below the namespace of the core API or, with /apis in front, of any."""
        group = "/api/v1" if not path.startswith("/apis") else ""
        return self._client.get(path if group == "" else f"{group}/namespaces/{self._namespace}/{path}")

    def make(self, kind: str, name: str, spec: dict[str, Any], *, dry: bool = False) -> httpx.Response:
        body = {"apiVersion": "upcloud.netgw.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        path = f"{GROUP}/namespaces/{self._namespace}/{PLURALS[kind]}?fieldValidation=Strict"
        return self._client.post(path + ("&dryRun=All" if dry else ""), json=body)

    def sees(self) -> str:
        """All that it can see of objects and Events."""
        paths = [f"{GROUP}/namespaces/{self._namespace}/{plural}" for plural in PLURALS.values()]
        paths.append(f"/apis/events.k8s.io/v1/namespaces/{self._namespace}/events")
        return "\n".join(self._client.get(path).raise_for_status().text for path in paths)


@contextmanager
def tenant_of(cluster: Cluster, namespace: str) -> Iterator[Tenant]:
    """The user, with a token of its own."""
    cluster.apply(ROLE, namespace)
    kubeconfig = cluster.access.kubeconfig_for("tenant", namespace)
    binary, folder = cluster.access.kubectl_binary, kubeconfig.parent
    assert yaml.safe_load(kubeconfig.read_text())["users"][0]["name"] == "tenant"
    with Access(kubeconfig, binary, folder).client() as client:
        yield Tenant(client, namespace)
