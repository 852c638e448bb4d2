"""What a backend tells of traffic and of its own calls, in words that no cloud owns. Data only, no Prometheus.

`metrics.py` joins these samples with the objects that record the uuids, and knows no provider.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0)
"""Upper bounds of the durations of calls, in seconds; the last is the client's time-out."""


@dataclass(frozen=True)
class Part:
    """Something in the cloud: its uuid, and its name there."""

    uuid: str
    name: str


@dataclass(frozen=True)
class Traffic:
    """Bytes and packets through a tunnel, seen from the gateway. Never less than they were before in this process."""

    received_bytes: int = 0
    sent_bytes: int = 0
    received_packets: int = 0
    sent_packets: int = 0


@dataclass(frozen=True)
class TunnelSample:
    """One tunnel. None: not known, or known of a time too long ago.

    `healthy` only while up. `traffic` and the events count since the first sample of this process or of the tunnel.
    `rekey_seconds` by the security association (`ike`, `child`) and `life_seconds` of the newest child: what was left
    at the time of the sample. `age`: seconds since that.
    """

    tunnel: Part
    connection: Part
    gateway: Part
    up: bool | None
    healthy: bool | None
    traffic: Traffic | None = None
    up_events: int | None = None
    down_events: int | None = None
    rekey_seconds: tuple[tuple[str, int], ...] = ()
    life_seconds: int | None = None
    age: float | None = None


@dataclass(frozen=True)
class GatewaySample:
    """NAT of one gateway, and how many security associations the cloud named that belong to no tunnel it lists.

    `connections_limit`: how many connections its plan allows.
    """

    gateway: Part
    active_connections: int | None = None
    accepted_connections: int | None = None
    rejected_sessions: int | None = None
    unknown_sas: int | None = None
    connections_limit: int | None = None
    age: float | None = None


@dataclass(frozen=True)
class CallSample:
    """Calls to the cloud of one kind and end. `route` is a template; `status` None: no answer.

    `buckets`: how many of them took at most so many seconds as `BUCKETS` says, each bucket for itself; the last counts
    those beyond.
    """

    account: str
    method: str
    route: str
    status: int | None
    count: int
    seconds: float
    buckets: tuple[int, ...]


@dataclass(frozen=True)
class AccountSample:
    """One credential and its account. `namespace` and `secret` are empty for the operator's own.

    `hold`: the reason why no call can be made with it, None: it can. `last_look` and `expires` are seconds since 1970.
    `budget`: how many calls could go out at once; `held_back`: how many did not for want of a turn.
    """

    account: str
    namespace: str
    secret: str
    hold: str | None
    last_look: float | None
    expires: float | None
    credits: float | None
    budget: int | None
    held_back: int


Sample = TunnelSample | GatewaySample | CallSample | AccountSample


class CallLog:
    """Counts the calls of one credential."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, str, int | None], float] = {}
        self._buckets: dict[tuple[str, str, int | None], list[int]] = {}

    def add(self, method: str, route: str, status: int | None, seconds: float) -> None:
        """One call that was sent."""
        key = (method, route, status)
        self._seconds[key] = self._seconds.get(key, 0.0) + seconds
        self._buckets.setdefault(key, [0] * (len(BUCKETS) + 1))[bisect_left(BUCKETS, seconds)] += 1

    def samples(self, account: str) -> Iterator[CallSample]:
        """All calls so far; `account`: whose they are, as far as it is known."""
        for (method, route, status), seconds in self._seconds.items():
            buckets = tuple(self._buckets[method, route, status])
            yield CallSample(account, method, route, status, sum(buckets), seconds, buckets)
