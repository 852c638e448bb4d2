"""The part of a random day that is about policies: what is observed, retained, told, asked, labelled, imported."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable, Coroutine
from typing import Any

from netgw.engine.objects import format_time
from netgw.engine.policy import CHOICES
from support.history import GATEWAY, History

APPROVAL = re.compile(r"netgw\.dev/approve=(\w+)")
LEGACY = ("NetworkGateway", "legacy")

SAID = (
    None,
    None,
    '{"managementPolicy": "Observe"}',
    '{"deletionPolicy": "Retain"}',
    '{"driftPolicy": "Report"}',
    '{"disruptionPolicy": "Ask"}',
    '{"deletionPolicy": "Keep"}',
    "nonsense",
)
"""What the namespace may say."""

Spec = dict[str, Any]
Ref = tuple[str, str]
Action = Callable[[], Coroutine[Any, Any, None] | None]


class Whims:
    """`cast` is what is wanted of each object, shared with whoever plays the day; `foreign`: what others made."""

    def __init__(
        self, h: History, rng: random.Random, cast: dict[Ref, Spec], foreign: set[str], note: Callable[[str], None]
    ) -> None:
        self.h = h
        self.rng = rng
        self.cast = cast
        self.foreign = foreign
        self.note = note
        self.router = ""
        self.actions: list[tuple[int, Action]] = [
            (5, self.policy),
            (3, self.no_policy),
            (2, self.namespace),
            (3, self.labels),
            (2, self.label_by_hand),
            (2, self.approve),
            (1, self.flush),
            (3, self.legacy),
        ]

    async def begin(self) -> None:
        """A router for the gateway that is made by hand."""
        made = await self.h.by_hand("POST", "/router", {"router": {"name": "third"}})
        self.router = made["router"]["uuid"]

    def policy(self) -> None:
        """One more word in the spec of an object."""
        ref, field = self._some(), self.rng.choice(sorted(CHOICES))
        self.cast[ref] = {**self.cast[ref], field: self.rng.choice(CHOICES[field])}
        self._apply(ref)
        self.note(f"{field} of {ref}: {self.cast[ref][field]}")

    def no_policy(self) -> None:
        """The words of one object, or of all, are taken back."""
        for ref in [self._some()] if self.rng.random() < 0.5 else sorted(self.cast):
            self.cast[ref] = unbiased(self.cast[ref])
            self._apply(ref)
        self.note("policies taken back")

    def namespace(self) -> None:
        said = self.rng.choice(SAID)
        self.h.kubernetes.annotate_namespace("default-policies", said)
        self.note(f"the namespace says {said}")

    def labels(self) -> None:
        ref = self.rng.choice([ref for ref in sorted(self.cast) if ref[0] == "NetworkGateway"])
        keys = self.rng.sample(["env", "tier", "cost/center", "a b"], self.rng.randint(0, 3))
        self.cast[ref] = {**self.cast[ref], "labels": {key: str(self.rng.randint(1, 3)) for key in keys}}
        self._apply(ref)
        self.note(f"labels of {ref}: {keys}")

    def label_by_hand(self) -> None:
        gateways = [gateway for gateway in self.h.world.gateways.values() if not gateway.deleting]
        if gateways:
            gateway = self.rng.choice(gateways)
            gateway.labels[self.rng.choice(["env", "theirs", "_cloud"])] = "by hand"
            self.note(f"a label by hand on {gateway.name}")

    def approve(self) -> None:
        """Somebody says yes to what is asked."""
        for obj in self.h.objects():
            if found := APPROVAL.search(str((obj.condition("Synced") or {}).get("message"))):
                self.h.kubernetes.annotate(obj.kind, obj.name, "approve", found[1])
                self.note(f"approved: {obj.ref}")

    def flush(self) -> None:
        for obj in self.h.objects():
            if obj.kind == "NetworkGateway":
                now = format_time(self.h.clock.wall())
                self.h.kubernetes.annotate(obj.kind, obj.name, "flush-nat-requested-at", now)
        self.note("flush")

    async def legacy(self) -> None:
        """A gateway that is made by hand and imported, in either order."""
        if not any(g.name == "legacy" or g.router == self.router for g in self.h.world.gateways.values()):
            routers = [{"uuid": self.router}]
            body = {"name": "legacy", "zone": "fi-hel1", "plan": GATEWAY["plan"], "features": ["vpn"]}
            made = await self.h.by_hand(
                "POST", "/gateway", {**body, "routers": routers, "configured_status": "started"}
            )
            self.foreign.add(made["uuid"])
            self.note(f"legacy made by hand: {made['uuid']}")
        spec: Spec = {"import": {"name": "legacy"}, "managementPolicy": self.rng.choice(["Full", "Observe"])}
        if self.rng.random() < 0.5:
            spec["labels"] = {"env": "legacy"}
        self.h.kubernetes.apply(*LEGACY, spec)
        self.note(f"import {spec}")

    def heal(self) -> None:
        """Nobody says anything special any more, and what was imported is let go."""
        self.h.kubernetes.annotate_namespace("default-policies", None)
        for ref in self.cast:
            self.cast[ref] = unbiased(self.cast[ref])
            self._apply(ref)
        for obj in self.h.objects():
            self.h.kubernetes.annotate(obj.kind, obj.name, "approve", None)
        if self.h.kubernetes.get(*LEGACY) is not None:
            self.h.kubernetes.apply(*LEGACY, {"import": {"name": "legacy"}})
            self.h.kubernetes.delete(*LEGACY)

    def _some(self) -> Ref:
        return self.rng.choice(sorted(self.cast))

    def _apply(self, ref: Ref) -> None:
        """To what is there."""
        if self.h.kubernetes.get(*ref) is not None:
            self.h.kubernetes.apply(*ref, copy.deepcopy(self.cast[ref]))


def unbiased(spec: Spec) -> Spec:
    """Without any policy."""
    return {field: value for field, value in spec.items() if field not in CHOICES}
