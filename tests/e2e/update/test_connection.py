"""Routes change in place, as whole lists; an empty list clears."""

from __future__ import annotations

from typing import Any

import pytest

from support.scenario import Scenario, route

LOCAL, MORE = route("cloud", "10.0.1.0/24"), route("more", "10.0.3.0/24")
OFFICE, LAB = route("office", "10.0.2.0/24"), route("lab", "10.0.4.0/24")


@pytest.fixture(scope="module")
def site(standing: Scenario) -> Scenario:
    standing.site_to_site(tunnels=1)
    return standing


OTHER = route("office", "10.0.5.0/24")

CHANGES: dict[str, tuple[dict[str, Any], int, list[Any], list[Any]]] = {
    "one more": ({"localRoutes": [LOCAL, MORE]}, 1, [LOCAL, MORE], [OFFICE]),
    "another order": ({"localRoutes": [MORE, LOCAL]}, 0, [LOCAL, MORE], [OFFICE]),
    "both lists": ({"localRoutes": [LOCAL], "remoteRoutes": [OFFICE, LAB]}, 1, [LOCAL], [OFFICE, LAB]),
    "cleared": ({"remoteRoutes": []}, 1, [LOCAL], []),
    "set again": ({"remoteRoutes": [OTHER]}, 1, [LOCAL], [OTHER]),
    "left out": ({"localRoutes": None}, 0, [LOCAL], [OTHER]),
    "the other cleared": ({"localRoutes": []}, 1, [], [OTHER]),
}
"""The change, how many PATCHes it is, and the local and remote routes that the cloud has then."""


def test_routes(site: Scenario, shared: Scenario, subtests: pytest.Subtests) -> None:
    uuid, tunnel = site.uuid("VpnConnection", "office"), site.uuid("VpnTunnel", "office-1")
    for words, (change, patches, local, remote) in CHANGES.items():
        with subtests.test(words):
            since = len(site.cloud.calls())
            site.change("VpnConnection", "office", **change)
            site.wait_for("VpnConnection", "office", Ready="TunnelsUp", Synced="InSync")
            writes = site.cloud.writes(since)
            assert [(call.method, call.path.rsplit("/", 1)[1]) for call in writes] == [("PATCH", uuid)] * patches
            made = site.in_cloud("VpnConnection", "office")
            assert made["local_routes"] == [wire(item) for item in local]
            assert made["remote_routes"] == [wire(item) for item in remote]
            assert [item["uuid"] for item in made["tunnels"]] == [tunnel]


def wire(item: dict[str, str]) -> dict[str, str]:
    return {"name": item["name"], "static_network": item["staticNetwork"], "type": "static"}
