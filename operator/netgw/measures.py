"""The series that exist per object, as tables: name, type, help, value. Data only: `metrics.py` renders it.

Names follow Prometheus: base units, `_total` for counters (which is added when rendered), no uuid in a label. A value
of None is no series. docs/metrics.md has a row for each name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, Literal, NamedTuple, TypeVar

from netgw.engine.objects import Object, parse_time
from netgw.kube.telemetry import GatewaySample, Traffic, TunnelSample

S = TypeVar("S")


class Row(NamedTuple, Generic[S]):
    """One family with at most one value per object, of its sample and the object itself."""

    name: str
    type: Literal["counter", "gauge"]
    help: str
    value: Callable[[S, Object], float | None]


def _traffic(value: Callable[[Traffic], int]) -> Callable[[TunnelSample, Object], float | None]:
    return lambda sample, _: None if sample.traffic is None else value(sample.traffic)


def _since(_: TunnelSample, obj: Object) -> float | None:
    time = parse_time(obj.status.get("since"))
    return None if time is None else time.timestamp()


TUNNEL_LABELS = ("namespace", "name", "connection", "gateway")
TUNNEL: Sequence[Row[TunnelSample]] = (
    Row("netgw_tunnel_up", "gauge", "Whether the tunnel is up.", lambda s, _: s.up),
    Row(
        "netgw_tunnel_healthy", "gauge", "Whether a tunnel that is up has no bad log messages.", lambda s, _: s.healthy
    ),
    Row("netgw_tunnel_since_timestamp_seconds", "gauge", "When the tunnel last went up or down.", _since),
    Row("netgw_tunnel_receive_bytes", "counter", "Bytes from the peer.", _traffic(lambda t: t.received_bytes)),
    Row("netgw_tunnel_transmit_bytes", "counter", "Bytes to the peer.", _traffic(lambda t: t.sent_bytes)),
    Row("netgw_tunnel_receive_packets", "counter", "Packets from the peer.", _traffic(lambda t: t.received_packets)),
    Row("netgw_tunnel_transmit_packets", "counter", "Packets to the peer.", _traffic(lambda t: t.sent_packets)),
    Row("netgw_tunnel_up_events", "counter", "How often the tunnel came up.", lambda s, _: s.up_events),
    Row("netgw_tunnel_down_events", "counter", "How often the tunnel went down.", lambda s, _: s.down_events),
    Row(
        "netgw_tunnel_life_seconds",
        "gauge",
        "Seconds left to the newest child security association at the time of the sample.",
        lambda s, _: s.life_seconds,
    ),
    Row("netgw_tunnel_sample_age_seconds", "gauge", "Seconds since the last sample.", lambda s, _: s.age),
)

GATEWAY_LABELS = ("namespace", "name")
GATEWAY: Sequence[Row[GatewaySample]] = (
    Row(
        "netgw_gateway_nat_active_connections",
        "gauge",
        "Connections through NAT that are open.",
        lambda s, _: s.active_connections,
    ),
    Row(
        "netgw_gateway_nat_accepted_connections",
        "counter",
        "Connections that NAT accepted.",
        lambda s, _: s.accepted_connections,
    ),
    Row(
        "netgw_gateway_nat_rejected_sessions",
        "counter",
        "Sessions that NAT rejected.",
        lambda s, _: s.rejected_sessions,
    ),
    Row(
        "netgw_gateway_unknown_sas",
        "gauge",
        "IKE security associations of tunnels that the gateway does not list.",
        lambda s, _: s.unknown_sas,
    ),
    Row(
        "netgw_gateway_connections_limit",
        "gauge",
        "Connections that the plan of the gateway allows.",
        lambda s, _: s.connections_limit,
    ),
    Row("netgw_gateway_sample_age_seconds", "gauge", "Seconds since the last sample.", lambda s, _: s.age),
)
