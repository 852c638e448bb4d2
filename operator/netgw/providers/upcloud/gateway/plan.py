"""What of a gateway is compared, and in which words: spec and wire in one vocabulary.

Labels and floating IPs are values of their own, one for each key: `labels[env]`, `addresses[public].address`. A target
of None takes a label away; an empty address releases the floating IP.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from netgw.engine.ownership import MARK
from netgw.engine.plan import Change, Field, Interrupts, Value, Values
from netgw.providers.upcloud.api import AddressCreate, Gateway, GatewayCreate, GatewayModify, Label, UuidRef
from netgw.providers.upcloud.gateway.model import GatewaySpec
from netgw.providers.upcloud.labels import is_label, label_key, label_values, labels_wanted

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
    Field("addresses[*].address", Interrupts.YES, "peers know the gateway by its address"),
    Field("configuredStatus", Interrupts.YES, "a stopped gateway carries no traffic"),
    Field("automaticTunnelInternalIpAllocation", Interrupts.UNKNOWN, _PATCH),
    Field("labels[*]", Interrupts.NO, "labels have endpoints of their own"),
)

_PATCHED = {
    "name": "name",
    "plan": "plan",
    "features": "features",
    "configuredStatus": "configured_status",
    "automaticTunnelInternalIpAllocation": "automatic_tunnel_internal_ip_allocation",
}


def desired(spec: GatewaySpec, *, name: str | None, owner: str, router: str | None) -> dict[str, Value]:
    """What the spec sets, without labels that are to go. `name` and `router`: None where they are not managed."""
    values: dict[str, Value] = {
        "name": name,
        "zone": spec.zone,
        "plan": spec.plan,
        "features": None if spec.features is None else sorted(spec.features),
        "routerRef.uuid": router,
        "addresses": None if spec.addresses is None else [address.name for address in spec.addresses],
        "configuredStatus": spec.configured_status,
        "automaticTunnelInternalIpAllocation": spec.automatic_tunnel_internal_ip_allocation,
    }
    for address in spec.addresses or ():
        values[f"addresses[{address.name}].address"] = address.address
    values |= label_values({**(spec.labels or {}), MARK: owner})
    return {path: value for path, value in values.items() if value is not None}


def settled(values: Values, gateway: Gateway, own_keys: Iterable[str], *, replace: bool) -> Values:
    """For a gateway that exists: labels that are to go, addresses once it tells them, a release only of what floats."""
    told = {a.name: a for a in gateway.addresses if a.address}

    def counts(path: str, value: Value) -> bool:
        if (name := address_name(path)) is None:
            return True
        return name in told and (value != "" or told[name].provisioned_by == "user")

    wanted = {path: value for path, value in values.items() if counts(path, value)}
    return {**wanted, **labels_wanted(values, gateway.labels, own_keys, replace=replace)}


def observed(gateway: Gateway) -> Values:
    """What the cloud has."""
    return {
        "name": gateway.name,
        "zone": gateway.zone,
        "plan": gateway.plan,
        "features": sorted(gateway.features),
        "routerRef.uuid": gateway.routers[0].uuid if gateway.routers else None,
        "addresses": [address.name for address in gateway.addresses],
        **{f"addresses[{address.name}].address": address.address for address in gateway.addresses},
        "configuredStatus": gateway.configured_status,
        "automaticTunnelInternalIpAllocation": gateway.automatic_tunnel_internal_ip_allocation,
        **label_values({label.key: label.value for label in gateway.labels}),
    }


def batches(changes: Sequence[Change]) -> Sequence[tuple[Change, ...]]:
    """Each label and each address is a call of its own; the rest is one PATCH. What is calm comes first."""
    labels = [(change,) for change in changes if is_label(change.path)]
    patch = tuple(change for change in changes if change.path in _PATCHED)
    addresses = [(change,) for change in changes if address_name(change.path) is not None]
    return [*labels, *([patch] if patch else []), *addresses]


def address_name(path: str) -> str | None:
    """Of which address a value is the floating IP."""
    first, last = "addresses[", "].address"
    return path[len(first) : -len(last)] if path.startswith(first) and path.endswith(last) else None


def modification(changes: Sequence[Change]) -> GatewayModify:
    """Exactly the fields that differ."""
    return GatewayModify.model_validate({_PATCHED[c.path]: c.target for c in changes if c.path in _PATCHED})


def creation(name: str, values: Values) -> GatewayCreate:
    """The body of the POST: what the spec sets, and our own defaults where the API demands a value."""
    body: dict[str, Any] = {
        "name": name,
        "zone": values["zone"],
        "plan": values["plan"],
        "features": tuple(values["features"]),
        "routers": (UuidRef(uuid=values["routerRef.uuid"]),),
        "configured_status": values["configuredStatus"],
        "labels": tuple(Label(key=label_key(path), value=values[path]) for path in values if is_label(path)),
    }
    if "addresses" in values:
        ips = {name: values.get(f"addresses[{name}].address") or None for name in values["addresses"]}
        body["addresses"] = tuple(AddressCreate(name=name, address=ip) for name, ip in ips.items())
    if "automaticTunnelInternalIpAllocation" in values:
        body["automatic_tunnel_internal_ip_allocation"] = values["automaticTunnelInternalIpAllocation"]
    return GatewayCreate.model_validate(body)
