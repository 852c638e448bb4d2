from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from netgw.engine.actuator import Observation
from netgw.providers.upcloud.gateway.describe import describe
from netgw.providers.upcloud.gateway.state import SETTING_UP
from support.wire import GATEWAY_SPEC, NOW, PLANS, connection, entry, gateway, obj, tunnel

LATER = NOW + timedelta(minutes=5)
RAN = ("True", "Running")
NEVER = ("False", "Creating")


def seen(
    before: tuple[str, str] | None = None, *, minutes: float = 5, fell: str | None = None, **wire: Any
) -> Observation:
    conditions = []
    if before is not None:
        conditions = [{"type": "Ready", "status": before[0], "reason": before[1], "lastTransitionTime": fell}]
    found = obj("NetworkGateway", "edge", GATEWAY_SPEC, {"conditions": conditions})
    return describe(found, entry(gateway(**wire)), PLANS, NOW + timedelta(minutes=minutes))


TABLE: list[tuple[dict[str, Any], tuple[str, str] | None, tuple[str, str], bool]] = [
    # what is seen, Ready before, Ready now, converging
    ({"operational_state": "delete-gw"}, RAN, ("False", "DeletingInCloud"), True),
    ({"operational_state": "delete-service", "configured_status": "stopped"}, RAN, ("False", "DeletingInCloud"), True),
    ({"operational_state": "detach-link-network"}, NEVER, ("False", "DeletingInCloud"), True),
    ({"operational_state": "stopped", "configured_status": "stopped"}, RAN, ("True", "Stopped"), False),
    ({"operational_state": "pending", "configured_status": "stopped"}, RAN, ("True", "Stopped"), True),
    ({"operational_state": "running", "configured_status": "stopped"}, None, ("True", "Stopped"), False),
    ({"operational_state": "running"}, None, RAN, False),
    ({"operational_state": "running"}, ("Unknown", "StateUnknown"), RAN, False),
    ({"operational_state": "pending"}, RAN, RAN, True),
    ({"operational_state": "stopped"}, RAN, RAN, False),
    ({"operational_state": "defragmenting"}, RAN, RAN, True),
    ({"operational_state": "pending"}, ("True", "Stopped"), ("False", "SettingUp"), True),
    ({"operational_state": "pending"}, ("Unknown", "CannotObserve"), ("False", "SettingUp"), True),
    ({"operational_state": "defragmenting"}, NEVER, ("Unknown", "StateUnknown"), True),
    ({"operational_state": "stopped"}, NEVER, ("Unknown", "StateUnknown"), False),
    ({"operational_state": ""}, None, ("Unknown", "StateUnknown"), True),
    *(({"operational_state": word}, NEVER, ("False", "SettingUp"), True) for word in sorted(SETTING_UP)),
    *(({"operational_state": word}, None, ("False", "SettingUp"), True) for word in sorted(SETTING_UP)),
]


@pytest.mark.parametrize(("wire", "before", "now", "converging"), TABLE)
def test_ready(wire: dict[str, Any], before: Any, now: tuple[str, str], converging: bool) -> None:
    observation = seen(before, **wire)
    assert (observation.ready.status, observation.ready.reason) == now
    assert observation.converging is converging


def test_overdue_by_time_alone() -> None:
    """It asks to be looked at again at the very moment."""
    young = seen(NEVER, operational_state="setup-gw")
    assert young.after == 25 * 60
    old = seen(NEVER, operational_state="setup-gw", minutes=30)
    assert (old.ready.reason, old.after, old.converging) == ("SetupOverdue", None, False)
    assert "since 2026-11-22T03:00:00Z" in old.ready.message
    assert "ask its support" in old.ready.message


def test_overdue_counts_from_the_fall_of_a_gateway_that_ran() -> None:
    fell = "2026-11-22T05:00:00Z"
    assert seen(("False", "SettingUp"), operational_state="pending", minutes=140, fell=fell).ready.reason == "SettingUp"
    assert (
        seen(("False", "SettingUp"), operational_state="pending", minutes=151, fell=fell).ready.reason == "SetupOverdue"
    )


def test_a_step_of_the_set_up_does_not_begin_it_anew() -> None:
    later = NOW + timedelta(minutes=29)
    assert seen(NEVER, operational_state="setup-gw", minutes=31, updated_at=later).ready.reason == "SetupOverdue"


def test_messages() -> None:
    two = [{"name": "a", "address": "5.22.223.254"}, {"name": "b", "address": "5.22.223.255"}]
    assert seen(addresses=two).ready.message == "Running at 5.22.223.254, 5.22.223.255."
    assert seen(addresses=[{"name": "a"}]).ready.message == "Running."
    assert "defragmenting" in seen(operational_state="defragmenting").ready.message


def test_fields() -> None:
    down = tunnel(uuid="t-2", name="office-2", tunnel_up=False, operational_state="connecting")
    found = obj("NetworkGateway", "edge", GATEWAY_SPEC)
    observation = describe(found, entry(gateway(), connection(tunnel(), down)), PLANS, LATER)
    assert observation.fields == {
        "operationalState": "running",
        "configuredStatus": "started",
        "plan": "production",
        "addresses": [{"name": "public", "address": "5.22.223.254"}],
        "connections": 1,
        "tunnels": "1/2",
        "tunnelQuota": "2/2",
    }


def test_fields_of_a_gateway_without_vpn() -> None:
    fields = seen(features=["nat"], plan="development", addresses=[{"name": "public"}]).fields
    assert (fields["tunnels"], fields["tunnelQuota"]) == (None, None)
    assert fields["addresses"] == [{"name": "public"}]


def test_plan_that_nobody_knows() -> None:
    assert seen(plan="gwaas-9000").fields["tunnelQuota"] is None
    assert seen(plan=None).fields["plan"] is None
