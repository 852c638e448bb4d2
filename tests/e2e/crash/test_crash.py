"""SIGKILL between a POST and the status that would record it, twenty times: one of each in the cloud, never two."""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

from support.scenario import Scenario, cloud_objects

KILLS = 20
SEED = 20261123
HELD = 30.0  # longer than anybody lives to see

FOUND = re.compile(r"Adopted: .* was made by the create that was cut")


def manifests(scenario: Scenario) -> Iterator[tuple[str, Callable[[], None]]]:
    """Gateway, connection, two tunnels, and again: a word for each, and what makes it."""
    for site in range(1, KILLS // 4 + 1):
        edge, office = f"edge-{site}", f"office-{site}"
        yield edge, partial(scenario.gateway, edge, routerRef={"uuid": scenario.cloud.router()})
        yield office, partial(scenario.connection, office, edge)
        for number in (1, 2):
            yield f"{office}-{number}", partial(scenario.tunnel, f"{office}-{number}", office)


def test_sigkill_between_post_and_status(scenario: Scenario, tell: Callable[[str], None]) -> None:
    rng = random.Random(SEED)
    scenario.secret()
    recorded = 0
    story: Counter[str] = Counter()
    for number, (name, make) in enumerate(manifests(scenario)):
        how = moment(rng, number)
        story[how] += 1
        posts = len(scenario.cloud.writes())
        if how != "open":
            scenario.cloud.faults({"match": "POST /1.3/gateway*", "timeout": HELD, "when": how})
        make()
        scenario.wait(f"the POST of {name}", partial(more_writes, scenario, posts))
        time.sleep(rng.uniform(0, 0.03))
        scenario.operator.kill()
        recorded += sum("create" in version.status for version in scenario.objects())
        scenario.cloud.door("DELETE", "/faults")
        scenario.operator.start()
        if how != "before":
            scenario.wait(f"{name} is known", partial(has_uuid, scenario, name))
    scenario.wait_all_ready(seconds=60)
    posts = len(scenario.cloud.writes())
    names = [body["name"] for body in cloud_objects(scenario.cloud.gateways())]
    adopted = len(FOUND.findall(scenario.operator.log()))
    assert len(names) == len(set(names)) == KILLS
    assert len({version.status["uuid"] for version in scenario.objects()}) == KILLS
    tell(f"{KILLS} SIGKILLs ({dict(story)}): {len(names)} in the cloud, one of each; {posts} POSTs")
    tell(f"a create record was found {recorded} times; what it had made was found {adopted} times")


def moment(rng: random.Random, number: int) -> str:
    """`after`: made, the answer is on its way. `before`: not made. `open`: whatever the moment makes of it.

    Only the second tunnel of a site, on which nothing depends, is not made: that takes two looks of ten seconds.
    """
    choices = ["after", "after", "open"]
    return rng.choice([*choices, "before", "before"] if number % 4 == 3 else choices)


def more_writes(scenario: Scenario, than: int) -> bool:
    return len(scenario.cloud.writes()) > than


def has_uuid(scenario: Scenario, name: str) -> bool:
    (version,) = [v for v in scenario.objects() if v.body["metadata"]["name"] == name]
    return "uuid" in version.status
