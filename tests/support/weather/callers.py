"""Weather for one of two accounts: what meets a request goes by whose token it carries, however requests overlap."""

from __future__ import annotations

from contextvars import ContextVar

import httpx

from netgw.providers.upcloud.simulator.faults import Fault, Faults
from support.tenants import Apart, Tenants

_CALLER: ContextVar[str] = ContextVar("caller", default="")


class Callers(Apart):
    """Notes who asks, in the task that asks: the simulator in process answers in the same."""

    def asked(self, request: httpx.Request) -> None:
        """It is about to have its effect."""
        token = request.headers["Authorization"].removeprefix("Bearer ")
        self.asked_for.setdefault(token, []).append(f"{request.method} {request.url.raw_path.decode()}")
        _CALLER.set(token)


class ForEach(Faults):
    """The faults of whoever asks."""

    def __init__(self) -> None:
        super().__init__()
        self.of: dict[str, Faults] = {}

    def take(self, method: str, path: str) -> Fault | None:
        """What befalls this request of this caller."""
        own = self.of.get(_CALLER.get())
        return None if own is None else own.take(method, path)


def told_apart(d: Tenants) -> ForEach:
    """Before its operator starts: from then on faults are for each token."""
    d.witness = d.apart = Callers(d)
    d.world.faults = faults = ForEach()
    return faults
