from __future__ import annotations

import pytest

from netgw.engine.actuator import Observation
from netgw.providers.upcloud.connection.describe import describe
from support.wire import connection, gateway, tunnel

UP, DOWN, NOBODY_KNOWS = "established", "connecting", "transcending"


def seen(*states: str, stopped: bool = False) -> Observation:
    """Tunnels in these states, in an answer that has no `tunnel_up`."""
    tunnels = [
        tunnel(uuid=f"t-{number}", name=f"office-{number}", operational_state=state, tunnel_up=None)
        for number, state in enumerate(states, start=1)
    ]
    return describe(gateway(configured_status="stopped" if stopped else "started"), connection(*tunnels))


@pytest.mark.parametrize(
    ("states", "ready", "redundant", "count"),
    [
        ((), ("True", "NoTunnels"), ("False", "TooFewTunnels"), "0/0"),
        ((UP,), ("True", "TunnelsUp"), ("False", "TooFewTunnels"), "1/1"),
        ((DOWN,), ("False", "NoTunnelUp"), ("False", "TooFewTunnels"), "0/1"),
        ((UP, DOWN), ("True", "TunnelsUp"), ("False", "TooFewUp"), "1/2"),
        ((UP, "rekeying"), ("True", "TunnelsUp"), ("True", "TunnelsUp"), "2/2"),
        ((UP, UP, DOWN), ("True", "TunnelsUp"), ("True", "TunnelsUp"), "2/3"),
        ((DOWN, DOWN), ("False", "NoTunnelUp"), ("False", "TooFewUp"), "0/2"),
        ((DOWN, NOBODY_KNOWS), ("False", "NoTunnelUp"), ("False", "TooFewUp"), "0/2"),
        ((UP, NOBODY_KNOWS), ("True", "TunnelsUp"), ("False", "TooFewUp"), "1/2"),
    ],
)
def test_ready_and_redundant(
    states: tuple[str, ...], ready: tuple[str, str], redundant: tuple[str, str], count: str
) -> None:
    observation = seen(*states)
    (condition,) = observation.conditions
    assert (observation.ready.status, observation.ready.reason) == ready
    assert (condition.type, condition.status, condition.reason) == ("Redundant", *redundant)
    assert observation.fields == {"tunnels": count, "redundant": redundant[0] == "True"}


@pytest.mark.parametrize("states", [(), (UP, UP), (DOWN,)])
def test_gateway_stopped_comes_first(states: tuple[str, ...]) -> None:
    ready = seen(*states, stopped=True).ready
    assert (ready.status, ready.reason) == ("False", "GatewayStopped")
    assert "edge is stopped" in ready.message


def test_tunnels_that_are_down_are_named() -> None:
    """In a fixed order, for an order of the cloud's that changes is no news; and not all of them."""
    message = seen(*[DOWN] * 7).ready.message
    assert "office-1, office-2, office-3, office-4, office-5 and 2 more" in message
