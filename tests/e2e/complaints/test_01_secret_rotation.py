"""Complaint 1: "secret rotation is not noticed, or costs the tunnel". One PATCH in place, however it came."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial

from support.scenario import Scenario


def has(scenario: Scenario, key: str) -> bool:
    """Whether the tunnel has this key in the cloud, says so and carries traffic."""
    version = scenario.get("VpnTunnel", "office-1")
    reasons = [version.condition(kind).get("reason") for kind in ("Ready", "Synced", "PskInSync")]
    in_cloud = scenario.in_cloud("VpnTunnel", "office-1")["psk_sha256"]
    return reasons == ["Up", "InSync", "Accepted"] and bool(in_cloud == hashlib.sha256(key.encode()).hexdigest())


def test_edited_while_it_runs_and_while_it_is_down(scenario: Scenario, tell: Callable[[str], None]) -> None:
    """The same tunnel each time, and nothing but the key is sent."""
    scenario.site_to_site(tunnels=1)
    uuid = scenario.uuid("VpnTunnel", "office-1")
    for down in (False, True):
        since, before = len(scenario.cloud.calls()), scenario.in_cloud("VpnTunnel", "office-1")
        if down:
            scenario.operator.stop()
        key = scenario.secret()
        if down:
            scenario.operator.start()
        scenario.wait("the new key is in use", partial(has, scenario, key))
        scenario.wait_looks(2)
        (write,) = scenario.cloud.writes(since)
        assert (write.method, write.path.rsplit("/", 1)[1]) == ("PATCH", uuid)
        after = scenario.in_cloud("VpnTunnel", "office-1")
        assert {name for name in after if after[name] != before[name]} <= {"psk_sha256", "updated_at"}
    assert len(scenario.events_of("PskRotated")) == 2
    tell("Secret edited while running: 1 PATCH; while down: 1 PATCH after the start; same uuid, no other field")
