"""Request bodies: what may be sent, in which form. Rules that need to know the world are in `rules`.

Every schema refuses unknown keys and null, as the OpenAPI preview says (`additionalProperties: false`). Defaults of
PATCH bodies are placeholders: whether a key was sent is `model_fields_set`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError

from . import problems
from .fields import (
    Algorithms,
    DhGroups,
    Features,
    Integrities,
    InternalIp,
    Ipv4,
    LabelKey,
    LabelValue,
    Name,
    PingInterval,
    Psk,
    Seconds,
    Status,
    Uuid,
)


class Body(BaseModel):
    """Strict, closed, and silent about what was sent."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    def sent(self, key: str) -> bool:
        """Whether the request had this key."""
        return key in self.model_fields_set


class Label(Body):
    """Both keys are needed to create one; a null value is an empty one."""

    key: LabelKey
    value: LabelValue


class LabelPatch(Body):
    """`key` renames."""

    key: LabelKey = ""
    value: LabelValue = ""


class Route(Body):
    """`static_network` is judged by the rules, which have a text of their own for it."""

    name: Name
    type: Literal["static"]
    static_network: str


class LocalAddress(Body):
    """The name of an address of the service."""

    name: Name


class RemoteAddress(Body):
    """The peer."""

    address: Ipv4


class Authentication(Body):
    """`psk` is write-only; new tunnels need it, kept ones do not."""

    authentication: str
    psk: Psk = SecretStr("")


class AuthenticationPatch(Authentication):
    """2024 also took a lone `psk`."""

    authentication: str = ""


class _IpsecValues(Body):
    phase1_algorithms: Algorithms = []
    phase1_dh_group_numbers: DhGroups = []
    phase1_integrity_algorithms: Integrities = []
    phase2_algorithms: Algorithms = []
    phase2_dh_group_numbers: DhGroups = []
    phase2_integrity_algorithms: Integrities = []
    child_rekey_time: Seconds = 0
    rekey_time: Seconds = 0
    dpd_delay: Seconds = 0
    dpd_timeout: Seconds = 0
    ike_lifetime: Seconds = 0

    def values_sent(self) -> dict[str, Any]:
        """Proposals and times of the request, without the authentication."""
        return self.model_dump(exclude_unset=True, exclude={"authentication"})


class Ipsec(_IpsecValues):
    """Of a new tunnel, or of an item of a list that replaces."""

    authentication: Authentication


class IpsecPatch(_IpsecValues):
    """Merged into what the tunnel has."""

    authentication: AuthenticationPatch = AuthenticationPatch()


class Tunnel(Body):
    """A new tunnel, or an item of a list that replaces."""

    uuid: Uuid = ""
    name: Name
    local_address: LocalAddress
    remote_address: RemoteAddress
    ipsec: Ipsec
    tunnel_internal_ip: InternalIp = ""
    internal_peer_ping_interval: PingInterval = 0


class TunnelPatch(Body):
    """PATCH of one tunnel."""

    name: Name = ""
    local_address: LocalAddress = LocalAddress.model_construct(name="")
    remote_address: RemoteAddress = RemoteAddress.model_construct(address="")
    ipsec: IpsecPatch = IpsecPatch()
    tunnel_internal_ip: InternalIp = ""
    internal_peer_ping_interval: PingInterval = 0


class ConnectionPatch(Body):
    """PATCH of one connection: lists replace. `uuid`, `name` and `type` are in the OpenAPI preview alone."""

    uuid: Uuid = ""
    name: Name = ""
    type: str = "ipsec"
    local_routes: list[Route] = []
    remote_routes: list[Route] = []
    tunnels: list[Tunnel] = []


class Connection(ConnectionPatch):
    """A new connection, or an item of a list that replaces."""

    name: Name
    type: str


class RouterRef(Body):
    """The router that a service serves."""

    uuid: Uuid


class Address(Body):
    """`address`, a floating IP of the account, is in the OpenAPI preview alone."""

    name: Name
    address: Ipv4 = ""


class AddressPatch(Body):
    """PATCH of one address: which floating IP to attach."""

    address: Ipv4


Labels = Annotated[list[Label], Field(max_length=255)]


class _GatewayValues(Body):
    plan: str = ""
    labels: Labels = []
    connections: list[Connection] = []
    automatic_tunnel_internal_ip_allocation: bool = True


class GatewayCreate(_GatewayValues):
    """POST /gateway. `plan` is required by today's behaviour, judged with the rules."""

    name: Name
    zone: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}-[a-z]{3}\d$")]
    features: Features
    routers: Annotated[list[RouterRef], Field(min_length=1, max_length=1)]
    configured_status: Status
    addresses: Annotated[list[Address], Field(min_length=1, max_length=2)] = []


class GatewayPut(_GatewayValues):
    """PUT /gateway/{uuid}."""

    name: Name
    configured_status: Status


class GatewayPatch(_GatewayValues):
    """PATCH /gateway/{uuid}."""

    name: Name = ""
    configured_status: Status = "started"
    features: Features = []


B = TypeVar("B", bound=Body)


def parse(schema: type[B], raw: bytes) -> B:
    """The body as a value, or a 400 that names every field that is wrong and never what was in it."""
    try:
        return schema.model_validate_json(raw)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise problems.invalid(
            *((".".join(map(str, item["loc"])), item["msg"]) for item in found if item["loc"])
        ) from None
