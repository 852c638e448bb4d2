"""An admin's ways into one API server: kubectl, plain HTTP, and kubeconfigs for ServiceAccounts."""

from __future__ import annotations

import base64
import os
import ssl
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from netgw_dev.threads import PerThread

TOKEN_SECONDS = 24 * 3600  # a demo may be left running for a day


class KubectlError(Exception):
    """kubectl ended with another status than 0; the message is what it wrote to stderr."""


@dataclass(frozen=True)
class Access:
    """What an admin's kubeconfig opens. Files that are needed on the way are written to `folder`."""

    kubeconfig: Path
    kubectl_binary: Path
    folder: Path

    def kubectl(self, *args: str | Path, stdin: str | None = None, timeout: float = 60.0) -> str:
        """Run kubectl and return what it printed; about 150 ms of processor time each.

        Raises KubectlError when it fails and subprocess.TimeoutExpired after `timeout` seconds.
        """
        done = subprocess.run(
            [self.kubectl_binary, *args],
            input=stdin or "",
            env=self.kubectl_environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if done.returncode:
            raise KubectlError(f"kubectl {' '.join(map(str, args))}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def kubectl_environment(self) -> dict[str, str]:
        """Everything that kubectl would otherwise take from, or leave in, the user's home."""
        ours = {"KUBECONFIG": str(self.kubeconfig), "KUBECACHEDIR": str(self.folder / "kubectl-cache"), "KUBERC": "off"}
        return {**os.environ, **ours}

    def client(self) -> httpx.Client:
        """Plain HTTP as admin, for polling, also by several threads; close it. URLs such as `/api/v1/namespaces`."""
        cluster, user = _current(yaml.safe_load(self.kubeconfig.read_text()))
        return httpx.Client(
            base_url=cluster["server"],
            transport=PerThread(self._tls(cluster, user)),
            headers={"Authorization": f"Bearer {user['token']}"} if "token" in user else {},
            timeout=30.0,
            trust_env=False,
        )

    def kubeconfig_for(self, service_account: str, namespace: str) -> Path:
        """Write a kubeconfig with a fresh token of that ServiceAccount, good for a day.

        Raises httpx.HTTPStatusError (404 when there is no such ServiceAccount).
        """
        with self.client() as client:
            answer = client.post(
                f"/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}/token",
                json={
                    "apiVersion": "authentication.k8s.io/v1",
                    "kind": "TokenRequest",
                    "spec": {"expirationSeconds": TOKEN_SECONDS},
                },
            )
        answer.raise_for_status()
        cluster, _ = _current(yaml.safe_load(self.kubeconfig.read_text()))
        target = self.folder / f"{namespace}.{service_account}.kubeconfig"
        return write_kubeconfig(target, cluster, service_account, answer.json()["status"]["token"])

    def _tls(self, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> ssl.SSLContext:
        if cluster.get("insecure-skip-tls-verify"):
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            authority = self._file(cluster, "certificate-authority")
            context = ssl.create_default_context(cafile=authority)
        if certificate := self._file(user, "client-certificate"):
            context.load_cert_chain(certificate, self._file(user, "client-key"))
        elif "token" not in user:
            raise ValueError(f"{self.kubeconfig}: only a token or a client certificate is understood")
        return context

    def _file(self, entry: Mapping[str, Any], field: str) -> Path | None:
        """A kubeconfig holds certificates in place or names a file, which may be relative to it."""
        if data := entry.get(f"{field}-data"):
            path = self.folder / f"{field}.pem"
            write_private(path, base64.b64decode(data).decode())
            return path
        return self.kubeconfig.parent / entry[field] if field in entry else None


def write_kubeconfig(target: Path, cluster: Mapping[str, Any], user: str, token: str) -> Path:
    """A kubeconfig of one cluster and one user with a token, readable by us alone."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "netgw", "cluster": dict(cluster)}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": "netgw", "context": {"cluster": "netgw", "user": user}}],
        "current-context": "netgw",
    }
    write_private(target, yaml.safe_dump(config, sort_keys=False))
    return target


def write_private(target: Path, text: str) -> None:
    """Write a file that holds a secret; it is never readable by others, not even for a moment."""
    target.unlink(missing_ok=True)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _current(config: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The cluster and the user of the current context."""

    def named(kind: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(entry for entry in config[f"{kind}s"] if entry["name"] == name)[kind]
        return found

    context = named("context", config["current-context"])
    return named("cluster", context["cluster"]), named("user", context["user"])
