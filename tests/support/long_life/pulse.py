"""What a process that lives long uses of the machine, sampled from /proc and from its own `/metrics`."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

TASKS, BLOCKS = "netgw_asyncio_tasks", "netgw_python_blocks"
CONDITION = "netgw_object_condition"
CALLS = "netgw_cloud_"
NAME = re.compile(r'[{,]name="([^"]*)"')
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
KIB = 1024


@dataclass(frozen=True)
class Sample:
    """One look at /proc/PID, `at` seconds after the first."""

    at: float
    rss: int
    fds: int
    threads: int


@dataclass(frozen=True)
class Scrape:
    """One look at /metrics: the value of each series by its whole name."""

    series: dict[str, float]

    @classmethod
    def of(cls, text: str) -> Scrape:
        lines = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
        return cls({name: float(value) for name, _, value in lines})

    @property
    def tasks(self) -> int:
        return int(self.series[TASKS])

    @property
    def blocks(self) -> int:
        """Of memory, that Python objects use."""
        return int(self.series[BLOCKS])

    @property
    def cpu(self) -> float:
        """Seconds so far."""
        return self.series["process_cpu_seconds_total"]

    @property
    def names(self) -> set[str]:
        """Of objects that have a series of their own."""
        return {found[1] for series in self.series if (found := NAME.search(series))}

    @property
    def conditions(self) -> int:
        return sum(series.startswith(CONDITION) for series in self.series)

    @property
    def of_objects(self) -> int:
        return sum(bool(NAME.search(series)) for series in self.series)

    @property
    def of_calls(self) -> int:
        return sum(series.startswith(CALLS) for series in self.series)

    @property
    def uuids(self) -> list[str]:
        """Series whose labels would grow with every object that ever was."""
        return [series for series in self.series if UUID.search(series)]

    @classmethod
    def least(cls, looks: list[Scrape]) -> Scrape:
        """The last one, with the least tasks and blocks that any of them saw: each of both has its own passing part."""
        lows = {name: min(look.series[name] for look in looks) for name in (TASKS, BLOCKS)}
        return cls({**looks[-1].series, **lows})


def look(pid: int, since: float) -> Sample:
    """Now, on Linux."""
    folder = Path(f"/proc/{pid}")
    fields = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    rss, threads = int(fields["VmRSS"].split()[0]) * KIB, int(fields["Threads"])
    return Sample(time.monotonic() - since, rss, sum(1 for _ in (folder / "fd").iterdir()), threads)


@dataclass
class Pulse:
    """Samples a process each second, and scrapes it now and then as a Prometheus would, until `stop`."""

    pid: int
    scrape: Callable[[], str]
    every: float = 1.0
    scrape_every: float = 10.0
    samples: list[Sample] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, name="pulse")
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    @property
    def age(self) -> float:
        return time.monotonic() - self._began

    def now(self) -> Scrape:
        return Scrape.of(self.scrape())

    def least_since(self, at: float) -> Sample:
        """The smallest of each since a moment: what garbage that is not yet collected does not blur."""
        found = [sample for sample in self.samples if sample.at >= at] or [look(self.pid, self._began)]
        return Sample(
            found[-1].at,
            min(sample.rss for sample in found),
            min(sample.fds for sample in found),
            min(sample.threads for sample in found),
        )

    def _run(self) -> None:
        asked = 0.0
        while not self._over.wait(self.every):
            try:
                self.samples.append(look(self.pid, self._began))
                if self.age - asked >= self.scrape_every:
                    asked = self.age
                    self.scrape()
            except (OSError, KeyError, httpx.HTTPError):
                return  # it has ended, and whoever waits for it says so
