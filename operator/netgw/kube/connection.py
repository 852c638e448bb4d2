"""Credentials for the cluster: one loader for our client and for kopf's login, so that both talk to the same server.

kopf's own login would prefer the service account of a pod over a kubeconfig that was asked for.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from kubernetes.aio import config
from kubernetes.aio.client.configuration import Configuration
from pydantic import SecretStr
from yaml import YAMLError

from netgw.kube.errors import KubernetesError


@dataclass(frozen=True)
class Connection:
    """Where the API server is and who we are. Certificates are paths: the loader writes inline ones to files."""

    server: str
    ca_path: str | None = None
    verify_tls: bool = True
    scheme: str | None = None  # Bearer, or Basic where the kubeconfig holds a password
    token: SecretStr | None = None
    certificate_path: str | None = None
    private_key_path: str | None = None
    proxy_url: str | None = None


async def load(kubeconfig: str | None) -> Configuration:
    """Read the credentials anew: from the kubeconfig (paths joined by a colon are merged), or of the pod when None.

    In a pod the token is read again every minute, for the kubelet rotates it.
    """
    configuration = Configuration()
    try:
        if kubeconfig is None:
            config.load_incluster_config(configuration)  # type: ignore[no-untyped-call]
        else:
            _require_file(kubeconfig)
            # Never write back: a kubeconfig belongs to the user, also when a token in it was refreshed.
            await config.load_kube_config(  # type: ignore[no-untyped-call]
                kubeconfig, client_configuration=configuration, persist_config=False
            )
    except (config.ConfigException, OSError, YAMLError, TypeError, ValueError) as error:
        raise KubernetesError(_no_credentials(kubeconfig, error)) from None
    return configuration


async def describe(configuration: Configuration) -> Connection:
    """The parts of a loaded configuration that another client needs."""
    header = await configuration.get_api_key_with_prefix("BearerToken")
    scheme, _, token = (header or "").partition(" ")
    return Connection(
        server=str(configuration.host),
        ca_path=configuration.ssl_ca_cert,
        verify_tls=bool(configuration.verify_ssl),
        scheme=scheme.capitalize() or None,
        token=SecretStr(token.strip()) if token else None,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
        proxy_url=configuration.proxy,
    )


def _require_file(kubeconfig: str) -> None:
    # The loader takes absent files for empty ones.
    if not any(Path(path).expanduser().is_file() for path in kubeconfig.split(os.pathsep)):
        raise FileNotFoundError("no such file")


def _no_credentials(kubeconfig: str | None, error: Exception) -> str:
    # Only the loader's own errors are quoted: a parser's error repeats lines of the file.
    detail = str(error) if isinstance(error, config.ConfigException | OSError) else "not a kubeconfig"
    if kubeconfig is None:
        return f"no credentials for a cluster: give --kubeconfig or KUBECONFIG; not in a pod either ({detail})"
    return f"kubeconfig {kubeconfig} cannot be used: {detail}"
