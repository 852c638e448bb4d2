"""What of a gateway is compared, and in which words: spec and wire in one vocabulary."""

from __future__ import annotations

from collections.abc import Sequence

from netgw.engine.ownership import MARK
from netgw.engine.plan import Change, Field, Interrupts, Values
from netgw.providers.upcloud.api import Gateway, GatewayModify
from netgw.providers.upcloud.gateway.model import GatewaySpec

OWNER = f"labels[{MARK}]"

_PATCH = "every PATCH of the service sends it through pending (recorded); what traffic does meanwhile is not documented"

FIELDS = (
    Field("name", Interrupts.UNKNOWN, _PATCH),
    Field("zone", Interrupts.YES, "a gateway cannot move", mutable=False),
    Field("plan", Interrupts.UNKNOWN, _PATCH),
    Field("features", Interrupts.UNKNOWN, _PATCH, unordered=True),
    Field("routerRef.uuid", Interrupts.YES, "routers cannot be changed later (API document)", mutable=False),
    Field(
        "addresses", Interrupts.YES, "addresses cannot be changed later (API document)", mutable=False, unordered=True
    ),
    Field("configuredStatus", Interrupts.YES, "a stopped gateway carries no traffic"),
    Field("automaticTunnelInternalIpAllocation", Interrupts.UNKNOWN, _PATCH),
    Field(OWNER, Interrupts.NO, "labels have endpoints of their own"),
)


def desired(spec: GatewaySpec, name: str, owner: str) -> Values:
    """What the spec sets."""
    values = {
        "name": name,
        "zone": spec.zone,
        "plan": spec.plan,
        "features": sorted(spec.features),
        "routerRef.uuid": spec.router_ref.uuid,
        "addresses": None if spec.addresses is None else [address.name for address in spec.addresses],
        "configuredStatus": spec.configured_status,
        "automaticTunnelInternalIpAllocation": spec.automatic_tunnel_internal_ip_allocation,
        OWNER: owner,
    }
    return {path: value for path, value in values.items() if value is not None}


def observed(gateway: Gateway) -> Values:
    """What the cloud has."""
    return {
        "name": gateway.name,
        "zone": gateway.zone,
        "plan": gateway.plan,
        "features": sorted(gateway.features),
        "routerRef.uuid": gateway.routers[0].uuid if gateway.routers else None,
        "addresses": [address.name for address in gateway.addresses],
        "configuredStatus": gateway.configured_status,
        "automaticTunnelInternalIpAllocation": gateway.automatic_tunnel_internal_ip_allocation,
        OWNER: owner_of(gateway),
    }


def owner_of(gateway: Gateway) -> str | None:
    """The value of our mark."""
    return next((label.value for label in gateway.labels if label.key == MARK), None)


def modification(changes: Sequence[Change]) -> GatewayModify:
    """Exactly the fields that differ."""
    names = {
        "name": "name",
        "plan": "plan",
        "features": "features",
        "configuredStatus": "configured_status",
        "automaticTunnelInternalIpAllocation": "automatic_tunnel_internal_ip_allocation",
    }
    return GatewayModify.model_validate({names[c.path]: c.target for c in changes if c.path in names})
