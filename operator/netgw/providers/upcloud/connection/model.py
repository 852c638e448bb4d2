"""VpnConnection: spec, status, and what `kubectl` shows of it. Fields of the connection in UpCloud's API document."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from netgw.kube.kind import Column, Kind, Parent, Verdict, condition_path
from netgw.kube.resource import Model, ParentRef, Rule, Spec, Status, list_map, rules
from netgw.providers.upcloud.names import CATEGORIES, GROUP, ROOT_RULES, VERSION, CloudName

MAX_ROUTES = 100
"""Ours, not UpCloud's: admission has to know how much there can be to check."""

EFFECTIVE_NAME_FIXED = Rule(
    "has(self.spec.__import__) || (has(self.spec.name) ? self.spec.name : self.metadata.name)"
    " == (has(oldSelf.spec.name) ? oldSelf.spec.name : oldSelf.metadata.name)",
    "the name in UpCloud is immutable; make another VpnConnection with the other name and delete this one",
    reason="FieldValueForbidden",
    field_path=".spec.name",
)
SOME_ROUTE = Rule(
    "has(self.__import__) || (has(self.localRoutes) && size(self.localRoutes) > 0)"
    " || (has(self.remoteRoutes) && size(self.remoteRoutes) > 0)",
    "give at least one route, in localRoutes or in remoteRoutes",
)
IPV4_NETWORK = (
    Rule("isCIDR(self) && cidr(self).ip().family() == 4", "give an IPv4 network with its length, such as 10.0.1.0/24"),
    Rule(
        "!isCIDR(self) || cidr(self) == cidr(self).masked()",
        "host bits are set: give the first address of the network, such as 10.0.1.0/24 for 10.0.1.7/24",
    ),
)


class Route(Model):
    """A network that is reached through the connection."""

    name: CloudName
    """Name of the route, unique in its list: 1 to 64 characters of a-z A-Z 0-9 _ -."""
    type: Literal["static"] = "static"
    """Type of the route. There is one: static."""
    static_network: Annotated[str, Field(max_length=18, json_schema_extra=rules(*IPV4_NETWORK))]
    """The network, IPv4 without host bits, for example 10.0.1.0/24. Private and public ones are taken."""


Routes = Annotated[tuple[Route, ...] | None, Field(max_length=MAX_ROUTES, json_schema_extra=list_map("name"))]


class ConnectionSpec(Spec):
    """What the connection is to be.

    A field that is not set is not managed: it keeps what UpCloud has. Taking a field out of the manifest leaves its
    value in UpCloud as it is.
    """

    model_config = ConfigDict(json_schema_extra=rules(SOME_ROUTE))

    name: CloudName | None = None
    """Name in UpCloud, unique in the gateway: 1 to 64 characters of a-z A-Z 0-9 _ -. Default: metadata.name; required
    where that does not fit, for example because it has a dot.

    Immutable: for another name make another VpnConnection. Setting it to the name that it has is no change."""
    gateway_ref: ParentRef
    """Gateway that the connection belongs to; it needs the feature vpn.

    Immutable by the gateway that it means: for another gateway make another VpnConnection. Naming the same gateway in
    the other way (name, uuid) is no change."""
    type: Literal["ipsec"] | None = None
    """Type of the connection. There is one: ipsec. Default: a connection is made as ipsec.

    Immutable."""
    local_routes: Routes = None
    """Networks on UpCloud's side that the peer is to reach. At least one route is needed, here or in remoteRoutes.

    The list changes in place, as a whole; [] clears it, leaving it out leaves it as it is. Counts as interrupting
    traffic: UpCloud does not say."""
    remote_routes: Routes = None
    """Networks on the peer's side that are to be reached through the tunnels. At least one route is needed, here or in
    localRoutes.

    The list changes in place, as a whole; [] clears it, leaving it out leaves it as it is. Counts as interrupting
    traffic: UpCloud does not say."""


class ConnectionStatus(Status):
    """What was last observed of the connection."""

    gateway_uuid: str | None = None
    """UUID of the gateway in UpCloud."""
    tunnels: str | None = None
    """Tunnels that are up, of all that the connection has in UpCloud: 1/2."""
    redundant: bool | None = None
    """Whether traffic goes on when any one tunnel is lost: at least two are up."""


KIND = Kind(
    group=GROUP,
    version=VERSION,
    kind="VpnConnection",
    plural="vpnconnections",
    singular="vpnconnection",
    short_names=("vpnc",),
    categories=CATEGORIES,
    description="""A VPN connection of a network gateway in UpCloud: the networks on both sides that are joined. Its
        tunnels are VpnTunnel; two of them, to two addresses of the peer, make it redundant.""",
    spec=ConnectionSpec,
    status=ConnectionStatus,
    columns=(
        Column("Gateway", ".spec.gatewayRef.name"),
        Column("Tunnels", ".status.tunnels"),
        Column("Ready", condition_path("Ready")),
        Column("Reason", ".status.reason"),
        Column("Age", ".metadata.creationTimestamp", type="date"),
        Column("Local", ".spec.localRoutes[0].staticNetwork", wide=True),
        Column("Remote", ".spec.remoteRoutes[0].staticNetwork", wide=True),
        Column("Synced", condition_path("Synced"), wide=True),
        Column("UUID", ".status.uuid", wide=True),
    ),
    selectable=(".spec.gatewayRef.name", ".spec.gatewayRef.uuid"),
    validations=(*ROOT_RULES, EFFECTIVE_NAME_FIXED),
    parent=Parent("NetworkGateway", "gatewayRef"),
    verdicts=(
        Verdict("Ready", "True", ("TunnelsUp", "NoTunnels")),
        Verdict("Ready", "False", ("NoTunnelUp", "GatewayStopped")),
        Verdict("Redundant", "True", ("TunnelsUp",)),
        Verdict("Redundant", "False", ("TooFewUp", "TooFewTunnels")),
    ),
)
