"""Advice about the routes of a connection: networks that are in each other's way. Pure.

| what overlaps                                        | said on                          |
|------------------------------------------------------|----------------------------------|
| remote routes of two connections of one gateway      | the younger of the two           |
| a local and a remote route of one connection         | it                               |
| a route that lies in a network of clusters (setting) | it                               |

A route to everywhere, 0.0.0.0/0, is meant to contain all others, and the longer prefix is meant to win. So is a route
that only contains a network of clusters, such as 10.0.0.0/8: nothing is said of either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from netgw.engine.plan import Values
from netgw.providers.upcloud.advice.who import Who, some, tells


@dataclass(frozen=True)
class Route:
    """A network by the name that it has in its list."""

    name: str
    network: IPv4Network

    def __str__(self) -> str:
        return f"{self.name} {self.network}"

    @property
    def first(self) -> int:
        return int(self.network.network_address)

    @property
    def last(self) -> int:
        return int(self.network.broadcast_address)


@dataclass(frozen=True)
class Routes:
    """The routes of one connection, wanted where the spec sets them, else as observed."""

    who: Who
    local: tuple[Route, ...] = ()
    remote: tuple[Route, ...] = ()


def routes(who: Who, values: Values) -> Routes:
    """From the words of `connection/plan.py`."""
    return Routes(who, _parsed(values.get("localRoutes") or ()), _parsed(values.get("remoteRoutes") or ()))


def advise(me: Routes, others: Iterable[Routes], clusters: Sequence[IPv4Network]) -> tuple[str, ...]:
    """What to say on connection `me`. `others`: of the same gateway. `clusters`: networks of pods and services."""
    disturbed = sorted((other for other in others if tells(me.who, other.who)), key=lambda other: other.who.called)
    return (
        *_twice(me),
        *(said for other in disturbed for said in _shared(me, other)),
        *(said for network in clusters for said in _in_cluster(me, network, clusters)),
    )


def overlaps(some_routes: Sequence[Route], others: Sequence[Route]) -> list[tuple[Route, Route]]:
    """Every pair that has addresses in common, but for routes to everywhere."""
    spans = [(other, other.first, other.last) for other in others if other.network.prefixlen]
    return [
        (route, other)
        for route in some_routes
        if route.network.prefixlen
        for first, last in ((route.first, route.last),)
        for other, start, end in spans
        if first <= end and start <= last
    ]


def _twice(me: Routes) -> Iterator[str]:
    pairs = overlaps(me.local, me.remote)
    if pairs:
        local, remote = pairs[0]
        yield (
            f"Local route {local} overlaps remote route {remote}{_more(pairs)}: each side takes addresses of the other "
            f"for its own, and their traffic does not enter the tunnel. Give the two sides different networks; where "
            f"both use the same addresses, translate them at the peer."
        )


def _shared(me: Routes, other: Routes) -> Iterator[str]:
    pairs = overlaps(me.remote, other.remote)
    if pairs:
        mine, theirs = pairs[0]
        yield (
            f"Remote route {mine} overlaps remote route {theirs} of {other.who.called}{_more(pairs)}: UpCloud does not "
            f"say which of the two gets the traffic. Give each network to one connection; a second way to the same "
            f"networks is a second tunnel of that connection."
        )


def _in_cluster(me: Routes, network: IPv4Network, clusters: Sequence[IPv4Network]) -> Iterator[str]:
    """Each route is named once, for the first network that it lies in."""
    local, remote = (
        [str(route) for route in side if next(filter(route.network.subnet_of, clusters), None) == network]
        for side in (me.local, me.remote)
    )
    usual = f"in {network}, a usual network of a cluster's pods or services"
    if local:
        yield (
            f"Local routes {usual} ({some(local)}): such addresses exist inside the cluster only, and the peer does "
            f"not reach them. Give the networks of its nodes instead, or set NETGW_CLUSTER_NETWORKS to what your "
            f"clusters have."
        )
    if remote:
        yield (
            f"Remote routes {usual} ({some(remote)}): a cluster that has it keeps the traffic for itself, and its pods "
            f"do not reach the peer. Use other addresses at the peer, or set NETGW_CLUSTER_NETWORKS to what your "
            f"clusters have."
        )


def _more(pairs: Sequence[object]) -> str:
    return f" (and {len(pairs) - 1} more such pairs)" if len(pairs) > 1 else ""


def _parsed(texts: Iterable[str]) -> tuple[Route, ...]:
    """What is no IPv4 network is left out: the cloud may say anything."""
    return tuple(sorted(filter(None, map(_route, texts)), key=lambda route: (route.first, route.last, route.name)))


def _route(text: str) -> Route | None:
    name, _, rest = text.partition(" ")
    try:
        return Route(name, IPv4Network(rest.partition(" ")[0], strict=False))
    except ValueError:
        return None
