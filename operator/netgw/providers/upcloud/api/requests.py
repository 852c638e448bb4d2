"""What is sent to UpCloud, as models with the wire's names.

Only what was given goes out: a field left alone (or None) is absent and so untouched in the cloud; `[]`, `0`, `""` and
`False` are sent as such. Where the API demands a companion, the model does. A key is a `SecretStr` up to `encode`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, PlainSerializer, SecretStr, SerializationInfo

from .models import Label, LocalAddress, RemoteAddress, Route, UuidRef

_REVEAL = object()


def _write_secret(value: SecretStr, info: SerializationInfo[Any]) -> str:
    return value.get_secret_value() if info.context is _REVEAL else str(value)


Psk = Annotated[SecretStr, PlainSerializer(_write_secret, when_used="json")]


class Request(BaseModel):
    """Base of everything that is sent. Unknown fields are refused, as the API does."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def encode(body: BaseModel) -> bytes:
    """The JSON that goes on the wire: the only place where a key is revealed."""
    text = body.model_dump_json(exclude_unset=True, exclude_none=True, context=_REVEAL)
    return text.encode()


def secrets_in(value: object) -> Iterator[str]:
    """Every secret that `encode` would reveal."""
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in value.model_fields_set:
            yield from secrets_in(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from secrets_in(item)


class PskAuthentication(Request):
    """Authentication of a new tunnel: `authentication` is `psk`; key of 8 to 64 out of A-Z a-z 0-9 _ . (no 0 first)."""

    authentication: str
    psk: Psk


class AuthenticationModify(Request):
    """Authentication in a change: `authentication` always (a 400 without since 2026-07), `psk` only to rotate it."""

    authentication: str
    psk: Psk | None = None


class _IpsecFields(Request):
    phase1_algorithms: tuple[str, ...] | None = None
    phase1_dh_group_numbers: tuple[int, ...] | None = None
    phase1_integrity_algorithms: tuple[str, ...] | None = None
    phase2_algorithms: tuple[str, ...] | None = None
    phase2_dh_group_numbers: tuple[int, ...] | None = None
    phase2_integrity_algorithms: tuple[str, ...] | None = None
    child_rekey_time: int | None = None
    rekey_time: int | None = None
    ike_lifetime: int | None = None
    dpd_delay: int | None = None
    dpd_timeout: int | None = None


class IpsecCreate(_IpsecFields):
    """IPsec settings of a new tunnel; the cloud fills in what is left alone."""

    authentication: PskAuthentication


class IpsecModify(_IpsecFields):
    """IPsec settings to change, merged into what is there."""

    authentication: AuthenticationModify


class TunnelCreate(Request):
    """A new tunnel. A `uuid` of the client's choice is documented, but no recording shows that it is honoured."""

    name: str
    local_address: LocalAddress
    remote_address: RemoteAddress
    ipsec: IpsecCreate
    tunnel_internal_ip: str | None = None
    internal_peer_ping_interval: int | None = None
    uuid: str | None = None


class TunnelModify(Request):
    """A change of a tunnel. `name` always: the API demands it although its documentation does not."""

    name: str
    local_address: LocalAddress | None = None
    remote_address: RemoteAddress | None = None
    ipsec: IpsecModify | None = None
    tunnel_internal_ip: str | None = None
    internal_peer_ping_interval: int | None = None


class ConnectionCreate(Request):
    """A new connection: `type` is `ipsec`; routes on one side, or tunnels, must be given."""

    name: str
    type: str
    local_routes: tuple[Route, ...] | None = None
    remote_routes: tuple[Route, ...] | None = None
    tunnels: tuple[TunnelCreate, ...] | None = None
    uuid: str | None = None


class ConnectionModify(Request):
    """A change of a connection. A list that is given replaces the whole list: tunnels that are not in it end.

    The operator sends routes alone: a tunnel that somebody adds between our look and our call must not end.
    """

    local_routes: tuple[Route, ...] | None = None
    remote_routes: tuple[Route, ...] | None = None
    tunnels: tuple[TunnelCreate, ...] | None = None


class AddressCreate(Request):
    """A public address of a new gateway; the cloud calls it `public-ip-1` when none is named."""

    name: str
    address: str | None = None


class AddressModify(Request):
    """A floating IP of the account for an address of a gateway; the name stays."""

    address: str


class GatewayCreate(Request):
    """A new gateway: exactly one router; `plan` may be left out here, but the API refuses that since 2026-07."""

    name: str
    zone: str
    features: tuple[str, ...]
    routers: tuple[UuidRef, ...]
    configured_status: str
    plan: str | None = None
    addresses: tuple[AddressCreate, ...] | None = None
    connections: tuple[ConnectionCreate, ...] | None = None
    labels: tuple[Label, ...] | None = None
    automatic_tunnel_internal_ip_allocation: bool | None = None


class GatewayModify(Request):
    """A change of a gateway, which turns `pending` each time. `labels` and `connections` replace the whole set.

    The operator sends neither: replaced connections get new uuids, and what others added meanwhile is lost.
    """

    name: str | None = None
    configured_status: str | None = None
    plan: str | None = None
    features: tuple[str, ...] | None = None
    connections: tuple[ConnectionCreate, ...] | None = None
    labels: tuple[Label, ...] | None = None
    automatic_tunnel_internal_ip_allocation: bool | None = None


class GatewayReplace(Request):
    """A gateway anew by PUT. What becomes of a part that is left out is documented nowhere."""

    name: str
    configured_status: str
    plan: str | None = None
    connections: tuple[ConnectionCreate, ...] | None = None
    labels: tuple[Label, ...] | None = None
    automatic_tunnel_internal_ip_allocation: bool | None = None


class LabelModify(Request):
    """A change of a label; another `key` renames it."""

    key: str | None = None
    value: str | None = None


class StaticRouteCreate(Request):
    """A route of type `user`: `route` is a prefix, `nexthop` an address. Without a `name` the cloud makes one up."""

    route: str
    nexthop: str
    name: str | None = None


class RouterCreate(Request):
    """A new router."""

    name: str
    labels: tuple[Label, ...] | None = None
    static_routes: tuple[StaticRouteCreate, ...] | None = None


class RouterModify(Request):
    """A change of a router. Lists that are given replace the whole set, but routes of type `service` stay."""

    name: str | None = None
    labels: tuple[Label, ...] | None = None
    static_routes: tuple[StaticRouteCreate, ...] | None = None


class RouterCreateEnvelope(Request):
    """`{"router": {…}}`."""

    router: RouterCreate


class RouterModifyEnvelope(Request):
    """`{"router": {…}}`."""

    router: RouterModify
