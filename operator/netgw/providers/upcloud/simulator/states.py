"""States as functions of time: nothing runs in the background, every read computes what is true then.

One `delay` per step:

| event | service | tunnels, once they may come up by themselves |
|---|---|---|
| create | pending, setup-network, setup-gw, running (or stopped) | idle until running, connecting, established |
| PATCH, PUT | pending, running (or stopped); from the start when it never ran | untouched; idle at once when stopped |
| DELETE | delete-gw, delete-network, then 404 | idle at once |
| tunnel made | | idle in the answer, connecting, established |
| key, address or proposal changed | | connecting, established |
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from .records import GONE, Address, Gateway, Timeline, Tunnel

Dial = Literal["up", "idle"]

SETUP = ("setup-network", "setup-gw")
DELETION = ("delete-gw", "delete-network", GONE)
UP_STATES = frozenset({"established", "rekeying", "rekeyed"})


def restart(gateway: Gateway, now: datetime, delay: float, dial: Dial) -> None:
    """The service was created or changed: it goes through `pending` to what it is configured to be."""
    stopped = gateway.configured_status == "stopped"
    setup = () if has_run(gateway, now) else SETUP
    gateway.timeline = Timeline(now, ("pending", *setup, "stopped" if stopped else "running"), delay)
    if setup:
        gateway.first_ran_at = None if stopped else gateway.timeline.end
    if stopped:
        _cut_off(gateway, now, dial)
    elif gateway.online_at is None or gateway.online_at > now:
        gateway.online_at = gateway.timeline.end


def delete(gateway: Gateway, now: datetime, delay: float, dial: Dial) -> None:
    """The service begins to vanish."""
    gateway.deleting = True
    gateway.timeline = Timeline(now, DELETION, delay)
    _cut_off(gateway, now, dial)


def _cut_off(gateway: Gateway, now: datetime, dial: Dial) -> None:
    for tunnel in gateway.tunnels:
        tunnel.downs += natural_state(gateway, tunnel, now, dial) in UP_STATES
    gateway.online_at = None


def has_run(gateway: Gateway, now: datetime) -> bool:
    """Whether it reached `running` once, which is when it got its addresses."""
    return gateway.first_ran_at is not None and gateway.first_ran_at <= now


def addresses(gateway: Gateway, now: datetime) -> list[Address]:
    """Those that the service lists: before it has run, the ones that were asked for by name."""
    return [address for address in gateway.addresses if address.asked_for or has_run(gateway, now)]


def natural_service_state(gateway: Gateway, now: datetime) -> str:
    """`GONE` ("") when it is no more."""
    return gateway.timeline.steps[gateway.timeline.step(now)]


def updated_at(gateway: Gateway, now: datetime) -> datetime:
    """State changes move it too (recorded 2023-08-02)."""
    return max(gateway.updated_at, gateway.timeline.reached(gateway.timeline.step(now)))


def start_over(tunnel: Tunnel, now: datetime, delay: float, *, was_up: bool) -> None:
    """Something that both peers must agree on changed."""
    tunnel.since, tunnel.settle, tunnel.was_up = now, delay, was_up
    tunnel.downs += was_up


def natural_state(gateway: Gateway, tunnel: Tunnel, now: datetime, dial: Dial) -> str:
    """What the tunnel would be if the control door had not spoken."""
    if dial == "idle" or gateway.online_at is None or now < gateway.online_at:
        return "idle"
    if now <= tunnel.since:  # the answer to the very request
        return "connecting" if tunnel.was_up else "idle"
    return "connecting" if now < _established_at(gateway.online_at, tunnel) else "established"


def _established_at(online_at: datetime, tunnel: Tunnel) -> datetime:
    return max(online_at, tunnel.since) + timedelta(seconds=tunnel.settle)


@dataclass(frozen=True)
class TunnelView:
    """What an observer sees; `up_since` only while up."""

    operational_state: str
    up: bool
    healthy: bool
    up_since: datetime | None


def view(gateway: Gateway, tunnel: Tunnel, now: datetime, dial: Dial) -> TunnelView:
    """Nature, with what the control door forced on top. Health without a word of the door is good, also when idle."""
    natural, forced = natural_state(gateway, tunnel, now, dial), tunnel.forced
    state = natural if forced is None or forced.operational_state is None else forced.operational_state
    up = state in UP_STATES if forced is None or forced.tunnel_up is None else forced.tunnel_up
    healthy = forced is None or forced.tunnel_healthy is not False
    since = None
    if up and forced is not None and (natural not in UP_STATES or gateway.online_at is None):
        since = forced.at
    elif up and gateway.online_at is not None:
        since = _established_at(gateway.online_at, tunnel)
    return TunnelView(state, up, healthy, since)
