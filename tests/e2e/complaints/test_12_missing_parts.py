"""Complaint 12: "a missing Secret or parent, or one bad value, wedges the object". Watched, it goes on at once.

So that no poll can be what helps, the operator polls as seldom as it does by default, and the API server's watches and
the operator's own writes have to do all.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import time
from collections.abc import Callable, Iterator

import pytest

from support.cluster import OPERATOR_NAMESPACE, OPERATOR_SERVICE_ACCOUNT
from support.grants import granted
from support.scenario import Scenario

SEED = 20261126
SOON = 5.0
"""Seconds; "about one" on a machine that does nothing else. The shortest interval that could help instead is 30."""
SELDOM = {
    "NETGW_SECRET_WATCH": "true",
    "NETGW_POLL_INTERVAL": "60",
    "NETGW_FAST_POLL_INTERVAL": "30",
    "NETGW_SECRET_INTERVAL": "300",
}


@pytest.fixture
def watching(scenario: Scenario) -> Iterator[Scenario]:
    """With the role for Secrets in its one namespace. In the end it polls as the checker expects it."""
    usual = scenario.operator.settings()
    account = f"{OPERATOR_NAMESPACE}:{OPERATOR_SERVICE_ACCOUNT}"
    with granted(scenario.cluster, "rbac-secret-watch.yaml", scenario.namespace, account):
        scenario.operator.stop()
        scenario.operator.start(**SELDOM)
        yield scenario
        scenario.operator.stop()
        scenario.operator.start(**{name: usual.get(name, "false") for name in SELDOM})


def seconds_until(scenario: Scenario, what: str, until: Callable[[], object]) -> float:
    began = time.monotonic()
    scenario.wait(what, until, seconds=SOON)
    return time.monotonic() - began


def has(scenario: Scenario, key: str) -> bool:
    wanted = hashlib.sha256(key.encode()).hexdigest()
    return bool(scenario.in_cloud("VpnTunnel", "office-1")["psk_sha256"] == wanted)


def synced(scenario: Scenario, reason: str) -> bool:
    version = scenario.get("VpnTunnel", "office-1")
    return version.condition("Synced").get("reason") == reason


def test_resumes_in_about_a_second(watching: Scenario, tell: Callable[[str], None]) -> None:
    """A Secret that comes late, a key that is bad and mended, a rotation: none waits for an interval."""
    scenario = watching
    scenario.gateway(addresses=[{"name": "public"}])
    scenario.connection()
    scenario.tunnel()
    scenario.wait("it waits", lambda: synced(scenario, "SecretNotFound"))
    key = scenario.secret(value=scenario.key() + "\n").removesuffix("\n")
    took = {
        "missing": seconds_until(
            scenario, "it is made", lambda: scenario.get("VpnTunnel", "office-1").status.get("uuid")
        )
    }
    assert has(scenario, key), "the newline is no part of the key"
    assert "newline" in scenario.get("VpnTunnel", "office-1").condition("Warning")["message"]
    scenario.wait("it has settled", lambda: synced(scenario, "InSync"))
    key = scenario.secret()
    took["rotated"] = seconds_until(scenario, "the rotation is in the cloud", lambda: has(scenario, key))
    scenario.secret(value="short")
    seconds_until(scenario, "the bad one is told", lambda: synced(scenario, "InvalidPsk"))
    assert has(scenario, key)
    key = scenario.secret()
    took["mended"] = seconds_until(scenario, "the good one is in the cloud", lambda: has(scenario, key))
    tell("watch mode, intervals of 60, 30 and 300 s: " + ", ".join(f"{what} {s:.2f} s" for what, s in took.items()))


@pytest.mark.parametrize("order", random.Random(SEED).sample(list(itertools.permutations(range(4))), 3), ids=str)
def test_any_order(watching: Scenario, order: tuple[int, ...], tell: Callable[[str], None]) -> None:
    """Each is applied when the one before was seen: everything exists in the cloud as soon as the last one is there."""
    scenario = watching
    steps: list[Callable[[], object]] = [
        scenario.secret,
        lambda: scenario.gateway(addresses=[{"name": "public"}]),
        scenario.connection,
        scenario.tunnel,
    ]
    for number in order:
        steps[number]()
        scenario.wait("it is seen", lambda: all("conditions" in version.status for version in scenario.objects()))
    took = seconds_until(
        scenario, "all exist", lambda: all(version.status.get("uuid") for version in scenario.objects())
    )
    assert [call.method for call in scenario.cloud.writes()] == ["POST"] * 3
    tell(f"order {order} of Secret, gateway, connection, tunnel: all exist {took:.2f} s after the last")
