"""The stories in which an operator dies: a tree is made, deleted, changed, corrected, adopted, and swept away."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator, Sequence
from functools import partial

from support.crash_points.act import Act, Stand, Story, one_by_one
from support.crash_points.changes import drifts, make_whole, rotate, updates
from support.crash_points.site import SITE, all_ready, gone, keys, made, make
from support.scenario import Body, cloud_objects
from support.there_before import bind, tree_by_hand

ORDERS = list(itertools.permutations(range(len(SITE))))
HUB = {"staticRoutes": [{"name": "lab", "route": "10.9.0.0/16", "nexthop": "10.0.1.7"}]}


def delete(orders: Iterator[Sequence[int]], stand: Stand) -> None:
    """Each time in the next order."""
    for number in next(orders):
        stand.scenario.delete(*SITE[number])


# ---- what was there before


def adopt(stand: Stand) -> None:
    scenario = stand.scenario
    if not scenario.foreign:
        tree_by_hand(scenario)
        stand.hashes = keys(stand)
    tree = cloud_objects(scenario.cloud.gateways())
    bind(scenario, tree, managementPolicy="Full", deletionPolicy="Retain")


def marks(stand: Stand) -> int:
    return sum(len(gateway["labels"]) for gateway in stand.scenario.cloud.gateways())


def adopted(stand: Stand) -> bool:
    return all_ready(stand) and marks(stand) == 1 and keys(stand) == stand.hashes


def let_go(stand: Stand) -> None:
    stand.scenario.delete_all()


def is_let_go(stand: Stand) -> bool:
    return not stand.scenario.objects() and marks(stand) == 0 and keys(stand) == stand.hashes


# ---- a namespace and all that is in it


def move(stand: Stand) -> None:
    """A new namespace, and an operator that watches it."""
    scenario = stand.scenario
    scenario.namespace = f"t-{secrets.token_hex(4)}"
    metadata = {"name": scenario.namespace}
    scenario.cluster.api("POST", "/api/v1/namespaces", json={"metadata": metadata}).raise_for_status()
    stand.operator.kill()
    stand.operator.stay_in(scenario.namespace)
    stand.operator.begin()
    make(stand)


def path(stand: Stand) -> str:
    return f"/api/v1/namespaces/{stand.scenario.namespace}"


def sweep(stand: Stand) -> None:
    stand.scenario.cluster.api("DELETE", path(stand)).raise_for_status()


def swept(stand: Stand) -> bool:
    return gone(stand) and stand.scenario.cluster.api("GET", path(stand)).status_code == 404


# ---- a router of ours


def make_router(stand: Stand) -> None:
    stand.scenario.create("Router", "hub", {"labels": {"env": "test"}})
    stand.scenario.gateway(routerRef={"name": "hub"})


def change_router(stand: Stand) -> None:
    stand.scenario.change("Router", "hub", **HUB)


def router_is_changed(stand: Stand) -> bool:
    found = [r["type"] for router in ours(stand) for r in router["static_routes"] if r["type"] == "user"]
    return all_ready(stand, 2) and found == ["user"]


def ours(stand: Stand) -> list[Body]:
    return [router for router in stand.scenario.cloud.routers() if router["labels"]]


def delete_router(stand: Stand) -> None:
    for kind, name in (("Router", "hub"), SITE[0]):
        stand.scenario.delete(kind, name)


def router_made(stand: Stand) -> bool:
    return all_ready(stand, 2) and len(ours(stand)) == 1


def router_gone(stand: Stand) -> bool:
    return gone(stand) and not ours(stand)


TREES = 3


def tree(number: int) -> Story:
    """The first of them has the first, fourth, seventh … point of the create, and order of deletion."""
    orders = ORDERS[number::TREES]
    create = Act("create", make, made, pairs=True, share=(number, TREES))
    word = f"delete, orders {number + 1}, {number + 1 + TREES} … of {len(ORDERS)}"
    return Story(f"tree-{number + 1}", ((create, Act(word, partial(delete, itertools.cycle(orders)), gone)),))


STANDING = Act("a tree", make_whole, made, counts=False)
ROTATION = (Act("rotate", rotate, made), Act("start", lambda _: None, made, at_birth=True))
ADOPT = (Act("adopt", adopt, adopted), Act("let go", let_go, is_let_go))
NAMESPACE = (Act("move", move, made, counts=False), Act("delete namespace", sweep, swept))
ROUTER = (
    Act("create Router", make_router, router_made),
    Act("update Router", change_router, router_is_changed),
    Act("delete Router", delete_router, router_gone),
)
STORIES = (
    *(tree(number) for number in range(TREES)),
    Story("update", one_by_one(updates()), before=STANDING),
    Story("drift", one_by_one(drifts()), before=STANDING),
    Story("rotate", one_by_one(ROTATION), before=STANDING),
    Story("adopt", (ADOPT,)),
    Story("namespace", (NAMESPACE,)),
    Story("router", (ROUTER,)),
)
