"""Rounds of a life: users edit, delete, make again and rotate, others interfere, the cloud fails now and then."""

from __future__ import annotations

import random
import time
from typing import Any

from netgw.engine.memo import FIGHT
from support.long_life.forest import Forest
from support.operator import Simulator

SETTLE = 180.0
FAULTS: tuple[dict[str, Any], ...] = (
    {"match": "GET /1.3/gateway", "status": 503, "times": 2},
    {"match": "GET /1.3/gateway", "status": 429, "headers": {"Retry-After": "1"}},
    {"match": "GET /1.3/gateway", "status": 200, "body": "<html>a proxy speaks</html>"},
    {"match": "GET /1.3/gateway", "status": 200, "body": {"half": "an answer"}},
    {"match": "GET /1.3/gateway", "skip": 3},
    {"match": "GET /1.3/gateway/*", "reset": True},
    {"match": "GET /1.3/gateway/*", "timeout": 1.5},
    {"match": "POST /1.3/gateway", "status": 500, "when": "after"},
    {"match": "POST /1.3/gateway", "reset": True, "when": "after"},
    {"match": "POST /1.3/gateway/*", "reset": True, "when": "after"},
    {"match": "POST /1.3/gateway/*", "status": 502},
    {"match": "POST /1.3/gateway/*", "timeout": 1.5, "when": "after"},
    {"match": "PATCH /1.3/gateway/*", "status": 503, "when": "after"},
    {"match": "PATCH /1.3/gateway/*", "status": 429, "headers": {"Retry-After": "2"}},
    {"match": "PATCH /1.3/gateway/*", "reset": True},
    {"match": "DELETE /1.3/gateway/*", "status": 500, "when": "after"},
    {"match": "DELETE /1.3/gateway/*", "reset": True, "when": "after"},
)


class Churn:
    """`play` one round after the other; at the end of each all is as it was, but for names, values and uuids."""

    def __init__(self, forest: Forest, cloud: Simulator, rng: random.Random, *, share: float) -> None:
        """`share` of all trees is touched in a round."""
        self._forest, self._cloud, self._rng, self._share = forest, cloud, rng, share
        self.counts = dict.fromkeys(("edits", "rotations", "deletions", "hand edits", "faults"), 0)

    def play(self, seconds: float) -> None:
        """A round with all of it, over so many seconds, and then rest."""
        for fault in self._rng.sample(FAULTS, 3):
            self._cloud.faults(fault)
            self.counts["faults"] += 1
        number = max(4, round(len(self._forest.trees) * self._share))
        touched = self._rng.sample(self._forest.trees, number)
        quarter = number // 4
        felled = touched[:quarter]
        self._forest.fell(felled)
        self.counts["deletions"] += len(felled)
        pause = seconds / max(1, number - quarter)
        for place, tree in enumerate(touched[quarter:]):
            kind = ("edits", "rotations", "edits", "hand edits")[place % 4]
            if kind == "hand edits" and tree.drifts == FIGHT:
                kind = "edits"  # once more might be a DriftFight, which waits for a new spec
            act = {"edits": self._forest.edit, "rotations": self._forest.rotate, "hand edits": self._forest.drift}[kind]
            act(tree)
            self.counts[kind] += 1
            time.sleep(pause)
        self._forest.regrow(felled, renamed=self._rng.random() < 0.5)
        self._forest.settle(SETTLE)
        self._cloud.door("DELETE", "/faults")
        self._forest.settle(SETTLE)
        self._cloud.door("DELETE", "/calls")  # it keeps them all, and is not what is measured

    def __str__(self) -> str:
        return ", ".join(f"{count} {what}" for what, count in self.counts.items())
