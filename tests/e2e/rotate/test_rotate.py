"""A new key reaches the cloud by one PATCH in place, one tunnel after the other, however it came."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from support.operator import DELAY
from support.scenario import Scenario

TUNNELS = ("office-1", "office-2")


def settled(scenario: Scenario, key: str) -> bool:
    """Every tunnel has the key, says so and is up."""
    conditions = [scenario.get("VpnTunnel", name).condition("PskInSync") for name in TUNNELS]
    return all(c.get("status") == "True" for c in conditions) and all(scenario.has_key(name, key) for name in TUNNELS)


def warnings(scenario: Scenario) -> list[dict[str, Any]]:
    """The condition Warning of each tunnel, {} where it has none."""
    return [scenario.get("VpnTunnel", name).condition("Warning") for name in TUNNELS]


def assert_rolled_over(scenario: Scenario, since: int) -> timedelta:
    """One PATCH for each tunnel, the second when the first was up again; how long after."""
    first, second = scenario.cloud.writes(since)
    uuids = {name: scenario.uuid("VpnTunnel", name) for name in TUNNELS}
    assert (first.method, second.method) == ("PATCH", "PATCH")
    names = [name for call in (first, second) for name, uuid in uuids.items() if call.path.endswith(uuid)]
    assert sorted(names) == list(TUNNELS)
    assert second.time - first.time >= timedelta(seconds=DELAY)  # the cloud needs that to bring the first up again
    up_again = [v.revision for v in scenario.history("VpnTunnel", names[0]) if not v.status.get("interruptedAt")]
    begun = [v.revision for v in scenario.history("VpnTunnel", names[1]) if v.status.get("interruptedAt")]
    first_begun = [v.revision for v in scenario.history("VpnTunnel", names[0]) if v.status.get("interruptedAt")]
    assert first_begun[0] < min(revision for revision in up_again if revision > first_begun[0]) < begun[0]
    held = [v.condition("Synced") for v in scenario.history("VpnTunnel", names[1])]
    assert any(c.get("reason") == "RolloutHeld" and names[0] in c["message"] for c in held)
    return second.time - first.time


def test_a_shared_secret_is_edited(scenario: Scenario, tell: Callable[[str], None]) -> None:
    scenario.site_to_site()
    uuids = [scenario.uuid("VpnTunnel", name) for name in TUNNELS]
    since = len(scenario.cloud.calls())
    key = scenario.secret()
    scenario.wait("the new key is everywhere", lambda: settled(scenario, key))
    scenario.wait_all_ready()
    apart = assert_rolled_over(scenario, since)
    assert [scenario.uuid("VpnTunnel", name) for name in TUNNELS] == uuids
    connection = scenario.history("VpnConnection", "office")
    seen = [v.condition("Ready")["reason"] for v in connection if v.status.get("tunnels") in ("1/2", "2/2")]
    assert set(seen) == {"TunnelsUp"}, "traffic was cut"
    tell(f"shared Secret edited: 2 PATCHes, the second {apart.total_seconds():.2f} s after the first, uuids unchanged")


def test_a_secret_that_changed_while_nobody_looked(scenario: Scenario, tell: Callable[[str], None]) -> None:
    scenario.site_to_site()
    uuids = [scenario.uuid("VpnTunnel", name) for name in TUNNELS]
    scenario.operator.stop()
    since = len(scenario.cloud.calls())
    key = scenario.secret()
    scenario.operator.start()
    scenario.wait("the new key is everywhere", lambda: settled(scenario, key))
    scenario.wait_all_ready()
    apart = assert_rolled_over(scenario, since)
    assert [scenario.uuid("VpnTunnel", name) for name in TUNNELS] == uuids
    tell(f"Secret edited while the operator was down: 2 PATCHes, {apart.total_seconds():.2f} s apart, uuids unchanged")


def test_a_tunnel_refers_to_another_secret(scenario: Scenario) -> None:
    scenario.site_to_site()
    key = scenario.secret("new-psk")
    since = len(scenario.cloud.calls())
    scenario.change("VpnTunnel", "office-2", ipsec={"authentication": {"pskSecretRef": {"name": "new-psk"}}})
    scenario.wait_ready("VpnTunnel", "office-2")
    assert scenario.has_key("office-2", key)
    scenario.wait_all_ready()
    (call,) = scenario.cloud.writes(since)
    assert (call.method, call.path.rsplit("/", 1)[1]) == ("PATCH", scenario.uuid("VpnTunnel", "office-2"))


def test_edits_that_change_no_key(scenario: Scenario) -> None:
    """Another key of the Secret, and the same key with a newline, which is told and not sent."""
    scenario.site_to_site()
    key = scenario.keys[-1]
    since = len(scenario.cloud.calls())
    scenario.secret(key="other")
    scenario.secret(value=key + "\n")
    scenario.wait("it is told", lambda: all(warnings(scenario)))
    assert all("newline" in warning["message"] for warning in warnings(scenario))
    scenario.wait_all_ready()
    scenario.wait_looks(2)
    assert scenario.cloud.writes(since) == []
    scenario.secret(value=key)
    scenario.wait("nothing to tell", lambda: not any(warnings(scenario)))
    assert scenario.cloud.writes(since) == []


def test_a_push_that_is_asked_for(scenario: Scenario) -> None:
    """The same key once more, once."""
    scenario.site_to_site()
    since = len(scenario.cloud.calls())
    scenario.annotate("VpnTunnel", "office-1", push_psk_requested_at="2026-11-22T02:41:00Z")
    scenario.wait("it is sent", lambda: scenario.cloud.writes(since))
    handled = "lastHandledPushPskAt"
    scenario.wait("it is noted", lambda: scenario.get("VpnTunnel", "office-1").status.get(handled))
    scenario.wait_all_ready()
    assert len(scenario.cloud.writes(since)) == 1
