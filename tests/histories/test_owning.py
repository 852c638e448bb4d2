"""Never twice, never somebody else's: lost answers, names that two want, statuses that were lost."""

from __future__ import annotations

import asyncio
from fnmatch import fnmatch
from typing import Any

import httpx
import pytest

from netgw.engine.objects import Object
from support.audit import audited
from support.history import CONNECTION, GATEWAY, KEY, OTHER_KEY, History, tunnel

PLACES = {
    "NetworkGateway": "POST /1.3/gateway",
    "VpnConnection": "POST /1.3/gateway/*/connections/",
    "VpnTunnel": "POST /1.3/gateway/*/tunnels",
}
LOST: dict[str, dict[str, Any]] = {
    "time-out": {"timeout": 60.0},
    "reset": {"reset": True},
    "500": {"status": 500},
    "no JSON": {"status": 201, "body": "<html>"},
    "a proxy's 404": {"status": 404, "body": "<html>"},
    "a proxy's 400": {"status": 400, "body": "<html>"},
    "a proxy's 403": {"status": 403, "body": "<html>"},
}
NAMES = [("NetworkGateway", "edge"), ("VpnConnection", "office"), ("VpnTunnel", "office-1"), ("VpnTunnel", "office-2")]


def counted(h: History) -> tuple[int, int, int]:
    """Gateways, connections and tunnels in the cloud."""
    gateways = list(h.world.gateways.values())
    connections = [connection for gateway in gateways for connection in gateway.connections]
    return len(gateways), len(connections), sum(len(connection.tunnels) for connection in connections)


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("fault", LOST)
def test_the_work_was_done_and_the_answer_was_lost(kind: str, fault: str) -> None:
    async def story(h: History) -> None:
        h.world.faults.add(PLACES[kind], when="after", **LOST[fault])
        await h.start()
        h.apply_all()
        await h.settle()
        assert counted(h) == (1, 1, 2)
        assert len(h.calls("POST")) == 4
        assert len([event for event in h.kubernetes.events if event[2] == "Adopted"]) == 1

    audited(story)


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("fault", ["time-out", "reset", "500", "no JSON"])
def test_the_work_was_not_done_and_nobody_said_so(kind: str, fault: str) -> None:
    """Two looks of its own, ten seconds apart, before it is tried again."""

    async def story(h: History) -> None:
        h.world.faults.add(PLACES[kind], when="before", **LOST[fault])
        await h.start()
        h.apply_all(tunnels=1)
        await h.settle()
        assert counted(h) == (1, 1, 1)
        assert len(h.calls("POST")) == 4
        assert h.calls("DELETE", "PATCH") == []
        lost, again = (c.at for c in h.world.calls if fnmatch(f"{c.method} {c.path}", PLACES[kind]))
        assert (again - lost).total_seconds() > 10

    audited(story)


def test_the_object_moves_while_the_cloud_makes_it() -> None:
    """The uuid is written all the same, on the fresh object: nothing has to be looked for."""

    async def story(h: History) -> None:
        def annotate(request: httpx.Request) -> None:
            if request.method in ("POST", "PATCH"):
                for obj in h.objects():
                    h.kubernetes.annotate(obj.kind, obj.name, "approve", f"{h.clock.now()}")

        h.witness.when_answered = annotate
        await h.start()
        h.apply_all()
        await h.settle()
        assert [event for event in h.kubernetes.events if event[2] == "Adopted"] == []
        assert len(h.calls("POST")) == 4
        h.kubernetes.put_secret("office-psk", OTHER_KEY.encode())
        await asyncio.sleep(120)
        await h.settle()
        assert len(h.calls("PATCH")) == 2
        for name in ("office-1", "office-2"):
            assert h.reason("VpnTunnel", name, "PskInSync") == "Accepted"

    audited(story)


@pytest.mark.parametrize("seed", range(8))
def test_a_name_that_another_is_being_made_with(seed: int) -> None:
    """While nobody knows whether the one was made, the other does not try: its work would be taken for the one's."""

    async def story(h: History) -> None:
        await h.start()
        h.apply_all(tunnels=0)
        h.kubernetes.apply("NetworkGateway", "edge", GATEWAY | {"plan": "advanced"})
        await h.settle()
        h.world.faults.add(PLACES["VpnConnection"], reset=True)
        for name in ("one", "two"):
            h.kubernetes.apply("VpnConnection", name, CONNECTION | {"name": "shared"})
        for _ in range(600):
            await asyncio.sleep(0.1)
            assert sum(obj.creating for obj in h.objects()) <= 1
        assert any(h.ready(h.get("VpnConnection", name)) for name in ("one", "two"))

    audited(story, seed=seed, latency=0.5)


@pytest.mark.parametrize("posts", [0, 1, 2])
@pytest.mark.parametrize("seconds", [0.5, 3.0, 8.0])
@pytest.mark.parametrize("deleted", [False, True])
def test_the_work_is_done_after_the_call_was_given_up(posts: int, seconds: float, deleted: bool) -> None:
    """The first look finds nothing, the second one does: made once, and nothing is left behind by a deletion."""

    async def story(h: History) -> None:
        def give_up_the_next(request: httpx.Request) -> None:
            if len(h.calls("POST")) == posts and not given_up:
                h.life.late = seconds
                given_up.append(True)

        given_up: list[bool] = []
        h.witness.when_answered = give_up_the_next
        await h.start()
        h.apply_all(tunnels=1)
        if deleted:
            await h.until(lambda: bool(given_up) and h.life.late is None)
            for ref in list(h.kubernetes.objects):
                h.kubernetes.delete(ref.kind, ref.name)
            await h.until(lambda: not h.kubernetes.objects and not h.world.gateways)
            await asyncio.sleep(60)
            assert not h.world.gateways
        else:
            await h.settle()
            assert counted(h) == (1, 1, 1)
            assert len(h.calls("POST")) == 3

    audited(story)


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("made", [True, False])
def test_deleted_while_nobody_knows_whether_it_was_made(kind: str, made: bool) -> None:
    """A deletion does not finish before two looks have found nothing; what they find is deleted."""

    async def story(h: History) -> None:
        h.world.faults.add(PLACES[kind], when="after" if made else "before", reset=True)
        await h.start()
        h.apply_all(tunnels=1)
        await h.until(lambda: any(call.status is None for call in h.world.calls))
        lost = h.clock.now()
        for ref in list(h.kubernetes.objects):
            h.kubernetes.delete(ref.kind, ref.name)
        await h.until(lambda: not h.kubernetes.objects)
        assert not h.world.gateways
        if not made:
            assert h.clock.now() - lost > 10

    audited(story)


def test_the_name_is_found_although_it_was_refused() -> None:
    """A proxy that sends a POST twice: the second is refused, the first one's work is ours by the record."""

    async def story(h: History) -> None:
        for place in PLACES.values():
            h.world.faults.add(place, when="after", status=409)
        await h.start()
        h.apply_all()
        await h.settle()
        assert counted(h) == (1, 1, 2)
        assert len(h.calls("POST")) == 4

    audited(story)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("kind", ["VpnConnection", "VpnTunnel"])
def test_two_objects_want_one_name(kind: str, seed: int) -> None:
    """One gets it, the other says who has it, and takes over when it goes."""

    async def story(h: History) -> None:
        await h.start()
        h.apply_all(tunnels=0)
        h.kubernetes.apply("NetworkGateway", "edge", GATEWAY | {"plan": "advanced"})
        if kind == "VpnTunnel":
            h.kubernetes.apply(kind, "one", tunnel(name="shared"))
            h.kubernetes.apply(kind, "two", tunnel(name="shared"))
        else:
            h.kubernetes.apply(kind, "one", CONNECTION | {"name": "shared"})
            h.kubernetes.apply(kind, "two", CONNECTION | {"name": "shared"})
        await h.until(lambda: any(h.ready(h.get(kind, name)) for name in ("one", "two")))
        await asyncio.sleep(60)
        winner, loser = sorted(("one", "two"), key=lambda name: h.get(kind, name).uuid is None)
        assert h.reason(kind, loser) == "NameConflict"
        assert f"default/{winner}" in (h.get(kind, loser).condition("Synced") or {})["message"]
        h.kubernetes.delete(kind, winner)
        await h.until(lambda: h.ready(h.get(kind, loser)), 60)
        assert len(h.calls("POST")) == 4

    audited(story, seed=seed)


def test_two_gateways_want_one_name() -> None:
    async def story(h: History) -> None:
        await h.start()
        h.kubernetes.apply("NetworkGateway", "edge", GATEWAY)
        h.kubernetes.apply("NetworkGateway", "rival", GATEWAY | {"name": "edge"})
        await h.until(lambda: any(h.ready(obj) for obj in h.objects()))
        await asyncio.sleep(60)
        (loser,) = (obj for obj in h.objects() if obj.uuid is None)
        assert h.reason("NetworkGateway", loser.name) == "NameConflict"
        h.kubernetes.delete("NetworkGateway", "rival" if loser.name == "edge" else "edge")
        await h.until(lambda: h.ready(h.get("NetworkGateway", loser.name)), 120)
        assert len(h.calls("POST")) == 2

    audited(story)


def test_a_name_that_somebody_has_is_not_taken() -> None:
    async def story(h: History) -> None:
        await h.start()
        h.kubernetes.apply("NetworkGateway", "edge", GATEWAY)
        await h.settle()
        uuid = h.get("NetworkGateway", "edge").uuid
        hand_made = {"name": "office", "type": "ipsec", "local_routes": [route("10.0.7.0/24")]}
        made = await h.by_hand("POST", f"/gateway/{uuid}/connections", hand_made)
        h.kubernetes.apply("VpnConnection", "office", CONNECTION)
        await h.until(lambda: h.reason("VpnConnection", "office") == "NameConflict")
        h.kubernetes.delete("VpnConnection", "office")
        await h.until(lambda: len(h.kubernetes.objects) == 1)
        assert [c.uuid for g in h.world.gateways.values() for c in g.connections] == [made["uuid"]]

    audited(story)


def test_a_name_that_is_taken_between_the_look_and_the_post() -> None:
    """The refusal is looked into: what has the name is older than the record, so it is somebody else's."""

    async def story(h: History) -> None:
        await h.start()
        h.kubernetes.apply("NetworkGateway", "edge", GATEWAY | {"plan": "advanced"})
        await h.settle()
        hand_made = {"name": "other", "type": "ipsec", "local_routes": [route("10.0.7.0/24")]}
        await h.by_hand("POST", f"/gateway/{h.get('NetworkGateway', 'edge').uuid}/connections", hand_made)
        await asyncio.sleep(300)

        def rename(before: Object, after: Object) -> None:
            if after.creating:
                (other,) = (c for gateway in h.world.gateways.values() for c in gateway.connections)
                other.name = "office"

        h.kubernetes.on_status = rename
        h.kubernetes.apply("VpnConnection", "office", CONNECTION)
        await h.until(lambda: h.reason("VpnConnection", "office") == "NameConflict")
        assert [call.status for call in h.world.calls if call.method == "POST"] == [201, 400]
        assert not h.get("VpnConnection", "office").creating

    audited(story)


@pytest.mark.parametrize("lost", [False, True])
def test_a_gateway_of_another_cluster(lost: bool) -> None:
    """Its mark names the owner; it is neither adopted nor, when a status is lost, deleted."""

    async def story(h: History) -> None:
        theirs = "another/default/edge/8c5f4a8e-3c2a-4f6e-9b57-6f0d3b7d1a11"
        body = {
            "name": "edge",
            "zone": "fi-hel1",
            "plan": "production",
            "features": ["vpn"],
            "routers": [GATEWAY["routerRef"]],
            "configured_status": "started",
            "labels": [{"key": "netgw.dev/owner", "value": theirs}],
        }
        await h.by_hand("POST", "/gateway", body)
        await h.start()
        h.kubernetes.apply("NetworkGateway", "edge", GATEWAY)
        await h.until(lambda: h.reason("NetworkGateway", "edge") == "OwnedByOther")
        assert theirs in (h.get("NetworkGateway", "edge").condition("Synced") or {})["message"]
        await h.kill()
        if lost:
            h.kubernetes.wipe_status("NetworkGateway", "edge")
        h.kubernetes.delete("NetworkGateway", "edge")
        await h.start()
        await h.until(lambda: not h.kubernetes.objects)
        assert len(h.world.gateways) == 1
        assert h.calls("POST", "PATCH", "DELETE") == []

    audited(story)


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_a_lost_status_is_found_again(kind: str, name: str) -> None:
    """A gateway by its mark, a child by its name when it is what the spec says."""

    async def story(h: History) -> None:
        await h.start()
        h.apply_all()
        await h.settle()
        uuid = h.get(kind, name).uuid
        h.world.calls.clear()
        h.kubernetes.wipe_status(kind, name)
        await h.until(lambda: h.get(kind, name).uuid is not None)
        await h.settle()
        assert h.get(kind, name).uuid == uuid
        assert h.calls("POST", "PATCH", "DELETE") == []

    audited(story)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("trouble", [0.0, 0.4])
def test_two_who_could_adopt_it(seed: int, trouble: float) -> None:
    """One lost its status, another wants the same name and is alike: one of the two gets it, at any moment."""

    async def story(h: History) -> None:
        await h.start()
        h.apply_all(tunnels=0)
        h.kubernetes.apply("VpnConnection", "rival", CONNECTION | {"name": "office"})
        await h.until(lambda: any(obj.reason == "NameConflict" for obj in h.objects()))
        await h.kill()
        holder = next(obj.name for obj in h.objects() if obj.kind == "VpnConnection" and obj.uuid)
        h.kubernetes.wipe_status("VpnConnection", holder)
        if seed % 2:
            h.kubernetes.delete("VpnConnection", holder)
        await h.start()
        h.life.trouble = trouble
        await asyncio.sleep(60)
        h.life.trouble = 0.0
        h.kubernetes.delete("VpnConnection", holder)
        await h.until(lambda: h.kubernetes.get("VpnConnection", holder) is None)
        await h.settle()
        assert counted(h) == (1, 1, 0)

    audited(story, seed=seed, latency=0.4, lag=2.0)


def test_all_statuses_are_lost_while_nobody_looks() -> None:
    """A cluster restored from a backup: the gateway is found first, then what is below it."""

    async def story(h: History) -> None:
        await h.start()
        h.apply_all()
        await h.settle()
        uuids = sorted(str(obj.uuid) for obj in h.objects())
        await h.kill()
        h.world.calls.clear()
        for kind, name in NAMES:
            h.kubernetes.wipe_status(kind, name)
        await h.start()
        await h.settle()
        assert sorted(str(obj.uuid) for obj in h.objects()) == uuids
        assert h.calls("POST", "DELETE") == []

    audited(story)


def test_a_key_that_was_never_sent_by_us_is_not_sent_unasked() -> None:
    async def story(h: History) -> None:
        await h.start()
        h.apply_all(tunnels=1)
        await h.settle()
        h.kubernetes.wipe_status("VpnTunnel", "office-1")
        await h.until(lambda: h.reason("VpnTunnel", "office-1", "PskInSync") == "NeverPushed")
        assert h.calls("PATCH") == []
        h.kubernetes.annotate("VpnTunnel", "office-1", "push-psk-requested-at", "2026-11-22T03:00:00Z")
        await h.until(lambda: h.reason("VpnTunnel", "office-1", "PskInSync") == "Accepted")
        assert len(h.calls("PATCH")) == 1

    audited(story)


@pytest.mark.parametrize("seed", range(5))
def test_made_again_under_the_same_name(seed: int) -> None:
    """Deleted and applied again at once, at any moment: the former goes, the new one is made of its own."""

    async def story(h: History) -> None:
        await h.start()
        h.apply_all()
        for _ in range(4):
            await asyncio.sleep(h.rng.uniform(0, 15))
            for kind, name in NAMES[h.rng.randrange(4) :]:
                h.kubernetes.delete(kind, name)
            for _ in range(60):
                await asyncio.sleep(1)
                h.apply_all()
        await h.until(lambda: not any(obj.deleting for obj in h.objects()))
        h.apply_all()
        await h.settle()
        assert counted(h) == (1, 1, 2)

    audited(story, seed=seed, lag=1.0)


@pytest.mark.parametrize("account", ["bob", "alice"])
def test_a_create_that_was_cut_under_another_account(account: str) -> None:
    """What the other account does not see proves nothing: neither made again nor let go."""

    async def story(h: History) -> None:
        h.world.tokens = {"madeup-token": "alice"}
        h.world.routers[GATEWAY["routerRef"]["uuid"]].account = "alice"
        h.world.faults.add("POST /1.3/gateway", when="after", reset=True)
        await h.start()
        h.kubernetes.apply("NetworkGateway", "edge", GATEWAY)
        await h.until(lambda: bool(h.world.gateways))
        await h.kill()
        h.world.tokens = {"madeup-token": account}
        await h.start()
        if account == "alice":
            await h.settle()
            return
        await h.until(lambda: h.reason("NetworkGateway", "edge") == "AccountMismatch")
        h.kubernetes.delete("NetworkGateway", "edge")
        await asyncio.sleep(600)
        assert h.reason("NetworkGateway", "edge") == "AccountMismatch"
        assert len(h.calls("POST")) == 1
        await h.kill()
        h.world.tokens = {"madeup-token": "alice"}
        await h.start()
        await h.until(lambda: not h.kubernetes.objects and not h.world.gateways)

    audited(story)


def test_a_status_that_was_lost_under_another_account() -> None:
    """What is below the gateway says in which account it was made: the other one's empty list proves nothing."""

    async def story(h: History) -> None:
        h.world.tokens = {"madeup-token": "alice"}
        h.world.routers[GATEWAY["routerRef"]["uuid"]].account = "alice"
        await h.start()
        h.apply_all()
        await h.settle()
        (uuid,) = h.world.gateways
        await h.kill()
        h.kubernetes.wipe_status("NetworkGateway", "edge")
        h.world.tokens = {"madeup-token": "bob"}
        await h.start()
        await asyncio.sleep(600)
        assert h.reason("NetworkGateway", "edge") == "AccountMismatch"
        assert counted(h) == (1, 1, 2)
        await h.kill()
        h.world.tokens = {"madeup-token": "alice"}
        await h.start()
        await h.settle()
        assert h.get("NetworkGateway", "edge").uuid == uuid
        assert counted(h) == (1, 1, 2)

    audited(story)


@pytest.mark.parametrize("seed", range(20))
def test_two_operators_at_once(seed: int) -> None:
    """An old leader that does not know yet: the precondition of each write lets only one of them make a thing."""

    async def story(h: History) -> None:
        other = h.beside()
        await asyncio.gather(h.start(), other.start())
        if seed % 2:
            h.world.faults.add("POST *", timeout=20.0, when="after", times=2)
        h.apply_all()
        await asyncio.sleep(120)
        await other.kill()
        await h.settle()
        assert counted(h) == (1, 1, 2)
        made = [call for call in h.world.calls if call.method == "POST" and call.status in (201, None)]
        assert len(made) == 4
        for kind, name in NAMES:
            h.kubernetes.delete(kind, name)
        await h.until(lambda: not h.kubernetes.objects)

    audited(story, seed=seed, latency=0.5, lag=0.5)


def test_a_secret_is_read_for_the_length_of_a_call() -> None:
    async def story(h: History) -> None:
        await h.start()
        h.apply_all()
        await h.settle()
        assert KEY not in repr(h.app.__dict__ if h.app else {})

    audited(story)


def route(network: str) -> dict[str, str]:
    return {"name": "hand-made", "type": "static", "static_network": network}
