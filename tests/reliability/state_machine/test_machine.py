"""Random users against the real operator on a real API server: a state machine of Hypothesis.

Each example begins in an empty namespace and an empty cloud, and ends in them. The operator, a process, lives on from
one to the next, but for the rules that end it: SIGTERM, SIGKILL, and SIGKILL at one of its next calls. After every rule
that settles, what must hold is looked at. Several worlds play at once, for most of the time is waiting.

How a failing example becomes a scenario: what happened is told line by line, and Hypothesis prints its rules as Python.
Each is a step of a story with the same name in `support.scenario`: copy them into a test of `tests/e2e/`.
Shrinking plays examples again on a real server, so it is left out in `make test`; `make soak` shrinks.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from support.cluster import Cluster
from support.effort import effort
from support.figures import Figures
from support.fuzz.wanted import CAST, Ref
from support.fuzz.world import FuzzWorld
from support.recorder import Recorder
from support.scenario import route
from support.zygote.forks import Zygote

WORLDS = 5
EXAMPLES = effort(test=25, soak=300)
STEPS = effort(test=6, soak=12)
SEED = 20261127
EDGE, OFFICE, TUNNEL, _ = CAST
ANY = st.sampled_from(CAST)
FAULTS = st.sampled_from(
    [
        {"match": "GET /1.3/gateway", "status": 200, "body": []},
        {"match": "POST *", "status": 503, "when": "after"},
        {"match": "POST *", "reset": True},
        {"match": "PATCH *", "status": 500, "when": "after"},
        {"match": "DELETE *", "reset": True, "when": "after"},
        {"match": "* /1.3/gateway*", "status": 502, "body": "<html>Bad Gateway</html>", "times": 3},
        {"match": "GET /1.3/gateway", "half": True},
    ]
)


class Users(RuleBasedStateMachine):
    """What people do, in any order; a subclass says in which world."""

    world: ClassVar[FuzzWorld]

    def __init__(self) -> None:
        super().__init__()
        self.world.begin()

    def teardown(self) -> None:
        self.world.end()

    @initialize(begin=st.sampled_from(["standing", "half made", "nothing"]))
    def begin(self, begin: str) -> None:
        """Most of what can be done needs something that is there."""
        if begin != "nothing":
            self.all_of_it()
        if begin == "standing":
            self.world.settle()

    @rule()
    def all_of_it(self) -> None:
        for ref in CAST:
            self.world.apply(ref)

    @rule(ref=ANY)
    def apply(self, ref: Ref) -> None:
        self.world.apply(ref)

    @rule(ref=ANY)
    def delete(self, ref: Ref) -> None:
        self.world.delete(ref)

    @rule(seconds=st.sampled_from([3600, 7200]))
    def edit_tunnel(self, seconds: int) -> None:
        self.world.edit(TUNNEL, ipsec={"rekeyTime": seconds})

    @rule(number=st.integers(1, 3), side=st.sampled_from(["localRoutes", "remoteRoutes"]))
    def edit_connection(self, number: int, side: str) -> None:
        self.world.edit(OFFICE, **{side: [route("net", f"10.{len(side)}.{number}.0/24")]})

    @rule(value=st.sampled_from(["test", "prod", None]))
    def label_gateway(self, value: str | None) -> None:
        self.world.edit(EDGE, labels={"env": value})

    @rule(plan=st.sampled_from(["production", "advanced"]))
    def plan_of_gateway(self, plan: str) -> None:
        self.world.edit(EDGE, plan=plan)

    @rule(good=st.sampled_from([True, True, False]))
    def new_key(self, good: bool) -> None:
        self.world.new_key(good=good)

    @rule(field=st.sampled_from(["rekey_time", "dpd_delay"]))
    def by_hand_in_the_cloud(self, field: str) -> None:
        self.world.drift(field)

    @rule()
    def tunnel_vanishes(self) -> None:
        self.world.vanish()

    @rule()
    def neighbour(self) -> None:
        self.world.neighbour()

    @rule(fault=FAULTS)
    def fault(self, fault: dict[str, Any]) -> None:
        self.world.fault(fault)

    @rule(ref=ANY, value=st.sampled_from(["true", None]))
    def pause(self, ref: Ref, value: str | None) -> None:
        self.world.pause(ref, value)

    @rule()
    def restart(self) -> None:
        self.world.terminate()

    @rule()
    def kill(self) -> None:
        self.world.kill()

    @rule(number=st.integers(1, 40))
    def dies_at(self, number: int) -> None:
        self.world.dies_at(number)

    @rule()
    def settle(self) -> None:
        self.world.settle()


@contextlib.contextmanager
def worlds(cluster: Cluster, folder: Path) -> Iterator[list[FuzzWorld]]:
    with contextlib.ExitStack() as closing:
        zygote = Zygote(folder / "zygote.log")
        closing.callback(zygote.stop)
        recorder = Recorder(cluster)
        recorder.start()
        closing.callback(recorder.stop)
        kubeconfig = cluster.operator_kubeconfig()
        yield [
            closing.enter_context(FuzzWorld.open(cluster, kubeconfig, zygote, recorder, folder / f"world-{number}"))
            for number in range(WORLDS)
        ]


PARSING = threading.Lock()
"""Before its first example Hypothesis parses source text, which Python 3.11 cannot do in two threads at once."""


def play(world: FuzzWorld, number: int) -> None:
    """The part of this world, the same in every run."""
    begun = contextlib.ExitStack()

    class Here(Users):
        def __init__(self) -> None:
            begun.close()
            super().__init__()

    Here.world = world
    users = seed(SEED + number)(Here)
    chosen = settings(
        max_examples=EXAMPLES // WORLDS,
        stateful_step_count=STEPS,
        derandomize=True,
        database=None,
        deadline=None,
        phases=effort(test=[Phase.generate], soak=[Phase.generate, Phase.shrink]),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    with begun:
        begun.enter_context(PARSING)
        run_state_machine_as_test(users, settings=chosen)


def test_whatever_users_do_the_cloud_is_what_the_specs_say(cluster: Cluster, tmp_path: Path, figures: Figures) -> None:
    begun = time.monotonic()
    with worlds(cluster, tmp_path) as opened, ThreadPoolExecutor(WORLDS) as threads:
        for played in [threads.submit(play, world, number) for number, world in enumerate(opened)]:
            played.result()
        counts = sum((world.counts for world in opened), Counter())
    assert counts["examples"] >= EXAMPLES
    part = "state machine"
    figures.put(part, "examples played to their end", counts["examples"])
    figures.put(part, "what users, others and fate did in them", counts["steps"])
    figures.put(part, "settled, and all that must hold looked at", counts["settled"])
    figures.put(part, "restarts", f"{counts['SIGKILL']} by SIGKILL, {counts['SIGTERM']} by SIGTERM")
    figures.put(part, "seconds", round(time.monotonic() - begun))
