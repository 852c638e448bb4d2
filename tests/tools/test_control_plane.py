"""The control plane: a real one does what an API server does, and none leaves anything behind."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from netgw_dev.access import Access, KubectlError
from netgw_dev.binaries import PACKAGES
from netgw_dev.control_plane import ATTEMPTS, ControlPlane, ControlPlaneError, free_ports
from netgw_dev.process import Process
from support.cluster import ROOT, Cluster
from support.eventually import eventually

PARENT = """
import sys, time
from pathlib import Path
from netgw_dev.process import Process, terminated_as_interrupted
with terminated_as_interrupted():
    child = Process("child", ["/bin/sleep", "60"], log=Path(sys.argv[1]))
    print(child.pid, flush=True)
    time.sleep(60)
"""


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def stand_ins(folder: Path, script: str) -> dict[str, Path]:
    """Programs that all do the same and also note, in `starts`, that they were started."""
    path = folder / "program"
    path.write_text(f"#!/bin/sh\necho $0 >> {folder}/starts\n{script}\n")
    path.chmod(0o755)
    return dict.fromkeys(PACKAGES, path)


def test_deleted_namespace_disappears(cluster: Cluster) -> None:
    with cluster.namespace() as name:
        assert cluster.get("namespace", name)["status"]["phase"] == "Active"
    eventually(lambda: cluster.api("GET", f"/api/v1/namespaces/{name}").status_code == 404)


def test_service_account_may_do_only_what_is_bound(cluster: Cluster) -> None:
    with cluster.namespace() as name:
        cluster.kubectl("create", "serviceaccount", "reader", "--namespace", name)
        cluster.kubectl("create", "role", "reader", "--verb=get", "--resource=configmaps", "--namespace", name)
        bind = ["rolebinding", "reader", "--role=reader", f"--serviceaccount={name}:reader", "--namespace", name]
        cluster.kubectl("create", *bind)
        cluster.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: seen}}", namespace=name)
        admin = cluster.access
        reader = dataclasses.replace(admin, kubeconfig=admin.kubeconfig_for("reader", name))
        assert reader.kubectl("get", "configmap", "seen", "--namespace", name, "-o", "name") == "configmap/seen\n"
        with pytest.raises(KubectlError, match="cannot delete resource"):
            reader.kubectl("delete", "configmap", "seen", "--namespace", name)
        with reader.client() as client:
            assert client.get(f"/api/v1/namespaces/{name}/secrets").status_code == 403


def test_files_with_tokens_are_private(cluster: Cluster) -> None:
    if "NETGW_TEST_KUBECONFIG" not in os.environ:
        assert cluster.kubeconfig.stat().st_mode & 0o077 == 0


def test_ended_part_is_named_and_quoted(tmp_path: Path) -> None:
    programs = stand_ins(tmp_path, "echo the disk is full; exit 7")
    with pytest.raises(ControlPlaneError, match=r"ended with status 7:\nthe disk is full"), ControlPlane(programs):
        pass
    assert 1 <= len((tmp_path / "starts").read_text().splitlines()) <= 2


def test_taken_port_is_tried_again_elsewhere(tmp_path: Path) -> None:
    programs = stand_ins(tmp_path, "echo listen tcp: bind: address already in use; exit 1")
    with pytest.raises(ControlPlaneError, match="address already in use"), ControlPlane(programs):
        pass
    assert ATTEMPTS <= len((tmp_path / "starts").read_text().splitlines()) <= 2 * ATTEMPTS


def test_deadline_names_who_is_late(tmp_path: Path) -> None:
    programs = stand_ins(tmp_path, "echo thinking; exec sleep 60")
    with (
        pytest.raises(ControlPlaneError, match=r"not ready in time\. kube-apiserver says:\nthinking"),
        ControlPlane(programs, deadline=1.0),
    ):
        pass


def test_handlers_of_signals_are_given_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(ControlPlaneError), ControlPlane(stand_ins(tmp_path, "exit 1")):
        pass
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
@pytest.mark.skipif(sys.platform != "linux", reason="only there the kernel ends the child of a killed parent")
def test_child_never_outlives_us(number: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log")]
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "tools")}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ, text=True, start_new_session=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert lives(child)
        parent.send_signal(number)
        parent.wait(10)
    eventually(lambda: not lives(child))


def test_stubborn_process_is_killed(tmp_path: Path) -> None:
    script = ["/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"]
    process = Process("stubborn", script, log=tmp_path / "log")
    eventually(lambda: process.tail() == "ready")
    process.stop(grace=0.2)
    assert process.returncode == -signal.SIGKILL


def test_ports_differ() -> None:
    assert len(set(free_ports(20))) == 20


def test_incomprehensible_kubeconfig_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(
        "{current-context: a, contexts: [{name: a, context: {cluster: a, user: a}}],"
        " clusters: [{name: a, cluster: {server: 'https://127.0.0.1:1'}}], users: [{name: a, user: {exec: {}}}]}"
    )
    with pytest.raises(ValueError, match="only a token or a client certificate"):
        Access(path, Path("/bin/false"), tmp_path).client()
