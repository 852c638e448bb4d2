"""Router: spec, status, and what `kubectl` shows of it. Fields of the router in UpCloud's API document (networks)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from netgw.kube.kind import Column, Kind, Verdict, condition_path
from netgw.kube.resource import IMPORT_FIXED, Model, Rule, SecretRef, Spec, Status, list_map, rules
from netgw.providers.upcloud.labels import Labels
from netgw.providers.upcloud.names import CATEGORIES, GROUP, SHORT_ENOUGH, VERSION

MAX_ROUTES = 100
"""Ours, not UpCloud's: admission has to know how much there can be to check."""
NO_NEXTHOP = "no-nexthop"
"""A word of UpCloud's in place of an address."""

PREFIX = (
    Rule("isCIDR(self)", "give a network with its length, such as 10.9.0.0/16"),
    Rule(
        "!isCIDR(self) || cidr(self) == cidr(self).masked()",
        "host bits are set: give the first address of the network, such as 10.9.0.0/16 for 10.9.1.7/16",
    ),
)
NEXTHOP = Rule(f"self == '{NO_NEXTHOP}' || isIP(self)", f"give an IP address, or {NO_NEXTHOP}")

Text = Annotated[str, Field(min_length=1, max_length=255)]
"""A name that is a text for people. Recorded ones and examples have letters, digits, hyphens and spaces."""


class StaticRoute(Model):
    """A route of type user: what is sent to a network goes to an address."""

    name: Text
    """Name of the route, unique in the router: 1 to 255 characters."""
    route: Annotated[str, Field(max_length=43, json_schema_extra=rules(*PREFIX))]
    """The network that is reached, IPv4 or IPv6 without host bits, for example 10.9.0.0/16."""
    nexthop: Annotated[str, Field(max_length=45, json_schema_extra=rules(NEXTHOP))]
    """Address of the server in an attached network that forwards, or no-nexthop. The route works while the server
    runs."""


class RouterSpec(Spec):
    """What the router is to be.

    A field that is not set is not managed: it keeps what UpCloud has or chooses. Taking a field out of the manifest
    leaves its value in UpCloud as it is.
    """

    name: Text | None = None
    """Name in UpCloud: 1 to 255 characters. Default: metadata.name. UpCloud allows two routers of one name; netgw makes
    none whose name another one has.

    Changes in place. Interrupts nothing."""
    static_routes: Annotated[
        tuple[StaticRoute, ...] | None, Field(max_length=MAX_ROUTES, json_schema_extra=list_map("name"))
    ] = None
    """Routes of type user. Those of type service, which gateways and other services of UpCloud add, are never touched.

    The list changes in place, as a whole: the user's routes become exactly these; [] clears it, leaving it out leaves
    it as it is. Interrupts traffic to the networks of routes that go or change."""
    labels: Labels = None
    """Labels of the router in UpCloud. Keys have 2 to 32 characters of printable ASCII and begin neither with _ nor
    with netgw.dev/; values have at most 255 characters. A key that the manifest set once is removed when the manifest
    drops it.

    Changes in place. Interrupts nothing. UpCloud takes the labels of a router as a whole, so they are read anew right
    before they are sent."""
    label_policy: Literal["Merge", "Replace"] | None = None
    """What becomes of labels that others made: Merge (the default) keeps them, Replace removes them. Keys that begin
    with _ are UpCloud's own and are never sent."""
    deletion_protection: bool | None = None
    """Hold a deletion until it is confirmed with the annotation netgw.dev/confirm-deletion. Default: false."""
    credentials_secret_ref: SecretRef | None = None
    """Secret with the UpCloud credentials for this router, in the same namespace: a key token, or username and
    password. A NetworkGateway at it uses them too, unless it names others. Default: the Secret that the namespace names
    (netgw.dev/default-credentials), else the operator's own credentials, where the namespace may use them."""


class AttachedGateway(Model):
    """A network gateway at the router."""

    uuid: str | None = None
    """UUID of the gateway."""
    name: str | None = None
    """Its name in UpCloud. Absent while it has not been seen."""


class RouterStatus(Status):
    """What was last observed of the router."""

    networks: int | None = None
    """Number of networks that are attached to it."""
    gateways: tuple[AttachedGateway, ...] | None = None
    """Network gateways that are attached to it. UpCloud allows one."""
    own_label_keys: tuple[str, ...] | None = None
    """Keys of labels that the manifest set: removed when it drops them."""


KIND = Kind(
    group=GROUP,
    version=VERSION,
    kind="Router",
    plural="routers",
    singular="router",
    short_names=("rtr",),
    categories=CATEGORIES,
    description="""A router in UpCloud, to which private networks and one NetworkGateway are attached: what a gateway
        needs before it can be made.""",
    spec=RouterSpec,
    status=RouterStatus,
    columns=(
        Column("Networks", ".status.networks", type="integer"),
        Column("Gateway", ".status.gateways[0].name"),
        Column("Ready", condition_path("Ready")),
        Column("Reason", ".status.reason"),
        Column("Age", ".metadata.creationTimestamp", type="date"),
        Column("Synced", condition_path("Synced"), wide=True),
        Column("UUID", ".status.uuid", wide=True),
    ),
    validations=(SHORT_ENOUGH, IMPORT_FIXED),
    verdicts=(Verdict("Ready", "True", ("Available",)),),
)
