"""Random users against the real operator on a real API server: a state machine of Hypothesis.

Each example begins in an empty namespace and an empty cloud, and ends in them; the operator goes on living from one to
the next, but for the rule that restarts it. After every rule that settles, what must hold is looked at.

How a failing example becomes a scenario: Hypothesis prints its rules, shrunk, as lines of Python (`state.gateway()`,
`state.settle()`). Each is a step of a story with the same name in `support.scenario`: copy them into a test of
`tests/e2e/`. Shrinking plays examples again on a real server, so it is left out in `make test`; `make soak` shrinks.
"""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from netgw import process
from support.cluster import Cluster
from support.effort import effort
from support.figures import Figures
from support.fuzz.world import FuzzWorld

EXAMPLES = effort(test=25, soak=300)
STEPS = effort(test=6, soak=14)
TUNNELS = st.sampled_from(["office-1", "office-2"])
FAULTS = st.sampled_from(
    [
        {"match": "GET /1.3/gateway", "status": 200, "body": []},
        {"match": "POST *", "status": 503, "when": "after"},
        {"match": "POST *", "reset": True},
        {"match": "PATCH *", "status": 500, "when": "after"},
        {"match": "DELETE *", "reset": True, "when": "after"},
        {"match": "* /1.3/gateway*", "status": 502, "body": "<html>Bad Gateway</html>", "times": 3},
    ]
)
UNAWAITED = "its traceback"
OURS = str(Path(process.__file__).parent)


class Failures(logging.Handler):
    """What the operator logs as an error, and exceptions of our own tasks that nobody awaited.

    kopf leaves tasks behind whose watch was cut off by the end; those have no frame of ours.
    """

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR or (record.msg == UNAWAITED and self._ours(record)):
            self.lines.append(self.format(record))

    def _ours(self, record: logging.LogRecord) -> bool:
        frames = traceback.extract_tb(record.exc_info[2]) if record.exc_info else []
        return any(frame.filename.startswith(OURS) for frame in frames)


class Users(RuleBasedStateMachine):
    """What people do, in any order; a subclass says in which world."""

    world: ClassVar[FuzzWorld]
    failures: ClassVar[Failures]

    def __init__(self) -> None:
        super().__init__()
        self.world.begin()

    def teardown(self) -> None:
        self.world.end()
        assert self.failures.lines == []

    @rule()
    def gateway(self) -> None:
        self.world.apply("NetworkGateway", "edge")

    @rule()
    def connection(self) -> None:
        self.world.apply("VpnConnection", "office")

    @rule(name=TUNNELS)
    def tunnel(self, name: str) -> None:
        self.world.apply("VpnTunnel", name)

    @rule()
    def all_of_it(self) -> None:
        for kind, name in self.world.cast:
            self.world.apply(kind, name)

    @rule(seconds=st.sampled_from([3600, 7200]))
    def edit_tunnel(self, seconds: int) -> None:
        self.world.edit("VpnTunnel", "office-1", {"ipsec": {"rekeyTime": seconds}})

    @rule(number=st.integers(1, 3))
    def edit_connection(self, number: int) -> None:
        routes = [{"name": "office", "staticNetwork": f"10.1.{number}.0/24"}]
        self.world.edit("VpnConnection", "office", {"remoteRoutes": routes})

    @rule(value=st.sampled_from(["test", "prod", None]))
    def label_gateway(self, value: str | None) -> None:
        self.world.edit("NetworkGateway", "edge", {"labels": {"env": value}})

    @rule(which=st.integers(0, 3))
    def delete(self, which: int) -> None:
        self.world.delete(*self.world.cast[which])

    @rule()
    def new_key(self) -> None:
        self.world.new_key()

    @rule(field=st.sampled_from(["rekey_time", "dpd_delay"]))
    def by_hand_in_the_cloud(self, field: str) -> None:
        self.world.drift(field)

    @rule()
    def tunnel_vanishes(self) -> None:
        self.world.vanish()

    @rule(fault=FAULTS)
    def fault(self, fault: dict[str, Any]) -> None:
        self.world.cloud.faults(fault)

    @rule(name=TUNNELS, value=st.sampled_from(["true", None]))
    def pause(self, name: str, value: str | None) -> None:
        self.world.pause(name, value)

    @rule()
    def restart(self) -> None:
        self.world.restart()

    @rule()
    def settle(self) -> None:
        self.world.settle()


@pytest.fixture
def failures() -> Iterator[Failures]:
    found = Failures()
    log, unawaited = logging.getLogger("netgw"), logging.getLogger(process.__name__)
    before = unawaited.level
    log.addHandler(found)
    unawaited.setLevel(logging.DEBUG)
    yield found
    unawaited.setLevel(before)
    log.removeHandler(found)


def test_whatever_users_do_the_cloud_is_what_the_specs_say(
    cluster: Cluster, tmp_path: Path, failures: Failures, figures: Figures
) -> None:
    begun = time.monotonic()
    chosen = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        derandomize=True,
        database=None,
        deadline=None,
        phases=effort(test=[Phase.generate], soak=[Phase.generate, Phase.shrink]),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    with FuzzWorld.open(cluster, tmp_path) as world:
        here = type("Here", (Users,), {"world": world, "failures": failures})
        run_state_machine_as_test(here, settings=chosen)
        counted = json.dumps(world.counts)
    figures.put("state machine", "examples / settled and looked at", f"{EXAMPLES} / {counted}")
    figures.put("state machine", "seconds", round(time.monotonic() - begun))
