"""What status says of a router. It has no state: what is there, routes. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from netgw.engine.actuator import Condition, Observation
from netgw.engine.objects import Json
from netgw.providers.upcloud.api import Gateway, Router


def attached(router: Router, near: Iterable[Gateway]) -> dict[str, str | None]:
    """The gateways at the router by uuid, with their names where known. `near`: those that say they are at it.

    Older answers about a router tell no gateways; then those that are near are it.
    """
    names = {gateway.uuid: gateway.name for gateway in near}
    uuids = sorted(names) if router.gateways is None else router.gateways
    return {uuid: names.get(uuid) for uuid in uuids}


def describe(router: Router, near: Iterable[Gateway]) -> Observation:
    """`near`: as for `attached`."""
    gateways = attached(router, near)
    return Observation(
        ready=Condition("Ready", "True", "Available", "The router is there and routes between what is attached."),
        fields={
            "networks": len(router.networks),
            "gateways": [_gateway(uuid, name) for uuid, name in gateways.items()] or None,
        },
    )


def _gateway(uuid: str, name: str | None) -> dict[str, Json]:
    return {"uuid": uuid} if name is None else {"uuid": uuid, "name": name}
