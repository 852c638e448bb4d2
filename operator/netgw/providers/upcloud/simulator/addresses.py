"""Public addresses: the verbs of /gateway/{uuid}/addresses, of the OpenAPI preview alone, and floating IPs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from . import defaults, problems, render, requests, states
from .ask import Ask
from .problems import NO_RESOURCE
from .records import Address, Gateway


def made(ask: Ask, bodies: Sequence[requests.Address]) -> list[Address]:
    """Those of a new service: one of the cloud's own naming where none is asked for."""
    if not bodies:
        return [Address(defaults.DEFAULT_ADDRESS_NAME, ask.world.new_address(), asked_for=False)]
    if len({body.name for body in bodies}) != len(bodies):
        raise problems.refused("Duplicate address name.")
    taken = _in_use(ask)
    for index, body in enumerate(bodies):
        if body.address:
            _check_floating(ask, body.address, taken, f"addresses.{index}.address")
            taken.add(body.address)
    return [
        Address(body.name, body.address or ask.world.new_address(), asked_for=True, floating=bool(body.address))
        for body in bodies
    ]


def listed(ask: Ask) -> list[dict[str, str]]:
    """All addresses that the service shows."""
    gateway = ask.gateway(NO_RESOURCE)
    return [render.address(ask.world, gateway, item, ask.now) for item in states.addresses(gateway, ask.now)]


def get(ask: Ask) -> dict[str, str]:
    """One address by its name."""
    gateway = ask.gateway(NO_RESOURCE)
    return render.address(ask.world, gateway, _address(ask, gateway), ask.now)


def modify(ask: Ask) -> dict[str, str]:
    """A floating IP takes the place of what the name had; tunnels that end there start over."""
    draft = ask.draft(NO_RESOURCE)
    old = _address(ask, draft)
    body = requests.parse(requests.AddressPatch, ask.body)
    if not (old.floating and old.value == body.address):
        _check_floating(ask, body.address, _in_use(ask), "address")
    return _swap(ask, draft, old, replace(old, value=body.address, floating=True))


def release(ask: Ask) -> dict[str, Any]:
    """202: the floating IP is free again at once, and the name has a new made-up address."""
    draft = ask.draft(NO_RESOURCE)
    old = _address(ask, draft)
    if not old.floating:
        raise problems.refused("No floating IP address is attached.")
    _swap(ask, draft, old, replace(old, value=ask.world.new_address(), floating=False))
    return {}


def _swap(ask: Ask, draft: Gateway, old: Address, new: Address) -> dict[str, str]:
    draft.addresses = [new if item is old else item for item in draft.addresses]
    draft.updated_at = ask.now
    if new.value != old.value:
        for tunnel in (item for item in draft.tunnels if item.local_address == old.name):
            was = states.natural_state(draft, tunnel, ask.now, ask.world.tunnels)
            states.start_over(tunnel, ask.now, ask.world.delay, was_up=was in states.UP_STATES)
    ask.commit(draft)
    return render.address(ask.world, draft, new, ask.now)


def _address(ask: Ask, gateway: Gateway) -> Address:
    for item in states.addresses(gateway, ask.now):
        if item.name == ask.params["name"]:
            return item
    raise problems.not_found(NO_RESOURCE)


def _check_floating(ask: Ask, address: str, taken: set[str], path: str) -> None:
    if ask.world.floating_ips.get(address) != ask.account:
        raise problems.invalid((path, "Floating IP address not found."))
    if address in taken:
        raise problems.invalid((path, "Floating IP address is in use."))


def _in_use(ask: Ask) -> set[str]:
    every = (item for gateway in ask.world.gateways.values() for item in gateway.addresses)
    return {item.value for item in every if item.floating}
