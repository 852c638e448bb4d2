"""What is heard late, twice, out of order or never: of Kubernetes and of the cloud."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from netgw.kube.errors import KubernetesError
from support.audit import audited
from support.history import CONNECTION, GATEWAY, KEY, OTHER_KEY, History, tunnel

NAMES = [("NetworkGateway", "edge"), ("VpnConnection", "office"), ("VpnTunnel", "office-1"), ("VpnTunnel", "office-2")]
ROUTES = [{"name": "cloud", "staticNetwork": "10.0.9.0/24"}]


async def made(h: History, tunnels: int = 2) -> None:
    await h.start()
    h.apply_all(tunnels)
    await h.settle()
    h.world.calls.clear()


@pytest.mark.parametrize("seed", range(5))
def test_a_watch_that_is_seconds_late_and_out_of_order(seed: int) -> None:
    async def story(h: History) -> None:
        await h.start()
        h.apply_all()
        await h.settle()
        assert len(h.calls("POST")) == 4
        h.kubernetes.apply("NetworkGateway", "edge", GATEWAY | {"plan": "advanced"})
        h.kubernetes.apply("VpnConnection", "office", CONNECTION | {"localRoutes": ROUTES})
        h.kubernetes.apply("NetworkGateway", "edge", GATEWAY)
        await asyncio.sleep(60)
        await h.settle()
        for kind, name in NAMES:
            h.kubernetes.delete(kind, name)
        await h.until(lambda: not h.kubernetes.objects)
        assert len(h.calls("DELETE")) == 4

    audited(story, seed=seed, lag=8.0)


def test_a_deletion_that_is_never_told_of() -> None:
    """Somebody takes the finalizer off, and the event is lost: a LIST finds it, and the name is free."""

    async def story(h: History) -> None:
        await made(h, tunnels=1)
        h.kubernetes.apply("VpnTunnel", "rival", tunnel("100.10.0.111", name="office-1"))
        await h.until(lambda: h.reason("VpnTunnel", "rival") == "NameConflict")
        h.kubernetes.lose_deleted = 1.0
        h.kubernetes.take_finalizer("VpnTunnel", "office-1")
        h.kubernetes.delete("VpnTunnel", "office-1")
        await h.until(lambda: h.get("VpnTunnel", "rival").uuid is not None, 1300)

    audited(story)


def test_what_is_applied_during_a_list_is_not_lost() -> None:
    async def story(h: History) -> None:
        await h.start()
        assert h.app is not None
        h.life.latency = 5.0
        listing = asyncio.create_task(h.app.relist())
        for number in range(10):
            await asyncio.sleep(1)
            h.kubernetes.apply("VpnTunnel", f"t-{number}", tunnel(name=f"t-{number}"))
        await listing
        h.life.latency = 0.02
        await h.until(lambda: all(obj.status.get("conditions") for obj in h.objects()), 30)

    audited(story)


@pytest.mark.parametrize("pause", [0.02, 0.3])
def test_somebody_writes_all_the_time(pause: float) -> None:
    """Every other write of ours meets an object that moved: nothing is lost, nothing is made twice."""

    async def story(h: History) -> None:
        writing = True

        async def write() -> None:
            number = 0
            while writing:
                number += 1
                for kind, name in NAMES:
                    if h.kubernetes.get(kind, name) is not None:
                        h.kubernetes.annotate(kind, name, "reconcile-requested-at", f"{number}")
                await asyncio.sleep(h.rng.uniform(0, pause))

        writer = asyncio.create_task(write())
        await h.start()
        h.apply_all()
        await asyncio.sleep(20)
        writing = False
        await writer
        await h.settle()
        assert len(h.calls("POST")) == 4
        assert h.calls("PATCH", "DELETE") == []

    audited(story, latency=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_the_api_server_comes_and_goes(seed: int) -> None:
    """Writes fail before and after they took effect."""

    async def story(h: History) -> None:
        await h.start()
        h.life.trouble = 0.3
        h.apply_all()
        await asyncio.sleep(120)
        h.kubernetes.apply("VpnConnection", "office", CONNECTION | {"localRoutes": ROUTES})
        await asyncio.sleep(120)
        h.life.trouble = 0.0
        await h.settle()
        assert len(h.calls("POST")) == 4
        h.life.trouble = 0.3
        for kind, name in NAMES:
            h.kubernetes.delete(kind, name)
        await asyncio.sleep(120)
        h.life.trouble = 0.0
        await h.until(lambda: not h.kubernetes.objects)
        assert not [g for g in h.world.gateways.values() if not g.deleting]

    audited(story, seed=seed)


def test_an_api_server_that_is_away_at_the_start_ends_it() -> None:
    async def story(h: History) -> None:
        h.trouble = 1.0
        with pytest.raises(KubernetesError):
            await h.start()

    audited(story)


@pytest.mark.parametrize("seed", range(3))
def test_a_key_that_changes_all_the_time(seed: int) -> None:
    """In the end the tunnels have the key that the Secret holds, each change one PATCH at most."""

    async def story(h: History) -> None:
        await made(h)
        keys = [KEY, OTHER_KEY, "madeup_psk_for_tests_3", "short", "", None]
        changes = 0
        for _ in range(25):
            key = h.rng.choice(keys)
            h.kubernetes.put_secret("office-psk", None if key is None else key.encode())
            changes += 1
            await asyncio.sleep(h.rng.uniform(0, 30))
        h.kubernetes.put_secret("office-psk", OTHER_KEY.encode())
        await asyncio.sleep(120)
        await h.settle()
        assert len({found.psk_sha256 for gateway in h.world.gateways.values() for found in gateway.tunnels}) == 1
        assert len(h.calls("PATCH")) <= 2 * (changes + 1)
        assert h.calls("POST", "DELETE") == []

    audited(story, seed=seed)


def test_an_empty_list_proves_nothing() -> None:
    """A list of no gateways, with status 200: nothing counts as gone, nothing is made again."""

    async def story(h: History) -> None:
        await made(h)
        uuids = {obj.name: obj.uuid for obj in h.objects()}
        for times in (1, 3):
            h.world.faults.add("GET /1.3/gateway", status=200, body=[], times=times)
            await asyncio.sleep(300)
        assert {obj.name: obj.uuid for obj in h.objects()} == uuids
        assert all(h.ready(obj) for obj in h.objects())
        assert h.calls("POST", "PATCH", "DELETE") == []

    audited(story)


@pytest.mark.parametrize("kind", ["VpnTunnel", "VpnConnection", "NetworkGateway"])
def test_removed_behind_our_back(kind: str) -> None:
    """Connections and tunnels are made again, a gateway waits for a word."""

    async def story(h: History) -> None:
        await made(h)
        gateway, connection = h.get("NetworkGateway", "edge").uuid, h.get("VpnConnection", "office").uuid
        path = f"/gateway/{gateway}"
        if kind != "NetworkGateway":
            path += f"/connections/{connection}"
        if kind == "VpnTunnel":
            path += f"/tunnels/{h.get(kind, 'office-1').uuid}"
        await h.by_hand("DELETE", path)
        if kind != "NetworkGateway":
            await asyncio.sleep(61)
            await h.settle()
            assert len(h.calls("POST")) == {"VpnTunnel": 1, "VpnConnection": 3}[kind]
            return
        await h.until(lambda: h.reason("NetworkGateway", "edge") == "ExternallyDeleted")
        await h.until(lambda: h.reason("VpnTunnel", "office-1") == "ParentNotCreated")
        await asyncio.sleep(1200)
        assert h.calls("POST") == []
        said = str((h.get("NetworkGateway", "edge").condition("Synced") or {}).get("message"))
        h.kubernetes.annotate("NetworkGateway", "edge", "approve", said.rpartition("approve=")[2].rstrip("."))
        await asyncio.sleep(61)
        await h.settle()
        assert len(h.calls("POST")) == 4

    audited(story)


def test_a_gateway_that_somebody_is_deleting() -> None:
    """Told while it goes; nothing is changed in it, nothing made below it."""

    async def story(h: History) -> None:
        await made(h)
        h.world.delay = 60.0
        await h.by_hand("DELETE", f"/gateway/{h.get('NetworkGateway', 'edge').uuid}")
        await h.until(lambda: h.reason("NetworkGateway", "edge") == "ExternallyDeleted", 90)
        assert h.reason("NetworkGateway", "edge", "Ready") == "DeletingInCloud"
        h.kubernetes.apply("NetworkGateway", "edge", GATEWAY | {"plan": "advanced"})
        h.kubernetes.apply("VpnTunnel", "new", tunnel("100.10.0.119"))
        await h.until(lambda: "approve=" in str((h.get("NetworkGateway", "edge").condition("Synced") or {})["message"]))
        assert h.calls("POST", "PATCH", "DELETE") == []

    audited(story)


def test_refused_for_an_hour_and_good_again() -> None:
    """The probe of the poller finds out within one interval, without a hot loop before."""

    async def story(h: History) -> None:
        await made(h)
        h.world.tokens = {"another": "simulator"}
        h.kubernetes.apply("VpnConnection", "office", CONNECTION | {"localRoutes": ROUTES})
        await asyncio.sleep(3600)
        assert len(h.calls()) < 150
        assert h.reason("VpnConnection", "office") == "CredentialsRefused"
        writes = len(h.kubernetes.writes)
        h.world.tokens = None
        await h.until(lambda: all(h.ready(obj) for obj in h.objects()), 75)
        assert len(h.kubernetes.writes) - writes <= 6  # one each, and the change of the connection
        assert [call.status for call in h.world.calls if call.method == "PATCH"] == [401, 200]

    audited(story)


def test_blind_for_long() -> None:
    """One write for each object that says so, one Event, and one write when it is over."""

    async def story(h: History) -> None:
        await made(h)
        await asyncio.sleep(1300)
        writes = len(h.kubernetes.writes)
        h.world.faults.add("* *", timeout=60.0, times=None)
        await asyncio.sleep(3600)
        assert len(h.kubernetes.writes) - writes == 4
        for kind, name in NAMES:
            condition = h.get(kind, name).condition("Ready") or {}
            assert (condition["status"], condition["reason"]) == ("Unknown", "CannotObserve")
        assert len([event for event in h.kubernetes.events if event[2] == "CannotObserve"]) == 1
        h.world.faults.clear()
        await h.settle(120)
        await asyncio.sleep(600)
        assert len(h.kubernetes.writes) - writes == 8

    audited(story)


@pytest.mark.parametrize("kind", ["NetworkGateway", "VpnConnection", "VpnTunnel"])
def test_the_process_is_told_to_stop_during_a_create(kind: str) -> None:
    """The call under way is finished and recorded; nothing else is begun."""

    async def story(h: History) -> None:
        app = await h.start()
        h.apply_all()
        depth = {"NetworkGateway": 1, "VpnConnection": 2, "VpnTunnel": 3}[kind]
        await h.until(lambda: len([c for c in h.world.calls if c.method == "POST"]) >= depth, 60)
        h.life.latency = 3.0
        await app.drain()
        made = len(h.calls("POST"))
        await h.kill()
        assert sum(obj.uuid is not None for obj in h.objects()) == made
        assert not any(obj.creating for obj in h.objects())
        await h.start()
        await h.settle()
        assert len(h.calls("POST")) == 4

    audited(story, latency=0.4)


@pytest.mark.parametrize("seed", range(20))
def test_the_process_is_told_to_stop_at_any_time(seed: int) -> None:
    async def story(h: History) -> None:
        app = await h.start()
        h.apply_all()
        await asyncio.sleep(h.rng.uniform(0, 12))
        if seed % 2:
            for kind, name in NAMES:
                h.kubernetes.delete(kind, name)
            await asyncio.sleep(h.rng.uniform(0, 3))
        begun, wall = h.clock.now(), h.clock.wall()
        await app.drain()
        assert h.clock.now() - begun < 10
        begun_later = [call for call in h.world.calls if (call.at - wall).total_seconds() > h.latency]
        assert [call for call in begun_later if call.method != "GET"] == []
        quiet = len(h.calls())
        await asyncio.sleep(60)
        assert len(h.calls()) == quiet
        await h.kill()
        await h.start()
        if seed % 2:
            await h.until(lambda: not h.kubernetes.objects)
        else:
            await h.settle()
            assert len(h.calls("POST")) == 4

    audited(story, seed=seed, latency=1.0)


def test_no_memory_of_what_is_gone() -> None:
    async def story(h: History) -> None:
        app = await h.start()
        for number in range(30):
            h.kubernetes.apply("VpnTunnel", f"t-{number}", tunnel(name=f"t-{number}"))
        await asyncio.sleep(10)
        for number in range(30):
            if number % 3 == 0:
                h.kubernetes.take_finalizer("VpnTunnel", f"t-{number}")
            h.kubernetes.delete("VpnTunnel", f"t-{number}")
        await h.until(lambda: not h.kubernetes.objects)
        await asyncio.sleep(10)
        assert len(app.store) == 0
        memory: Any = vars(app.reconciler)["_memos"], vars(app.queue)["_timers"], vars(app.queue)["_failures"]
        assert memory == ({}, {}, {})

    audited(story)


def test_drift_while_paused_is_told() -> None:
    """What differs since the generation was looked at, not what the user changed meanwhile."""

    async def story(h: History) -> None:
        await made(h, tunnels=1)
        h.kubernetes.annotate("VpnTunnel", "office-1", "paused", "true")
        edited = tunnel("100.10.0.111", ipsec={"rekeyTime": 7200, "dpdDelay": 30})
        h.kubernetes.apply("VpnTunnel", "office-1", edited)
        await h.until(lambda: h.reason("VpnTunnel", "office-1") == "Paused")
        await asyncio.sleep(120)
        assert "drift" not in h.get("VpnTunnel", "office-1").status
        said = (h.get("VpnTunnel", "office-1").condition("Synced") or {})["message"]
        assert "ipsec.rekeyTime: 14400 → 7200" in said
        for gateway in h.world.gateways.values():
            gateway.tunnels[0].ipsec["dpd_delay"] = 99
        await h.until(lambda: "drift" in h.get("VpnTunnel", "office-1").status, 90)
        (drift,) = h.get("VpnTunnel", "office-1").status["drift"]
        assert (drift["path"], drift["desired"], drift["observed"]) == ("ipsec.dpdDelay", "30", "99")
        assert h.calls("PATCH") == []
        h.kubernetes.annotate("VpnTunnel", "office-1", "paused", None)
        await h.settle()
        assert len(h.calls("PATCH")) == 1
        assert "drift" not in h.get("VpnTunnel", "office-1").status

    audited(story)


def test_paused_until_a_time() -> None:
    async def story(h: History) -> None:
        await made(h, tunnels=0)
        h.kubernetes.annotate("VpnConnection", "office", "paused", "2026-11-22T03:20:00Z")
        h.kubernetes.apply("VpnConnection", "office", CONNECTION | {"localRoutes": ROUTES})
        await asyncio.sleep(900)
        assert h.calls("PATCH") == []
        await asyncio.sleep(350)
        assert len(h.calls("PATCH")) == 1

    audited(story)


def test_a_value_that_the_cloud_does_not_keep_is_not_sent_for_ever() -> None:
    async def story(h: History) -> None:
        await made(h, tunnels=1)

        async def undo() -> None:
            while True:
                await asyncio.sleep(0.5)
                for gateway in h.world.gateways.values():
                    for found in gateway.tunnels:
                        found.ipsec["rekey_time"] = 14400

        undoing = asyncio.create_task(undo())
        h.kubernetes.apply("VpnTunnel", "office-1", tunnel("100.10.0.111", ipsec={"rekeyTime": 7200}))
        await h.until(lambda: h.reason("VpnTunnel", "office-1") == "DriftFight", 600)
        assert len(h.calls("PATCH")) == 3
        await asyncio.sleep(1800)
        assert len(h.calls("PATCH")) == 3
        undoing.cancel()
        h.kubernetes.annotate("VpnTunnel", "office-1", "reconcile-requested-at", "2026-11-22T04:00:00Z")
        await h.settle()
        assert len(h.calls("PATCH")) == 4

    audited(story)
