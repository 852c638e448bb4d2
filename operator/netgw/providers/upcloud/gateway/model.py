"""NetworkGateway: spec, status, and what `kubectl` shows of it. Fields of the service in UpCloud's API document."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from netgw.kube.kind import Column, Kind, condition_path
from netgw.kube.resource import UUID_PATTERN, Model, Rule, Spec, Status, list_map, list_set, rules
from netgw.providers.upcloud.names import CATEGORIES, GROUP, NAME_RULES, VERSION, CloudName

Feature = Literal["nat", "vpn"]
ConfiguredStatus = Literal["started", "stopped"]

ZONE_FIXED = Rule(
    "self == oldSelf",
    "zone is immutable: a gateway cannot move; make another NetworkGateway in the other zone and delete this one",
    reason="FieldValueForbidden",
)
ROUTER_FIXED = Rule(
    "self == oldSelf",
    "the router is immutable; make another NetworkGateway at the other router and delete this one",
    reason="FieldValueForbidden",
)
ADDRESSES_FIXED = Rule(
    "size(self) == size(oldSelf) && self.all(a, oldSelf.exists(o, o.name == a.name))",
    "the addresses and their names are immutable; make another NetworkGateway with the other addresses",
    reason="FieldValueForbidden",
)


class RouterRef(Model):
    """A router in UpCloud."""

    uuid: Annotated[str, Field(pattern=UUID_PATTERN, max_length=36, json_schema_extra=rules(ROUTER_FIXED))]
    """UUID of the router, in lower case. Immutable."""


class Address(Model):
    """A public address, by its name."""

    name: CloudName
    """Name of the address, to which tunnels refer in localAddress: 1 to 64 characters of a-z A-Z 0-9 _ -. Immutable."""


class GatewaySpec(Spec):
    """What the gateway is to be.

    A field that is not set is not managed: it keeps what UpCloud has or chooses. Taking a field out of the manifest
    leaves its value in UpCloud as it is.
    """

    name: CloudName | None = None
    """Name in UpCloud, unique in the account: 1 to 64 characters of a-z A-Z 0-9 _ -. Default: metadata.name; required
    where that does not fit, for example because it has a dot.

    Changes in place. Counts as interrupting traffic: UpCloud sends a running gateway through the state pending and does
    not say what happens to traffic meanwhile."""
    zone: Annotated[str, Field(pattern="^[a-z]{2}-[a-z]{3}[0-9]$", max_length=7, json_schema_extra=rules(ZONE_FIXED))]
    """Zone that the gateway runs in, a public one, for example fi-hel1 or de-fra1. GET /1.3/zone tells all.

    Immutable: for another zone make another NetworkGateway."""
    plan: Annotated[str, Field(min_length=1, max_length=64)]
    """Plan, by its name: sets features, bandwidth, number of connections and number of VPN tunnels. Known ones:
    development and standard (nat only), production (nat and vpn, 2 tunnels), advanced (nat and vpn, 10 tunnels). Any
    name that UpCloud knows is taken; GET /1.3/gateway/plans tells today's plans and numbers.

    Changes in place. Counts as interrupting traffic: UpCloud does not say."""
    features: Annotated[tuple[Feature, ...], Field(min_length=1, max_length=2, json_schema_extra=list_set())]
    """What the gateway does, one or both. nat: machines behind the router reach the internet through the gateway's
    address. vpn: IPsec tunnels, made by VpnConnection and VpnTunnel; needs a plan with vpn.

    Changes in place. Counts as interrupting traffic: UpCloud does not say. vpn cannot be taken away while the gateway
    has connections: delete them first."""
    router_ref: RouterRef
    """Router that the gateway is attached to. A router has at most one gateway.

    Immutable: for another router make another NetworkGateway."""
    addresses: Annotated[
        tuple[Address, ...] | None,
        Field(min_length=1, max_length=2, json_schema_extra=list_map("name") | rules(ADDRESSES_FIXED)),
    ] = None
    """Names of the gateway's public addresses, 1 or 2. UpCloud assigns the IP addresses while it sets the gateway up
    (status.addresses); they are gone for good when the gateway is deleted. Default of UpCloud: one, public-ip-1.

    Immutable: for other addresses make another NetworkGateway."""
    configured_status: ConfiguredStatus | None = None
    """started: the gateway runs. stopped: it is kept with all it has, and carries no traffic. Default: a gateway is
    made as started; after that, unset means not managed.

    Changes in place. Stopping interrupts all traffic."""
    automatic_tunnel_internal_ip_allocation: bool | None = None
    """Whether UpCloud gives each tunnel its address inside the tunnel. While true, tunnelInternalIp of a VpnTunnel
    cannot be set. Default of UpCloud: true.

    Changes in place. Counts as interrupting traffic: UpCloud does not say what happens to tunnels that exist."""


class ObservedAddress(Model):
    """A public address as observed."""

    name: str | None = None
    """Name of the address."""
    address: str | None = None
    """IP address. Absent until UpCloud has assigned one."""


class GatewayStatus(Status):
    """What was last observed of the gateway."""

    operational_state: str | None = None
    """State in UpCloud's words, for example pending or running. Any word is possible."""
    configured_status: str | None = None
    """Whether it is meant to run, as observed: started or stopped."""
    plan: str | None = None
    """Plan as observed."""
    addresses: tuple[ObservedAddress, ...] | None = None
    """Public addresses. Peers connect to these, and nat traffic comes from them."""
    connections: int | None = None
    """Number of VPN connections that the gateway has in UpCloud."""
    tunnels: str | None = None
    """VPN tunnels that are up, of all that the gateway has in UpCloud: 1/2."""
    tunnel_quota: str | None = None
    """VPN tunnels that the gateway has in UpCloud, of those that the plan allows: 2/10."""


KIND = Kind(
    group=GROUP,
    version=VERSION,
    kind="NetworkGateway",
    plural="networkgateways",
    singular="networkgateway",
    short_names=("ngw",),
    categories=CATEGORIES,
    description="""A network gateway in UpCloud: a public address for a router's networks, with NAT, IPsec VPN or both.
        VPN connections of it are VpnConnection, tunnels of those VpnTunnel.""",
    spec=GatewaySpec,
    status=GatewayStatus,
    columns=(
        Column("Address", ".status.addresses[0].address"),
        Column("Plan", ".status.plan"),
        Column("State", ".status.operationalState"),
        Column("Tunnels", ".status.tunnels"),
        Column("Ready", condition_path("Ready")),
        Column("Reason", ".status.reason"),
        Column("Age", ".metadata.creationTimestamp", type="date"),
        Column("Zone", ".spec.zone", wide=True),
        Column("Synced", condition_path("Synced"), wide=True),
        Column("UUID", ".status.uuid", wide=True),
    ),
    validations=NAME_RULES,
)
