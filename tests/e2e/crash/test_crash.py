"""SIGKILL between a POST and the status that would record it, twenty times: one of each in the cloud, never two."""

from __future__ import annotations

import collections
import random
import re
import time
from collections.abc import Callable, Iterator

from support.scenario import Scenario, cloud_objects, route

KILLS = 20
SEED = 20261123
HELD = 30.0  # longer than anybody lives to see

FOUND = re.compile(r"Adopted: .* was made by the create that was cut")


def manifests(scenario: Scenario) -> Iterator[tuple[str, Callable[[], None]]]:
    """Gateway, connection, two tunnels, and again: each made when the one before is known to the cloud."""
    for site in range(1, KILLS // 4 + 1):
        edge, office = f"edge-{site}", f"office-{site}"
        router = scenario.cloud.router()
        yield "gateway", lambda e=edge, r=router: scenario.gateway(e, routerRef={"uuid": r})
        yield "connection", lambda e=edge, o=office, s=site: scenario.connection(
            o, e, remoteRoutes=[route("office", f"10.{s}.0.0/24")]
        )
        for number in (1, 2):
            yield (
                "tunnel",
                lambda o=office, n=number: scenario.tunnel(f"{o}-{n}", o, remoteAddress={"address": f"100.10.0.{n}"}),
            )


def test_sigkill_between_post_and_status(scenario: Scenario, tell: Callable[[str], None]) -> None:
    rng = random.Random(SEED)
    scenario.secret()
    recorded = 0
    story: collections.Counter[str] = collections.Counter()
    for number, (word, make) in enumerate(manifests(scenario)):
        how = moment(rng, number)
        story[how] += 1
        posts = len(scenario.cloud.writes())
        prepare(scenario, how)
        make()
        scenario.wait(f"the POST of {word} {number}", lambda n=posts: len(scenario.cloud.writes()) > n)
        time.sleep(rng.uniform(0, 0.03))
        scenario.operator.kill()
        recorded += sum("create" in version.status for version in scenario.objects())
        scenario.cloud.door("DELETE", "/faults")
        scenario.operator.start()
        scenario.wait(f"{word} {number} is known", lambda h=how: all_known(scenario) or h == "before")
    scenario.wait_all_ready(seconds=60)
    posts = len(scenario.cloud.writes())
    found = cloud_objects(scenario.cloud.gateways())
    names = [body["name"] for body in found]
    adopted = len(FOUND.findall(scenario.log))
    assert len(names) == len(set(names)) == KILLS
    assert len({version.status["uuid"] for version in scenario.objects()}) == KILLS
    tell(f"{KILLS} SIGKILLs ({dict(story)}): {len(found)} in the cloud, one of each; {posts} POSTs")
    tell(f"a create record was found {recorded} times; what it had made was found {adopted} times")


def moment(rng: random.Random, number: int) -> str:
    """`after`: made, the answer is on its way. `before`: not made. `open`: whatever the moment makes of it.

    Only the second tunnel of a site, on which nothing depends, is not made: that takes two looks of ten seconds.
    """
    choices = ["after", "after", "open"]
    return rng.choice([*choices, "before", "before"] if number % 4 == 3 else choices)


def prepare(scenario: Scenario, how: str) -> None:
    if how != "open":
        scenario.cloud.faults({"match": "POST /1.3/gateway*", "timeout": HELD, "when": how})


def all_known(scenario: Scenario) -> bool:
    """Every object has its uuid, but for those whose create was cut before the cloud heard of it."""
    late = {version.body["metadata"]["name"] for version in scenario.objects() if "create" in version.status}
    made = {body["name"] for body in cloud_objects(scenario.cloud.gateways())}
    return all(version.status.get("uuid") for version in scenario.objects() if version.body["metadata"]["name"] not in late - made)
