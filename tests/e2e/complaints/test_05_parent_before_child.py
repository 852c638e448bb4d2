"""Complaint 5: "parent deleted before child". In every order: the same clean end, nothing taken along."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from functools import partial

from support.scenario import KINDS, Scenario

ORDERS = [*itertools.permutations(KINDS), ()]
"""In which the kinds of a site are deleted, each when the one before was noticed; the last site all at once."""


def make_site(scenario: Scenario, site: int) -> None:
    scenario.gateway(f"edge-{site}", routerRef={"uuid": scenario.cloud.router()})
    scenario.connection(f"office-{site}", f"edge-{site}")
    for number in (1, 2):
        scenario.tunnel(f"office-{site}-{number}", f"office-{site}")


def names(kind: str, site: int) -> list[str]:
    return {
        "NetworkGateway": [f"edge-{site}"],
        "VpnConnection": [f"office-{site}"],
        "VpnTunnel": [f"office-{site}-1", f"office-{site}-2"],
    }[kind]


def noticed(scenario: Scenario, kind: str, name: str) -> bool:
    """Gone, or it says that it is being deleted or what it waits for."""
    version = scenario.find(kind, name)
    return version is None or version.condition("Ready")["reason"] == "Deleting"


def test_every_order(scenario: Scenario, tell: Callable[[str], None]) -> None:
    scenario.secret()
    for site in range(len(ORDERS)):
        make_site(scenario, site)
    scenario.wait_all_ready(seconds=60)
    kept = scenario.gateway_by_hand(name="by-hand")
    gateways = {scenario.uuid("NetworkGateway", f"edge-{site}"): site for site in range(len(ORDERS))}
    since = len(scenario.cloud.calls())
    for step in range(len(KINDS)):
        asked = [(order[step], name) for site, order in enumerate(ORDERS) if order for name in names(order[step], site)]
        if step == 0:
            asked += [(kind, name) for kind in KINDS for name in names(kind, len(ORDERS) - 1)]
        for kind, name in asked:
            scenario.delete(kind, name)
        for kind, name in asked:
            scenario.wait(f"{kind} {name} is noticed", partial(noticed, scenario, kind, name))
    scenario.wait("all objects gone", lambda: not scenario.objects(), seconds=60)
    assert [gateway["uuid"] for gateway in scenario.cloud.gateways()] == [kept]
    depths: dict[int, list[int]] = {site: [] for site in gateways.values()}
    for call in scenario.cloud.writes(since):
        assert call.method == "DELETE"
        depths[gateways[call.path.split("/")[3]]].append(call.path.count("/"))
    assert depths == {site: [7, 7, 5, 3] for site in gateways.values()}  # two tunnels, their connection, its gateway
    reasons = Counter(event["reason"] for event in scenario.events())
    assert not reasons["CascadeBlocked"]
    tell(f"{len(ORDERS)} sites of 4, all orders and all at once: {4 * len(ORDERS)} DELETEs, child first, 0 cascades")
