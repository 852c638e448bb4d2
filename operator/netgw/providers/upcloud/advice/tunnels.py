"""Advice about a tunnel, and the one thing that UpCloud refuses for sure. Pure.

| what is odd                                                      | said on                  |
|------------------------------------------------------------------|--------------------------|
| two tunnels of one gateway between the same two addresses        | the younger of the two   |
| two tunnels of one gateway with one internal /30                 | the younger of the two   |
| sha1, or Diffie-Hellman group 2 or 5, among what is offered      | it                       |
| dpdTimeout ≤ dpdDelay                                            | it                       |
| rekeyTime ≥ ikeLifetime                                          | it                       |
| pings inside the tunnel without an address inside it             | it                       |

dpdDelay 0 and ikeLifetime 0 are taken for "off", as IKE daemons do. What is not known yet is not judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network

from netgw.engine.outcome import Stalled
from netgw.engine.plan import Values
from netgw.providers.upcloud.advice.who import Who, tells

INTEGRITY = ("ipsec.phase1IntegrityAlgorithms", "ipsec.phase2IntegrityAlgorithms")
GROUPS = ("ipsec.phase1DhGroupNumbers", "ipsec.phase2DhGroupNumbers")
WEAK_GROUPS = (2, 5)


@dataclass(frozen=True)
class Ends:
    """Where a tunnel begins and ends. `local`: the name of the gateway's address. `inside`: the /30 in the tunnel."""

    who: Who
    local: str | None = None
    remote: str | None = None
    inside: IPv4Network | None = None


@dataclass(frozen=True)
class Parent:
    """The gateway of a tunnel. `automatic`: whether it gives internal addresses itself; None: not seen yet."""

    called: str
    automatic: bool | None = None


def ends(who: Who, values: Values, only_address: str | None = None) -> Ends:
    """From the words of `tunnel/plan.py`. `only_address`: that of a gateway which has just one."""
    local = values.get("localAddress.name") or only_address
    return Ends(who, local, values.get("remoteAddress.address"), _link(values.get("tunnelInternalIp")))


def advise(me: Ends, values: Values, others: Iterable[Ends], gateway: Parent) -> tuple[str, ...]:
    """What to say on tunnel `me`, which has `values`. `others`: of the same gateway, of all its connections."""
    disturbed = sorted((other for other in others if tells(me.who, other.who)), key=lambda other: other.who.called)
    return (
        *(said for other in disturbed for said in _same_pair(me, other)),
        *(said for other in disturbed for said in _same_link(me, other)),
        *_weak(values),
        *_timers(values),
        *_pings(values, gateway),
    )


def internal_ip_hold(wanted: str | None, observed: str | None, gateway: Parent) -> Stalled | None:
    """Why `tunnelInternalIp` is not sent. A gateway that does not say whether it allocates does, by default.

    Not for what the tunnel has already, of which nothing is sent, and not for the empty text.
    """
    if not wanted or wanted == (observed or "") or gateway.automatic is False:
        return None
    return Stalled(
        "Rejected",
        f"tunnelInternalIp {wanted} is not sent: {gateway.called} gives its tunnels their internal addresses itself, "
        f"and UpCloud takes none from others then. Set automaticTunnelInternalIpAllocation: false on "
        f"{gateway.called}, or take tunnelInternalIp out of the spec.",
    )


def _same_pair(me: Ends, other: Ends) -> Iterator[str]:
    if me.local and me.remote and (me.local, me.remote) == (other.local, other.remote):
        yield (
            f"{other.who.called} joins the same two addresses, {me.local} and {me.remote}: a peer is known by its "
            f"address, so the two may take each other's traffic, or one of them stays down. Give this tunnel another "
            f"localAddress or remoteAddress, or delete one of the two."
        )


def _same_link(me: Ends, other: Ends) -> Iterator[str]:
    if me.inside is not None and me.inside == other.inside:
        yield (
            f"{other.who.called} has its tunnelInternalIp in {me.inside} as well: a /30 serves one tunnel, and UpCloud "
            f"does not take it for two. Set tunnelInternalIp to an address in another /30 of 169.254.0.0/16."
        )


def _weak(values: Values) -> Iterator[str]:
    for field in INTEGRITY:
        if "sha1" in (values.get(field) or ()):
            yield (
                f"{field} has sha1: the peer may choose it, and it is being phased out (RFC 8247). Set the field to "
                f"sha256 or better as soon as the peer knows them."
            )
    for field in GROUPS:
        weak = [str(group) for group in WEAK_GROUPS if group in (values.get(field) or ())]
        if weak:
            yield (
                f"{field} has {' and '.join(weak)}: the peer may choose so short a key exchange, which whoever records "
                f"the traffic may break (RFC 8247). Set the field to 14 or better as soon as the peer knows them."
            )


def _timers(values: Values) -> Iterator[str]:
    delay, timeout = values.get("ipsec.dpdDelay"), values.get("ipsec.dpdTimeout")
    if delay and timeout is not None and timeout <= delay:
        yield (
            f"ipsec.dpdTimeout ({timeout} s) is not longer than ipsec.dpdDelay ({delay} s): the peer counts as dead "
            f"when a single answer is late, and the tunnel is cut. Set dpdTimeout to several times dpdDelay, such as "
            f"120 and 30."
        )
    rekey, lifetime = values.get("ipsec.rekeyTime"), values.get("ipsec.ikeLifetime")
    if lifetime and rekey is not None and rekey >= lifetime:
        yield (
            f"ipsec.rekeyTime ({rekey} s) is not shorter than ipsec.ikeLifetime ({lifetime} s): the IKE SA ends before "
            f"it gets new keys, and the tunnel is cut each time. Set rekeyTime well below ikeLifetime, such as 14400 "
            f"and 86400."
        )


def _pings(values: Values, gateway: Parent) -> Iterator[str]:
    interval = values.get("internalPeerPingInterval")
    if interval and not values.get("tunnelInternalIp") and gateway.automatic is False:
        yield (
            f"internalPeerPingInterval is {interval} s, but the tunnel has no internal address and {gateway.called} "
            f"gives none: nothing can be pinged. Set tunnelInternalIp, or automaticTunnelInternalIpAllocation: true on "
            f"{gateway.called}, or internalPeerPingInterval: 0."
        )


def _link(address: str | None) -> IPv4Network | None:
    """The /30 of an address; None for none, and for what is no address: the cloud may say anything."""
    try:
        return IPv4Network(f"{address}/30", strict=False) if address else None
    except ValueError:
        return None
