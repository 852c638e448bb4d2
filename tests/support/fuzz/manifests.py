"""Manifests for the fuzz of the CRDs: full ones of each kind, and what comes of a value at the border of one field."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from typing import Any

import yaml

from netgw.kinds import KINDS
from support import admission
from support.cluster import ROOT
from support.fuzz import borders

Spec = Any

PREFER: dict[str, tuple[str, ...]] = {
    "address": borders.ADDRESSES,
    "nexthop": borders.ADDRESSES,
    "tunnelInternalIp": borders.ADDRESSES,
    "staticNetwork": borders.NETWORKS,
    "route": borders.NETWORKS,
    "rotateAfter": borders.DURATIONS,
    "announce": borders.DURATIONS,
}
"""Text that says something to the rules of these fields."""
SPECIAL = {*borders.ADDRESSES, *borders.NETWORKS, *borders.DURATIONS}

FULL: dict[str, dict[str, Any]] = {
    "Router": admission.ROUTER["spec"]
    | {"name": "hub", "labels": {"env": "test"}, "credentialsSecretRef": {"name": "c"}},
    "NetworkGateway": admission.GATEWAY["spec"] | {"labels": {"env": "test"}, "credentialsSecretRef": {"name": "c"}},
    "VpnConnection": admission.CONNECTION["spec"] | {"type": "ipsec"},
    "VpnTunnel": admission.TUNNEL["spec"]
    | {
        "localAddress": {"name": "public"},
        "tunnelInternalIp": "169.254.17.1",
        "internalPeerPingInterval": 5,
        "ipsec": {
            "authentication": {
                "pskSecretRef": {"name": "office-psk"},
                "pskGeneration": {"rotateAfter": "720h", "announce": "24h"},
            },
            "phase1Algorithms": ["aes256"],
            "rekeyTime": 3600,
        },
    },
}


def schemas() -> dict[str, dict[str, Any]]:
    """The schema of the spec of each kind, from the CRDs as they are applied."""
    found = {}
    for kind in KINDS:
        crd = yaml.safe_load((ROOT / "crds" / f"{kind.group}_{kind.plural}.yaml").read_text())
        root = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        found[kind.kind] = root["properties"]["spec"]
    return found


def at_borders(kind: str, schema: dict[str, Any]) -> Iterator[Spec]:
    """Each field of a kind at each of its borders, one at a time, and left out."""
    base = FULL[kind]
    yield base
    for path, part in borders.places(schema):
        yield borders.without(base, path)
        for value in borders.borders(part):
            if _speaks(path, value):
                yield borders.planted(base, path, value)


def _speaks(path: tuple[str | int, ...], value: Any) -> bool:
    """Addresses mean something in few fields; elsewhere they are texts like any other."""
    field = next((part for part in reversed(path) if isinstance(part, str)), "")
    return not isinstance(value, str) or value not in SPECIAL or value in PREFER.get(field, ())


def some(seed: int, number: int) -> Iterator[tuple[str, Spec]]:
    """So many of all: a sample of `at_borders`, and as many with several fields at a border at once."""
    rng, known = random.Random(seed), schemas()
    single = [(kind, spec) for kind, schema in known.items() for spec in at_borders(kind, schema)]
    rng.shuffle(single)
    for kind, spec in itertools.islice(single, number * 2 // 3):
        yield kind, spec
    for turn in range(number - min(len(single), number * 2 // 3)):
        kind = list(known)[turn % len(known)]
        yield kind, borders.mixed(rng, known[kind], FULL[kind])


def text(value: Any) -> str:
    """Short enough to be read in a report."""
    shown = json.dumps(value)
    return shown if len(shown) <= 200 else shown[:199] + "…"
