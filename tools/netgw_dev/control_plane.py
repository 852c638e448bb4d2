"""A real Kubernetes API server on loopback: etcd, kube-apiserver and the three controllers that deletion needs.

The same for tests and for the demo. Role-based access control is on. Everything listens on free ports of 127.0.0.1 and
lives in one temporary folder; nothing is left when the `with` block ends, however it ends.
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from netgw_dev.access import Access, write_kubeconfig, write_private
from netgw_dev.binaries import locate
from netgw_dev.process import Process, terminated_as_interrupted

ATTEMPTS = 3
# What each component says when somebody else took the port between our look and its start.
_PORT_TAKEN = "address already in use"
# Exists once the server serves and the controllers work.
_LAST_TO_APPEAR = "/api/v1/namespaces/default/serviceaccounts/default"


class ControlPlaneError(Exception):
    """It did not start; the message says which part and quotes the end of its log."""


class _PortTakenError(ControlPlaneError):
    """A free port was taken meanwhile: start again with others."""


class Part:
    """One of its programs, which may be ended and started again with the same data and on the same port."""

    def __init__(self, name: str, argv: Sequence[str | Path], folder: Path) -> None:
        self._name, self._argv, self._folder = name, argv, folder
        self._lives = 0
        self.start()

    def start(self) -> None:
        """Once more; whether it serves is for others to find out."""
        self._lives += 1
        log = self._folder / f"{self._name}-{self._lives}.log"
        self.process = Process(self._name, self._argv, log=log)

    def stop(self, grace: float = 10.0) -> None:
        """End it: SIGTERM, and SIGKILL after `grace` seconds, at once when that is 0."""
        self.process.stop(grace)


class ControlPlane:
    """`with ControlPlane() as plane:` starts it and waits until it serves; enter it from the main thread.

    Raises MissingBinaries when its programs can be neither found nor built, ControlPlaneError when it does not start.
    SIGTERM and SIGHUP count as Ctrl-C while it runs.
    """

    access: Access
    parts: Mapping[str, Part]
    """By name: `etcd`, `kube-apiserver`, `kube-controller-manager`."""

    def __init__(
        self, binaries: Mapping[str, Path] | None = None, *, deadline: float = 120.0, flags: Sequence[str] = ()
    ) -> None:
        """Programs by name (default: found or built), seconds for a start, and more flags of the API server."""
        self._binaries = binaries
        self._deadline = deadline
        self._flags = flags
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(terminated_as_interrupted())
            binaries = dict(self._binaries or locate())
            folder = stack.enter_context(_temporary_folder())
            self.access, self.parts = _start(stack, binaries, folder, self._deadline, self._flags)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    @property
    def folder(self) -> Path:
        """Goes when the control plane does; private to us."""
        return self.access.folder

    @property
    def kubeconfig(self) -> Path:
        """That of an admin (group system:masters)."""
        return self.access.kubeconfig

    def kubeconfig_for(self, service_account: str, namespace: str) -> Path:
        """Write a kubeconfig that can do what is bound to that ServiceAccount and nothing else."""
        return self.access.kubeconfig_for(service_account, namespace)


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="netgw-control-plane-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_Started = tuple[Access, Mapping[str, Part]]


def _start(
    stack: ExitStack, binaries: Mapping[str, Path], folder: Path, deadline: float, flags: Sequence[str]
) -> _Started:
    """Try with new ports when one was taken."""
    for attempt in range(1, ATTEMPTS + 1):
        work = folder / str(attempt)
        work.mkdir()
        with ExitStack() as started:
            try:
                access, parts = _start_once(started, binaries, work, time.monotonic() + deadline, flags)
            except _PortTakenError:
                if attempt == ATTEMPTS:
                    raise
                continue
            stack.enter_context(started.pop_all())
            return access, parts
    raise AssertionError("unreachable")


def _start_once(
    stack: ExitStack, binaries: Mapping[str, Path], folder: Path, deadline: float, flags: Sequence[str]
) -> _Started:
    etcd_port, peer_port, port = free_ports(3)
    token = secrets.token_urlsafe(32)
    write_private(folder / "tokens.csv", f'{token},admin,admin,"system:masters"\n')
    parts: dict[str, Part] = {}

    def start(name: str, *flags: str) -> None:
        parts[name] = Part(name, [binaries[name], *flags], folder)
        stack.callback(parts[name].stop)

    start("etcd", *_etcd_flags(folder, etcd_port, peer_port))
    start("kube-apiserver", *_apiserver_flags(folder, etcd_port, port), *flags)
    certificates = folder / "certificates"
    _wait(parts, (certificates / "apiserver.key").is_file, deadline)  # written after the certificate
    authority = base64.b64encode((certificates / "apiserver.crt").read_bytes()).decode()
    cluster = {"server": f"https://127.0.0.1:{port}", "certificate-authority-data": authority}
    kubeconfig = write_kubeconfig(folder / "admin.kubeconfig", cluster, "admin", token)
    access = Access(kubeconfig, binaries["kubectl"], folder)
    with access.client() as client:
        _wait(parts, lambda: _answers(client, "/readyz"), deadline)
        start("kube-controller-manager", *_controllers_flags(kubeconfig))
        _wait(parts, lambda: _answers(client, _LAST_TO_APPEAR), deadline)
    return access, parts


def _etcd_flags(folder: Path, port: int, peer_port: int) -> list[str]:
    url, peer_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer_port}"
    return [
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--listen-peer-urls={peer_url}",
        f"--initial-advertise-peer-urls={peer_url}",
        f"--initial-cluster=default={peer_url}",
        "--unsafe-no-fsync",  # nothing in it outlives the run
        "--log-level=error",
    ]


def _apiserver_flags(folder: Path, etcd_port: int, port: int) -> list[str]:
    certificates = folder / "certificates"
    key = certificates / "apiserver.key"  # any RSA key will do to sign tokens, and this one it makes itself
    return [
        f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        f"--cert-dir={certificates}",
        f"--secure-port={port}",
        "--bind-address=127.0.0.1",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--authorization-mode=RBAC",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--disable-admission-plugins=ServiceAccount",  # there are no pods
        "--endpoint-reconciler-type=none",
    ]


def _controllers_flags(kubeconfig: Path) -> list[str]:
    """Without these a deleted namespace stays Terminating for ever and owner references are not collected."""
    return [
        f"--kubeconfig={kubeconfig}",
        "--controllers=namespace-controller,garbage-collector-controller,serviceaccount-controller",
        "--leader-elect=false",
        "--secure-port=0",
    ]


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on now and that differ from each other."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def _wait(parts: Mapping[str, Part], ready: Callable[[], bool], deadline: float) -> None:
    """Until `ready`; an ended process or a passed deadline is an error that quotes its log."""
    while True:
        processes = [part.process for part in parts.values()]
        for process in processes:
            if process.returncode is not None:
                taken = _PORT_TAKEN in process.output()
                message = f"{process.name} ended with status {process.returncode}:\n{process.tail()}"
                raise _PortTakenError(message) if taken else ControlPlaneError(message)
        if ready():
            return
        if time.monotonic() > deadline:
            last = processes[-1]
            raise ControlPlaneError(f"The control plane was not ready in time. {last.name} says:\n{last.tail()}")
        time.sleep(0.1)


def _answers(client: httpx.Client, path: str) -> bool:
    try:
        return client.get(path).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
