"""Routers, zones and the account: the older part of the API, where every answer comes in an envelope."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, JsonValue

from .models import Items, Label, Uuid, UuidRef, Wire

SERVICE = "service"


def _null_is_no_object(value: Any) -> Any:
    return {} if value is None else value


class StaticRoute(Wire):
    """A router's route: `type` is `user` or, added by a gateway and not ours to change, `service`."""

    name: str | None = None
    route: str
    nexthop: str
    type: str | None = None


class AttachedNetworks(Wire):
    """The networks of a router, as wrapped on the wire."""

    network: Items[UuidRef] = ()


class Router(Wire):
    """A router. `attached_network_gateways` is None when the answer does not tell (before 2023-09)."""

    uuid: Uuid
    name: str
    type: str
    labels: Items[Label] = ()
    static_routes: Items[StaticRoute] = ()
    attached_networks: Annotated[AttachedNetworks, BeforeValidator(_null_is_no_object)] = AttachedNetworks()
    attached_network_gateways: tuple[UuidRef, ...] | None = None

    @property
    def user_routes(self) -> tuple[StaticRoute, ...]:
        """The routes that users may change; one that does not tell its type is a user's."""
        return tuple(route for route in self.static_routes if route.type != SERVICE)

    @property
    def service_routes(self) -> tuple[StaticRoute, ...]:
        """The routes that gateways and other services added."""
        return tuple(route for route in self.static_routes if route.type == SERVICE)

    @property
    def networks(self) -> tuple[str, ...]:
        """The uuids of the attached networks."""
        return tuple(network.uuid for network in self.attached_networks.network)

    @property
    def gateways(self) -> tuple[str, ...] | None:
        """The uuids of the attached gateways; None when the answer does not tell."""
        attached = self.attached_network_gateways
        return None if attached is None else tuple(gateway.uuid for gateway in attached)


class Zone(Wire):
    """A zone; gateways live in public ones only. The wire says `yes` or `no`."""

    id: str
    description: str | None = None
    public: bool


class Account(Wire):
    """The account that the credential belongs to, with its limits as the API names them."""

    username: Annotated[str, Field(max_length=255)]
    credits: float | None = None
    resource_limits: dict[str, JsonValue] = Field(default_factory=dict)


class AccountEnvelope(Wire):
    """`{"account": {…}}`."""

    account: Account


class RouterEnvelope(Wire):
    """`{"router": {…}}`."""

    router: Router


class RouterList(Wire):
    """The inner half of `{"routers": {"router": […]}}`."""

    router: Items[Router]


class RoutersEnvelope(Wire):
    """`{"routers": {"router": […]}}`."""

    routers: RouterList


class ZoneList(Wire):
    """The inner half of `{"zones": {"zone": […]}}`."""

    zone: Items[Zone]


class ZonesEnvelope(Wire):
    """`{"zones": {"zone": […]}}`."""

    zones: ZoneList
