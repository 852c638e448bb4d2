"""A SIGKILL at every point of every story: the operator that comes after it puts everything right."""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support import checker
from support.cluster import Cluster
from support.crash_points.act import Act, Stand, Story
from support.crash_points.forked import Doomed
from support.crash_points.stories import STORIES
from support.crash_points.world import Death, Result, World
from support.effort import effort
from support.figures import Figures
from support.recorder import Recorder
from support.scenario import Scenario
from support.zygote.forks import ForkedSimulator, Zygote

SEED = 20261127
INTERVAL = "0.2"
SETTINGS = {f"NETGW_{name}_INTERVAL": INTERVAL for name in ("POLL", "FAST_POLL", "SECRET")}
EACH = effort(test=3, soak=1000)
"""Points of each act, at most; an act has about a hundred."""
PLAYED = effort(
    test=[story for story in STORIES if story.name in ("tree-1", "update", "drift", "rotate", "router")], soak=STORIES
)
"""In a test five of the nine worlds, for each costs a start and one play of each of its acts."""
PAIRS = effort(test=3, soak=24)
LIFE = 30
"""Among so many points of the second life one is chosen: a start has about as many."""


def choose(act: Act, points: Sequence[str]) -> list[Death]:
    """Some points of each act, or all where it has no more, evenly spread; the first of them by a die."""
    part, parts = act.share
    rng = random.Random(f"{SEED} {act.name} {part}")
    points = points[part::parts]
    most = min(len(points), EACH // parts)
    offset = rng.random()
    single = [Death(points[int((number + offset) * len(points) / most)]) for number in range(most)]
    pairs = range(PAIRS // parts if act.pairs else 0)
    return [*single, *(Death(rng.choice(points), rng.randint(1, LIFE)) for _ in pairs)]


@contextlib.contextmanager
def worlds(cluster: Cluster, folder: Path, stories: Sequence[Story]) -> Iterator[list[World]]:
    """Each with a namespace, a cloud and an operator of its own."""
    kubeconfig = cluster.operator_kubeconfig()
    recorder = Recorder(cluster)
    with contextlib.ExitStack() as closing:
        recorder.start()
        closing.callback(recorder.stop)
        zygote = Zygote(folder / "zygote.log")
        closing.callback(zygote.stop)
        opened = []
        for story in stories:
            namespace = closing.enter_context(cluster.namespace())
            cloud = ForkedSimulator(zygote, folder / f"cloud-{story.name}", delay=0.05)
            closing.callback(cloud.stop)
            settings = SETTINGS | {"NETGW_CLUSTER_NAME": "points"}
            operator = Doomed(zygote, kubeconfig, cloud.url, folder / story.name, **settings)
            closing.callback(operator.stop)
            operator.stay_in(namespace)
            scenario = Scenario(cluster, cloud, operator, recorder, namespace)
            opened.append(World(story, Stand(scenario, operator), choose))
        yield opened


def test_every_point(cluster: Cluster, tmp_path: Path, figures: Figures) -> None:
    with worlds(cluster, tmp_path, PLAYED) as opened, ThreadPoolExecutor(len(opened)) as threads:
        for played in [threads.submit(world.play) for world in opened]:
            played.result()
        results = [result for world in opened for result in world.results]
        show(opened, figures)
        failed = [result.told for result in results if result.outcome == "failed"]
        assert not failed, "\n\n".join(failed)
        for world in opened:
            checked(world)
    total(results, figures)


def checked(world: World) -> None:
    """What holds for a whole story: of each version of each object, and of all logs."""
    scenario = world.stand.scenario
    objects = scenario.objects()
    scenario.recorder.catch_up([version.body for version in objects])
    checker.conditions(scenario, objects)
    checker.no_secrets(scenario)


def show(opened: Sequence[World], figures: Figures) -> None:
    """The table: a row for each act."""
    points: dict[str, set[str]] = {}
    for world in opened:
        for name, found in world.points.items():
            points.setdefault(name, set()).update(found)
    every = [result for world in opened for result in world.results]
    for name, distinct in points.items():
        results = [result for result in every if result.act == name]
        count = Counter(result.outcome for result in results)
        seconds = sum(result.seconds for result in results) / max(len(results), 1)
        killed = f"{count['healed']} killed and healed, {count['not reached']} not reached"
        figures.put("crash points", name, f"{len(distinct)} points, {killed}, {seconds:.1f} s each")


def total(results: Sequence[Result], figures: Figures) -> None:
    """What was not reached is no proof: a second life may be shorter, a third call of a sort may not come."""
    healed = {(result.act, result.point) for result in results if result.outcome == "healed"}
    pairs = {point for point in healed if "next life" in point[1]}
    value = f"{len(healed - pairs)} distinct points and {len(pairs)} pairs, each by a SIGKILL of the process"
    figures.put("crash points", "killed and healed", value)
    assert len(healed - pairs) >= effort(test=30, soak=200)
    assert len(pairs) >= effort(test=1, soak=12)
    missed = [result for result in results if result.outcome == "not reached" and "next life" not in result.point]
    assert len(missed) <= len(results) / 5
