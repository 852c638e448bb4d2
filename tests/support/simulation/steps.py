"""A history as data: what happens, one thing after the other, before anything of it is played.

Each step can be played in any state (where it makes no sense, nothing happens), so that a history stays one when steps
are taken out of it. Who is meant is a number between 0 and 1: a place among those who are there by then.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from netgw.engine.policy import CHOICES
from support.history import KEY, OTHER_KEY
from support.simulation.cast import Cast, draw

Args = dict[str, Any]
Draw = Callable[[random.Random], Args]

PLACES = (
    "* /1.3/gateway*",
    "GET /1.3/gateway",
    "GET /1.3/gateway/*",
    "POST /1.3/gateway",
    "POST /1.3/gateway/*",
    "POST /1.3/gateway/*/tunnels",
    "* /1.3/router*",
    "PATCH *",
    "DELETE *",
    "GET /1.3/account",
)
WAYS: tuple[Args, ...] = (
    {"status": 500},
    {"status": 502, "body": "<html>Bad Gateway</html>"},
    {"status": 503},
    {"status": 503, "headers": {"Retry-After": "7"}},
    {"status": 429},
    {"status": 429, "headers": {"Retry-After": "20"}},
    {"status": 401},
    {"status": 402},
    {"status": 403},
    {"status": 404, "body": "<html>Not Found</html>"},
    {"status": 200, "body": "<html>Welcome</html>"},
    {"timeout": 60.0},
    {"reset": True},
)
REFUSALS = (401, 402, 403, 429)
"""The cloud's own no, which it says instead of doing the work. Anything else may be lost on the way back."""
SAID = (
    None,
    '{"managementPolicy": "Observe"}',
    '{"deletionPolicy": "Retain"}',
    '{"driftPolicy": "Report"}',
    '{"disruptionPolicy": "Ask"}',
    '{"deletionPolicy": "Keep"}',
    "nonsense",
)
"""What the namespace may say."""
KINDS = ("NetworkGateway", "VpnConnection", "VpnTunnel", "Router", "Secret")


@dataclass(frozen=True)
class Step:
    """`what` is done with `args`, then `wait` seconds pass."""

    what: str
    args: Args = field(default_factory=dict)
    wait: float = 0.0

    def __str__(self) -> str:
        args = ", ".join(f"{name}={value!r}" for name, value in self.args.items())
        return f"{self.what}({args}), then {self.wait:.2f} s"


def _who(rng: random.Random) -> Args:
    return {"who": round(rng.random(), 4)}


def _with(**choices: Any) -> Draw:
    """Who, and one of each list of choices."""
    return lambda rng: _who(rng) | {name: rng.choice(values) for name, values in choices.items()}


def _fault(rng: random.Random) -> Args:
    place, way, when = rng.choice(PLACES), rng.choice(WAYS), rng.choice(["before", "after"])
    if way.get("status") in REFUSALS:
        when = "before"
    return {"place": place, "way": way, "when": when, "times": rng.choice([1, 1, 2, 4])}


def _policy(rng: random.Random) -> Args:
    said = rng.choice(sorted(CHOICES))
    return _who(rng) | {"policy": said, "value": rng.choice(CHOICES[said])}


def _seconds(low: float, high: float) -> Draw:
    return lambda rng: {"seconds": round(rng.uniform(low, high), 3)}


def _some(rng: random.Random) -> Args:
    return {"part": rng.choice([0.5, 1.0, 1.0]), "salt": rng.randrange(1000)}


def _crash(rng: random.Random) -> Args:
    return {"steps": rng.randint(1, rng.choice([30, 300])), "down": rng.choice([0.0, 0.0, 5.0, 60.0])} | _stale(rng)


def _stale(rng: random.Random) -> Args:
    """How many seconds the list at the next start is behind."""
    return {"behind": rng.choice([0.0, 0.0, 1.0, 10.0, 60.0])}


NOTHING: Draw = lambda rng: {}  # noqa: E731

KINDS_OF_STEPS: dict[str, tuple[int, Draw]] = {
    "apply": (6, _some),
    "edit": (4, _with(value=[0, 1, 2])),
    "delete": (4, _who),
    "delete_all": (1, NOTHING),
    "rotate": (3, _with(key=[KEY, OTHER_KEY, OTHER_KEY, "short", None])),
    "annotate": (2, _with(annotation=["reconcile-requested-at", "push-psk-requested-at", "flush-nat-requested-at"])),
    "pause": (1, _with(value=["true", None])),
    "policy": (4, _policy),
    "no_policy": (3, NOTHING),
    "namespace": (2, _with(said=SAID)),
    "labels": (2, _with(keys=[[], ["env"], ["env", "tier"], ["cost/center", "a b"]], value=["1", "2"])),
    "approve": (2, NOTHING),
    "import_legacy": (2, _with(policy=["Full", "Observe"], labels=[None, {"env": "legacy"}])),
    "wipe": (2, _who),
    "restore": (2, lambda rng: {"status": rng.choice(["none", "old", "new"]), "age": rng.choice([5.0, 60.0, 300.0])}),
    "remove_in_cloud": (3, _who),
    "make_in_cloud": (2, lambda rng: _who(rng) | {"number": rng.getrandbits(32)}),
    "drift": (3, _with(value=[1000, 5000, 9000])),
    "label_by_hand": (2, _with(key=["env", "theirs", "_cloud"])),
    "fault": (8, _fault),
    "empty_list": (2, NOTHING),
    "lag": (3, lambda rng: {"seconds": rng.choice([0.05, 1.0, 6.0])}),
    "gap": (3, lambda rng: {"kind": rng.choice([*KINDS, "all"]), "seconds": round(rng.uniform(1, 30), 2)}),
    "lose_deleted": (2, lambda rng: {"part": rng.choice([0.0, 0.5])}),
    "trouble": (2, lambda rng: {"part": rng.choice([0.0, 0.2])}),
    "touch": (2, lambda rng: _who(rng) | {"times": rng.randint(1, 6)}),
    "crash": (7, _crash),
    "stop": (2, _stale),
    "jump": (2, lambda rng: {"seconds": rng.choice([-3600.0, -90.0, -5.0, 5.0, 90.0, 3600.0])}),
    "second_leader": (2, _seconds(1, 60)),
    "other_account": (1, _seconds(1, 120)),
}
WAITS = (0.0, 0.1, 1.0, 5.0, 20.0, 20.0, 90.0)


def written(seed: int) -> tuple[Cast, list[Step]]:
    """Cast and steps of a seed."""
    rng = random.Random(seed)
    cast = draw(rng)
    names = list(KINDS_OF_STEPS)
    weights = [weight for weight, _ in KINDS_OF_STEPS.values()]
    steps = [Step("apply", {"part": 1.0, "salt": 0}, _wait(rng))]
    chosen = rng.choices(names, weights, k=rng.choice([4, 8, 8, 12, 20]))
    return cast, [*steps, *(Step(what, KINDS_OF_STEPS[what][1](rng), _wait(rng)) for what in chosen)]


def _wait(rng: random.Random) -> float:
    return round(rng.choice(WAITS) * rng.random(), 3)
