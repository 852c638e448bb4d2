"""What one of the role files in deploy/ allows, in one namespace alone or everywhere."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator

import yaml

from support.cluster import ROOT, Cluster


@contextlib.contextmanager
def granted(cluster: Cluster, file: str, namespace: str | None, account: str) -> Iterator[None]:
    """Bind the cluster role of a file to a service account (`namespace:name`); None is everywhere."""
    documents = yaml.safe_load_all((ROOT / "deploy" / file).read_text())
    role = next(document for document in documents if document["kind"] == "ClusterRole")
    name = f"{role['metadata']['name']}-{secrets.token_hex(4)}"
    role["metadata"]["name"] = name
    cluster.apply(yaml.safe_dump(role))
    kind, where = ("rolebinding", ["--namespace", namespace]) if namespace else ("clusterrolebinding", [])
    cluster.kubectl("create", kind, name, f"--clusterrole={name}", f"--serviceaccount={account}", *where)
    try:
        yield
    finally:
        cluster.kubectl("delete", "clusterrole", name)
        cluster.kubectl("delete", kind, name, "--ignore-not-found", *where)
