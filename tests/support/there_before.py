"""What is there before the objects are: trees made by hand, and what a lost cluster leaves in the cloud."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from support.scenario import DEADLINE, Body, Scenario


def tree_by_hand(scenario: Scenario, name: str = "legacy", tunnels: int = 2, **gateway: Any) -> list[Body]:
    """A gateway, a connection and tunnels that were made without netgw: what the API answered, in this order.

    They are called legacy, legacy-conn, legacy-1 and so on; each tunnel has a key of its own. It waits until all run.
    """
    root = f"/gateway/{scenario.gateway_by_hand(name=name, addresses=[{'name': 'public'}], **gateway)}"
    routes = {"local_routes": _route("cloud", "10.7.1.0/24"), "remote_routes": _route("office", "10.7.2.0/24")}
    connection = scenario.cloud.api("POST", f"{root}/connections", {"name": f"{name}-conn", "type": "ipsec", **routes})
    below = f"{root}/connections/{connection['uuid']}/tunnels"
    made = [
        scenario.cloud.api("POST", below, tunnel_by_hand(scenario, f"{name}-{n}", n)) for n in range(1, tunnels + 1)
    ]
    scenario.foreign |= {body["uuid"] for body in (connection, *made)}
    scenario.wait(f"{name} runs", lambda: _runs(scenario, root))
    return [scenario.cloud.api("GET", root), connection, *made]


def tunnel_by_hand(scenario: Scenario, name: str, number: int) -> Body:
    """The body of a POST, with a key that nobody else has."""
    scenario.keys.append(scenario.key())
    return {
        "name": name,
        "local_address": {"name": "public"},
        "remote_address": {"address": f"100.10.7.{110 + number}"},
        "ipsec": {"authentication": {"authentication": "psk", "psk": scenario.keys[-1]}},
    }


def bind(scenario: Scenario, tree: Sequence[Body], **spec: Any) -> None:
    """An object with `import` for each of a tree, under the name that it has there; `spec` goes into all of them."""
    gateway, connection, *tunnels = (body["name"] for body in tree)
    scenario.create("NetworkGateway", gateway, {"import": {"name": gateway}, **spec})
    scenario.create(
        "VpnConnection", connection, {"gatewayRef": {"name": gateway}, "import": {"name": connection}, **spec}
    )
    for name in tunnels:
        below = {"connectionRef": {"name": connection}, "import": {"name": name}}
        scenario.create("VpnTunnel", name, {**below, **spec})


def lose_cluster(scenario: Scenario) -> list[Body]:
    """Every object vanishes from etcd and nobody is there to see it; what they were, for `apply_again`."""
    scenario.operator.stop()
    lost = [version.body for version in scenario.objects()]
    scenario.clear()
    deadline = time.monotonic() + DEADLINE
    while scenario.objects():
        assert time.monotonic() < deadline, "objects are left"
        time.sleep(0.05)
    return lost


def apply_again(scenario: Scenario, manifests: Sequence[Body]) -> None:
    """Their specs under their names: with new uids, and no status."""
    for body in manifests:
        scenario.create(body["kind"], body["metadata"]["name"], body["spec"])


def _runs(scenario: Scenario, root: str) -> bool:
    gateway = scenario.cloud.api("GET", root)
    tunnels = [tunnel for connection in gateway["connections"] for tunnel in connection["tunnels"]]
    return gateway["operational_state"] == "running" and all(tunnel["tunnel_up"] for tunnel in tunnels)


def _route(name: str, network: str) -> list[Body]:
    return [{"name": name, "type": "static", "static_network": network}]
