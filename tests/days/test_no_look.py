"""UpCloud cannot be observed: refused, silent, broken, at the start or later. No traffic is concerned, nothing lost."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from support.days import HOUR, KINDS, Day, day

LIST = "GET /1.3/gateway"
ANY = "* /1.3/*"
PAGE = "<html>Request 01KFDTBWFKWSYR6T8BDHY1JD5J was blocked</html>"

SILENCES: dict[str, tuple[dict[str, Any], str, tuple[str, ...]]] = {
    "401": ({"status": 401}, "CredentialsRefused", ("401", "expired, revoked", "allowed_ip_ranges", "operator")),
    "403": ({"status": 403}, "PermissionDenied", ("403", "permission")),
    "403 of a proxy": ({"status": 403, "body": PAGE}, "PermissionDenied", ("proxy",)),
    "404 of a proxy": ({"status": 404, "body": PAGE}, "CloudUnavailable", ("HTTP 404",)),
    "429": ({"status": 429}, "RateLimited", ("429", "goes on by itself")),
    "429 with Retry-After": ({"status": 429, "headers": {"Retry-After": "20"}}, "RateLimited", ("too many requests",)),
    "500": ({"status": 500}, "CloudUnavailable", ("HTTP 500",)),
    "503": ({"status": 503, "body": PAGE}, "CloudUnavailable", ("HTTP 503",)),
    "time-out": ({"timeout": 60}, "CloudUnavailable", ("time-out",)),
    "reset": ({"reset": True}, "CloudUnavailable", ("connection broke",)),
    "no JSON": ({"status": 200, "body": PAGE}, "CloudUnavailable", ("cannot be read",)),
    "another shape": ({"status": 200, "body": {"gateways": []}}, "CloudUnavailable", ("cannot be read",)),
}


@pytest.mark.parametrize("case", SILENCES)
def test_from_the_start(case: str) -> None:
    """Said at once by every object; nothing is made; it goes on when the cause is gone."""
    fault, reason, words = SILENCES[case]

    async def story(d: Day) -> None:
        d.world.faults.add(ANY, times=None, **fault)
        d.apply_all()
        await d.start()
        for name in KINDS:
            await d.becomes(name, reason, seconds=90)
            d.says(name, *words, "since 2026-11-22T03:0")
            assert d.verdict(name, "Ready") == ("False", reason)
        assert not d.calls("POST")
        await d.calm(calls=240, writes=8, passes=800)
        d.world.faults.clear()
        await d.settle(180)
        assert len(d.calls("POST")) == 4

    day(story)


@pytest.mark.parametrize("case", SILENCES)
def test_later(case: str) -> None:
    """Ready stays what it was for five minutes, then nothing can be said of it; one look mends it."""
    fault, reason, words = SILENCES[case]

    async def story(d: Day) -> None:
        await d.made()
        await asyncio.sleep(1300)
        d.world.faults.add(ANY, times=None, **fault)
        await asyncio.sleep(200)
        for name in KINDS:
            assert d.verdict(name, "Ready")[0] == "True"
        await asyncio.sleep(250)
        for name in KINDS:
            assert d.verdict(name) == ("False", reason)
            assert d.verdict(name, "Ready") == ("Unknown", "CannotObserve")
            d.says(name, *words, "Last look 2026-11-22T03:2", kind="Ready")
        d.says("edge", ": running.", kind="Ready")
        d.says("office", ": tunnels up 2/2.", kind="Ready")
        d.says("office-2", ": established, healthy.", kind="Ready")
        assert d.condition("office-1", "Ready")["message"].count("depend on the API") == 1
        assert len(d.told("CannotObserve")) == 1
        d.secret("madeup_psk_for_tests_2")
        await d.calm(calls=240, writes=8, passes=1500)
        assert not d.calls("POST", "PATCH", "DELETE")
        d.world.faults.clear()
        await d.until(lambda: len(d.calls("PATCH")) == 2, 300)
        await d.settle(180)

    day(story)


def test_a_blip_is_no_news() -> None:
    """One failed look between two good ones: no write, no Event."""

    async def story(d: Day) -> None:
        await d.made()
        await asyncio.sleep(1300)
        events = len(d.kubernetes.events)
        for fault in ({"status": 503}, {"reset": True}, {"timeout": 60}, {"status": 429}):
            d.world.faults.add(LIST, times=4, **fault)
            await d.calm(calls=20, writes=0, seconds=240)
        assert len(d.kubernetes.events) == events

    day(story)


def test_one_answer_of_many_is_lost() -> None:
    """A list that fails once is asked for again within the same look."""

    async def story(d: Day) -> None:
        await d.start()
        d.world.faults.add(LIST, status=502)
        d.world.faults.add("GET /1.3/gateway/*", reset=True)
        d.apply_all()
        await d.settle(60)

    day(story)


@pytest.mark.parametrize("status", [401, 503])
def test_refused_while_a_rotation_is_under_way(status: int) -> None:
    """The first tunnel has the new key, then nothing is answered for an hour; the second goes on from there."""

    async def story(d: Day) -> None:
        await d.made()
        d.secret("madeup_psk_for_tests_2")
        await d.until(lambda: len(d.calls("PATCH")) == 1)
        d.world.faults.add(ANY, times=None, status=status)
        await asyncio.sleep(HOUR)
        d.world.faults.clear()
        await d.settle(300)
        assert len([call for call in d.world.calls if call.method == "PATCH" and call.status == 200]) == 2
        assert d.verdict("office-2", "PskInSync") == ("True", "Accepted")

    day(story)


@pytest.mark.parametrize("times", [1, None], ids=["once", "for ever"])
def test_an_empty_list_proves_nothing(times: int | None) -> None:
    """The list names no gateway, but each of them answers: nothing counts as gone, and nothing is made anew."""

    async def story(d: Day) -> None:
        await d.made()
        await asyncio.sleep(1300)
        d.world.calls.clear()
        d.world.faults.add(LIST, status=200, body=[], times=times)
        await d.calm(calls=130, writes=0, passes=500)
        assert not d.calls("POST", "PATCH", "DELETE")
        for name in KINDS:
            assert d.verdict(name, "Ready")[0] == "True"
            assert d.verdict(name) == ("True", "InSync")

    day(story)


def test_an_answer_that_leaves_something_out_proves_nothing() -> None:
    """The gateway comes without its connection, which answers when it is asked itself: it is not made again."""

    async def story(d: Day) -> None:
        await d.made(1)
        await asyncio.sleep(1300)
        edge = d.uuid("edge")
        gateway = await d.ask("GET", f"/gateway/{edge}")
        d.world.calls.clear()
        for match, body in ((LIST, [gateway | {"connections": []}]), (f"{LIST}/{edge}", gateway | {"connections": []})):
            d.world.faults.add(match, status=200, body=body, times=None)
        d.tunnel(2)
        await asyncio.sleep(300)
        assert not d.calls("POST", "PATCH", "DELETE")
        for name in ("office", "office-1"):
            assert d.verdict(name, "Ready")[0] == "True"
            d.says(name, "contradicts itself", "Looked at again")
        for name in ("office", "office-1", "office-2"):
            assert d.verdict(name) == ("False", "CloudUnavailable")
        await d.calm(calls=400, writes=30)
        d.world.faults.clear()
        await d.settle(120)
        assert len(d.calls("POST")) == 1

    day(story)


def test_one_refusal_between_two_good_looks() -> None:
    """A 401 that no look meets: the next good look is the probe that succeeds, and what was refused is tried again."""

    async def story(d: Day) -> None:
        await d.made()
        await asyncio.sleep(700)  # looks are slow again
        d.world.faults.add("PATCH /1.3/gateway/*", status=401)
        d.connection(localRoutes=[{"name": "cloud", "staticNetwork": "10.0.9.0/24"}])
        await d.becomes("office", "CredentialsRefused", seconds=30)
        await d.settle(60)
        assert len(d.calls("PATCH")) == 2

    day(story)


def test_looks_that_fail_are_spread() -> None:
    """Further and further apart up to an interval, and not in step with anybody else's; seeded, so the same again."""
    seen: dict[int, list[float]] = {1: [], 2: []}
    again: list[float] = []

    def outage(seed: int, times: list[float]) -> None:
        async def story(d: Day) -> None:
            await d.made()
            d.world.faults.add(ANY, times=None, status=401)  # which is not tried again within a look
            since = d.clock.now()
            await asyncio.sleep(900)
            looks = [call.at for call in d.world.calls if call.status == 401 and call.path.startswith(f"{LIST[4:]}?")]
            times.extend((at - looks[0]).total_seconds() for at in looks)
            assert d.clock.now() - since < 901
            d.world.faults.clear()
            await d.settle(120)

        day(story, seed=seed)

    for seed, times in seen.items():
        outage(seed, times)
    outage(1, again)
    assert again == seen[1]
    assert seen[1] != seen[2]
    pauses = [b - a for a, b in itertools.pairwise(seen[1])]
    means = [2.0, 4.0, 8.0, 16.0, 32.0, *[60.0] * len(pauses)]
    assert all(0.7 * mean < pause < 1.3 * mean for pause, mean in zip(pauses, means, strict=False)), pauses
    late = pauses[5:]
    assert max(late) - min(late) > 3
    assert len({round(pause, 2) for pause in late}) == len(late)
