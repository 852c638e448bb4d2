"""The players, each a process of its own: control plane, simulated cloud, and the operator with its own roles alone."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import httpx
import yaml

from netgw_dev.access import Access, KubectlError
from netgw_dev.control_plane import ControlPlane
from netgw_dev.demo.cloud import Cloud
from netgw_dev.demo.items import Item
from netgw_dev.demo.screen import Look, Missed, Rows, Screen, Step
from netgw_dev.process import Process

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = "deploy/samples/site-to-site.yaml"
DELAY = 0.7
"""Seconds that one state transition takes in the cloud."""

OBJECTS = 4
"""Of ours in the sample, each of them made by one POST."""

_OBJECTS = "/apis/upcloud.netgw.dev/v1alpha1/namespaces/default"
_EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events"
_KINDS = {"NetworkGateway": "networkgateways", "VpnConnection": "vpnconnections", "VpnTunnel": "vpntunnels"}
_GRACE = 20.0
_SETTINGS = {
    "NETGW_POLL_INTERVAL": "2",
    "NETGW_FAST_POLL_INTERVAL": "1",
    "NETGW_SECRET_INTERVAL": "2",
    "NETGW_LISTEN": "127.0.0.1:0",
    "NETGW_NAMESPACE": "netgw-system",
    "UPCLOUD_TOKEN": "madeup_token_for_the_demo",
}

T = TypeVar("T")


class Stage:
    """Everything that takes part; `open_stage` starts it. The cloud is asked directly, which proves the status."""

    def __init__(self, access: Access, api: httpx.Client, cloud: Cloud, simulator: Process, operator: Process) -> None:
        self.access = access
        self.cloud = cloud
        self.operator = operator
        self.kubectl = access.kubectl
        self._api = api
        self._simulator = simulator

    def items(self) -> list[Item]:
        """All objects of ours, gateway first. Raises Missed when a player has ended."""
        self.check()
        return self._items()

    def check(self) -> None:
        """Raises Missed when a player has ended by itself."""
        for player in (self.operator, self._simulator):
            _life(player)

    def tunnels(self) -> list[Item]:
        """The tunnels, by name."""
        return [item for item in self.items() if item.kind == "VpnTunnel"]

    def event(self, item: Item, reason: str) -> str | None:
        """The Event of this reason about this object, if there is one: type, reason and note."""
        for event in self._list(_EVENTS):
            if event["regarding"].get("uid") == item.uid and event["reason"] == reason:
                return f"{event['type']} {event['reason']}: {event['note']}"
        return None

    def writes(self, *, posts: int, patches: int) -> Look:
        """Whether the cloud got just so many requests."""
        seen = self.cloud.count("POST", "PATCH")
        return Look(seen == (posts, patches), [("POSTs", str(seen[0])), ("PATCHes", str(seen[1]))])

    def guarded(self, play: Callable[[], T]) -> T:
        """Play; what is missed gets what may explain it, while there is somebody to ask."""
        try:
            return play()
        except (httpx.HTTPError, KubectlError) as error:
            missed = Missed("Everybody answers", [(type(error).__name__, str(error))])
            missed.evidence = self._evidence()
            raise missed from error
        except Missed as missed:
            missed.evidence = missed.evidence or self._evidence()
            raise

    def _evidence(self) -> Rows:
        try:
            items = self._items()
        except httpx.HTTPError:
            items = []
        told = [f"{item.kind} {item.name}: {item.told(kind)}" for item in items for kind in item.conditions]
        return [
            ("Conditions", "\n".join(told) or "(none)"),
            ("The simulator's last lines", self._simulator.tail(3)),
            ("The operator's last lines", self.operator.tail(12)),
        ]

    def _items(self) -> list[Item]:
        return [Item.of(kind, body) for kind, plural in _KINDS.items() for body in self._list(f"{_OBJECTS}/{plural}")]

    def _list(self, path: str) -> list[dict[str, Any]]:
        answer = self._api.get(path)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["items"]
        return found


def open_stage(screen: Screen, stack: ExitStack, binaries: Mapping[str, Path]) -> Stage:
    """Start all players; `stack` ends them, the last one first."""
    with screen.step("A Kubernetes API server, for this demo alone", 120):
        access = stack.enter_context(ControlPlane(binaries)).access
    with screen.step("netgw's CRDs, its ServiceAccount and roles", 60):
        access.kubectl("apply", "-f", ROOT / "crds", "-f", ROOT / "deploy" / "rbac.yaml")
        access.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd", "--all")
        kubeconfig = access.kubeconfig_for("netgw", "netgw-system")
    with screen.step("UpCloud, simulated", 30) as step:
        simulator = _start(stack, access, "simulator", *_simulator_flags(), env=_environment())
        cloud = Cloud(_said(step, simulator, r"^listening on (http://\S+)$"))
        stack.callback(cloud.close)
    with screen.step("The operator, with the rights of its ServiceAccount", 60) as step:
        ways = {"KUBECONFIG": str(kubeconfig), "UPCLOUD_DEBUG_API_BASE_URL": cloud.url, "TMPDIR": str(access.folder)}
        operator = _start(stack, access, "operator", "run", env={**_environment(), **_SETTINGS, **ways})
        probes = _said(step, operator, r"probes at (http://\S+)$")
        step.until("The operator is ready", lambda: Look(_ready(probes), _life(operator)))
    return Stage(access, stack.enter_context(access.client()), cloud, simulator, operator)


def _simulator_flags() -> list[str]:
    """With the router that the sample's gateway wants."""
    gateway = next(yaml.safe_load_all((ROOT / SAMPLE).read_text()))
    router = gateway["spec"]["routerRef"]["uuid"]
    return ["simulate", "upcloud", "--listen", "127.0.0.1:0", "--delay", str(DELAY), "--router", router]


def _environment() -> dict[str, str]:
    """Ours, without what would lead to a real cluster, a real cloud or a proxy."""
    foreign = ("NETGW_", "UPCLOUD_", "KUBECONFIG")
    return {k: v for k, v in os.environ.items() if not k.startswith(foreign) and not k.lower().endswith("_proxy")}


def _start(stack: ExitStack, access: Access, name: str, *args: str, env: dict[str, str]) -> Process:
    process = Process(name, [sys.executable, "-m", "netgw.cli", *args], log=access.folder / f"{name}.log", env=env)
    stack.callback(process.stop, _GRACE)
    return process


def _said(step: Step, process: Process, pattern: str) -> str:
    """The part in parentheses of the first line that fits."""

    def found() -> list[str]:
        return re.findall(pattern, process.output(), re.MULTILINE)

    step.until(f"The {process.name} says where it listens", lambda: Look(bool(found()), _life(process)))
    return found()[0]


def _ready(probes: str) -> bool:
    try:
        return httpx.get(f"{probes}/readyz", trust_env=False).is_success
    except httpx.TransportError:
        return False


def _life(process: Process) -> Rows:
    """The last line that it wrote, if any. Raises Missed, quoting it, when it has ended."""
    if process.returncode is not None:
        missed = Missed(f"The {process.name} keeps running", [("exit status", str(process.returncode))])
        missed.evidence = [("Its last lines", process.tail())]
        raise missed
    return [(process.name, line) for line in process.output().splitlines()[-1:]]
