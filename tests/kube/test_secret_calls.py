"""Writing keys into Secrets, under deploy/rbac-key-generation.yaml; nothing of the data comes back."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from pydantic import SecretBytes

from netgw.kube.client import Cluster, SecretMeta
from netgw.kube.errors import KubernetesError, ObjectGone, WriteConflict
from support import cluster as support
from support.bare_socket import against, http
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


async def data(ours: Cluster, meta: SecretMeta) -> dict[str, str]:
    secret = await ours.secret_data(meta.namespace, meta.name)
    assert secret is not None
    return {name: value.get_secret_value().decode() for name, value in secret.data.items()}


def test_keys_are_set_and_removed_and_the_others_left_alone(cluster: support.Cluster) -> None:
    async def story(ours: Cluster, namespace: str) -> None:
        first = {"psk": key(OLD), "psk-previous": key(OLD), "other": key("kept")}
        made = await ours.create_secret(namespace, "office-psk", first, {})
        changed = await ours.patch_secret_data(
            namespace, made.name, made.resource_version, {"psk": key(NEW), "psk-next": key(NEW)}, ["psk-previous"]
        )
        assert changed.uid == made.uid
        assert changed.resource_version != made.resource_version
        assert await ours.secret_metadata(namespace, made.name) == changed
        assert await data(ours, made) == {"psk": NEW, "psk-next": NEW, "other": "kept"}

    as_generator(cluster, story)


def test_secret_without_data_takes_a_key(cluster: support.Cluster) -> None:
    async def story(ours: Cluster, namespace: str) -> None:
        made = await ours.create_secret(namespace, "empty", {}, {})
        await ours.patch_secret_data(namespace, made.name, made.resource_version, {"psk": key(NEW)}, uid=made.uid)
        assert await data(ours, made) == {"psk": NEW}

    as_generator(cluster, story)


def test_another_version_or_secret_is_a_conflict(cluster: support.Cluster) -> None:
    async def story(ours: Cluster, namespace: str) -> None:
        made = await ours.create_secret(namespace, "office-psk", {"psk": key(OLD)}, {})
        now = made.resource_version
        for version, uid, remove in (("1", None, ()), (now, "another", ()), (now, made.uid, ("absent",))):
            with pytest.raises(WriteConflict) as conflict:
                await ours.patch_secret_data(namespace, made.name, version, {"psk": key(NEW)}, remove, uid=uid)
            assert NEW not in "".join(traceback.format_exception(conflict.value))
        with pytest.raises(ObjectGone):
            await ours.patch_secret_data(namespace, "absent", now, {"psk": key(NEW)})
        assert await ours.secret_metadata(namespace, made.name) == made
        assert await data(ours, made) == {"psk": OLD}

    as_generator(cluster, story)


def test_without_the_role_nothing_is_written(cluster: support.Cluster) -> None:
    async def story(ours: Cluster, namespace: str) -> None:
        with cluster.namespace() as foreign:
            with pytest.raises(KubernetesError, match="cannot create resource") as refused:
                await ours.create_secret(foreign, "office-psk", {"psk": key(NEW)}, {})
            assert refused.value.status == 403
            path = f"/api/v1/namespaces/{foreign}/secrets"
            body = {"metadata": {"name": "office-psk"}, "stringData": {"psk": OLD}}
            version = cluster.api("POST", path, body).json()["metadata"]["resourceVersion"]
            with pytest.raises(KubernetesError, match="cannot patch resource") as refused:
                await ours.patch_secret_data(foreign, "office-psk", version, {"psk": key(NEW)})
            assert refused.value.status == 403
            assert NEW not in "".join(traceback.format_exception(refused.value))

    as_generator(cluster, story)


def test_names_of_keys_are_steps_of_a_pointer_and_only_metadata_is_asked_for(tmp_path: Path) -> None:
    answer = http('{"metadata": {"name": "office-psk", "namespace": "tenant", "uid": "u1", "resourceVersion": "2"}}')

    async def story(ours: Cluster) -> None:
        changed = await ours.patch_secret_data("tenant", "office-psk", "1", {"a/b~c": key(NEW)}, ["d/e"], uid="u1")
        assert changed == SecretMeta("tenant", "office-psk", "u1", "2")

    requests: list[bytes] = []
    against([answer], tmp_path, story, requests)
    (request,) = requests
    assert b'"/data/a~1b~0c"' in request
    assert b'"/data/d~1e"' in request
    assert b"as=PartialObjectMetadata;" in request
    assert request.index(b'"/metadata/uid"') < request.index(b'"/metadata/resourceVersion"') < request.index(b"/data/")
