"""The simulator and the operator as the processes that users run, started, killed and ended by tests."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from netgw_dev.process import Process
from netgw_dev.threads import PerThread
from support.cluster import OPERATOR_NAMESPACE
from support.life import Life

LIST = "GET /1.3/gateway?limit=100&offset=0"
LIST_OF_ROUTERS = "GET /1.3/router"
POLL_INTERVAL, FAST_POLL_INTERVAL, SECRET_INTERVAL = 0.5, 0.3, 0.4
DELAY = 0.15
START_SECONDS = 60.0
DRAIN_SECONDS = 20.0
"""What netgw may take to end."""
PROBES = r"probes at (http://[\w.:]+)"
"""Where, in a line of either format."""
_NETGW = [sys.executable, "-m", "netgw.cli"]


def environment(**ours: str) -> dict[str, str]:
    """That of the test run, without any setting of ours and without anybody's credentials."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("NETGW_", "UPCLOUD_")) and k != "KUBECONFIG"}
    return kept | ours


def made_up(prefix: str) -> str:
    """A value that looks made up and whose end is found nowhere by chance: hexadecimal text has none of its letters."""
    return f"madeup_{prefix}_" + "".join(secrets.choice("ghjkmnpqrstvwxyz") for _ in range(20))


def announced(process: Life, pattern: str) -> str:
    """The first group of the first line that matches, waited for."""
    deadline = time.monotonic() + START_SECONDS
    while (found := re.search(pattern, process.output())) is None:
        assert process.returncode is None, f"{process.name} ended with {process.returncode}:\n{process.tail()}"
        assert time.monotonic() < deadline, f"{process.name} does not say {pattern}:\n{process.tail()}"
        time.sleep(0.05)
    return found[1]


@dataclass(frozen=True)
class Call:
    """A request that the simulator had. `status` is None while it is under way and when its answer was dropped."""

    method: str
    path: str
    status: int | None
    time: datetime

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Simulator:
    """`netgw simulate upcloud` and both its doors: the cloud's API, as one uses it by hand, and the control door."""

    def __init__(
        self,
        folder: Path,
        *,
        routers: Sequence[str] = (),
        accounts: Mapping[str, str] | None = None,
        delay: float = DELAY,
    ) -> None:
        """`accounts`: which one each token opens, and the first of them is what one uses by hand; none: any does."""
        flags = ["--delay", str(delay), *(word for router in routers for word in ("--router", router))]
        flags += [word for token, name in (accounts or {}).items() for word in ("--account", f"{token}={name}")]
        by_hand = next(iter(accounts or {}), "by-hand")
        argv = ["simulate", "upcloud", *flags]
        folder.mkdir()
        self._process = self._launch(argv, folder / "simulator.log")
        self.url = announced(self._process, r"^listening on (\S+)")
        headers = {"Authorization": f"Bearer {by_hand}"}
        self._client = httpx.Client(base_url=self.url, headers=headers, transport=PerThread(), trust_env=False)

    def stop(self) -> None:
        self._client.close()
        self._process.stop()

    def _launch(self, argv: list[str], log: Path) -> Life:
        return Process("simulator", [*_NETGW, *argv], log=log, env=environment())

    def api(self, method: str, path: str, json: Any = None, *, token: str | None = None) -> Any:
        """A call of the cloud's own API, `path` without /1.3; it counts among the calls."""
        headers = None if token is None else {"Authorization": f"Bearer {token}"}
        answer = self._client.request(method, f"/1.3{path}", json=json, headers=headers)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def by_hand(self, method: str, path: str, json: Any = None, *, token: str) -> None:
        """As `api`, by somebody who tries again where a fault that was meant for the operator meets them instead."""
        for _ in range(20):
            headers = {"Authorization": f"Bearer {token}"}
            with contextlib.suppress(httpx.TransportError):
                if self._client.request(method, f"/1.3{path}", json=json, headers=headers).is_success:
                    return
        raise AssertionError(f"{method} {path} fails again and again")

    def door(self, method: str, path: str, json: Any = None) -> Any:
        """A call of the control door, `path` without /_sim."""
        answer = self._client.request(method, f"/_sim{path}", json=json)
        assert answer.is_success, f"{method} /_sim{path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def calls(self, *methods: str, since: int = 0) -> list[Call]:
        """What was asked since the `since`th call of this scenario, of these methods or of all."""
        told = [Call(**{**call, "time": datetime.fromisoformat(call["time"])}) for call in self.door("GET", "/calls")]
        return [call for call in told[since:] if not methods or call.method in methods]

    def writes(self, since: int = 0) -> list[Call]:
        """Those calls that change gateways or anything below them."""
        calls = self.calls("POST", "PUT", "PATCH", "DELETE", since=since)
        return [call for call in calls if call.path.startswith("/1.3/gateway")]

    def faults(self, *faults: Mapping[str, Any]) -> None:
        self.door("POST", "/faults", list(faults))

    def gateways(self) -> list[dict[str, Any]]:
        """All that the cloud holds, connections and tunnels inside; of keys only `psk_sha256`."""
        found: list[dict[str, Any]] = self.door("GET", "/world")["gateways"]
        return found

    def routers(self) -> list[dict[str, Any]]:
        """All that it holds."""
        found: list[dict[str, Any]] = self.door("GET", "/world")["routers"]
        return found

    def router(self, token: str | None = None) -> str:
        """A new router; a router has at most one gateway."""
        made = self.api("POST", "/router", {"router": {"name": f"r-{secrets.token_hex(4)}"}}, token=token)
        return str(made["router"]["uuid"])


class Operator:
    """`netgw run` under the roles of deploy/rbac.yaml. It may be started again; each life has a log of its own."""

    def __init__(self, kubeconfig: Path, cloud: str, folder: Path, **settings: str) -> None:
        self.token = made_up("token")
        self.killed = False
        """Whether its last life ended by `kill`."""
        self._folder = folder
        folder.mkdir()
        self._environment = environment(
            KUBECONFIG=str(kubeconfig),
            UPCLOUD_TOKEN=self.token,
            UPCLOUD_DEBUG_API_BASE_URL=cloud,
            NETGW_NAMESPACE=OPERATOR_NAMESPACE,
            NETGW_LISTEN="127.0.0.1:0",
            NETGW_POLL_INTERVAL=str(POLL_INTERVAL),
            NETGW_FAST_POLL_INTERVAL=str(FAST_POLL_INTERVAL),
            NETGW_SECRET_INTERVAL=str(SECRET_INTERVAL),
            **{"NETGW_METRICS_INTERVAL": "0"} | settings,  # the checker scrapes: nobody is to be asked because of that
        )
        self._lives: list[Life] = []

    @property
    def process(self) -> Life:
        """Its present or last life."""
        return self._lives[-1]

    @property
    def alive(self) -> bool:
        return bool(self._lives) and self.process.returncode is None

    def settings(self) -> dict[str, str]:
        """Those of its next life."""
        return {name: value for name, value in self._environment.items() if name.startswith("NETGW_")}

    def log(self) -> str:
        """What it wrote in all its lives."""
        return "".join(life.output() for life in self._lives)

    def begin(self, cloud: str | None = None, **settings: str) -> None:
        """Start it, without waiting until it works; `cloud` is asked instead of the simulator.

        `settings` hold for this life and those after it.
        """
        self._environment |= settings
        log = self._folder / f"operator-{len(self._lives) + 1}.log"
        environment = self._environment | ({} if cloud is None else {"UPCLOUD_DEBUG_API_BASE_URL": cloud})
        self._lives.append(self._launch(log, environment))
        self.killed = False

    def wait_ready(self) -> None:
        """Until `/readyz` says so."""
        probes = announced(self.process, PROBES)
        deadline = time.monotonic() + START_SECONDS
        while not self._ready(probes):
            assert self.alive, f"the operator ended with {self.process.returncode}:\n{self.process.tail(30)}"
            assert time.monotonic() < deadline, f"the operator is not ready:\n{self.process.tail(30)}"
            time.sleep(0.05)

    def start(self, cloud: str | None = None, **settings: str) -> None:
        """`begin`, and wait until it is ready."""
        self.begin(cloud, **settings)
        self.wait_ready()

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self.killed = True
        self.process.stop(grace=0)

    def terminate(self) -> None:
        """SIGTERM, without waiting."""
        self.process.signal(signal.SIGTERM)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when that is not heeded."""
        if self._lives:
            self.process.stop(grace=DRAIN_SECONDS)

    def command(self, *args: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Another command of netgw, in the environment of the operator; `settings` over it, also of other variables."""
        environment = self._environment | settings
        argv = [*_NETGW, *args]
        return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)

    def argv(self) -> str:
        """Its command line as every user of the machine can read it; "" where there is no /proc."""
        path = Path(f"/proc/{self.process.pid}/cmdline")
        return path.read_bytes().decode(errors="replace") if self.alive and path.exists() else ""

    def metrics(self) -> str:
        """What a scraper gets."""
        probes = announced(self.process, PROBES)
        return httpx.get(f"{probes}/metrics", trust_env=False).raise_for_status().text

    def _launch(self, log: Path, environment: Mapping[str, str]) -> Life:
        return Process("operator", [*_NETGW, "run"], log=log, env=environment)

    @staticmethod
    def _ready(probes: str) -> bool:
        try:
            return httpx.get(f"{probes}/readyz", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False


def ended(process: Life, within: float) -> int:
    """The exit status of a process, waited for."""
    deadline = time.monotonic() + within
    while (status := process.returncode) is None:
        assert time.monotonic() < deadline, f"{process.name} is still there after {within} s:\n{process.tail(30)}"
        time.sleep(0.05)
    return status
