"""The players, each a process of its own: control plane, simulated cloud, and the operator with its own roles alone."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from netgw_dev.access import Access
from netgw_dev.binaries import locate
from netgw_dev.control_plane import ControlPlane
from netgw_dev.demo.cloud import Cloud
from netgw_dev.demo.screen import Look, Missed, Rows, Screen, Step
from netgw_dev.process import Process

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = Path("deploy/samples/site-to-site.yaml")
DELAY = 0.7
"""Seconds that one state transition takes in the cloud."""

NAMESPACE = "default"
_OBJECTS = f"/apis/upcloud.netgw.dev/v1alpha1/namespaces/{NAMESPACE}"
_EVENTS = f"/apis/events.k8s.io/v1/namespaces/{NAMESPACE}/events"
_PLURALS = ("networkgateways", "vpnconnections", "vpntunnels")
_OPERATOR_ENDS_IN = 20.0
_SETTINGS = {
    "NETGW_POLL_INTERVAL": "2",
    "NETGW_FAST_POLL_INTERVAL": "1",
    "NETGW_SECRET_INTERVAL": "2",
    "NETGW_LISTEN": "127.0.0.1:0",
    "NETGW_NAMESPACE": "netgw-system",
    "UPCLOUD_TOKEN": "madeup_token_for_the_demo",
}


@dataclass(frozen=True)
class Item:
    """One of our objects, reduced to what the demo shows and waits for; conditions are (status, reason, message)."""

    kind: str
    name: str
    uid: str
    uuid: str
    conditions: dict[str, tuple[str, str, str]]
    tunnels: str
    fingerprint: str
    interrupted: bool

    @classmethod
    def of(cls, body: dict[str, Any]) -> Item:
        """From the object as the API server shows it."""
        status = body.get("status") or {}
        return cls(
            kind=body["kind"],
            name=body["metadata"]["name"],
            uid=body["metadata"]["uid"],
            uuid=status.get("uuid") or "",
            conditions={c["type"]: (c["status"], c["reason"], c["message"]) for c in status.get("conditions", ())},
            tunnels=status.get("tunnels") or "",
            fingerprint=(status.get("psk") or {}).get("fingerprint") or "",
            interrupted=bool(status.get("interruptedAt")),
        )

    @property
    def ref(self) -> str:
        """Kind and name."""
        return f"{self.kind} {self.name}"

    @property
    def ready(self) -> bool:
        """Ready, and the cloud has what the spec says."""
        return all(self.conditions.get(kind, ("",))[0] == "True" for kind in ("Ready", "Synced"))

    @property
    def row(self) -> tuple[str, str]:
        """In a few words."""
        shown = (self.conditions.get(kind, ("Unknown", "", "")) for kind in ("Ready", "Synced"))
        (ready, why, _), (synced, why_not, _) = shown
        return self.ref, f"Ready={ready} {why}" + (f", Synced={synced} {why_not}" if synced != "True" else "")

    def told(self, kind: str) -> str:
        """One condition in full."""
        status, reason, message = self.conditions.get(kind, ("Unknown", "", "not there yet"))
        return f"{kind}={status} {reason}: {message}"


class Stage:
    """Everything that takes part, once `open_stage` has started it. The cloud is asked directly, to prove the status."""

    def __init__(self, access: Access, api: httpx.Client, cloud: Cloud, simulator: Process, operator: Process) -> None:
        self.access = access
        self.cloud = cloud
        self.operator = operator
        self._api = api
        self._simulator = simulator

    def kubectl(self, *args: str | Path, stdin: str | None = None) -> str:
        """The real one, from the root of the project. Raises KubectlError."""
        return self.access.kubectl(*args, stdin=stdin)

    def items(self) -> list[Item]:
        """All objects of ours, gateway first. Raises Missed when a player has ended."""
        self.check()
        return [Item.of(body) for plural in _PLURALS for body in self._list(f"{_OBJECTS}/{plural}")]

    def tunnels(self) -> dict[str, Item]:
        """The tunnels by name."""
        return {item.name: item for item in self.items() if item.kind == "VpnTunnel"}

    def event(self, item: Item, reason: str) -> str | None:
        """The Event of this reason about this object: type, reason and note."""
        for event in self._list(_EVENTS):
            if event["regarding"].get("uid") == item.uid and event["reason"] == reason:
                return f"{event['type']} {event['reason']}: {event['note']}"
        return None

    def check(self) -> None:
        """Raises Missed when a player has ended by itself."""
        for process in (self.operator, self._simulator):
            if process.returncode is not None:
                raise Missed(f"The {process.name} keeps running", [("exit status", str(process.returncode))])

    def evidence(self) -> Rows:
        """What may explain a step that was not observed."""
        told = [f"{item.ref}: {item.told(kind)}" for item in self._seen() for kind in item.conditions]
        return [
            ("Conditions", "\n".join(told) or "(none)"),
            ("The operator's last lines", self.operator.tail(12)),
            ("The simulator's last lines", self._simulator.tail(4)),
        ]

    def _seen(self) -> list[Item]:
        """As `items`, also when nobody answers any more."""
        try:
            return [Item.of(body) for plural in _PLURALS for body in self._list(f"{_OBJECTS}/{plural}")]
        except httpx.HTTPError:
            return []

    def _list(self, path: str) -> list[dict[str, Any]]:
        answer = self._api.get(path)
        answer.raise_for_status()
        kind = answer.json()["kind"].removesuffix("List")
        return [{**body, "kind": kind} for body in answer.json()["items"]]


def open_stage(screen: Screen, stack: ExitStack) -> Stage:
    """Start all players; `stack` ends them, the last one first."""
    binaries = locate()  # before anything moves on the screen: a build shows its own progress
    with screen.step("Kubernetes: a real API server, for this demo alone", 120):
        access = stack.enter_context(ControlPlane(binaries)).access
    with screen.step("netgw's CRDs, its ServiceAccount and roles", 60):
        access.kubectl("apply", "-f", ROOT / "crds", "-f", ROOT / "deploy" / "rbac.yaml")
        access.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd", "--all")
        operators = access.kubeconfig_for("netgw", "netgw-system")
    with screen.step("UpCloud, simulated", 30) as step:
        simulator = _start(stack, access, "simulator", *_simulator_flags(), env=_environment())
        cloud = Cloud(_said(step, simulator, r"^listening on (http://\S+)$"))
        stack.callback(cloud.close)
    with screen.step("The operator, with the rights of its ServiceAccount", 60) as step:
        settings = {**_SETTINGS, "KUBECONFIG": str(operators), "UPCLOUD_DEBUG_API_BASE_URL": cloud.url}
        operator = _start(stack, access, "operator", "run", env={**_environment(), **settings})
        probes = _said(step, operator, r"probes at (http://\S+)$")
        step.until("The operator is ready", lambda: _ready(operator, probes))
    return Stage(access, stack.enter_context(access.client()), cloud, simulator, operator)


def _simulator_flags() -> list[str]:
    """With the router that the sample's gateway wants."""
    gateway = next(yaml.safe_load_all((ROOT / SAMPLE).read_text()))
    router = gateway["spec"]["routerRef"]["uuid"]
    return ["simulate", "upcloud", "--listen", "127.0.0.1:0", "--delay", str(DELAY), "--router", router]


def _environment() -> dict[str, str]:
    """Ours without what would lead to a real cluster, a real cloud or a proxy."""
    foreign = ("NETGW_", "UPCLOUD_", "KUBE")
    return {k: v for k, v in os.environ.items() if not k.startswith(foreign) and not k.lower().endswith("_proxy")}


def _start(stack: ExitStack, access: Access, name: str, *args: str, env: dict[str, str]) -> Process:
    command = [sys.executable, "-m", "netgw.cli", *args]
    process = Process(name, command, log=access.folder / f"{name}.log", env=env)
    stack.callback(process.stop, _OPERATOR_ENDS_IN)
    return process


def _said(step: Step, process: Process, pattern: str) -> str:
    """The part in parentheses of the first line that fits."""
    found: list[str] = []

    def look() -> Look:
        found.extend(re.findall(pattern, process.output(), re.MULTILINE))
        return Look(bool(found), _life(process))

    step.until(f"The {process.name} says where it listens", look)
    return found[0]


def _ready(operator: Process, probes: str) -> Look:
    try:
        ready = httpx.get(f"{probes}/readyz", trust_env=False).is_success
    except httpx.TransportError:
        ready = False
    return Look(ready, _life(operator))


def _life(process: Process) -> Rows:
    """Raises Missed when it has ended, quoting it."""
    if process.returncode is not None:
        ended = Missed(f"The {process.name} keeps running", [("exit status", str(process.returncode))])
        ended.evidence = [("Its last lines", process.tail())]
        raise ended
    return [(process.name, last) for last in process.output().splitlines()[-1:]]


def guarded(stage: Stage, play: Callable[[Stage], None]) -> None:
    """Play; what is missed gets the stage's evidence, as long as there is a stage."""
    try:
        play(stage)
    except Missed as missed:
        missed.evidence = stage.evidence()
        raise
