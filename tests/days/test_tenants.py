"""Two accounts in one cluster: neither sees the other's gateways, nor suffers from what befalls the other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from support.days import HOUR, SPARE
from support.history import GATEWAY
from support.tenants import ALICE, BOB, BOBS_ROUTER, HOME, REF, SECRET, TENANT, TREE, Tenants, play, soon

LIST = "GET /1.3/gateway?limit=100&offset=0"

FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "401": ({"status": 401}, "CredentialsRefused"),
    "403": ({"status": 403}, "PermissionDenied"),
    "429": ({"status": 429, "headers": {"Retry-After": "600"}}, "RateLimited"),
    "503": ({"status": 503}, "CloudUnavailable"),
    "reset": ({"reset": True}, "CloudUnavailable"),
}


def test_each_is_looked_at_by_itself() -> None:
    """One list per account and interval, no write anywhere; each object says whose it is and by which Secret."""

    async def story(d: Tenants) -> None:
        await d.both()
        whose = {HOME: "alice", TENANT: "bob"}
        for namespace, account in whose.items():
            assert d.accounts_of()[str(d.of(namespace, "edge").uuid)] == account
            for name in TREE:
                status = d.of(namespace, name).status
                assert status["account"] == account
                assert status.get("credentialsSecretRef") == (None if namespace == HOME else {"name": SECRET})
        await asyncio.sleep(1300)
        d.forget()
        writes = len(d.kubernetes.writes)
        await asyncio.sleep(HOUR)
        for token in (ALICE, BOB):
            assert set(d.asked(token)) == {LIST}
            assert 57 <= len(d.asked(token)) <= 64
        assert len(d.kubernetes.writes) == writes

    play(story)


@pytest.mark.parametrize("by", ["name", "uuid"])
def test_what_is_in_the_other_account_cannot_be_imported(by: str) -> None:
    async def story(d: Tenants) -> None:
        await d.both()
        theirs = {"name": "edge", "uuid": str(d.of(HOME, "edge").uuid)}[by]
        d.kubernetes.delete("NetworkGateway", "thief", TENANT)
        d.put(TENANT, "thief", {"import": {by: theirs}, **REF})
        await d.until(lambda: d.tells(TENANT, "thief") in ("ImportNotFound", "NameConflict"))
        assert d.of(TENANT, "thief").uuid is None
        assert by == "name" or d.tells(TENANT, "thief") == "ImportNotFound"
        assert not d.changes(ALICE)
        assert not d.changes(BOB)

    play(story)


def test_a_name_that_is_being_made_in_the_other_account_is_free() -> None:
    """Also for as long as nobody can look whether it was made there."""

    async def story(d: Tenants) -> None:
        d.apart.of(ALICE).add("POST /1.3/gateway", reset=True, when="after", times=1)
        d.tree(HOME)
        await d.start()
        await d.until(lambda: d.of(HOME, "edge").creating and bool(d.asked(ALICE, "POST")))
        d.apart.of(ALICE).add("* /*", status=401, times=None)
        await d.until(lambda: d.tells(HOME, "edge") == "CredentialsRefused")
        assert d.of(HOME, "edge").creating
        d.hand(BOB)
        d.tree(TENANT, **REF)
        await d.until(lambda: d.in_sync(TENANT))

    play(story)


def test_a_name_that_the_other_account_has_is_free() -> None:
    """Made by hand in alice's under the name that bob's object asks for: it is neither taken over nor in the way."""

    async def story(d: Tenants) -> None:
        d.hand(BOB)
        foreign = {
            "name": "branch",
            "zone": "fi-hel1",
            "plan": "production",
            "features": ["vpn"],
            "configured_status": "started",
        }
        router = (await d.ask_as(ALICE, "POST", "/router", {"router": {"name": "another"}}))["router"]["uuid"]
        made = await d.ask_as(ALICE, "POST", "/gateway", foreign | {"routers": [{"uuid": router}]})
        d.put(TENANT, "branch", {**GATEWAY, "routerRef": {"uuid": BOBS_ROUTER}, **REF})
        d.kubernetes.annotate("NetworkGateway", "branch", "take-over", "true", TENANT)
        await d.start()
        await d.settle()
        assert d.of(TENANT, "branch").uuid != made["uuid"]
        assert d.accounts_of() == {made["uuid"]: "alice", str(d.of(TENANT, "branch").uuid): "bob"}
        assert not d.changes(ALICE)

    play(story)


@pytest.mark.parametrize("case", FAULTS)
def test_what_befalls_one_does_not_touch_the_other(case: str) -> None:
    """For an hour nothing works with bob's: alice's are looked at, changed and silent as ever; then bob's go on."""
    fault, reason = FAULTS[case]

    async def story(d: Tenants) -> None:
        await d.both()
        await asyncio.sleep(1300)
        d.forget()
        before = {name: d.of(HOME, name).resource_version for name in TREE}
        d.apart.of(BOB).add("* /1.3/*", times=None, **fault)
        d.change(TENANT, "office-1", ipsec={**d.of(TENANT, "office-1").spec["ipsec"], "rekeyTime": 7200})
        await asyncio.sleep(600)
        assert d.all_tell(TENANT, reason)
        assert d.all_tell(TENANT, "CannotObserve", "Ready")
        assert (f"Secret {TENANT}/{SECRET}" in d.words(TENANT, "edge")) == (case in ("401", "403"))
        assert len(d.told("CannotObserve")) == 1
        assert {name: d.of(HOME, name).resource_version for name in TREE} == before
        assert set(d.asked(ALICE)) == {LIST}
        assert 9 <= len(d.asked(ALICE)) <= 12
        d.change(HOME, "office-1", ipsec={**d.of(HOME, "office-1").spec["ipsec"], "rekeyTime": 7200})
        await soon(lambda: len(d.changes(ALICE)) == 1 and d.in_sync(HOME), d)
        d.apart.of(BOB).clear()
        await d.until(lambda: d.in_sync(TENANT), 900)
        assert len(d.changes(ALICE)) == 1

    play(story)


def test_children_follow_their_gateway_to_another_secret() -> None:
    """A second token of the same account: no call that changes anything, and the first token is not used any more."""

    async def story(d: Tenants) -> None:
        await d.both()
        d.world.tokens = {ALICE: "alice", BOB: "bob", SPARE: "bob"}
        d.hand(SPARE, name="other")
        d.change(TENANT, "edge", credentialsSecretRef={"name": "other"})
        other = {"name": "other"}
        await d.until(lambda: all(d.of(TENANT, n).status["credentialsSecretRef"] == other for n in TREE), 120)
        await d.settle(60)
        await asyncio.sleep(120)
        d.forget()
        await asyncio.sleep(600)
        assert d.asked(BOB) == []
        assert len(d.asked(SPARE)) >= 9
        assert not d.changes(SPARE)
        d.remove(TENANT)
        await d.until(lambda: d.left(TENANT) == [])
        assert sorted(d.accounts_of().values()) == ["alice"]

    play(story)


def test_gateway_that_names_a_secret_of_the_other_account() -> None:
    """A mistake: nothing is changed, nothing counts as gone, and it is mended by naming the right one again."""

    async def story(d: Tenants) -> None:
        await d.both()
        d.hand(ALICE, name="wrong")
        d.change(TENANT, "edge", credentialsSecretRef={"name": "wrong"})
        await d.until(lambda: d.all_tell(TENANT, "AccountMismatch"), 120)
        assert "account bob, but the credentials of Secret wrong are of account alice" in d.words(TENANT, "edge")
        await asyncio.sleep(900)
        assert d.all_tell(TENANT, "CannotObserve", "Ready")
        assert not d.changes(ALICE)
        assert not d.changes(BOB)
        d.change(TENANT, "edge", **REF)
        await d.until(lambda: d.in_sync(TENANT), 120)
        assert not d.changes(BOB)
        assert d.in_sync(HOME)

    play(story)


def test_account_that_nobody_needs_is_not_asked_any_more() -> None:
    async def story(d: Tenants) -> None:
        await d.both()
        d.remove(TENANT)
        await d.until(lambda: d.left(TENANT) == [])
        assert len(d.asked(BOB, "DELETE")) == 3
        await asyncio.sleep(120)
        d.forget()
        await asyncio.sleep(HOUR)
        assert d.asked(BOB) == []
        d.tree(TENANT, **REF)
        await d.until(lambda: d.in_sync(TENANT), 120)

    play(story)


def test_deletion_below_a_gateway_that_is_gone_uses_what_is_recorded() -> None:
    """The gateway's object was taken away by hand; the children go with the credentials that made them."""

    async def story(d: Tenants) -> None:
        await d.both()
        d.kubernetes.take_finalizer("NetworkGateway", "edge", TENANT)
        d.kubernetes.delete("NetworkGateway", "edge", TENANT)
        await d.until(lambda: d.left(TENANT) == ["office", "office-1"])
        await d.again()
        d.forget()
        d.remove(TENANT, "office", "office-1")
        await d.until(lambda: d.left(TENANT) == [])
        assert len(d.asked(BOB, "DELETE")) == 2
        assert not d.changes(ALICE)

    play(story)


@pytest.mark.parametrize("seed", range(4))
def test_killed_now_and_then(seed: int) -> None:
    """While both are made, changed and deleted: nothing ends in the other account, and nothing is left."""

    async def story(d: Tenants) -> None:
        d.hand(BOB)
        d.tree(HOME)
        d.tree(TENANT, **REF)
        await d.start()
        for _ in range(6):
            await asyncio.sleep(d.rng.uniform(0, 6))
            await d.again()
        await d.settle()
        assert d.accounts_of() == {str(d.of(HOME, "edge").uuid): "alice", str(d.of(TENANT, "edge").uuid): "bob"}
        d.remove(TENANT)
        await asyncio.sleep(d.rng.uniform(0, 6))
        await d.again()
        await d.until(lambda: d.left(TENANT) == [])
        assert list(d.accounts_of().values()) == ["alice"]
        assert d.in_sync(HOME)

    play(story, seed=seed)
