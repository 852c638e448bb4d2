"""VpnTunnel: spec, status, and what `kubectl` shows of it. Fields of the tunnel in UpCloud's API document."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, ConfigDict, Field

from netgw.kube.kind import Column, Kind, Parent, Verdict, condition_path
from netgw.kube.resource import (
    INT32_MAX,
    Model,
    ParentRef,
    PskRecord,
    Rule,
    SecretKeyRef,
    Spec,
    Status,
    required_to_create,
    rules,
)
from netgw.providers.upcloud.ipsec import Ipsec
from netgw.providers.upcloud.names import CATEGORIES, GROUP, ROOT_RULES, VERSION, CloudName

NOT_GLOBAL = ("0.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "240.0.0.0/4")
"""Not for a peer, beside loopback, link-local and multicast. The API accepts 100.64.0.0/10 (recorded)."""

PUBLIC_IPV4 = Rule(
    "isIP(self) && ip(self).family() == 4 && ip(self).isGlobalUnicast()"
    f" && !{list(NOT_GLOBAL)}.exists(n, cidr(n).containsIP(self))",
    "give the peer's public IPv4 address, such as 100.10.0.111;"
    " UpCloud refuses private, loopback, link-local, multicast and reserved ones",
)
TUNNEL_INTERNAL_IP = Rule(
    "self == '' || (isIP(self) && cidr('169.254.0.0/16').containsIP(self) && int(self.split('.')[3]) % 4 in [1, 2])",
    "give the second or third address of a /30 in 169.254.0.0/16, such as 169.254.17.1 or 169.254.17.2",
)
PING_INTERVAL = Rule("self == 0 || self >= 5", "give 0 (no pings) or at least 5 seconds")


class LocalAddress(Model):
    """An address of the gateway, by its name."""

    name: CloudName
    """Name of the address in the gateway's addresses."""


class RemoteAddress(Model):
    """The address of the peer."""

    address: Annotated[str, Field(max_length=15, json_schema_extra=rules(PUBLIC_IPV4))]
    """Public IPv4 address of the peer, for example 100.10.0.111. The peer has to identify as this address, also behind
    NAT. Private, loopback, link-local, multicast and reserved addresses are refused; 100.64.0.0/10 is accepted."""


PSK_REQUIRED = Rule(
    "has(self.__import__) || (has(self.ipsec) && has(self.ipsec.authentication)"
    " && has(self.ipsec.authentication.pskSecretRef))",
    "ipsec.authentication.pskSecretRef is required, unless spec.import names a tunnel that exists",
    reason="FieldValueRequired",
    field_path=".ipsec",
)


class TunnelSpec(Spec):
    """What the tunnel is to be.

    A field that is not set is not managed: it keeps what UpCloud has or chooses. Taking a field out of the manifest
    leaves its value in UpCloud as it is.
    """

    model_config = ConfigDict(json_schema_extra=rules(required_to_create("remoteAddress"), PSK_REQUIRED))

    name: CloudName | None = None
    """Name in UpCloud, unique in the gateway (not only in the connection): 1 to 64 characters of a-z A-Z 0-9 _ -.
    Default: metadata.name; required where that does not fit, for example because it has a dot.

    Changes in place. Counts as interrupting the tunnel: UpCloud does not say."""
    connection_ref: ParentRef
    """Connection that the tunnel belongs to.

    Immutable by the connection that it means: for another connection make another VpnTunnel. Naming the same connection
    in the other way (name, uuid) is no change."""
    local_address: LocalAddress | None = None
    """Address of the gateway that the tunnel starts from. Default: the gateway's only address; required when it has
    two.

    Changes in place. Interrupts the tunnel."""
    remote_address: RemoteAddress | None = None
    """Where the tunnel ends: the peer. Required, unless spec.import names a tunnel that exists.

    Changes in place. Interrupts the tunnel."""
    ipsec: Ipsec | None = None
    """Key, algorithms and timers. Required with its key, unless spec.import names a tunnel that exists."""
    tunnel_internal_ip: Annotated[str | None, Field(max_length=15, json_schema_extra=rules(TUNNEL_INTERNAL_IP))] = None
    """Address of the gateway inside the tunnel: the second or third address of a /30 in 169.254.0.0/16, for example
    169.254.17.1; the peer has the other one, 169.254.17.2. Each /30 serves one tunnel and must not overlap any other
    network. An empty string takes the address away. It cannot be set while the gateway gives these addresses itself
    (automaticTunnelInternalIpAllocation of the gateway, which UpCloud sets to true by default). Default of UpCloud:
    empty, or given by the gateway.

    Changes in place. Counts as interrupting the tunnel: UpCloud does not say."""
    internal_peer_ping_interval: Annotated[
        int | None, Field(ge=0, le=INT32_MAX, json_schema_extra=rules(PING_INTERVAL))
    ] = None
    """Seconds between pings to the peer's address inside the tunnel: 0 for none, else at least 5. Default of UpCloud:
    0.

    Changes in place. Counts as interrupting the tunnel: UpCloud does not say."""

    @property
    def psk_secret_ref(self) -> SecretKeyRef | None:
        """Where the key is; None: it is not managed."""
        authentication = None if self.ipsec is None else self.ipsec.authentication
        return None if authentication is None else authentication.psk_secret_ref

    def missing(self) -> tuple[str, ...]:
        needed = {"remoteAddress": self.remote_address, "ipsec.authentication.pskSecretRef": self.psk_secret_ref}
        return tuple(field for field, value in needed.items() if value is None)


class PskStatus(PskRecord):
    """Which pre-shared key the tunnel has, without the key."""

    accepted_at: AwareDatetime | None = None
    """When UpCloud accepted the key from us. Absent for a key that was never sent from here."""
    sending: str | None = None
    """Keyed fingerprint of a key, from before it is sent until the answer is recorded: UpCloud may have it."""


class Phase(StrEnum):
    """Of a rotation."""

    SCHEDULED = "Scheduled"
    ANNOUNCED = "Announced"
    SWITCHED = "Switched"


class PskRotationStatus(Model):
    """Where the rotation of the key is, without any key."""

    phase: str | None = None
    """Scheduled; Announced: the next key is in the Secret as <key>-next; Switched: it is the key now, and the former
    one is kept as <key>-previous until every tunnel that uses it is up."""
    resource_version: str | None = None
    """resourceVersion of the Secret that this is about."""
    rotated_at: AwareDatetime | None = None
    """Since when the Secret has the key that it has, as far as known."""
    announced_at: AwareDatetime | None = None
    """When the next key was written into the Secret. In phase Announced only."""
    switch_at: AwareDatetime | None = None
    """When the next key becomes the key. Not in phase Switched."""
    next_fingerprint: str | None = None
    """Keyed fingerprint of the next key. In phase Announced only."""
    approval: str | None = None
    """The value of the annotation netgw.dev/approve that switches at once. In phase Announced only."""


class TunnelStatus(Status):
    """What was last observed of the tunnel."""

    gateway_uuid: str | None = None
    """UUID of the gateway in UpCloud."""
    connection_uuid: str | None = None
    """UUID of the connection in UpCloud."""
    operational_state: str | None = None
    """State in UpCloud's words, for example idle, connecting or established. Any word is possible."""
    local_address: str | None = None
    """Our end of the tunnel as observed: the gateway's IP address, or the name of the address until it has one."""
    remote_address: str | None = None
    """IP address of the peer as observed."""
    up: bool | None = None
    """Whether the tunnel is up: an IPsec SA is established."""
    healthy: bool | None = None
    """Whether UpCloud has seen nothing bad in the tunnel's log for five minutes. Absent while the tunnel is not up."""
    since: AwareDatetime | None = None
    """When the tunnel last went up or down."""
    interrupted_at: AwareDatetime | None = None
    """When a change that interrupts was sent to the tunnel while it was up. Absent once it is up again."""
    psk: PskStatus | None = None
    """Which pre-shared key the tunnel has, without the key."""
    psk_rotation: PskRotationStatus | None = None
    """Where the rotation of the key is. Absent where the spec does not ask for one."""
    last_handled_push_psk_at: str | None = None
    """The value of the annotation netgw.dev/push-psk-requested-at that was handled last."""


KIND = Kind(
    group=GROUP,
    version=VERSION,
    kind="VpnTunnel",
    plural="vpntunnels",
    singular="vpntunnel",
    short_names=("vpnt",),
    categories=CATEGORIES,
    description="""An IPsec tunnel of a VPN connection in UpCloud: from an address of the gateway to an address of the
        peer.""",
    spec=TunnelSpec,
    status=TunnelStatus,
    columns=(
        Column("Connection", ".spec.connectionRef.name"),
        Column("Local", ".status.localAddress"),
        Column("Peer", ".spec.remoteAddress.address"),
        Column("Up", ".status.up", type="boolean"),
        Column("Healthy", ".status.healthy", type="boolean"),
        Column("Since", ".status.since", type="date"),
        Column("Reason", ".status.reason"),
        Column("Age", ".metadata.creationTimestamp", type="date"),
        Column("State", ".status.operationalState", wide=True),
        Column("Synced", condition_path("Synced"), wide=True),
        Column("UUID", ".status.uuid", wide=True),
    ),
    selectable=(".spec.connectionRef.name", ".spec.connectionRef.uuid"),
    validations=ROOT_RULES,
    parent=Parent("VpnConnection", "connectionRef"),
    verdicts=(
        Verdict("Ready", "True", ("Up",)),
        Verdict("Ready", "False", ("PeerNeverConnected", "AuthenticationFailed", "NoProposalChosen")),
        Verdict("Ready", "False", ("TrafficSelectorMismatch", "PeerUnreachable", "TunnelDown", "GatewayStopped")),
        Verdict("Ready", "Unknown", ("StateUnknown",)),
        Verdict("Healthy", "True", ("Healthy",)),
        Verdict("Healthy", "False", ("BadLogMessages",)),
        Verdict("Healthy", "Unknown", ("NotUp", "NotTold")),
        Verdict("PskInSync", "True", ("Accepted",)),
        Verdict("PskInSync", "False", ("KeyChanged",)),
        Verdict("PskInSync", "Unknown", ("NeverPushed", "SecretNotFound", "SecretKeyNotFound", "InvalidPsk")),
    ),
)
