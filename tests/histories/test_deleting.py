"""Child first, never over what is not ours, and done only when absence is proven."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from support.audit import audited
from support.history import CONNECTION, GATEWAY, History, tunnel

NAMES = [("NetworkGateway", "edge"), ("VpnConnection", "office"), ("VpnTunnel", "office-1"), ("VpnTunnel", "office-2")]
ROUTE = {"name": "hand-made", "type": "static", "static_network": "10.0.7.0/24"}


async def made(h: History, tunnels: int = 2) -> None:
    await h.start()
    h.apply_all(tunnels)
    await h.settle()
    h.world.calls.clear()


def delete(h: History, *names: str) -> None:
    for kind, name in NAMES:
        if not names or name in names:
            h.kubernetes.delete(kind, name)


def message(h: History, kind: str, name: str) -> str:
    return str((h.get(kind, name).condition("Synced") or {}).get("message"))


async def gone(h: History, seconds: float = 300.0) -> None:
    await h.until(lambda: not h.kubernetes.objects, seconds)
    h.world.stamp()
    assert [gateway for gateway in h.world.gateways.values() if not gateway.deleting] == []


@pytest.mark.parametrize("lag", [0.05, 3.0])
@pytest.mark.parametrize("seed", range(5))
def test_in_any_order(seed: int, lag: float) -> None:
    async def story(h: History) -> None:
        await made(h)
        order = list(NAMES)
        h.rng.shuffle(order)
        for kind, name in order:
            h.kubernetes.delete(kind, name)
            await asyncio.sleep(h.rng.uniform(0, 4))
        await gone(h)
        assert len(h.calls("DELETE")) == 4

    audited(story, seed=seed, lag=lag)


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("lag", [0.05, 5.0])
def test_a_parent_waits_for_its_children(restart: bool, lag: float) -> None:
    """Also when the watch has told nothing of them yet, and when the operator has only just come up."""

    async def story(h: History) -> None:
        await made(h)
        if restart:
            await h.kill()
        delete(h, "edge", "office")
        if restart:
            await h.start()
        await h.until(lambda: h.reason("NetworkGateway", "edge") == "ChildrenExist")
        await h.until(lambda: h.reason("VpnConnection", "office") == "ChildrenExist")
        assert "VpnConnection office" in message(h, "NetworkGateway", "edge")
        assert "VpnTunnel office-1" in message(h, "VpnConnection", "office")
        await asyncio.sleep(600)
        assert h.calls("DELETE") == []
        delete(h)
        await gone(h)

    audited(story, lag=lag)


def test_a_child_that_the_watch_has_not_told_of() -> None:
    """It is applied right before the parent is deleted: the LIST that the deletion rests on names it."""

    async def story(h: History) -> None:
        await made(h, tunnels=1)
        h.kubernetes.lag = 20.0
        h.kubernetes.apply("VpnTunnel", "late", tunnel("100.10.0.119"))
        h.kubernetes.lag = 0.05
        delete(h, "office-1", "office")
        await h.until(lambda: h.reason("VpnConnection", "office") == "ChildrenExist")
        assert "late" in message(h, "VpnConnection", "office")
        await asyncio.sleep(60)
        assert len(h.calls("DELETE")) == 1
        h.kubernetes.delete("VpnTunnel", "late")
        delete(h)
        await gone(h)

    audited(story)


def test_a_child_that_never_had_anything_in_the_cloud_holds_nobody_up() -> None:
    """Else the two would wait for each other for ever: it is not made under a parent that is being deleted."""

    async def story(h: History) -> None:
        await made(h, tunnels=1)
        bad = tunnel("100.10.0.119", ipsec={"authentication": {"pskSecretRef": {"name": "missing"}}})
        h.kubernetes.apply("VpnTunnel", "waiting", bad)
        await h.until(lambda: h.reason("VpnTunnel", "waiting") == "SecretNotFound")
        delete(h)
        await h.until(lambda: len(h.kubernetes.objects) == 1)
        await h.until(lambda: h.reason("VpnTunnel", "waiting") == "ParentNotFound")
        assert not h.calls("POST")

    audited(story)


def test_hand_made_children_stop_it_and_are_named() -> None:
    async def story(h: History) -> None:
        await made(h)
        uuid = h.get("NetworkGateway", "edge").uuid
        body = {"name": "by-hand", "type": "ipsec", "local_routes": [ROUTE]}
        h.kubernetes.apply("NetworkGateway", "edge", GATEWAY | {"plan": "advanced"})
        await h.settle()
        connection = await h.by_hand("POST", f"/gateway/{uuid}/connections", body)
        delete(h)
        await h.until(lambda: h.reason("NetworkGateway", "edge") == "CascadeBlocked")
        assert "by-hand" in message(h, "NetworkGateway", "edge")
        assert connection["uuid"] in message(h, "NetworkGateway", "edge")
        await asyncio.sleep(600)
        assert [c.name for g in h.world.gateways.values() for c in g.connections] == ["by-hand"]
        h.kubernetes.annotate("NetworkGateway", "edge", "allow-cascade", "another-uuid")
        await asyncio.sleep(60)
        assert h.reason("NetworkGateway", "edge") == "CascadeBlocked"
        h.kubernetes.annotate("NetworkGateway", "edge", "allow-cascade", str(uuid))
        await gone(h)

    audited(story)


def test_a_hand_made_tunnel_stops_its_connection() -> None:
    async def story(h: History) -> None:
        await made(h, tunnels=1)
        gateway, connection = h.get("NetworkGateway", "edge").uuid, h.get("VpnConnection", "office").uuid
        authentication = {"authentication": "psk", "psk": "madeup_psk_of_somebody"}
        body = {
            "name": "by-hand",
            "local_address": {"name": "public"},
            "remote_address": {"address": "100.10.0.120"},
            "ipsec": {"authentication": authentication},
        }
        found = await h.by_hand("POST", f"/gateway/{gateway}/connections/{connection}/tunnels", body)
        delete(h)
        await h.until(lambda: h.reason("VpnConnection", "office") == "CascadeBlocked")
        assert "by-hand" in message(h, "VpnConnection", "office")
        await h.by_hand("DELETE", f"/gateway/{gateway}/connections/{connection}/tunnels/{found['uuid']}")
        await gone(h)

    audited(story)


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_a_lost_status_before_its_deletion(kind: str, name: str) -> None:
    """What is found to be ours is deleted: a gateway by its mark, a child that is what the spec says."""

    async def story(h: History) -> None:
        await made(h)
        await h.kill()
        h.kubernetes.wipe_status(kind, name)
        delete(h)
        await h.start()
        await gone(h)

    audited(story)


@pytest.mark.parametrize("running", [True, False])
def test_all_statuses_are_lost_before_the_deletion(running: bool) -> None:
    """Found from the top down, deleted from the bottom up."""

    async def story(h: History) -> None:
        await made(h)
        if not running:
            await h.kill()
        for kind, name in NAMES:
            h.kubernetes.wipe_status(kind, name)
        delete(h)
        if not running:
            await h.start()
        await gone(h)

    audited(story)


def test_a_status_that_was_lost_while_the_cloud_is_away() -> None:
    """Nothing is said of it before it was looked for: else a deletion would find that nothing was ever made."""

    async def story(h: History) -> None:
        await made(h)
        await h.kill()
        for kind, name in NAMES:
            h.kubernetes.wipe_status(kind, name)
        h.world.faults.add("GET *", status=503, times=None)
        await h.start()
        await asyncio.sleep(600)
        delete(h)
        await asyncio.sleep(60)
        assert h.reason("NetworkGateway", "edge") == "OrphanSuspected"
        h.world.faults.clear()
        await gone(h)

    audited(story)


@pytest.mark.parametrize(("kind", "name"), NAMES[1:])
def test_a_lost_status_and_another_spec(kind: str, name: str) -> None:
    """Nobody can tell whose it is: nothing is deleted, and the finalizer stays until somebody says."""

    async def story(h: History) -> None:
        await made(h)
        await h.kill()
        h.kubernetes.wipe_status(kind, name)
        spec = CONNECTION | {"localRoutes": []} if kind == "VpnConnection" else tunnel("100.10.0.99")
        h.kubernetes.apply(kind, name, spec)
        h.kubernetes.delete(kind, name)
        for number in (1, 2):
            if kind == "VpnConnection":
                h.kubernetes.delete("VpnTunnel", f"office-{number}")
        await h.start()
        await h.until(lambda: h.reason(kind, name) == "OrphanSuspected")
        assert "force-orphan" in message(h, kind, name)
        await asyncio.sleep(600)
        assert h.get(kind, name).guarded
        h.kubernetes.annotate(kind, name, "force-orphan", "true")
        await h.until(lambda: h.kubernetes.get(kind, name) is None)
        assert len(h.calls("DELETE")) == (2 if kind == "VpnConnection" else 0)

    audited(story)


def test_a_lost_status_of_what_another_object_has() -> None:
    """The other one's stays; the finalizer goes."""

    async def story(h: History) -> None:
        await made(h, tunnels=1)
        h.kubernetes.apply("VpnTunnel", "rival", tunnel("100.10.0.111", name="office-1"))
        await h.until(lambda: h.reason("VpnTunnel", "rival") == "NameConflict")
        await h.kill()
        h.kubernetes.wipe_status("VpnTunnel", "rival")
        h.kubernetes.delete("VpnTunnel", "rival")
        await h.start()
        await h.until(lambda: h.kubernetes.get("VpnTunnel", "rival") is None)
        assert h.calls("DELETE") == []

    audited(story)


def test_a_list_that_is_empty_by_mistake_lets_nothing_go() -> None:
    """One look is no proof, neither for a lost status nor for a create that was cut."""

    async def story(h: History) -> None:
        await made(h, tunnels=0)
        await h.kill()
        h.kubernetes.wipe_status("NetworkGateway", "edge")
        delete(h)
        h.world.faults.add("GET /1.3/gateway", status=200, body=[], times=2)
        await h.start()
        await gone(h)

    audited(story)


def test_never_sent_needs_neither_look_nor_credentials() -> None:
    async def story(h: History) -> None:
        await h.start()
        h.kubernetes.apply("VpnTunnel", "office-1", tunnel())
        await h.until(lambda: h.reason("VpnTunnel", "office-1") == "ParentNotFound")
        h.world.tokens = {}
        await asyncio.sleep(120)
        h.world.calls.clear()
        delete(h)
        await h.until(lambda: not h.kubernetes.objects, 5)
        assert h.calls() == []

    audited(story)


def test_gone_in_the_cloud_already() -> None:
    async def story(h: History) -> None:
        await made(h)
        await h.kill()
        await h.by_hand("DELETE", f"/gateway/{h.get('NetworkGateway', 'edge').uuid}")
        await asyncio.sleep(30)
        delete(h)
        await h.start()
        await gone(h)
        assert h.calls("DELETE") == []

    audited(story)


NO_PROOF: dict[str, dict[str, Any]] = {
    "a proxy's 404": {"status": 404, "body": "<html>Not Found</html>"},
    "404 of another shape": {"status": 404, "body": {"message": "no route"}},
    "503": {"status": 503},
    "401": {"status": 401},
    "no answer": {"reset": True},
}


@pytest.mark.parametrize("fault", NO_PROOF)
def test_no_proof_of_absence(fault: str) -> None:
    """While the cloud cannot be asked nothing counts as gone: no finalizer goes, nothing is made again."""

    async def story(h: History) -> None:
        await made(h)
        for verb in ("GET", "DELETE"):
            h.world.faults.add(f"{verb} /1.3/gateway*", times=None, **NO_PROOF[fault])
        h.kubernetes.annotate("VpnTunnel", "office-2", "reconcile-requested-at", "2026-11-22T03:00:00Z")
        delete(h, "office-1")
        await asyncio.sleep(1800)
        assert h.get("VpnTunnel", "office-1").guarded
        assert h.calls("POST", "PATCH") == []
        assert sum(len(gateway.tunnels) for gateway in h.world.gateways.values()) == 2
        h.world.faults.clear()
        await h.until(lambda: h.kubernetes.get("VpnTunnel", "office-1") is None)
        await h.settle()
        assert h.calls("POST", "PATCH") == []

    audited(story)


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_answer_to_a_deletion_is_lost(when: Any) -> None:
    async def story(h: History) -> None:
        await made(h)
        h.world.faults.add("DELETE *", reset=True, times=4, when=when)
        delete(h)
        await gone(h)
        assert len(h.calls("DELETE")) <= 8

    audited(story)


def test_a_deletion_that_the_cloud_forgot_is_sent_again() -> None:
    async def story(h: History) -> None:
        await made(h, tunnels=1)
        h.world.faults.add("DELETE *", status=204)
        delete(h)
        await gone(h)
        assert len(h.calls("DELETE")) == 4

    audited(story)


def test_a_deletion_takes_long() -> None:
    async def story(h: History) -> None:
        await made(h, tunnels=0)
        h.world.delay = 1200.0
        delete(h)
        await h.until(lambda: h.reason("NetworkGateway", "edge") == "Deleting")
        await h.until(lambda: h.reason("NetworkGateway", "edge") == "DeletionOverdue", 1200)
        await h.kill()
        await h.start()
        await asyncio.sleep(60)
        assert h.reason("NetworkGateway", "edge") == "DeletionOverdue"
        await gone(h, 3000)
        assert len(h.calls("DELETE")) == 2

    audited(story)


def test_a_namespace_whose_secret_goes_first() -> None:
    """Deleting never needs the key."""

    async def story(h: History) -> None:
        await made(h)
        h.kubernetes.put_secret("office-psk", None)
        await asyncio.sleep(5)
        delete(h)
        await gone(h)

    audited(story)


@pytest.mark.parametrize("form", ["name", "uuid"])
def test_nothing_is_made_under_a_parent_that_is_being_deleted(form: str) -> None:
    async def story(h: History) -> None:
        await made(h, tunnels=1)
        delete(h, "office")
        await h.until(lambda: h.reason("VpnConnection", "office") == "ChildrenExist")
        ref = {"name": "office"} if form == "name" else {"uuid": h.get("VpnConnection", "office").uuid}
        h.kubernetes.apply("VpnTunnel", "new", tunnel("100.10.0.119", connectionRef=ref))
        await h.until(lambda: h.reason("VpnTunnel", "new") == "ParentDeleting")
        await asyncio.sleep(600)
        assert h.calls("POST") == []
        delete(h, "office-1")
        await h.until(lambda: h.kubernetes.get("VpnConnection", "office") is None)
        h.kubernetes.delete("VpnTunnel", "new")
        await h.until(lambda: h.kubernetes.get("VpnTunnel", "new") is None)

    audited(story)


def test_children_that_name_their_parent_by_its_uuid() -> None:
    """They are its children all the same: it waits for them, and hears of it when they are gone."""

    async def story(h: History) -> None:
        await made(h, tunnels=1)
        gateway, connection = h.get("NetworkGateway", "edge").uuid, h.get("VpnConnection", "office").uuid
        h.kubernetes.apply("VpnConnection", "office", CONNECTION | {"gatewayRef": {"uuid": gateway}})
        h.kubernetes.apply("VpnTunnel", "office-1", tunnel("100.10.0.111", connectionRef={"uuid": connection}))
        await asyncio.sleep(5)
        await h.settle()
        delete(h, "edge", "office")
        await h.until(lambda: h.reason("NetworkGateway", "edge") == "ChildrenExist")
        await h.until(lambda: h.reason("VpnConnection", "office") == "ChildrenExist")
        delete(h)
        await gone(h, 20)
        assert h.calls("POST", "PATCH") == []

    audited(story)


def test_nothing_is_made_under_a_parent_whose_deletion_it_waited_through() -> None:
    """A child waits for its turn behind a slow call; by then its parent is being deleted."""

    async def story(h: History) -> None:
        await made(h, tunnels=0)
        h.kubernetes.apply("NetworkGateway", "edge", GATEWAY | {"plan": "advanced"})
        h.kubernetes.apply("VpnConnection", "branch", CONNECTION)
        await h.settle()
        h.world.faults.add("PATCH *", timeout=25.0)
        h.kubernetes.apply("VpnConnection", "branch", CONNECTION | {"localRoutes": []})
        await h.until(lambda: bool(h.calls("PATCH")))
        h.kubernetes.apply("VpnTunnel", "late", tunnel())
        await asyncio.sleep(1)
        h.kubernetes.delete("VpnConnection", "office")
        await h.until(lambda: h.reason("VpnTunnel", "late") in ("ParentDeleting", "ParentNotFound"))
        await asyncio.sleep(60)
        assert [path for path in h.calls("POST") if path.endswith("tunnels")] == []
        assert h.kubernetes.get("VpnConnection", "office") is None

    audited(story)


def test_where_nobody_can_look_nothing_is_gone() -> None:
    """The status was mutilated and the parents are gone: it cannot even be asked for."""

    async def story(h: History) -> None:
        await made(h, tunnels=1)
        await h.kill()
        body = h.kubernetes.objects[h.get("VpnTunnel", "office-1").ref]
        del body["status"]["gatewayUuid"], body["status"]["connectionUuid"]
        for kind, name in NAMES[:2]:
            h.kubernetes.take_finalizer(kind, name)
            h.kubernetes.delete(kind, name)
        delete(h)
        await h.start()
        await asyncio.sleep(300)
        assert h.get("VpnTunnel", "office-1").guarded
        assert sum(len(gateway.tunnels) for gateway in h.world.gateways.values()) == 1

    audited(story)


def test_paused_does_not_stop_a_deletion() -> None:
    async def story(h: History) -> None:
        await made(h)
        for kind, name in NAMES:
            h.kubernetes.annotate(kind, name, "paused", "true")
        delete(h)
        await gone(h)

    audited(story)


def test_read_only_stops_it_but_not_what_needs_no_call() -> None:
    async def story(h: History) -> None:
        await made(h, tunnels=0)
        await h.kill()
        h._options["app"] = {"read_only": True}  # noqa: SLF001  the same cluster, under an operator of another setting
        await h.start()
        h.kubernetes.apply("VpnTunnel", "office-1", tunnel())
        await h.until(lambda: h.reason("VpnTunnel", "office-1") == "ReadOnly")
        delete(h)
        await asyncio.sleep(300)
        assert h.calls("DELETE") == []
        assert h.reason("VpnConnection", "office") == "ReadOnly"
        assert h.kubernetes.get("VpnTunnel", "office-1") is None

    audited(story)
