"""What of a tunnel is compared, and in which words: spec and wire in one vocabulary.

The key is compared by fingerprint against what status says was last accepted, for the API never returns it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import SecretStr
from pydantic.alias_generators import to_camel

from netgw.engine.plan import Change, Field, Interrupts, Value, Values
from netgw.providers.upcloud.api import (
    AuthenticationModify,
    IpsecModify,
    LocalAddress,
    PskAuthentication,
    RemoteAddress,
    Tunnel,
    TunnelCreate,
    TunnelModify,
)
from netgw.providers.upcloud.api.requests import IpsecCreate
from netgw.providers.upcloud.tunnel.model import TunnelSpec

PSK = "ipsec.authentication.psk"

SETS = (
    "phase1_algorithms",
    "phase1_integrity_algorithms",
    "phase1_dh_group_numbers",
    "phase2_algorithms",
    "phase2_integrity_algorithms",
    "phase2_dh_group_numbers",
)
TIMERS = ("rekey_time", "child_rekey_time", "ike_lifetime", "dpd_delay", "dpd_timeout")

_SILENT = "not documented"

FIELDS = (
    Field("name", Interrupts.UNKNOWN, "the SA carries the name; what a rename does to it is not documented"),
    Field("localAddress.name", Interrupts.YES, "the SA ends at another address"),
    Field("remoteAddress.address", Interrupts.YES, "the SA ends at another peer"),
    Field("tunnelInternalIp", Interrupts.UNKNOWN, _SILENT),
    Field("internalPeerPingInterval", Interrupts.UNKNOWN, _SILENT),
    *(Field(f"ipsec.{to_camel(name)}", Interrupts.UNKNOWN, _SILENT, unordered=True) for name in SETS),
    *(Field(f"ipsec.{to_camel(name)}", Interrupts.UNKNOWN, _SILENT) for name in TIMERS),
    Field(PSK, Interrupts.YES, "IKE authenticates anew, with a key that the peer may not have yet"),
)


def desired(spec: TunnelSpec, name: str | None) -> Values:
    """Without the key, which `resolve` adds. `name`: None where it is not managed."""
    values: dict[str, Value] = {
        "name": name,
        "localAddress.name": spec.local_address and spec.local_address.name,
        "remoteAddress.address": spec.remote_address and spec.remote_address.address,
        "tunnelInternalIp": spec.tunnel_internal_ip,
        "internalPeerPingInterval": spec.internal_peer_ping_interval,
    }
    for field in (*SETS, *TIMERS):
        values[f"ipsec.{to_camel(field)}"] = getattr(spec.ipsec, field, None)
    return {path: list(v) if isinstance(v, tuple) else v for path, v in values.items() if v is not None}


def observed(tunnel: Tunnel, accepted: str | None) -> Values:
    """`accepted`: the fingerprint of the key that the cloud took last."""
    values: dict[str, Value] = {
        "name": tunnel.name,
        "localAddress.name": tunnel.local_address.name,
        "remoteAddress.address": tunnel.remote_address.address,
        # What older answers do not tell is off: setting it to nothing must not be sent again and again.
        "tunnelInternalIp": tunnel.tunnel_internal_ip or "",
        "internalPeerPingInterval": tunnel.internal_peer_ping_interval or 0,
        PSK: accepted,
    }
    for field in (*SETS, *TIMERS):
        value = getattr(tunnel.ipsec, field)
        values[f"ipsec.{to_camel(field)}"] = list(value) if isinstance(value, tuple) else value
    return values


def creation(name: str, local_address: str, values: Values, key: SecretStr) -> TunnelCreate:
    """The body of the POST."""
    authentication = PskAuthentication(authentication="psk", psk=key)
    ipsec = IpsecCreate.model_validate({"authentication": authentication, **_ipsec(values)})
    body: dict[str, Any] = {
        "name": name,
        "local_address": LocalAddress(name=local_address),
        "remote_address": RemoteAddress(address=values["remoteAddress.address"]),
        "ipsec": ipsec,
    }
    return TunnelCreate.model_validate(body | _plain(values))


def modification(observed_name: str, changes: Sequence[Change], key: SecretStr | None) -> TunnelModify:
    """The fields that differ, and the companions that the API demands: the name as observed, `authentication`."""
    targets = {change.path: change.target for change in changes}
    body: dict[str, Any] = {"name": targets.get("name", observed_name), **_plain(targets)}
    if "localAddress.name" in targets:
        body["local_address"] = LocalAddress(name=targets["localAddress.name"])
    if "remoteAddress.address" in targets:
        body["remote_address"] = RemoteAddress(address=targets["remoteAddress.address"])
    if any(path.startswith("ipsec.") for path in targets):
        secret = {"psk": key} if PSK in targets and key is not None else {}
        authentication = AuthenticationModify.model_validate({"authentication": "psk", **secret})
        body["ipsec"] = IpsecModify.model_validate({"authentication": authentication, **_ipsec(targets)})
    return TunnelModify.model_validate(body)


def _plain(values: Values) -> dict[str, Value]:
    names = {"tunnelInternalIp": "tunnel_internal_ip", "internalPeerPingInterval": "internal_peer_ping_interval"}
    return {field: values[path] for path, field in names.items() if path in values}


def _ipsec(values: Values) -> dict[str, Value]:
    return {field: values[path] for field in (*SETS, *TIMERS) if (path := f"ipsec.{to_camel(field)}") in values}
