"""Writing keys into Secrets, under deploy/rbac-key-generation.yaml; nothing of the data comes back."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable

import pytest
from pydantic import SecretBytes

from netgw.kube.client import Cluster, SecretMeta
from netgw.kube.errors import KubernetesError
from netgw.kube.secret_writer import ClusterSecretWriter
from support import cluster as support
from support.cluster import OPERATOR_NAMESPACE, OPERATOR_SERVICE_ACCOUNT
from support.grants import granted

OLD, NEW = "madeup_psk_for_tests_1", "madeup_psk_for_tests_2"


def key(text: str) -> SecretBytes:
    return SecretBytes(text.encode())


def as_generator(cluster: support.Cluster, story: Callable[[Cluster, str], Awaitable[None]]) -> None:
    """As the operator, with the right in one namespace alone."""
    account = f"{OPERATOR_NAMESPACE}:{OPERATOR_SERVICE_ACCOUNT}"
    kubeconfig = str(cluster.operator_kubeconfig())

    async def told(namespace: str) -> None:
        async with await Cluster.connect(kubeconfig) as ours:
            await story(ours, namespace)

    with cluster.namespace() as namespace, granted(cluster, "rbac-key-generation.yaml", namespace, account):
        asyncio.run(told(namespace))


def test_without_the_role_nothing_is_written(cluster: support.Cluster) -> None:
    async def story(ours: Cluster, namespace: str) -> None:
        with cluster.namespace() as foreign:
            with pytest.raises(KubernetesError, match="cannot create resource") as refused:
                await ours.create_secret(foreign, "office-psk", {"psk": key(NEW)}, {})
            assert refused.value.status == 403
            path = f"/api/v1/namespaces/{foreign}/secrets"
            body = {"metadata": {"name": "office-psk"}, "stringData": {"psk": OLD}}
            made = cluster.api("POST", path, body).json()["metadata"]
            meta = SecretMeta(foreign, made["name"], made["uid"], made["resourceVersion"])
            with pytest.raises(KubernetesError, match="cannot patch resource") as refused:
                await ClusterSecretWriter(ours).patch(meta, put={"psk": key(NEW)}, annotations={})
            assert refused.value.status == 403
            assert NEW not in "".join(traceback.format_exception(refused.value))

    as_generator(cluster, story)
