"""Manifests that are accepted, changes of them, and asking the API server what it makes of that.

A change is a JSON merge patch: null takes a field away.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

import httpx

from support.cluster import MERGE_PATCH, Cluster

GROUP = "/apis/upcloud.netgw.dev/v1alpha1"
PLURALS = {
    "Router": "routers",
    "NetworkGateway": "networkgateways",
    "VpnConnection": "vpnconnections",
    "VpnTunnel": "vpntunnels",
}
UUID = "04f55cc1-bcd9-49eb-bd56-d65d7e3f2156"
OTHER_UUID = "048b6f79-d4b8-4633-bd6e-96b49cda20db"

ROUTER: dict[str, Any] = {
    "kind": "Router",
    "spec": {"staticRoutes": [{"name": "lab", "route": "10.9.0.0/16", "nexthop": "10.0.1.7"}]},
}
GATEWAY: dict[str, Any] = {
    "kind": "NetworkGateway",
    "spec": {
        "zone": "fi-hel1",
        "plan": "production",
        "features": ["vpn"],
        "routerRef": {"uuid": UUID},
        "addresses": [{"name": "public"}],
    },
}
CONNECTION: dict[str, Any] = {
    "kind": "VpnConnection",
    "spec": {
        "gatewayRef": {"name": "edge"},
        "localRoutes": [{"name": "cloud", "staticNetwork": "10.0.1.0/24"}],
        "remoteRoutes": [{"name": "office", "staticNetwork": "10.0.2.0/24"}],
    },
}
TUNNEL: dict[str, Any] = {
    "kind": "VpnTunnel",
    "spec": {
        "connectionRef": {"name": "edge-to-office"},
        "remoteAddress": {"address": "100.10.0.111"},
        "ipsec": {"authentication": {"pskSecretRef": {"name": "office-psk"}}},
    },
}


def spec(**fields: Any) -> dict[str, Any]:
    return {"spec": fields}


def routes(*networks: str) -> dict[str, Any]:
    return spec(localRoutes=[{"name": f"r{number}", "staticNetwork": net} for number, net in enumerate(networks)])


def peer(address: str) -> dict[str, Any]:
    return spec(remoteAddress={"address": address})


def ipsec(**fields: Any) -> dict[str, Any]:
    return spec(ipsec=fields)


def secret(**fields: Any) -> dict[str, Any]:
    return ipsec(authentication={"pskSecretRef": fields})


numbers = itertools.count(1)


def merge(base: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = dict(base) if isinstance(base, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def path(namespace: str, manifest: dict[str, Any]) -> str:
    return f"{GROUP}/namespaces/{namespace}/{PLURALS[manifest['kind']]}"


def post(cluster: Cluster, namespace: str, manifest: dict[str, Any], *, dry: bool) -> httpx.Response:
    named = merge({"apiVersion": "upcloud.netgw.dev/v1alpha1", "metadata": {"name": f"edge-{next(numbers)}"}}, manifest)
    query = "?fieldValidation=Strict" + ("&dryRun=All" if dry else "")
    return cluster.api("POST", path(namespace, manifest) + query, json=named)


def change(cluster: Cluster, namespace: str, manifest: dict[str, Any], patch: dict[str, Any]) -> httpx.Response:
    """The answer to a change of an object that exists."""
    made = post(cluster, namespace, manifest, dry=False)
    made.raise_for_status()
    where = f"{path(namespace, manifest)}/{made.json()['metadata']['name']}?dryRun=All"
    return cluster.api("PATCH", where, json=patch, content_type=MERGE_PATCH)


def says(response: httpx.Response, words: str) -> bool:
    """Whether the message has the words; … stands for whatever the API server puts between."""
    message = response.json()["message"]
    return re.search(".*".join(re.escape(part.strip()) for part in words.split("…")), message, re.DOTALL) is not None
