"""What people ask for by annotation, and the switches that stop writes."""

from __future__ import annotations

import asyncio

from support.days import Day, day
from support.history import KEY, OTHER_KEY


def test_push_sends_exactly_one_patch() -> None:
    async def story(d: Day) -> None:
        await d.made(2)
        accepted = d.object("office-1").status["psk"]["acceptedAt"]
        d.annotate("office-1", "push-psk-requested-at", "2026-11-22T04:00:00Z")
        await d.until(lambda: d.object("office-1").status.get("lastHandledPushPskAt") == "2026-11-22T04:00:00Z")
        await d.settle()
        await asyncio.sleep(600)
        assert len(d.calls("PATCH")) == 1
        assert d.uuid("office-1") in d.calls("PATCH")[0]
        assert d.object("office-1").status["psk"]["acceptedAt"] > accepted
        d.annotate("office-1", "push-psk-requested-at", "2026-11-22T05:00:00Z")
        await d.until(lambda: len(d.calls("PATCH")) == 2)
        await d.restart()
        await asyncio.sleep(600)
        assert len(d.calls("PATCH")) == 2

    day(story)


def test_push_waits_for_its_turn() -> None:
    """It interrupts, so it rolls like a rotation."""

    async def story(d: Day) -> None:
        await d.made(2)
        for name in ("office-1", "office-2"):
            d.annotate(name, "push-psk-requested-at", "2026-11-22T04:00:00Z")
        await d.until(lambda: len(d.calls("PATCH")) == 1)
        held = "office-2" if d.uuid("office-1") in d.calls("PATCH")[0] else "office-1"
        await d.becomes(held, "RolloutHeld")
        await d.until(lambda: len(d.calls("PATCH")) == 2)
        await d.settle()
        await asyncio.sleep(600)
        assert len(d.calls("PATCH")) == 2

    day(story)


def test_push_without_a_secret_waits_for_it() -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        d.secret(None)
        d.annotate("office-1", "push-psk-requested-at")
        await d.becomes("office-1", "SecretNotFound")
        await d.calm(calls=130, writes=4)
        assert not d.calls("PATCH")
        d.secret(KEY)
        await d.settle(60)
        assert len(d.calls("PATCH")) == 1

    day(story)


def test_reconcile_request_looks_once() -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        await asyncio.sleep(1300)
        for name in ("edge", "office", "office-1"):
            d.world.calls.clear()
            d.annotate(name, "reconcile-requested-at", "2026-11-22T04:00:00Z")
            await d.until(lambda name=name: "lastHandledReconcileAt" in d.object(name).status, 10)  # type: ignore[misc]
            await asyncio.sleep(20)
            assert d.object(name).status["lastHandledReconcileAt"] == "2026-11-22T04:00:00Z"
            assert 1 <= len([call for call in d.calls("GET") if "offset" not in call]) <= 2
            assert not d.calls("PATCH", "POST", "DELETE")

    day(story)


def test_reconcile_request_reads_the_secret() -> None:
    """Nobody told of the edit: without a watch it would be noticed minutes later."""

    async def story(d: Day) -> None:
        await d.made(1)
        told, d.kubernetes.secret_watcher = d.kubernetes.secret_watcher, None
        d.secret(OTHER_KEY)
        await asyncio.sleep(30)
        d.kubernetes.secret_watcher = told
        d.annotate("office-1", "reconcile-requested-at")
        await d.until(lambda: len(d.calls("PATCH")) == 1, 20)
        await d.settle()

    day(story)


def test_paused_stops_writes_and_nothing_else() -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        for name in ("edge", "office", "office-1"):
            d.annotate(name, "paused", "true")
        d.gateway(plan="advanced")
        d.connection(localRoutes=[{"name": "cloud", "staticNetwork": "10.0.9.0/24"}])
        d.tunnel(1, ipsec={"dpdDelay": 10})
        d.secret(OTHER_KEY)
        for name in ("edge", "office", "office-1"):
            await d.becomes(name, "Paused")
            assert d.verdict(name, "Ready")[0] == "True"
        d.world.force_tunnel(d.uuid("office-1"), operational_state="connecting")
        await d.becomes("office-1", "TunnelDown", "Ready")  # status goes on
        assert not d.calls("PATCH")
        d.world.force_tunnel(d.uuid("office-1"))
        await asyncio.sleep(1300)
        await d.calm(calls=70, writes=0)
        d.annotate("office-1", "paused", "false")
        d.annotate("edge", "paused", "2026-11-22T04:00:00Z")  # over since
        await d.until(lambda: d.verdict("edge") == d.verdict("office-1") == ("True", "InSync"))
        assert d.verdict("office") == ("False", "Paused")
        assert len(d.calls("PATCH")) == 2

    day(story)


def test_paused_until_a_time() -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        d.annotate("office-1", "paused", "2026-11-22T03:30:00Z")
        d.tunnel(1, ipsec={"dpdDelay": 10})
        await d.becomes("office-1", "Paused")
        await asyncio.sleep(1500)
        assert not d.calls("PATCH")
        await d.until(lambda: len(d.calls("PATCH")) == 1, 400)
        await d.settle()
        assert d.clock.wall().hour == 3

    day(story)


def test_paused_does_not_stop_a_creation_for_ever() -> None:
    async def story(d: Day) -> None:
        await d.start()
        d.apply_all(1)
        d.annotate("edge", "paused", "true")
        await d.becomes("edge", "Paused")
        await asyncio.sleep(300)
        assert not d.calls("POST")
        d.annotate("edge", "paused", "false")
        await d.settle(120)

    day(story)


def test_paused_does_not_stop_a_deletion() -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        for name in ("edge", "office", "office-1"):
            d.annotate(name, "paused", "true")
        d.delete("office-1", "office", "edge")
        await d.until(lambda: not d.objects(), 120)
        assert not d.world.gateways

    day(story)


def test_read_only_changes_nothing_and_tells_the_truth() -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        await d.kill()
        d._options["app"] = {"read_only": True}  # noqa: SLF001  the same cluster, under an operator of another setting
        await d.start()
        d.world.calls.clear()
        d.gateway(plan="advanced")
        d.secret(OTHER_KEY)
        d.tunnel(2)
        for name in ("edge", "office-1", "office-2"):
            await d.becomes(name, "ReadOnly")
        d.world.force_tunnel(d.uuid("office-1"), operational_state="connecting")
        await d.becomes("office-1", "TunnelDown", "Ready")
        d.delete("office-1")
        await d.until(lambda: d.object("office-1").status["reason"] == "ReadOnly")
        await asyncio.sleep(1300)
        await d.calm(calls=80, writes=0)
        assert not d.calls("POST", "PATCH", "DELETE")

    day(story)
