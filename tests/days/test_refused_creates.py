"""UpCloud does not make it: each way of refusing a POST, for each kind; and answers that are lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from support.days import HOUR, Day, day
from support.history import OTHER_KEY

POSTS = {
    "edge": "POST /1.3/gateway",
    "office": "POST /1.3/gateway/*/connections/",
    "office-1": "POST /1.3/gateway/*/connections/*/tunnels",
}

BAD_FIELDS = {
    "type": "https://developers.upcloud.com/1.3/errors#ERROR_INVALID_REQUEST",
    "title": "Validation error.",
    "status": 400,
    "correlation_id": "01KFDTBWFKWSYR6T8BDHY1JD5J",
    "invalid_params": [
        {"name": "local_routes.0.static_network", "reason": "Not a network."},
        {"name": "name", "reason": "Too silly."},
    ],
}
PAGE = "<html>Request 01KFDTBWFKWSYR6T8BDHY1JD5J was blocked</html>"

REFUSALS: dict[str, tuple[dict[str, Any], str, tuple[str, ...]]] = {
    "400": ({"status": 400}, "Rejected", ("400", "Validation error.", "Mend the spec")),
    "400 per field": (
        {"status": 400, "body": BAD_FIELDS},
        "Rejected",
        ("localRoutes.0.staticNetwork: Not a network;", "name: Too silly.", "Mend the spec"),
    ),
    "400 of a proxy": ({"status": 400, "body": PAGE}, "Rejected", ("not in UpCloud's own words", "the log")),
    "402": ({"status": 402}, "InsufficientCredits", ("402", "not have enough credits", "Fill up")),
    "403": ({"status": 403}, "PermissionDenied", ("403", "not allowed", "permission")),
    "403 of a proxy": ({"status": 403, "body": PAGE}, "PermissionDenied", ("not in UpCloud's own words",)),
    "409": ({"status": 409}, "Conflict", ("409", "conflicts", "Tried again every 5 to 15 min")),
    "429": ({"status": 429}, "RateLimited", ("429", "too many requests", "goes on by itself")),
}

SOME = ("400 per field", "402", "409")
"""Enough to see that the kinds do not differ."""


@pytest.mark.parametrize(
    ("case", "name"), [(case, name) for case in REFUSALS for name in POSTS if case in SOME or name == "office"]
)
def test_refused(case: str, name: str) -> None:
    fault, reason, words = REFUSALS[case]

    async def story(d: Day) -> None:
        await d.start()
        d.world.faults.add(POSTS[name], times=None, **fault)
        d.apply_all(1)
        await d.becomes(name, reason)
        d.says(name, *words)
        d.says(name, *words, kind="Ready")
        assert "KFDTBWFKWSYR6T8" not in d.condition(name)["message"]
        assert d.verdict(name, "Stalled")[0] == ("True" if reason == "Rejected" else "None")
        assert d.told(reason)
        await asyncio.sleep(900)  # past the fast looks
        await d.calm(calls=180, writes=70)
        d.world.faults.clear()
        await d.settle(HOUR * 1.1)
        assert_one_of_each(d)

    day(story)


def test_refused_creation_is_not_sent_again_for_an_hour() -> None:
    """Unless the spec, the Secret, the gateway or an annotation changes."""

    async def story(d: Day) -> None:
        def posts() -> int:
            return len([call for call in d.calls("POST") if call.endswith("/tunnels")])

        await d.made(0)
        d.world.faults.add(POSTS["office-1"], times=None, status=400)
        d.tunnel(1)
        await d.becomes("office-1", "Rejected")
        await asyncio.sleep(HOUR - 120)
        assert posts() == 1
        await asyncio.sleep(240)
        assert posts() == 2
        changes: list[Callable[[], None]] = [
            lambda: d.annotate("office-1", "reconcile-requested-at"),
            lambda: d.tunnel(1, peer="100.10.0.200"),
            lambda: d.secret(OTHER_KEY),
            lambda: d.gateway(plan="advanced"),
        ]
        for number, change in enumerate(changes, start=3):
            change()
            await asyncio.sleep(60)
            assert posts() == number
            assert d.verdict("office-1") == ("False", "Rejected")
        d.secret(OTHER_KEY)  # touched, the same key
        await asyncio.sleep(600)
        assert posts() == 6

    day(story)


@pytest.mark.parametrize("name", POSTS)
def test_401(name: str) -> None:
    """The credentials may look and may not make: as bad as none."""

    async def story(d: Day) -> None:
        await d.start()
        d.world.faults.add(POSTS[name], times=None, status=401)
        d.apply_all(1)
        await d.becomes(name, "CredentialsRefused")
        d.says(name, "401", "expired, revoked", "allowed_ip_ranges")
        await asyncio.sleep(900)
        await d.calm(calls=180, writes=70)
        d.world.faults.clear()
        await d.settle(HOUR)
        assert_one_of_each(d)

    day(story)


@pytest.mark.parametrize("name", ["office", "office-1"])
def test_404_of_the_parent(name: str) -> None:
    async def story(d: Day) -> None:
        await d.start()
        d.world.faults.add(POSTS[name], times=None, status=404)
        d.apply_all(1)
        await d.becomes(name, "ParentNotCreated")
        await d.until(lambda: "404" in d.condition(name)["message"])
        d.says(name, "does not exist", "Looked for again")
        await asyncio.sleep(900)
        await d.calm(calls=180, writes=70)
        d.world.faults.clear()
        await d.settle(HOUR)
        assert_one_of_each(d)

    day(story)


@pytest.mark.parametrize("name", POSTS)
def test_429_with_retry_after(name: str) -> None:
    """The named time is kept: nothing at all is asked meanwhile."""

    async def story(d: Day) -> None:
        await d.start()
        d.world.faults.add(POSTS[name], status=429, headers={"Retry-After": "90"})
        d.apply_all(1)
        await d.becomes(name, "RateLimited")
        d.world.calls.clear()
        await asyncio.sleep(85)
        assert d.calls() == []
        await d.settle(120)
        assert_one_of_each(d)

    day(story)


LOST: dict[str, dict[str, Any]] = {
    "500": {"status": 500},
    "503": {"status": 503, "body": PAGE},
    "time-out": {"timeout": 30},
    "reset": {"reset": True},
    "no JSON": {"status": 201, "body": PAGE},
    "another shape": {"status": 201, "body": {"uuid": 7}},
    "408": {"status": 408},
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("case", "name"), [(case, name) for case in LOST for name in POSTS if case == "time-out" or name == "office-1"]
)
def test_answer_is_lost_once(case: str, when: Any, name: str) -> None:
    """Made or not made: there is one in the end, without a second POST where it was made."""

    async def story(d: Day) -> None:
        await d.start()
        d.world.faults.add(POSTS[name], when=when, **LOST[case])
        d.apply_all(1)
        await d.settle(180)
        assert_one_of_each(d)
        assert len(d.calls("POST")) == (3 if when == "after" else 4)
        assert d.told("CloudUnavailable") or d.told("Adopted")

    day(story)


@pytest.mark.parametrize(("case", "name"), [("503", "edge"), ("time-out", "office"), ("reset", "office-1")])
def test_answer_is_lost_for_an_hour(case: str, name: str) -> None:
    """Each try is settled by looks before the next, and they become fewer; there is one in the end."""

    async def story(d: Day) -> None:
        await d.start()
        d.world.faults.add(POSTS[name], when="before", times=None, **LOST[case])
        d.apply_all(1)
        await d.until(lambda: "lost" in d.condition(name).get("message", ""))
        assert d.verdict(name) in (("False", "Creating"), ("False", "CloudUnavailable"))
        await asyncio.sleep(900)
        await d.calm(calls=260, writes=130)
        d.world.faults.clear()
        await d.settle(600)
        assert_one_of_each(d)

    day(story)


def assert_one_of_each(d: Day) -> None:
    gateways = list(d.world.gateways.values())
    assert len(gateways) == 1
    assert [connection.name for connection in gateways[0].connections] == ["office"]
    assert [tunnel.name for tunnel in gateways[0].tunnels] == ["office-1"]
    for name in POSTS:
        assert d.object(name).status.get("create") is None
