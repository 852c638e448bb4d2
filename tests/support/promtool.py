"""promtool, and a Prometheus that scrapes one address until it is closed; both are built where they are missing."""

from __future__ import annotations

import contextlib
import functools
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from netgw_dev.binaries import locate
from netgw_dev.modules import observability
from netgw_dev.process import Process
from support.operator import environment

START_SECONDS = 60.0


@functools.cache
def programs() -> dict[str, Path]:
    return locate(("prometheus", "promtool"), recipe=observability())


def promtool(*argv: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [str(programs()["promtool"]), *map(str, argv)]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)


class Prometheus:
    """`query` answers at this moment."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, trust_env=False)

    def close(self) -> None:
        self._client.close()

    @property
    def ready(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return self._client.get("/-/ready").is_success
        return False

    def query(self, expr: str) -> list[dict[str, Any]]:
        """The series; what cannot be parsed fails."""
        answer = self._client.post("/api/v1/query", data={"query": expr})
        assert answer.is_success, f"{expr}: {answer.text}"
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found

    def alerts(self) -> set[str]:
        """The names of those that fire or are about to."""
        return {alert["labels"]["alertname"] for alert in self._client.get("/api/v1/alerts").json()["data"]["alerts"]}


@contextlib.contextmanager
def prometheus(target: str, folder: Path, *rules: Path) -> Iterator[Prometheus]:
    """It scrapes `target` (host:port) each second; labels of ours go before its own, as with the ServiceMonitor."""
    folder.mkdir()
    targets = {"targets": [target], "labels": {"namespace": "monitoring"}}
    jobs = [{"job_name": "netgw", "honor_labels": True, "static_configs": [targets]}]
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "scrape_configs": jobs,
        "rule_files": [str(path) for path in rules],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    argv = [str(programs()["prometheus"]), f"--config.file={folder / 'prometheus.yml'}"]
    argv += [f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={listen}"]
    process = Process("prometheus", argv, log=folder / "prometheus.log", env=environment())
    opened = Prometheus(f"http://{listen}")
    try:
        deadline = time.monotonic() + START_SECONDS
        while not opened.ready:
            assert process.returncode is None, process.tail(20)
            assert time.monotonic() < deadline, process.tail(20)
            time.sleep(0.1)
        yield opened
    finally:
        opened.close()
        process.stop()
