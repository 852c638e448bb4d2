"""What the operator is made of beside its clouds: what was chosen, and what is known of Kubernetes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Protocol

from netgw.engine.objects import Known, Object, itself
from netgw.engine.ports import Kubernetes
from netgw.kube.provider import SAMPLING, Fingerprints, Intervals, Making, Namespaces, Sampling, Secrets


class World(Kubernetes, Protocol):
    """Kubernetes as the engine needs it, and whole LISTs."""

    async def list(self, kind: str, known: Known = itself) -> list[Object]: ...


class WatchedSecrets(Secrets, Protocol):
    """Secrets that tell of their changes; `watch` replaces the set that is cared for."""

    def watch(self, refs: set[tuple[str, str]]) -> None: ...


@dataclass(frozen=True)
class Options:
    """What is chosen once. `cluster` is the name in the mark on everything that we own.

    `policies`: where neither spec nor namespace says any. `own_credentials`: the namespaces that may use the operator's
    own credentials, "*" for all. `cluster_networks`: those of pods and services, for advice on routes.
    """

    cluster: str
    intervals: Intervals
    workers: int = 8
    read_only: bool = False
    sampling: Sampling = SAMPLING
    policies: Mapping[str, str] = field(default_factory=dict)
    own_credentials: frozenset[str] = frozenset({"*"})
    cluster_networks: tuple[IPv4Network, ...] = ()


class Guard(Protocol):
    """Keeps Secrets with credentials from going while objects need them; see `kube.guard.CredentialsGuard`."""

    def hold(self, refs: set[tuple[str, str]]) -> None: ...

    def look_at(self, refs: Iterable[tuple[str, str]]) -> None: ...


class Unguarded:
    """They may go at any time."""

    def hold(self, refs: set[tuple[str, str]]) -> None:
        """Nothing is done."""

    def look_at(self, refs: Iterable[tuple[str, str]]) -> None:
        """Nothing is done."""


@dataclass(frozen=True)
class Sources:
    """What is known of Kubernetes beside our own objects, and the guard of credentials."""

    secrets: WatchedSecrets
    namespaces: Namespaces
    fingerprints: Fingerprints
    making: Making
    guard: Guard = field(default_factory=Unguarded)
