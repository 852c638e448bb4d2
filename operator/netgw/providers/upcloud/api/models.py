"""What UpCloud answers, as frozen models; field names, units and words are the wire's.

Tolerant on purpose: unknown fields are dropped, states are open strings and never enums, keys that older or newer
answers lack are optional, and null stands for an empty list. Source: developers.upcloud.com/1.3/19-network-gateways and
recorded exchanges; where the two disagree both forms are read.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, StringConstraints

Item = TypeVar("Item")


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("before the first or after the last year") from None


def _null_is_empty(value: Any) -> Any:
    return () if value is None else value


def _text_or_nothing(value: Any) -> Any:
    return value if isinstance(value, str) else None


Uuid = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,64}$")]
"""It becomes a part of paths: `..` or a page of text would be another question than was meant."""
Time = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Items = Annotated[tuple[Item, ...], BeforeValidator(_null_is_empty)]


UNCACHED = ConfigDict(cache_strings="none")
"""By default pydantic keeps up to 16,384 texts that it has read, of what is long gone too.

What is read outermost decides: a list that an answer consists of has to say so as well as its items.
"""


class Wire(BaseModel):
    """Base of everything that is read."""

    model_config = ConfigDict(
        **UNCACHED,
        frozen=True,
        extra="ignore",
        coerce_numbers_to_str=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )


# Shared by answers and requests


class UuidRef(Wire):
    """A reference by uuid, as in `routers`."""

    uuid: Uuid


class Label(Wire):
    """A label. Keys that begin with `_` are the cloud's own. A null value reads as the empty text."""

    key: str
    value: Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]


class Route(Wire):
    """A route of a connection: `type` is `static`, `static_network` an IPv4 prefix."""

    name: str
    type: str
    static_network: str


class LocalAddress(Wire):
    """The gateway's end of a tunnel, by the name of one of the gateway's addresses."""

    name: str


class RemoteAddress(Wire):
    """The peer's IPv4 address."""

    address: str


# Gateways


class Authentication(Wire):
    """How the two ends know each other: `psk`. The key itself is never returned."""

    authentication: str


class Ipsec(Wire):
    """IPsec settings of a tunnel, all filled in by the cloud. Times are seconds."""

    authentication: Authentication | None = None
    phase1_algorithms: Items[str] = ()
    phase1_dh_group_numbers: Items[int] = ()
    phase1_integrity_algorithms: Items[str] = ()
    phase2_algorithms: Items[str] = ()
    phase2_dh_group_numbers: Items[int] = ()
    phase2_integrity_algorithms: Items[str] = ()
    child_rekey_time: int | None = None
    rekey_time: int | None = None
    ike_lifetime: int | None = None
    dpd_delay: int | None = None
    dpd_timeout: int | None = None


class Tunnel(Wire):
    """A tunnel. The last four fields are younger than the recordings: None when the answer does not tell."""

    uuid: Uuid
    name: str
    local_address: LocalAddress
    remote_address: RemoteAddress
    ipsec: Ipsec
    operational_state: str
    created_at: Time
    updated_at: Time | None = None
    tunnel_up: bool | None = None
    tunnel_healthy: bool | None = None
    # The OpenAPI preview describes an object here, the documentation a text; one odd tunnel must not blind us for all.
    tunnel_internal_ip: Annotated[str | None, BeforeValidator(_text_or_nothing)] = None
    internal_peer_ping_interval: int | None = None


class Connection(Wire):
    """A VPN connection with its routes and tunnels."""

    uuid: Uuid
    name: str
    type: str
    local_routes: Items[Route] = ()
    remote_routes: Items[Route] = ()
    tunnels: Items[Tunnel] = ()
    created_at: Time
    updated_at: Time | None = None


class Address(Wire):
    """A public address of a gateway: `address` is None until one is assigned; `provisioned_by`: `service` or `user`."""

    name: str
    address: str | None = None
    provisioned_by: str | None = None


class GatewayRouter(Wire):
    """The router that a gateway is attached to."""

    uuid: Uuid
    created_at: Time | None = None


class Gateway(Wire):
    """A gateway with all below it. `connections`: None when the answer does not tell (2023), `()` when it has none."""

    uuid: Uuid
    name: str
    zone: str
    plan: str | None = None
    features: Items[str] = ()
    routers: Items[GatewayRouter] = ()
    addresses: Items[Address] = ()
    configured_status: str
    operational_state: str
    connections: tuple[Connection, ...] | None = None
    labels: Items[Label] = ()
    automatic_tunnel_internal_ip_allocation: bool | None = None
    created_at: Time
    updated_at: Time | None = None


class Plan(Wire):
    """A gateway plan. Bandwidths in Mbit/s. The numbers drift from year to year: read them, never write them down."""

    name: str
    supported_features: Items[str] = ()
    vpn_tunnel_amount: int
    server_number: int | None = None
    per_gateway_bandwidth_mbps: int | None = None
    per_gateway_max_connections: int | None = None
    per_gateway_maximum_vpn_bandwidth_mbps: int | None = None
