"""Manifests asked of the real API server by dry run: what admission says to each, and what would be stored of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx

from netgw.kinds import KINDS
from support.admission import GROUP, PLURALS
from support.cluster import Cluster

AT_ONCE = 4
BY_KIND = {kind.kind: kind for kind in KINDS}


@dataclass(frozen=True)
class Answer:
    """What the API server said to one manifest; `stored`: what it would have kept."""

    kind: str
    spec: Any
    status: int
    stored: dict[str, Any] | None
    message: str


def asked(cluster: Cluster, namespace: str, inputs: Iterable[tuple[str, Any]]) -> Iterator[Answer]:
    """The answers to specs of kinds, in their order."""

    def ask(item: tuple[int, tuple[str, Any]]) -> Answer:
        number, (kind, spec) = item
        path = f"{GROUP}/namespaces/{namespace}/{PLURALS[kind]}?dryRun=All"
        name = f"input-{number}"
        body = {"apiVersion": BY_KIND[kind].api_version, "kind": kind, "metadata": {"name": name}, "spec": spec}
        answer = cluster.api("POST", path, json=body)
        stored = answer.json() if answer.status_code == httpx.codes.CREATED else None
        return Answer(kind, spec, answer.status_code, stored, answer.text if stored is None else "")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(ask, enumerate(inputs))
