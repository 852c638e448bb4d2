"""What status says of a gateway: Ready is traffic and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from netgw.engine.actuator import Condition, ConditionStatus, Observation
from netgw.engine.objects import Json, Object, format_time, parse_time
from netgw.providers.upcloud.api import Gateway, Plan
from netgw.providers.upcloud.gateway.snapshot import Entry
from netgw.providers.upcloud.gateway.state import SETTING_UP, SETUP_OVERDUE, STABLE, is_ending
from netgw.providers.upcloud.tunnel.state import is_up, up_of_all


def describe(obj: Object, entry: Entry, plans: Mapping[str, Plan], now: datetime) -> Observation:
    """`plans`: those of today, by name."""
    gateway = entry.gateway
    tunnels = [is_up(tunnel) for _, tunnel in entry.tunnels()]
    plan, vpn = plans.get(gateway.plan or ""), "vpn" in gateway.features
    ready, after = _ready(obj, gateway, now)
    return Observation(
        ready=ready,
        fields={
            "operationalState": gateway.operational_state,
            "configuredStatus": gateway.configured_status,
            "plan": gateway.plan,
            "addresses": [_address(a.name, a.address) for a in gateway.addresses],
            "connections": len(entry.connections),
            "tunnels": up_of_all(tunnels) if vpn else None,
            "tunnelQuota": f"{len(tunnels)}/{plan.vpn_tunnel_amount}" if vpn and plan is not None else None,
        },
        converging=gateway.operational_state not in STABLE and ready.reason != "SetupOverdue",
        after=after,
    )


def _ready(obj: Object, gateway: Gateway, now: datetime) -> tuple[Condition, float | None]:
    """The gateway's rows of the Ready table, first that fits; and when time alone would change the answer."""
    state, before = gateway.operational_state, obj.condition("Ready") or {}
    if is_ending(gateway):
        return _verdict("False", "DeletingInCloud", f"UpCloud is deleting it (state {state}): no traffic."), None
    if gateway.configured_status == "stopped":
        return _verdict("True", "Stopped", "Stopped as configured: it carries no traffic."), None
    if state == "running":
        address = ", ".join(a.address for a in gateway.addresses if a.address)
        return _verdict("True", "Running", f"Running at {address}." if address else "Running."), None
    if before.get("status") == "True" and before.get("reason") == "Running":
        return _verdict("True", "Running", f"In state {state} after a change; it ran before."), None
    if state not in SETTING_UP:
        return _verdict(
            "Unknown",
            "StateUnknown",
            f"UpCloud says {state}, a word that netgw does not know: whether traffic flows cannot be told from it.",
        ), None
    since = _since(gateway, before, now)
    left = (since + SETUP_OVERDUE - now).total_seconds()
    if left > 0:
        return _verdict("False", "SettingUp", f"UpCloud sets it up since {format_time(since)}: no traffic yet."), left
    return _verdict(
        "False",
        "SetupOverdue",
        f"UpCloud sets it up since {format_time(since)} and is not done after {SETUP_OVERDUE.seconds // 60} minutes "
        f"(state {state}): no traffic. It has no state for a failure: ask its support about gateway {gateway.uuid}.",
    ), None


def _since(gateway: Gateway, before: Mapping[str, Json], now: datetime) -> datetime:
    """When the set-up began: with the gateway, or when it stopped being ready. `updated_at` moves with each step."""
    if before.get("status", "False") != "False":
        return now
    fell = parse_time(before.get("lastTransitionTime"))
    return gateway.created_at if fell is None else max(gateway.created_at, fell)


def _verdict(status: ConditionStatus, reason: str, message: str) -> Condition:
    return Condition("Ready", status, reason, message)


def _address(name: str, address: str | None) -> dict[str, Json]:
    return {"name": name} if address is None else {"name": name, "address": address}
