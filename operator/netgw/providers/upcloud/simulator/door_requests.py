"""Bodies of the control door: what can be forced upon a tunnel or a gateway, and what can be added behind the scenes.

Nothing here is UpCloud's: its own bodies are in `requests` and `core_requests`.
"""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from .records import Rekeying


class Forced(BaseModel):
    """Strict and closed: a mistyped key would force nothing, in silence."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ForcedTunnel(Forced):
    """POST /tunnels/{uuid}; all that is left out goes back to nature."""

    operational_state: str | None = None
    tunnel_up: bool | None = None
    tunnel_healthy: bool | None = None
    last_down_message: str | None = None
    rekeying: Rekeying | None = None


class ForcedGateway(Forced):
    """POST /gateways/{uuid}."""

    operational_state: str | None = None
    metrics: dict[str, JsonValue] | None = None


class Network(Forced):
    """POST /routers/{uuid}/networks; without a uuid one is made up."""

    uuid: str | None = None


def _ipv4(value: str) -> str:
    return str(IPv4Address(value))


class FloatingIp(Forced):
    """POST /floating-ips."""

    address: Annotated[str, AfterValidator(_ipv4), Field(json_schema_extra={"format": "ipv4"})]


class Plan(Forced):
    """An item of PUT /plans; what it holds beside these is shown as it is."""

    model_config = ConfigDict(extra="allow", strict=True)

    name: str
    supported_features: list[str]
    vpn_tunnel_amount: int
