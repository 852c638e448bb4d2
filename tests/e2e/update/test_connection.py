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


@pytest.mark.parametrize(
    ("change", "patches", "local", "remote"),
    [
        ({"localRoutes": [LOCAL, MORE]}, 1, [LOCAL, MORE], [OFFICE]),
        ({"localRoutes": [MORE, LOCAL]}, 0, [LOCAL, MORE], [OFFICE]),
        ({"localRoutes": [LOCAL], "remoteRoutes": [OFFICE, LAB]}, 1, [LOCAL], [OFFICE, LAB]),
        ({"remoteRoutes": []}, 1, [LOCAL], []),
        ({"remoteRoutes": [route("office", "10.0.5.0/24")]}, 1, [LOCAL], [route("office", "10.0.5.0/24")]),
        ({"localRoutes": None}, 0, [LOCAL], [route("office", "10.0.5.0/24")]),
        ({"localRoutes": []}, 1, [], [route("office", "10.0.5.0/24")]),
    ],
    ids=["more", "order", "both", "cleared", "set-again", "left-out", "other-cleared"],
)
def test_connection(
    site: Scenario, shared: Scenario, change: Any, patches: int, local: list[Any], remote: list[Any]
) -> None:
    uuids = {name: site.uuid(kind, name) for kind, name in (("VpnConnection", "office"), ("VpnTunnel", "office-1"))}
    since = len(site.cloud.calls())
    site.change("VpnConnection", "office", **change)
    site.wait_for("VpnConnection", "office", Ready="TunnelsUp", Synced="InSync")
    writes = site.cloud.writes(since)
    assert [call.method for call in writes] == ["PATCH"] * patches
    assert all(call.path.endswith(f"/connections/{uuids['office']}") for call in writes)
    made = site.in_cloud("VpnConnection", "office")
    assert made["local_routes"] == [wire(item) for item in local]
    assert made["remote_routes"] == [wire(item) for item in remote]
    assert [tunnel["uuid"] for tunnel in made["tunnels"]] == [uuids["office-1"]]


def wire(item: dict[str, str]) -> dict[str, str]:
    return {"name": item["name"], "static_network": item["staticNetwork"], "type": "static"}
