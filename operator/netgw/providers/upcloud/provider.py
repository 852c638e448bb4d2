"""UpCloud as one value: the kinds' actuators over one account."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from netgw.engine.actuator import Actuator
from netgw.engine.ports import Clock
from netgw.engine.store import LinksOf, Store
from netgw.providers.upcloud.account import Account
from netgw.providers.upcloud.api import UpCloud
from netgw.providers.upcloud.base import Context
from netgw.providers.upcloud.connection.actuator import ConnectionActuator
from netgw.providers.upcloud.gateway.actuator import GatewayActuator
from netgw.providers.upcloud.tunnel.actuator import TunnelActuator
from netgw.providers.upcloud.tunnel.key import Fingerprints, Keys, Secrets
from netgw.providers.upcloud.tunnel.rollout import Rollout

LINKS: Mapping[str, LinksOf] = {
    GatewayActuator.kind: GatewayActuator.links,
    ConnectionActuator.kind: ConnectionActuator.links,
    TunnelActuator.kind: TunnelActuator.links,
}


@dataclass(frozen=True)
class Intervals:
    """Seconds between two looks: when all is quiet, and while something converges."""

    slow: float
    fast: float


@dataclass(frozen=True)
class Listener:
    """Who is told what the account learns. `changed(uuids, listed)`: see `Account`."""

    changed: Callable[[set[str], bool], None]
    recovered: Callable[[], None]
    blinded: Callable[[], None]


@dataclass(frozen=True)
class Provider:
    account: Account
    actuators: Mapping[str, Actuator]


def provider(
    api: UpCloud,
    *,
    store: Store,
    clock: Clock,
    rng: random.Random,
    cluster: str,
    intervals: Intervals,
    listener: Listener,
    secrets: Secrets,
    fingerprints: Fingerprints,
) -> Provider:
    account = Account(
        api,
        clock=clock,
        rng=rng,
        interval=intervals.slow,
        fast_interval=intervals.fast,
        managed=lambda uuid: store.holder(uuid) is not None,
        changed=listener.changed,
        recovered=listener.recovered,
        blinded=listener.blinded,
    )
    context = Context(account, store, clock, cluster)
    rollout = Rollout(store, clock, grace=min(intervals.fast, intervals.slow))
    actuators: dict[str, Actuator] = {
        GatewayActuator.kind: GatewayActuator(context),
        ConnectionActuator.kind: ConnectionActuator(context),
        TunnelActuator.kind: TunnelActuator(context, Keys(secrets, fingerprints), rollout),
    }
    return Provider(account, actuators)
