"""What `GET /gateway/{uuid}/metrics` answers: documented, never recorded, so nothing in it is required.

Where the documentation has two names or two types for one thing, both are read.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field

from .models import Items, Time, Wire


def _one_is_a_list(value: Any) -> Any:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else value


def _object_or_nothing(value: Any) -> Any:
    return value if isinstance(value, dict) else None


# A time that never came may be null, absent or empty; it must not hide the rest.
Moment = Annotated[Time | None, BeforeValidator(lambda value: value or None)]
Selectors = Annotated[tuple[str, ...], BeforeValidator(_one_is_a_list)]


class HeuristicState(Wire):
    """What the cloud makes of a tunnel's log. `last_down_message` may be older than the last up: compare the times."""

    tunnel_up: bool | None = None
    tunnel_healthy: bool | None = None
    last_down_message: str | None = None
    last_down_message_updated_at: Moment = None
    up_events: int | None = None
    down_events: int | None = None
    log_message_bad_events: int | None = None
    updated_at: Moment = None


class ChildSa(Wire):
    """An ESP security association."""

    name: str | None = None
    tunnel_id: int | None = None
    unique_id: str | None = None
    state: str | None = None
    spi_in: str | None = None
    spi_out: str | None = None
    bytes_in: int | None = None
    bytes_out: int | None = None
    packets_in: int | None = None
    packets_out: int | None = None
    rekey_time: int | None = None
    life_time: int | None = None
    install_time: int | None = None
    local_traffic_selectors: Selectors = Field(
        default=(), validation_alias=AliasChoices("local_traffic_selectors", "local_traffic_selector")
    )
    remote_traffic_selectors: Selectors = Field(
        default=(), validation_alias=AliasChoices("remote_traffic_selectors", "remote_traffic_selector")
    )
    created_at: Moment = None
    updated_at: Moment = None


class IkeSa(Wire):
    """An IKE security association; `name` is `<connection name>/<tunnel name>`, times are seconds."""

    name: str | None = None
    tunnel_id: int | None = None
    unique_id: str | None = None
    version: int | None = None
    operational_state: str | None = None
    internal_state: str | None = None
    # The wire spells it `initator`.
    initiator: bool | None = Field(default=None, validation_alias=AliasChoices("initator", "initiator"))
    local_host: str | None = None
    local_id: str | None = None
    remote_host: str | None = None
    remote_id: str | None = None
    established: int | None = None
    rekey_time: int | None = None
    reauth_time: int | None = None
    life_time: int | None = None
    install_time: int | None = None
    child_sas: Items[ChildSa] = ()
    heuristic_state: Annotated[HeuristicState | None, BeforeValidator(_object_or_nothing)] = None
    created_at: Moment = None
    updated_at: Moment = None


class IpsecMetrics(Wire):
    """The IKE security associations of a gateway; null on the wire when there are none."""

    ike_sas: Items[IkeSa] = ()


class NatMetrics(Wire):
    """NAT counters of a gateway. The documentation has two names for the rejected ones."""

    name: str | None = None
    active_connections: int | None = None
    total_accepted_connections: int | None = None
    total_rejected_sessions: int | None = Field(
        default=None, validation_alias=AliasChoices("total_rejected_sessions", "total_rejected_connections")
    )
    created_at: Moment = None
    updated_at: Moment = None


class Metrics(Wire):
    """Metrics of one gateway; `gateways` has one entry at most."""

    gateways: Items[NatMetrics] = ()
    ipsec_metrics: IpsecMetrics | None = None

    @property
    def nat(self) -> NatMetrics | None:
        """The gateway's own counters, if there are any."""
        return self.gateways[0] if self.gateways else None

    @property
    def ike_sas(self) -> tuple[IkeSa, ...]:
        """Every IKE security association: several of one name during a rekey, none of a tunnel that has none."""
        return self.ipsec_metrics.ike_sas if self.ipsec_metrics else ()
