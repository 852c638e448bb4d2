"""The calls to Kubernetes, under the operator's own roles; and answers that no API server gives, from a bare socket."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretBytes

from netgw.engine import ports
from netgw.kube.client import Cluster, SecretMeta
from netgw.kube.connection import Connection
from netgw.kube.errors import KindNotServed, KubernetesError, ObjectGone, WatchExpired, WriteConflict
from netgw.kube.transport import Transport
from support import cluster as support
from support.bare_socket import against, http

FINALIZER = "netgw.dev/finalizer"
PSK = "madeup_psk_for_tests_1"


@dataclass(frozen=True)
class Ref:
    plural: str
    kind: str
    group: str = "upcloud.netgw.dev"
    version: str = "v1alpha1"


GATEWAY = Ref("networkgateways", "NetworkGateway")
KINDS = [Ref("routers", "Router"), GATEWAY, Ref("vpnconnections", "VpnConnection"), Ref("vpntunnels", "VpnTunnel")]


def as_operator(cluster: support.Cluster, story: Callable[[Cluster], Awaitable[None]], page: int = 100) -> None:
    async def told() -> None:
        async with Cluster(await Transport.open(str(cluster.operator_kubeconfig())), page=page) as ours:
            await story(ours)

    asyncio.run(told())


def gateway(name: str) -> str:
    spec = {
        "zone": "fi-hel1",
        "plan": "production",
        "features": ["vpn"],
        "routerRef": {"uuid": "04f55cc1-bcd9-49eb-bd56-d65d7e3f2156"},
        "addresses": [{"name": "public"}],
    }
    body = {
        "apiVersion": "upcloud.netgw.dev/v1alpha1",
        "kind": "NetworkGateway",
        "metadata": {"name": name},
        "spec": spec,
    }
    return yaml.safe_dump(body)


def guarded(obj: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A JSON patch begins with these: the object is still the one that was read."""
    metadata = obj["metadata"]
    return [
        {"op": "test", "path": "/metadata/uid", "value": metadata["uid"]},
        {"op": "test", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
    ]


def test_list_reads_all_pages(cluster: support.Cluster) -> None:
    with cluster.namespace() as namespace:
        cluster.apply("---\n".join(gateway(f"edge-{number}") for number in range(5)), namespace)

        async def story(ours: Cluster) -> None:
            found = await ours.list(GATEWAY, namespace)
            assert [item["metadata"]["name"] for item in found] == [f"edge-{number}" for number in range(5)]
            assert {item["kind"] for item in found} == {"NetworkGateway"}
            assert not any("managedFields" in item["metadata"] for item in found)
            read = await ours.list_as(GATEWAY, lambda body: body["metadata"]["name"], namespace)
            assert read == [f"edge-{number}" for number in range(5)]
            only = await ours.list(GATEWAY, field_selector=f"metadata.name=edge-3,metadata.namespace={namespace}")
            assert len(only) == 1

        as_operator(cluster, story, page=2)


def test_every_kind_can_be_listed_read_and_patched(cluster: support.Cluster) -> None:
    """Without rights each of these is a 403."""

    async def story(ours: Cluster) -> None:
        for kind in KINDS:
            await ours.list(kind)
            assert await ours.get(kind, "default", "absent") is None
            for status in (False, True):
                with pytest.raises(ObjectGone):
                    await ours.patch(kind, "default", "absent", [], status=status)

    as_operator(cluster, story)


def test_unknown_kind_is_not_served(cluster: support.Cluster) -> None:
    async def story(ours: Cluster) -> None:
        # An unknown plural would be forbidden: nobody may list it.
        with pytest.raises(KindNotServed, match=r"networkgateways\.upcloud\.netgw\.dev/v9 is not served"):
            await ours.list(Ref("networkgateways", "NetworkGateway", version="v9"))
        assert await ours.served_kinds("upcloud.netgw.dev", "v1alpha1") == {kind.plural for kind in KINDS}
        assert await ours.served_kinds("absent.netgw.dev", "v1") == set()

    as_operator(cluster, story)


def test_finalizer_and_status_are_written_once_each(cluster: support.Cluster) -> None:
    with cluster.namespace() as namespace:
        cluster.apply(gateway("edge"), namespace)

        async def story(ours: Cluster) -> None:
            before = await ours.get(GATEWAY, namespace, "edge")
            assert before is not None
            add = {"op": "add", "path": "/metadata/finalizers", "value": [FINALIZER]}
            after = await ours.patch(GATEWAY, namespace, "edge", [*guarded(before), add])
            assert after["metadata"]["finalizers"] == [FINALIZER]
            with pytest.raises(WriteConflict) as conflict:
                await ours.patch(GATEWAY, namespace, "edge", [*guarded(before), add])
            assert isinstance(conflict.value, ports.WriteConflict)
            status = {"op": "add", "path": "/status", "value": {"reason": "Running"}}
            written = await ours.patch(GATEWAY, namespace, "edge", [*guarded(after), status], status=True)
            assert written["status"] == {"reason": "Running"}
            assert written["metadata"]["generation"] == before["metadata"]["generation"]

        as_operator(cluster, story)
        managers = cluster.get("ngw", "edge", namespace)["metadata"].get("managedFields")
        assert managers is None or {"netgw"} <= {entry["manager"] for entry in managers}


def test_invalid_object_is_no_conflict_and_is_not_quoted(cluster: support.Cluster) -> None:
    with cluster.namespace() as namespace:
        cluster.apply(gateway("edge"), namespace)

        async def story(ours: Cluster) -> None:
            bad = {"op": "add", "path": "/spec/features", "value": [PSK]}
            with pytest.raises(
                KubernetesError, match=r"422 Invalid spec\.features\[0\]: FieldValueNotSupported"
            ) as error:
                await ours.patch(GATEWAY, namespace, "edge", [bad])
            assert not isinstance(error.value, WriteConflict)
            assert PSK not in "".join(traceback.format_exception(error.value))

        as_operator(cluster, story)


def test_secret_data_never_shows(cluster: support.Cluster) -> None:
    with cluster.namespace() as namespace:
        manifest = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "office-psk"},
            "stringData": {"psk": PSK},
        }
        cluster.apply(yaml.safe_dump(manifest), namespace)

        async def story(ours: Cluster) -> None:
            meta = await ours.secret_metadata(namespace, "office-psk")
            secret = await ours.secret_data(namespace, "office-psk")
            assert meta is not None
            assert secret is not None
            assert secret.meta == meta
            assert meta == SecretMeta(namespace, "office-psk", meta.uid, meta.resource_version)
            assert meta.uid
            assert secret.data["psk"].get_secret_value() == PSK.encode()
            assert PSK not in f"{secret!r} {secret} {dict(secret.data)}"
            assert await ours.secret_metadata(namespace, "absent") is None
            assert await ours.secret_data(namespace, "absent") is None

        as_operator(cluster, story)


def test_secrets_of_others_cannot_be_made(cluster: support.Cluster) -> None:
    async def story(ours: Cluster) -> None:
        with pytest.raises(KubernetesError, match="cannot create resource") as error:
            await ours.create_secret("default", "made-up", {"key": SecretBytes(PSK.encode())}, {})
        assert error.value.status == 403
        assert PSK not in "".join(traceback.format_exception(error.value))

    as_operator(cluster, story)


def test_uid_of_kube_system(cluster: support.Cluster) -> None:
    async def story(ours: Cluster) -> None:
        assert await ours.namespace_uid("kube-system") == cluster.get("namespace", "kube-system")["metadata"]["uid"]

    as_operator(cluster, story)


def test_connection_is_what_another_client_needs(cluster: support.Cluster) -> None:
    async def story(ours: Cluster) -> None:
        config = yaml.safe_load(cluster.operator_kubeconfig().read_text())
        connection = await ours.connection()
        assert connection.server == config["clusters"][0]["cluster"]["server"]
        assert connection.ca_path
        assert connection.scheme == "Bearer"
        assert connection.token
        assert connection.token.get_secret_value() == config["users"][0]["user"]["token"]
        assert connection.token.get_secret_value() not in repr(connection)

    as_operator(cluster, story)


def test_refused_token_is_read_again(cluster: support.Cluster, tmp_path: Path) -> None:
    good = cluster.operator_kubeconfig().read_text()
    config = yaml.safe_load(good)
    config["users"][0]["user"]["token"] = "expired"
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))

    async def story() -> None:
        async with await Cluster.connect(str(path)) as ours:
            with pytest.raises(KubernetesError) as error:
                await ours.list(GATEWAY)
            assert error.value.status == 401
            path.write_text(good)
            await ours.list(GATEWAY)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("kubeconfig", "message"),
    [
        ("absent", "kubeconfig absent cannot be used: no such file"),
        (str(Path(__file__)), "cannot be used: not a kubeconfig"),
        (None, "no credentials for a cluster: give --kubeconfig or KUBECONFIG; not in a pod either"),
    ],
)
def test_no_credentials_is_one_line(kubeconfig: str | None, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(KubernetesError) as error:
        asyncio.run(Cluster.connect(kubeconfig))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (http("<html>made-up proxy</html>"), "the answer is no JSON"),
        (http("[]"), "the answer is no JSON"),
        (http("<html>made-up proxy</html>", "502 Bad Gateway"), ": 502"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "ClientPayloadError"),
        (b"HTTP/1.1 ", ": "),
        (b"", "no answer in time"),
    ],
)
def test_bad_answer_is_our_error(answer: bytes, message: str, tmp_path: Path) -> None:
    async def story(ours: Cluster) -> None:
        with pytest.raises(KubernetesError) as error:
            await ours.namespace_uid("kube-system")
        assert str(error.value).startswith("GET /api/v1/namespaces/kube-system: ")
        assert message in str(error.value)
        assert "made-up" not in str(error.value)
        assert error.value.__cause__ is None

    against([answer], tmp_path, story)


NAMED = '{"kind": "Status", "code": 404, "reason": "NotFound", "details": {"name": "edge"}}'
UNPROVEN = {
    "a page on the way": "<html>made-up proxy</html>",
    "no JSON object": "[]",
    "a kind that is not served": "404 page not found",
    "nothing is named": '{"kind": "Status", "code": 404, "reason": "NotFound", "details": {}}',
    "another reason": '{"kind": "Status", "code": 404, "reason": "made-up", "details": {"name": "edge"}}',
}


@pytest.mark.parametrize("body", UNPROVEN.values(), ids=UNPROVEN.keys())
def test_a_404_that_is_not_the_servers_own_word_proves_nothing(body: str, tmp_path: Path) -> None:
    """What was made for an object that is gone is deleted: that must not rest on a page of something on the way."""

    async def story(ours: Cluster) -> None:
        for call in (ours.get(KINDS[0], "default", "edge"), ours.patch(KINDS[0], "default", "edge", [])):
            with pytest.raises(KubernetesError) as error:
                await call
            assert type(error.value) is KubernetesError
            assert error.value.status == 404

    against([http(body, "404 Not Found")], tmp_path, story)


def test_a_404_that_names_the_object_is_believed(tmp_path: Path) -> None:
    async def story(ours: Cluster) -> None:
        assert await ours.get(KINDS[0], "default", "edge") is None
        with pytest.raises(ObjectGone):
            await ours.patch(KINDS[0], "default", "edge", [])

    against([http(NAMED, "404 Not Found")], tmp_path, story)


def test_no_connection_is_our_error(tmp_path: Path) -> None:
    async def story() -> None:
        kubeconfig = tmp_path / "kubeconfig"

        async def closed(_: Cluster) -> None:
            pass

        await asyncio.to_thread(against, [], tmp_path, closed)
        async with await Cluster.connect(str(kubeconfig)) as ours:
            with pytest.raises(KubernetesError, match="no connection"):
                await ours.served_kinds("upcloud.netgw.dev", "v1alpha1")

    asyncio.run(story())


def test_list_begins_again_when_its_state_is_gone(tmp_path: Path) -> None:
    first = http('{"metadata": {"continue": "made-up"}, "items": [{"metadata": {"name": "old"}}]}')
    gone = http('{"kind": "Status", "code": 410, "reason": "Expired"}', "410 Gone")
    whole = http('{"metadata": {}, "items": [{"metadata": {"name": "new"}}]}')

    async def story(ours: Cluster) -> None:
        assert await ours.list(GATEWAY) == [{"metadata": {"name": "new"}}]

    path = "GET /apis/upcloud.netgw.dev/v1alpha1/networkgateways?limit=100"
    assert against([first, gone, whole], tmp_path, story) == [path, f"{path}&continue=made-up", path]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (http("{}", "410 Gone"), WatchExpired),
        (http('{"type": "ERROR", "object": {"kind": "Status", "code": 410}}\n'), WatchExpired),
        (http('{"type": "ERROR", "object": {"kind": "Status", "code": 500}}\n'), KubernetesError),
        (http('{"type": "ADD'), KubernetesError),
        (http('{"message": "no"}', "403 Forbidden"), KubernetesError),
    ],
)
def test_broken_watch_is_our_error(answer: bytes, error: type[KubernetesError], tmp_path: Path) -> None:
    async def story(ours: Cluster) -> None:
        with pytest.raises(error, match=r"^WATCH /api/v1/namespaces/default/secrets: ") as raised:
            async for _ in ours.watch_secret_metadata("default", "1"):
                pass
        assert type(raised.value) is error

    against([answer], tmp_path, story)


def test_connection_of_a_server_without_user(tmp_path: Path) -> None:
    async def story(ours: Cluster) -> None:
        connection = await ours.connection()
        assert connection == Connection(connection.server, scheme="Bearer", token=connection.token)

    against([], tmp_path, story)
