"""The API server that tests run against: started here, or the one that NETGW_TEST_KUBECONFIG names."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import yaml

from netgw_dev.access import Access
from netgw_dev.binaries import locate
from netgw_dev.control_plane import ControlPlane

ROOT = Path(__file__).resolve().parents[2]
OPERATOR_NAMESPACE = "netgw-system"
OPERATOR_SERVICE_ACCOUNT = "netgw"
MERGE_PATCH = "application/merge-patch+json"


class Cluster:
    """An admin's view of one API server on which the CRDs of `crds/` are established."""

    def __init__(self, access: Access) -> None:
        """Use `open_cluster`, which also prepares it."""
        self.access = access
        self._client = access.client()
        self._crds = [yaml.safe_load(path.read_text()) for path in sorted((ROOT / "crds").glob("*.yaml"))]

    @property
    def kubeconfig(self) -> Path:
        """That of the admin."""
        return self.access.kubeconfig

    def close(self) -> None:
        """Give back the connections."""
        self._client.close()

    def kubectl(self, *args: str | Path, input: str | None = None) -> str:  # noqa: A002  as subprocess calls it
        """Run kubectl as admin and return what it printed; for polling `api` is much cheaper.

        Raises KubectlError.
        """
        return self.access.kubectl(*args, stdin=input)

    def apply(self, manifest: str | Path, namespace: str | None = None) -> str:
        """`kubectl apply` the YAML text, or the file or folder when it is a Path."""
        where = ["--namespace", namespace] if namespace else []
        if isinstance(manifest, Path):
            return self.kubectl("apply", *where, "-f", manifest)
        return self.kubectl("apply", *where, "-f", "-", input=manifest)

    def get(self, kind: str, name: str, namespace: str | None = None) -> dict[str, Any]:
        """One object as `kubectl get -o json` shows it; `kind` is whatever kubectl understands."""
        where = ["--namespace", namespace] if namespace else []
        shown: dict[str, Any] = yaml.safe_load(self.kubectl("get", kind, name, *where, "-o", "json"))
        return shown

    def api(self, method: str, path: str, json: Any = None, content_type: str | None = None) -> httpx.Response:
        """One request as admin, whatever its status; `path` begins with /api or /apis."""
        headers = {"Content-Type": content_type} if content_type else None
        return self._client.request(method, path, json=json, headers=headers)

    @contextlib.contextmanager
    def namespace(self) -> Iterator[str]:
        """A fresh namespace of a random name; its deletion is begun at the end and not waited for.

        Finalizers that are left on our objects are taken off first: the operator of the test has ended by then.
        """
        name = f"t-{secrets.token_hex(4)}"
        self.api("POST", "/api/v1/namespaces", json={"metadata": {"name": name}}).raise_for_status()
        try:
            yield name
        finally:
            self._release(name)
            self.api("DELETE", f"/api/v1/namespaces/{name}")

    def operator_kubeconfig(self) -> Path:
        """The operator's own ServiceAccount and roles (deploy/rbac.yaml), and a kubeconfig with its token."""
        made = self.api("POST", "/api/v1/namespaces", json={"metadata": {"name": OPERATOR_NAMESPACE}})
        if made.status_code != httpx.codes.CONFLICT:  # it may be there
            made.raise_for_status()
        self.apply(ROOT / "deploy" / "rbac.yaml")
        return self.access.kubeconfig_for(OPERATOR_SERVICE_ACCOUNT, OPERATOR_NAMESPACE)

    def install_crds(self) -> None:
        """Apply `crds/` and wait until each is served; nothing when there are none."""
        if self._crds:
            self.kubectl("apply", "-f", ROOT / "crds")
            names = [f"crd/{crd['metadata']['name']}" for crd in self._crds]
            self.kubectl("wait", "--for=condition=Established", "--timeout=30s", *names)
            self._wait_discovered()

    def _wait_discovered(self) -> None:
        """Until discovery has our kinds, a moment later: kubectl takes short names from it and keeps what it saw."""
        wanted = {crd["spec"]["names"]["plural"] for crd in self._crds}
        deadline = time.monotonic() + 30.0
        while missing := wanted - self._discovered():
            assert time.monotonic() < deadline, f"the API server does not tell of {sorted(missing)}"
            time.sleep(0.1)
        shutil.rmtree(self.access.folder / "kubectl-cache", ignore_errors=True)

    def _discovered(self) -> set[str]:
        """The resources that the server tells kubectl of."""
        accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
        groups = self._client.get("/apis", headers={"Accept": accept}).raise_for_status().json()["items"]
        versions = [version for group in groups for version in group["versions"]]
        return {resource["resource"] for version in versions for resource in version.get("resources") or ()}

    def _release(self, namespace: str) -> None:
        for crd in self._crds:
            spec = crd["spec"]
            version, plural = spec["versions"][0]["name"], spec["names"]["plural"]
            path = f"/apis/{spec['group']}/{version}/namespaces/{namespace}/{plural}"
            for item in self.api("GET", path).json().get("items", ()):
                if item["metadata"].get("finalizers"):
                    off = {"metadata": {"finalizers": None}}
                    self.api("PATCH", f"{path}/{item['metadata']['name']}", json=off, content_type=MERGE_PATCH)


@contextlib.contextmanager
def open_cluster() -> Iterator[Cluster]:
    """Start a control plane, or use the cluster that was given on purpose; CRDs are applied in both."""
    with contextlib.ExitStack() as stack:
        if given := os.environ.get("NETGW_TEST_KUBECONFIG"):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="netgw-tests-"))
            access = Access(Path(given).resolve(strict=True), locate(["kubectl"])["kubectl"], Path(folder))
        else:
            access = stack.enter_context(ControlPlane()).access
        cluster = Cluster(access)
        stack.callback(cluster.close)
        cluster.install_crds()
        yield cluster
