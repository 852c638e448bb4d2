"""Keys in Secrets, written on a real API server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from pydantic import SecretBytes

from netgw.kube.client import Cluster, Secret
from netgw.kube.errors import KubernetesError, ObjectGone, WriteConflict
from netgw.kube.secret_writer import ClusterSecretWriter
from netgw.kube.transport import Transport
from support import cluster as support

OLD, NEW = SecretBytes(b"madeup_psk_for_tests_1"), SecretBytes(b"madeup_psk_for_tests_2")
NOTE = {"netgw.dev/psk-rotation": "{}"}

Story = Callable[[Cluster, ClusterSecretWriter], Awaitable[None]]


def as_admin(cluster: support.Cluster, story: Story) -> None:
    async def told() -> None:
        async with Cluster(await Transport.open(str(cluster.kubeconfig))) as ours:
            await story(ours, ClusterSecretWriter(ours))

    asyncio.run(told())


async def read(ours: Cluster, namespace: str) -> Secret:
    secret = await ours.secret_data(namespace, "office-psk")
    assert secret is not None
    return secret


def test_create_and_patch(cluster: support.Cluster) -> None:
    with cluster.namespace() as namespace:

        async def story(ours: Cluster, writer: ClusterSecretWriter) -> None:
            await writer.create(namespace, "office-psk", {"psk": OLD}, NOTE)
            with pytest.raises(WriteConflict):
                await writer.create(namespace, "office-psk", {"psk": NEW}, NOTE)
            first = await read(ours, namespace)
            assert (first.data, first.notes) == ({"psk": OLD}, NOTE)
            await writer.patch(first.meta, put={"psk": NEW, "psk-previous": OLD}, annotations={"netgw.dev/other": "1"})
            second = await read(ours, namespace)
            assert second.data == {"psk": NEW, "psk-previous": OLD}
            assert second.notes == {**NOTE, "netgw.dev/other": "1"}
            with pytest.raises(WriteConflict):
                await writer.patch(first.meta, put={"psk": OLD}, annotations={})
            await writer.patch(second.meta, put={}, remove=("psk-previous",), annotations={})
            assert (await read(ours, namespace)).data == {"psk": NEW}

        as_admin(cluster, story)


def test_patch_of_a_person_s_secret(cluster: support.Cluster) -> None:
    """Without any annotation, and with one that is none of ours, which is never read."""
    with cluster.namespace() as namespace:
        cluster.kubectl(
            "create", "secret", "generic", "office-psk", "--from-literal=psk=madeup_psk_for_tests_1", "-n", namespace
        )

        async def story(ours: Cluster, writer: ClusterSecretWriter) -> None:
            secret = await read(ours, namespace)
            assert secret.notes == {}
            await writer.patch(secret.meta, put={"psk-next": NEW}, annotations=NOTE)
            fresh = await read(ours, namespace)
            assert (fresh.data, fresh.notes) == ({"psk": OLD, "psk-next": NEW}, NOTE)

        as_admin(cluster, story)


def test_secret_that_is_another_by_now(cluster: support.Cluster) -> None:
    with cluster.namespace() as namespace:

        async def story(ours: Cluster, writer: ClusterSecretWriter) -> None:
            await writer.create(namespace, "office-psk", {"psk": OLD}, {})
            former = await read(ours, namespace)
            cluster.kubectl("delete", "secret", "office-psk", "-n", namespace)
            with pytest.raises(ObjectGone):
                await writer.patch(former.meta, put={"psk": NEW}, annotations={})
            await writer.create(namespace, "office-psk", {"psk": OLD}, {})
            with pytest.raises(WriteConflict):
                await writer.patch(former.meta, put={"psk": NEW}, annotations={})

        as_admin(cluster, story)


def test_refusal_shows_no_key(cluster: support.Cluster) -> None:
    """The operator without the role."""
    with cluster.namespace() as namespace:

        async def story() -> None:
            async with Cluster(await Transport.open(str(cluster.operator_kubeconfig()))) as ours:
                with pytest.raises(KubernetesError) as caught:
                    await ClusterSecretWriter(ours).create(namespace, "office-psk", {"psk": OLD}, NOTE)
                assert caught.value.status == 403
                assert "madeup_psk" not in json.dumps(str(caught.value))

        asyncio.run(story())
