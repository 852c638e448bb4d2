"""NetworkGateway: spec, status, and what `kubectl` shows of it. Fields of the service in UpCloud's API document."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field

from netgw.kube.kind import Column, Kind, Parent, Verdict, condition_path
from netgw.kube.resource import (
    EXACTLY_ONE,
    Model,
    ObjectName,
    ParentRef,
    Rule,
    SecretRef,
    Spec,
    Status,
    Uuid,
    list_map,
    list_set,
    required_to_create,
    rules,
)
from netgw.providers.upcloud.labels import Labels
from netgw.providers.upcloud.names import CATEGORIES, GROUP, ROOT_RULES, VERSION, CloudName

Feature = Literal["nat", "vpn"]
ConfiguredStatus = Literal["started", "stopped"]

ZONE_FIXED = Rule(
    "self == oldSelf",
    "zone is immutable: a gateway cannot move; make another NetworkGateway in the other zone and delete this one",
    reason="FieldValueForbidden",
)
ROUTER_FIXED = Rule(
    "has(self.uuid) && has(oldSelf.uuid) ? self.uuid == oldSelf.uuid : true",
    "the router is immutable; make another NetworkGateway at the other router and delete this one",
    reason="FieldValueForbidden",
)
FLOATING_IP = Rule(
    "self == '' || (isIP(self) && ip(self).family() == 4 && ip(self).isGlobalUnicast())",
    "give a floating IPv4 address of the account, or an empty text to release it",
)
ADDRESSES_FIXED = Rule(
    "size(self) == size(oldSelf) && self.all(a, oldSelf.exists(o, o.name == a.name))",
    "the addresses and their names are immutable; make another NetworkGateway with the other addresses",
    reason="FieldValueForbidden",
)


class RouterRef(ParentRef):
    """A router: either a Router in the same namespace or one in UpCloud."""

    model_config = ConfigDict(json_schema_extra=rules(EXACTLY_ONE, ROUTER_FIXED))

    name: ObjectName | None = None
    """metadata.name of a Router in the same namespace. It may come later: until then the gateway waits."""
    uuid: Uuid | None = None
    """UUID of the router in UpCloud, in lower case, where no Router manages it."""


class Address(Model):
    """A public address, by its name."""

    name: CloudName
    """Name of the address, to which tunnels refer in localAddress: 1 to 64 characters of a-z A-Z 0-9 _ -. Immutable."""
    address: Annotated[str | None, Field(max_length=15, json_schema_extra=rules(FLOATING_IP))] = None
    """A floating IP of the account, to be attached under this name. An empty text releases the one that is attached:
    UpCloud then assigns an address of its own. Unset: what UpCloud has is left as it is.

    Changes in place. Interrupts traffic: peers know the gateway by its address."""


class GatewaySpec(Spec):
    """What the gateway is to be.

    A field that is not set is not managed: it keeps what UpCloud has or chooses. Taking a field out of the manifest
    leaves its value in UpCloud as it is.
    """

    model_config = ConfigDict(
        json_schema_extra=rules(*(required_to_create(field) for field in ("zone", "plan", "features", "routerRef")))
    )

    name: CloudName | None = None
    """Name in UpCloud, unique in the account: 1 to 64 characters of a-z A-Z 0-9 _ -. Default: metadata.name; required
    where that does not fit, for example because it has a dot.

    Changes in place. Counts as interrupting traffic: UpCloud sends a running gateway through the state pending and does
    not say what happens to traffic meanwhile."""
    zone: Annotated[
        str | None, Field(pattern="^[a-z]{2}-[a-z]{3}[0-9]$", max_length=7, json_schema_extra=rules(ZONE_FIXED))
    ] = None
    """Required, unless spec.import names a gateway that exists. Zone that the gateway runs in, a public one, for
    example fi-hel1 or de-fra1. GET /1.3/zone tells all.

    Immutable: for another zone make another NetworkGateway."""
    plan: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    """Required, unless spec.import names a gateway that exists. Plan, by its name: sets features, bandwidth, number of
    connections and number of VPN tunnels. Known ones: development and standard (nat only), production (nat and vpn, 2
    tunnels), advanced (nat and vpn, 10 tunnels). Any name that UpCloud knows is taken; netgw plans tells today's plans
    and numbers.

    Changes in place. Counts as interrupting traffic: UpCloud does not say."""
    features: Annotated[tuple[Feature, ...] | None, Field(min_length=1, max_length=2, json_schema_extra=list_set())] = (
        None
    )
    """Required, unless spec.import names a gateway that exists. What the gateway does, one or both. nat: machines
    behind the router reach the internet through the gateway's address. vpn: IPsec tunnels, made by VpnConnection and
    VpnTunnel; needs a plan with vpn.

    Changes in place. Counts as interrupting traffic: UpCloud does not say. vpn cannot be taken away while the gateway
    has connections: delete them first."""
    router_ref: RouterRef | None = None
    """Required, unless spec.import names a gateway that exists. Router that the gateway is attached to. A router has at
    most one gateway.

    Immutable by the router that it means: for another router make another NetworkGateway. Naming the same router in the
    other way (name, uuid) is no change."""
    addresses: Annotated[
        tuple[Address, ...] | None,
        Field(min_length=1, max_length=2, json_schema_extra=list_map("name") | rules(ADDRESSES_FIXED)),
    ] = None
    """The gateway's public addresses by their names, 1 or 2. UpCloud assigns the IP addresses while it sets the gateway
    up (status.addresses), unless address names a floating IP; those that UpCloud assigned are gone for good when the
    gateway is deleted. Default of UpCloud: one, public-ip-1.

    The names are immutable: for others make another NetworkGateway."""
    configured_status: ConfiguredStatus | None = None
    """started: the gateway runs. stopped: it is kept with all it has, and carries no traffic. Default: a gateway is
    made as started; after that, unset means not managed.

    Changes in place. Stopping interrupts all traffic."""
    automatic_tunnel_internal_ip_allocation: bool | None = None
    """Whether UpCloud gives each tunnel its address inside the tunnel. While true, tunnelInternalIp of a VpnTunnel
    cannot be set. Default of UpCloud: true.

    Changes in place. Counts as interrupting traffic: UpCloud does not say what happens to tunnels that exist."""
    labels: Labels = None
    """Labels of the gateway in UpCloud. Keys have 2 to 32 characters of printable ASCII and begin neither with _ nor
    with netgw.dev/; values have at most 255 characters. A key that the manifest set once is removed when the manifest
    drops it.

    Changes in place, one call for each label that differs. Interrupts nothing."""
    label_policy: Literal["Merge", "Replace"] | None = None
    """What becomes of labels that others made: Merge (the default) keeps them, Replace removes them. Keys that begin
    with _ are UpCloud's own and always stay."""
    deletion_protection: bool | None = None
    """Hold a deletion until it is confirmed with the annotation netgw.dev/confirm-deletion. Default: false."""
    credentials_secret_ref: SecretRef | None = None
    """Secret with the UpCloud credentials for this gateway and all below it, in the same namespace: a key token, or
    username and password. Default: the Secret that the namespace names (netgw.dev/default-credentials), else the
    operator's own credentials, where the namespace may use them."""

    def missing(self) -> tuple[str, ...]:
        needed = {
            "zone": self.zone,
            "plan": self.plan,
            "features": self.features,
            "routerRef": self.router_ref,
        }
        return tuple(field for field, value in needed.items() if value is None)


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
    own_label_keys: tuple[str, ...] | None = None
    """Keys of labels that the manifest set: removed when it drops them."""
    interrupted_at: AwareDatetime | None = None
    """When a change that interrupts was sent to the gateway while it ran. Absent once it runs again."""
    last_handled_flush_nat_at: str | None = None
    """The value of the annotation netgw.dev/flush-nat-requested-at that was handled last."""


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
    selectable=(".spec.routerRef.name", ".spec.routerRef.uuid"),
    validations=ROOT_RULES,
    parent=Parent("Router", "routerRef"),
    verdicts=(
        Verdict("Ready", "True", ("Running", "Stopped")),
        Verdict("Ready", "False", ("SettingUp", "SetupOverdue", "DeletingInCloud")),
        Verdict("Ready", "Unknown", ("StateUnknown",)),
    ),
)
