"""What one answer of a gateway's metrics says of each tunnel, and counters that never go back. Pure.

A security association (SA) is named `<connection>/<tunnel>` (API document). During a rekey a name has several; a child
may be listed under the old and under the new one. Counters begin at zero with each child, so they are added up here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from netgw.kube.telemetry import Traffic
from netgw.providers.upcloud.api import ChildSa, HeuristicState, IkeSa, Metrics, NatMetrics
from netgw.providers.upcloud.tunnel.state import UP, DownMessage

REMEMBERED_ANSWERS = 5
"""A child is remembered for so many answers without it: one that is left out must not count anew when it is back."""

EPOCH = datetime.min.replace(tzinfo=UTC)

SA = TypeVar("SA", IkeSa, ChildSa)


@dataclass(frozen=True)
class Reading:
    """One tunnel in one answer; empty where it has no SA. `children` by identity."""

    ike: IkeSa | None = None
    child: ChildSa | None = None
    heuristic: HeuristicState | None = None
    children: Mapping[str, ChildSa] = field(default_factory=dict)

    @property
    def up(self) -> bool:
        """As the metrics see it, which is only asked where the list does not say."""
        if self.heuristic is not None and self.heuristic.tunnel_up is not None:
            return self.heuristic.tunnel_up
        return self.ike is not None and self.ike.operational_state in UP

    @property
    def message(self) -> DownMessage | None:
        state = self.heuristic
        if state is None or not state.last_down_message:
            return None
        return DownMessage(state.last_down_message, state.last_down_message_updated_at)

    @property
    def rekey_seconds(self) -> tuple[tuple[str, int], ...]:
        """What is left, by kind of SA."""
        left = (("ike", self.ike and self.ike.rekey_time), ("child", self.child and self.child.rekey_time))
        return tuple((sa, seconds) for sa, seconds in left if isinstance(seconds, int))


def readings(metrics: Metrics, names: Mapping[str, str]) -> tuple[dict[str, Reading], int]:
    """By the uuid of each tunnel, whose names are given, and how many SAs belong to none of them."""
    sas = metrics.ipsec_metrics.ike_sas if metrics.ipsec_metrics is not None else ()
    ikes: dict[str, list[IkeSa]] = {}
    children: dict[str, list[ChildSa]] = {}
    unknown = 0
    for ike in sas:
        owner = names.get(ike.name or "")
        if owner is None:
            unknown += 1
        else:
            ikes.setdefault(owner, []).append(ike)
        for child in ike.child_sas:
            if (whose := names.get(child.name or "", owner)) is not None:
                children.setdefault(whose, []).append(child)
    return {uuid: _reading(ikes.get(uuid, []), children.get(uuid, [])) for uuid in names.values()}, unknown


def nat(metrics: Metrics, gateway: str) -> NatMetrics | None:
    """The NAT counters of the gateway of this name; there is one entry at most, says the API document."""
    named = [entry for entry in metrics.gateways if entry.name == gateway]
    return next(iter((*named, *metrics.gateways)), None)


def _reading(ikes: list[IkeSa], children: list[ChildSa]) -> Reading:
    states = [ike.heuristic_state for ike in ikes if ike.heuristic_state is not None]
    alive = [child for child in children if child.state in (None, "installed")]
    return Reading(
        ike=_newest(ikes),
        child=_newest(alive or children),
        heuristic=max(states, key=lambda state: state.updated_at or EPOCH, default=None),
        children=_by_identity(children),
    )


def _newest(sas: Iterable[SA]) -> SA | None:
    """By its birth, then by its age, else the last in the list, for max takes the first of equals."""
    return max(reversed(list(sas)), key=lambda sa: (sa.created_at or EPOCH, -_age(sa)), default=None)


def _age(sa: IkeSa | ChildSa) -> int:
    """Seconds."""
    return (sa.established if isinstance(sa, IkeSa) else sa.install_time) or 0


def _by_identity(children: Iterable[ChildSa]) -> dict[str, ChildSa]:
    """One that is listed twice counts once."""
    found: dict[str, ChildSa] = {}
    for number, child in enumerate(children):
        spis = f"{child.spi_in}/{child.spi_out}" if child.spi_in or child.spi_out else f"#{number}"
        found[child.unique_id or spis] = child
    return found


class Rising:
    """A counter that may begin again, made one that never goes back. A null says nothing."""

    __slots__ = ("_last", "total")

    def __init__(self) -> None:
        self._last: int | None = None
        self.total: int | None = None

    def take(self, value: int | None) -> None:
        """The next value. One that is lower than the last has begun again, at zero."""
        if value is None or value < 0:
            return
        begun = self._last is None or value < self._last
        self.total = (self.total or 0) + (value if begun else value - (self._last or 0))
        self._last = value


class Counters:
    """Bytes and packets of one child, in the order of `Traffic`. `heard`: in which answer it was last."""

    __slots__ = ("_rising", "heard")

    def __init__(self) -> None:
        self._rising = (Rising(), Rising(), Rising(), Rising())
        self.heard = 0

    def take(self, child: ChildSa, answer: int) -> None:
        self.heard = answer
        values = (child.bytes_in, child.bytes_out, child.packets_in, child.packets_out)
        for rising, value in zip(self._rising, values, strict=True):
            rising.take(value)

    def plus(self, other: Traffic) -> Traffic:
        a, b, c, d = (rising.total or 0 for rising in self._rising)
        return Traffic(
            other.received_bytes + a, other.sent_bytes + b, other.received_packets + c, other.sent_packets + d
        )


class TunnelTally:
    """All that ever went through a tunnel, as far as samples saw it."""

    def __init__(self) -> None:
        self.up_events = Rising()
        self.down_events = Rising()
        self._answers = 0
        self._children: dict[str, Counters] = {}
        self._past = Traffic()

    def take(self, reading: Reading) -> None:
        """The next sample."""
        self._answers += 1
        if reading.heuristic is not None:
            self.up_events.take(reading.heuristic.up_events)
            self.down_events.take(reading.heuristic.down_events)
        for identity, child in reading.children.items():
            self._children.setdefault(identity, Counters()).take(child, self._answers)
        gone = [i for i, counters in self._children.items() if counters.heard < self._answers - REMEMBERED_ANSWERS]
        for identity in gone:
            self._past = self._children.pop(identity).plus(self._past)

    @property
    def traffic(self) -> Traffic:
        total = self._past
        for counters in self._children.values():
            total = counters.plus(total)
        return total


class NatTally:
    """NAT of a gateway; the connections that are open now are no counter."""

    def __init__(self) -> None:
        self.accepted = Rising()
        self.rejected = Rising()

    def take(self, entry: NatMetrics | None) -> None:
        """The next sample."""
        if entry is not None:
            self.accepted.take(entry.total_accepted_connections)
            self.rejected.take(entry.total_rejected_sessions)
