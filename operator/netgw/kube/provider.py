"""What a cloud has to offer to be managed: its kinds, and a backend that observes and changes them.

A new cloud is one folder under `providers/` that ends in a `Provider`, and one line in `kinds.py`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any, Protocol

from pydantic import SecretBytes, SecretStr

from netgw.engine.actuator import Actuator
from netgw.engine.objects import Object
from netgw.engine.ports import Clock, Reporter
from netgw.engine.store import LinksOf, Store
from netgw.kube.client import Secret, SecretMeta
from netgw.kube.kind import Kind
from netgw.kube.telemetry import Sample


class ConfigurationError(Exception):
    """The environment does not say how to reach the cloud; the message is one line."""


class Secrets(Protocol):
    """`look` answers from what is known, `read` asks for the data. Both None when there is no such Secret."""

    async def look(self, ref: tuple[str, str]) -> SecretMeta | None: ...

    async def read(self, ref: tuple[str, str]) -> Secret | None: ...


class Namespaces(Protocol):
    """The `netgw.dev/…` annotations of a namespace without their prefix: `get` as last seen, `look` not before one."""

    def get(self, namespace: str) -> Mapping[str, str]: ...

    async def look(self, namespace: str) -> Mapping[str, str]: ...


class SecretWriter(Protocol):
    """Makes Secrets and changes keys in them, each time in one step or not at all. Raises `KubernetesError`.

    `create`: `WriteConflict` where there is one already. `patch`: only the Secret that was read in this version, else
    `WriteConflict` or `ObjectGone`; keys and annotations that are not named stay.
    """

    async def create(
        self, namespace: str, name: str, data: Mapping[str, SecretBytes], annotations: Mapping[str, str]
    ) -> None: ...

    async def patch(
        self,
        meta: SecretMeta,
        *,
        put: Mapping[str, SecretBytes],
        remove: Iterable[str] = (),
        annotations: Mapping[str, str],
    ) -> None: ...


@dataclass(frozen=True)
class Making:
    """With what keys are made, where a spec asks for it. `choose` takes one character of these, for nobody to guess."""

    writer: SecretWriter
    choose: Callable[[str], str]


class Fingerprints(Protocol):
    """See `kube.fingerprint.FingerprintKey`."""

    def fingerprint(self, psk: SecretStr) -> str: ...

    def knows(self, fingerprint: str) -> bool: ...


@dataclass(frozen=True)
class Intervals:
    """Seconds between two looks: when all is quiet, and while something converges."""

    slow: float
    fast: float


@dataclass(frozen=True)
class Sampling:
    """How traffic is measured: seconds between two samples (0: never), and the share of the calls that it may take."""

    interval: float
    share: float


SAMPLING = Sampling(interval=60.0, share=0.25)


@dataclass(frozen=True)
class Listener:
    """Who is told what a backend learns, and what the backend has to know of Kubernetes.

    `managed(uuid)`: whether a living object records this uuid. `changed(uuids, listed)`: what moved in the cloud;
    `listed`: objects without a uuid are concerned as well. `refused()`: it does not take our credentials, or not for
    all that they are used for.
    `recovered()`: it answers again. `blinded(why)`: no look for too long. `serves_kind(kind)`: whether there is an
    object of this kind, so that somebody needs what is read for it.
    """

    managed: Callable[[str], bool]
    changed: Callable[[frozenset[str], bool], None]
    refused: Callable[[], None]
    recovered: Callable[[], None]
    blinded: Callable[[str], None]
    serves_kind: Callable[[str], bool] = lambda _: False


@dataclass(frozen=True)
class Parts:
    """What a backend is made of. `cluster` is the name in the mark on everything that we own.

    `listener_for` makes the listener of one credential, for the objects that it serves; `may_use_own`: whether a
    namespace may use the operator's own.
    """

    store: Store
    clock: Clock
    rng: random.Random
    cluster: str
    intervals: Intervals
    listener_for: Callable[[Callable[[Object], bool]], Listener]
    secrets: Secrets
    namespaces: Namespaces
    fingerprints: Fingerprints
    may_use_own: Callable[[str], bool]
    making: Making
    reporter: Reporter
    sampling: Sampling = SAMPLING
    cluster_networks: tuple[IPv4Network, ...] = ()


class Backend(Protocol):
    """One cloud, with every credential for it."""

    @property
    def actuators(self) -> Mapping[str, Actuator]:
        """By kind."""

    @property
    def passing_reasons(self) -> frozenset[str]:
        """Reasons of Synced that are over when the cloud answers again."""

    async def poll(self) -> None:
        """One look at everything. Never raises for what the cloud does."""

    async def run(self) -> None:
        """Poll until cancelled."""

    def look_again(self) -> None:
        """A Secret changed, or a namespace's annotations: credentials may be others now."""

    def telemetry(self) -> Iterable[Sample]:
        """What is known of traffic and calls, without a call. Being asked keeps it fresh for a while."""


class Client(Protocol):
    """The client of a cloud's API."""

    def fence(self, may_change: Callable[[], bool]) -> None:
        """Change nothing but while this says yes, asked right before each call. Before a backend is made of it."""

    async def aclose(self) -> None: ...


@dataclass(frozen=True, eq=False)
class Provider:
    """One cloud. `client` reads the environment and raises ConfigurationError; `backend` takes what `client` gave."""

    name: str
    kinds: tuple[Kind, ...]
    links: Mapping[str, LinksOf]
    client: Callable[[Mapping[str, str]], Client]
    backend: Callable[[Any, Parts], Backend]
