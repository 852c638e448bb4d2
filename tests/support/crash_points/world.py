"""Plays a story again and again: an operator dies at a point, a fresh one has to put everything right."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from support.checker import no_leaks
from support.crash_points.act import Act, Stand, Story
from support.crash_points.points import Plan
from support.scenario import cloud_objects

DEADLINE = 120.0
"""For one act. A create that was cut before its POST is looked for twice, ten seconds apart."""
QUIET_SECONDS = 0.6
LOOKS = 2
READS_COUNTED = 3
"""Reads that come again and again are points so often; later ones say nothing new."""

LOOK = re.compile(r"after cloud GET /gateway #")
WRITE = re.compile(r"before \w+ (POST|PUT|PATCH|DELETE) ")
READ = re.compile(r" (GET|WATCH) .*#(\d+)$")

Outcome = Literal["healed", "not reached", "failed"]


@dataclass(frozen=True)
class Result:
    """What became of one point, or of two in a row."""

    act: str
    point: str
    outcome: Outcome
    seconds: float
    told: str = ""


@dataclass(frozen=True)
class Death:
    """A point, and perhaps the so many-th point of the next life."""

    at: str
    then: int | None = None

    @property
    def deaths(self) -> int:
        return 1 if self.then is None else 2

    def __str__(self) -> str:
        return self.at + ("" if self.then is None else f", then point {self.then} of the next life")


Choose = Callable[[Act, Sequence[str]], Sequence[Death]]
"""Which of the points of an act are played."""


class World:
    """One story on one stand; ends at the first failure, for what comes after it would say nothing."""

    def __init__(self, story: Story, stand: Stand, choose: Choose) -> None:
        self.story, self.stand = story, stand
        self.points: dict[str, list[str]] = {}
        self.results: list[Result] = []
        self._choose = choose
        self._left: dict[str, Iterator[Death]] = {}
        self._next: dict[str, Death | None] = {}

    def play(self) -> None:
        self.stand.operator.begin()
        self.stand.operator.wait_ready()
        if self.story.before is not None:
            self._act(self.story.before, None)
        rounds = itertools.cycle(self.story.rounds)
        resting = 0
        while resting < len(self.story.rounds) and not self._failed():
            acts = next(rounds)
            pending = any(act.counts and self._next.get(act.name, Death("")) is not None for act in acts)
            resting = 0 if pending else resting + 1
            for act in acts if pending else ():
                self._one(act)
                if self._failed():
                    break

    def _failed(self) -> bool:
        return any(result.outcome == "failed" for result in self.results)

    def _one(self, act: Act) -> None:
        """The next death of this act, or the act without one, whose points are noted the first time."""
        began, death = time.monotonic(), self._next.get(act.name)
        try:
            deaths = self._act(act, death)
        except Exception as error:  # noqa: BLE001  whatever it is, the other worlds play on and the point is told
            told = f"{self.story.name}, {act.name}, {death or 'without a death'}: {type(error).__name__}: {error}"
            spent = time.monotonic() - began
            self.results.append(Result(act.name, str(death), "failed", spent, told))
            return
        if death is not None:
            outcome: Outcome = "healed" if deaths == death.deaths else "not reached"
            self.results.append(Result(act.name, str(death), outcome, time.monotonic() - began))
        if act.counts and act.name in self._left:
            self._next[act.name] = next(self._left[act.name], None)

    def _act(self, act: Act, death: Death | None) -> int:
        """How many times it died."""
        operator = self.stand.operator
        known = {v.body["metadata"]["uid"]: v.status.get("uuid") for v in self.stand.scenario.objects()}
        since = self._begin(act, death)
        deaths = int(self._settle(act, may_die=death is not None))
        if deaths:
            assert death is not None
            assert operator.process.returncode == -9, f"it ended by itself:\n{operator.process.tail(30)}"
            assert operator.seen()[-1] == death.at, "it died elsewhere"
            operator.plan = Plan(number=death.then)
            operator.begin()
            if self._settle(act, may_die=death.then is not None):
                deaths += 1
                operator.begin()
                self._settle(act, may_die=False)
        elif death is None and act.counts and act.name not in self.points:
            self._note(act, operator.seen()[since:])
        self._judge(known)
        if death is not None and deaths < death.deaths:
            operator.arm(None)  # a poll would reach it later, when nobody expects a death
        return deaths

    def _begin(self, act: Act, death: Death | None) -> int:
        operator, since = self.stand.operator, 1
        if act.at_birth:
            operator.kill()
            operator.plan = Plan(at=None if death is None else death.at)
            operator.begin()
        elif act.counts:
            since = operator.arm(None if death is None else death.at)
        act.do(self.stand)
        return since

    def _settle(self, act: Act, *, may_die: bool) -> bool:
        """Until it died, or all is done and the operator has looked twice since without a write."""
        operator, deadline, since, resting = self.stand.operator, time.monotonic() + DEADLINE, -1, 0.0
        while operator.alive or not may_die:
            assert operator.alive, f"it ended by itself:\n{operator.process.tail(30)}"
            assert time.monotonic() < deadline, f"not at rest within {DEADLINE} s\n{self.stand.scenario.picture()}"
            seen = operator.seen()
            if since >= 0 and any(map(WRITE.match, seen[since:])):
                since = -1
            if since < 0 and act.done(self.stand):
                since, resting = len(seen), time.monotonic()
            elif since >= 0 and self._quiet(seen[since:], resting):
                if act.done(self.stand):
                    return False
                since = -1
            time.sleep(0.05)
        return True

    def _quiet(self, seen: Sequence[str], resting: float) -> bool:
        if sum(1 for line in seen if LOOK.match(line)) >= LOOKS:
            return True
        # With nothing to look for it does not look.
        idle = "netgw.process: ready" in self.stand.operator.process.output() and not self.stand.scenario.objects()
        return idle and time.monotonic() - resting > QUIET_SECONDS

    def _note(self, act: Act, seen: Sequence[str]) -> None:
        self.points[act.name] = [
            line for line in seen if (read := READ.search(line)) is None or int(read[2]) <= READS_COUNTED
        ]
        self._left[act.name] = iter(self._choose(act, self.points[act.name]))

    def _judge(self, known: dict[str, str | None]) -> None:
        """What must hold at rest, whatever the act was; what it was for, `done` has seen."""
        scenario = self.stand.scenario
        objects = scenario.objects()
        no_leaks(scenario, objects)
        bodies = cloud_objects(scenario.cloud.gateways())
        names = [body["name"] for body in bodies]
        assert len(names) == len(set(names)), f"made twice: {names}\n{scenario.picture()}"
        there = {body["uuid"] for body in bodies} | {router["uuid"] for router in scenario.cloud.routers()}
        for version in objects:
            ref, uuid = version.body["metadata"]["name"], version.status["uuid"]
            assert uuid in there, f"{ref} is not in the cloud\n{scenario.picture()}"
            assert "create" not in version.status, f"{ref} has a record of a create left\n{scenario.picture()}"
            before = known.get(version.body["metadata"]["uid"])
            assert before in (None, uuid), f"{ref} was {before} and is {uuid}\n{scenario.picture()}"
