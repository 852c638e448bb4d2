"""UpCloud does not change it, or does not delete it, or does so and the answer is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from support.days import HOUR, Day, day
from support.history import KEY, OTHER_KEY

PAGE = "<html>Request 01KFDTBWFKWSYR6T8BDHY1JD5J was blocked</html>"
ROUTES = [{"name": "cloud", "staticNetwork": "10.0.9.0/24"}]

PATCHES = {
    "edge": "PATCH /1.3/gateway/*",
    "office": "PATCH /1.3/gateway/*/connections/*",
    "office-1": "PATCH /1.3/gateway/*/connections/*/tunnels/*",
}

FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "400": ({"status": 400}, "Rejected"),
    "401": ({"status": 401}, "CredentialsRefused"),
    "402": ({"status": 402}, "InsufficientCredits"),
    "403": ({"status": 403, "body": PAGE}, "PermissionDenied"),
    "404": ({"status": 404}, "ParentNotCreated"),
    "409": ({"status": 409}, "Conflict"),
    "429": ({"status": 429}, "RateLimited"),
    "503": ({"status": 503}, "CloudUnavailable"),
    "time-out": ({"timeout": 60}, "CloudUnavailable"),
    "reset": ({"reset": True}, "CloudUnavailable"),
    "no JSON": ({"status": 200, "body": PAGE}, "CloudUnavailable"),
}


def change(d: Day, name: str) -> None:
    if name == "edge":
        d.gateway(plan="advanced")
    elif name == "office":
        d.connection(localRoutes=ROUTES)
    else:
        d.tunnel(1, peer="100.10.0.200")


def changed(d: Day, name: str) -> bool:
    (gateway,) = d.world.gateways.values()
    if name == "edge":
        return gateway.plan == "advanced"
    if name == "office":
        return [route.static_network for route in gateway.connections[0].local_routes] == ["10.0.9.0/24"]
    return next(tunnel for tunnel in gateway.tunnels if tunnel.name == name).remote_address == "100.10.0.200"


@pytest.mark.parametrize(
    ("case", "name"),
    [(case, name) for case in FAULTS for name in PATCHES if name == "office-1" or case in ("400", "503")],
)
def test_change_refused(case: str, name: str) -> None:
    """Traffic goes on, the other objects are not concerned; the change is made when the cause is gone."""
    fault, reason = FAULTS[case]

    async def story(d: Day) -> None:
        await d.made()
        d.world.faults.add(PATCHES[name], times=None, **fault)
        change(d, name)
        await d.becomes(name, reason)
        assert d.verdict(name, "Ready")[0] == "True"
        assert d.told(reason)
        await asyncio.sleep(900)
        await d.calm(calls=180, writes=70)
        assert not changed(d, name)
        d.world.faults.clear()
        await d.settle(HOUR * 1.1)
        assert changed(d, name)
        assert not d.calls("POST", "DELETE")

    day(story)


@pytest.mark.parametrize("name", PATCHES)
@pytest.mark.parametrize("case", ["503", "time-out", "no JSON"])
def test_change_is_made_and_the_answer_lost(case: str, name: str) -> None:
    """It is seen to be made, and not sent again."""

    async def story(d: Day) -> None:
        await d.made()
        d.world.faults.add(PATCHES[name], when="after", **FAULTS[case][0])
        change(d, name)
        await d.until(lambda: changed(d, name))
        await d.settle(120)
        assert len(d.calls("PATCH")) == 1

    day(story)


@pytest.mark.parametrize("when", ["before", "after"])
def test_rotation_with_a_lost_answer(when: Any) -> None:
    """Which key the cloud has cannot be seen, so the same one is sent again until it is accepted."""

    async def story(d: Day) -> None:
        await d.made(1)
        d.world.faults.add(PATCHES["office-1"], when=when, timeout=60)
        d.secret(OTHER_KEY)
        await d.becomes("office-1", "KeyChanged", "PskInSync")
        await d.becomes("office-1", "Accepted", "PskInSync")
        await d.settle()
        assert len(d.calls("PATCH")) == 2
        await d.calm(calls=200, writes=4)
        assert len(d.calls("PATCH")) == 2

    day(story)


def test_change_that_the_cloud_accepts_and_ignores() -> None:
    """No hot loop: it is sent a few times, then a person is told."""

    async def story(d: Day) -> None:
        await d.made(1)
        answer = await d.ask("GET", f"/gateway/{d.uuid('edge')}/connections/{d.uuid('office')}")
        d.world.faults.add(PATCHES["office"], times=None, status=200, body=answer)
        change(d, "office")
        await d.becomes("office", "DriftFight")
        assert len(d.calls("PATCH")) <= 5
        await asyncio.sleep(900)
        await d.calm(calls=150, writes=30)
        assert len(d.calls("PATCH")) <= 12
        d.world.faults.clear()
        await d.settle(HOUR * 1.1)

    day(story)


DELETES = ("office-1", "office", "edge")


def deletion(d: Day, name: str) -> str:
    path = f"DELETE /1.3/gateway/{d.uuid('edge')}"
    if name != "edge":
        path += f"/connections/{d.uuid('office')}"
    return path + (f"/tunnels/{d.uuid(name)}" if name == "office-1" else "")


@pytest.mark.parametrize("name", DELETES)
@pytest.mark.parametrize("case", ["403", "409", "503", "time-out"])
def test_deletion_refused(case: str, name: str) -> None:
    fault, reason = FAULTS[case]

    async def story(d: Day) -> None:
        await d.made(1)
        d.world.faults.add(deletion(d, name), times=None, **fault)
        d.delete("office-1", "office", "edge")
        await d.becomes(name, reason)
        assert d.verdict(name, "Ready") == ("False", "Deleting")
        await asyncio.sleep(900)
        await d.calm(calls=180, writes=6)
        d.world.faults.clear()
        await d.until(lambda: not d.objects(), HOUR)
        assert not d.world.gateways

    day(story)


@pytest.mark.parametrize("name", DELETES)
@pytest.mark.parametrize("case", ["503", "time-out", "404"])
def test_deleted_and_the_answer_lost(case: str, name: str) -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        d.world.faults.add(deletion(d, name), when="after", **FAULTS[case][0])
        d.delete("office-1", "office", "edge")
        await d.until(lambda: not d.objects(), 300)
        assert not d.world.gateways

    day(story)


def test_refused_change_is_sent_again_when_the_secret_changes() -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        d.world.faults.add(PATCHES["office-1"], status=400)
        d.secret(OTHER_KEY)
        await d.becomes("office-1", "Rejected")
        await asyncio.sleep(300)
        assert len(d.calls("PATCH")) == 1
        d.secret("madeup_psk_for_tests_3")
        await d.settle(60)
        assert len(d.calls("PATCH")) == 2

    day(story)


def test_refused_change_is_not_sent_again_for_an_hour() -> None:
    """Unless the spec, the Secret, the gateway or an annotation changes."""

    async def story(d: Day) -> None:
        await d.made(1)
        d.world.faults.add(PATCHES["office-1"], times=None, status=400)
        change(d, "office-1")
        await d.becomes("office-1", "Rejected")
        d.secret(KEY)  # touched, the same key
        await asyncio.sleep(HOUR - 120)
        assert len(d.calls("PATCH")) == 1
        await asyncio.sleep(240)
        assert len(d.calls("PATCH")) == 2
        d.annotate("office-1", "reconcile-requested-at")
        await asyncio.sleep(30)
        assert len(d.calls("PATCH")) == 3
        assert d.object("office-1").status["lastHandledReconcileAt"] == "2026-11-22T03:00:00Z"
        d.tunnel(1, peer="100.10.0.201")
        await asyncio.sleep(30)
        assert len(d.calls("PATCH")) == 4
        d.gateway(plan="advanced")
        await asyncio.sleep(60)
        assert len([call for call in d.calls("PATCH") if "tunnels" in call]) == 5
        d.tunnel(1)  # set back: nothing differs any more
        await d.settle(60)
        assert len([call for call in d.calls("PATCH") if "tunnels" in call]) == 5

    day(story)
