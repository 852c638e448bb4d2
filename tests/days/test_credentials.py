"""Secrets with credentials: absent, wrong, late, rotated, gone, of somebody else; who may use the operator's own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from support.days import HOUR, SPARE
from support.history import CONNECTION, OTHER_KEY
from support.tenants import ALICE, BOB, HOME, REF, SECRET, TENANT, TREE, Tenants, play, soon

DEFAULT = "default-credentials"
LIST = "GET /1.3/gateway?limit=100&offset=0"
ORPHAN = 'netgw.dev/force-orphan: "true"'

BAD: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "token and password": ({"token": BOB, "username": b"bob", "password": b"madeup_password"}, ("not both",)),
    "no password": ({"token": None, "username": b"bob"}, ("both a user name and a password",)),
    "other keys": ({"token": None, "psk": b"madeup_psk_for_tests_9"}, ("a key token",)),
    "empty": ({"token": b""}, ("a key token", "username and password")),
    "only a newline": ({"token": b"\n"}, ("A token, or both",)),
    "two lines": ({"token": BOB.encode() + b"\nand more"}, ("a line break",)),
    "no text": ({"token": b"\xff\xfe\x00madeup"}, ("token is no text",)),
    "a colon": ({"token": None, "username": b"b:ob", "password": b"madeup_password"}, ("a colon",)),
}


@pytest.mark.parametrize("case", BAD)
def test_content_that_cannot_be_used(case: str) -> None:
    """Said with what is wrong and never with what is in it; good content mends it at once."""
    made, words = BAD[case]

    async def story(d: Tenants) -> None:
        d.hand(**made)
        d.tree(HOME)
        d.tree(TENANT, **REF)
        await d.start()
        await d.until(lambda: d.all_tell(TENANT, "InvalidCredentials"), 60)
        said = d.words(TENANT, "edge")
        assert [word for word in (f"Secret {SECRET}", *words) if word not in said] == []
        assert "madeup" not in said
        assert d.of(TENANT, "edge").condition("Stalled") is not None
        await d.until(lambda: d.in_sync(HOME))
        await d.calm(calls=130, passes=60)
        assert d.asked(BOB) == []
        d.hand(BOB)
        await soon(lambda: d.of(TENANT, "edge").uuid is not None, d)
        await d.settle()

    play(story)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_newline_at_the_end_is_left_out(end: bytes) -> None:
    async def story(d: Tenants) -> None:
        d.hand(BOB.encode() + end)
        d.tree(TENANT, **REF)
        await d.start()
        await d.settle()
        assert set(d.accounts_of().values()) == {"bob"}

    play(story)


def test_user_name_and_password() -> None:
    async def story(d: Tenants) -> None:
        d.hand(None, username=b"bob\n", password=BOB.encode() + b"\n")
        d.tree(TENANT, **REF)
        await d.start()
        await d.settle()
        assert set(d.accounts_of().values()) == {"bob"}

    play(story)


def test_absent_then_there() -> None:
    """Whoever names it waits and is told what to make; within seconds it goes on."""

    async def story(d: Tenants) -> None:
        d.tree(TENANT, **REF)
        await d.start()
        await d.until(lambda: d.all_tell(TENANT, "CredentialsNotFound"), 60)
        assert "no Secret upcloud in this namespace" in d.words(TENANT, "edge")
        assert "token, or the keys username and password" in d.words(TENANT, "edge")
        await d.calm(calls=63, passes=60)
        d.hand(BOB)
        await soon(lambda: d.of(TENANT, "edge").uuid is not None, d)
        await d.settle()

    play(story)


def test_default_of_a_namespace_comes_changes_and_goes() -> None:
    async def story(d: Tenants) -> None:
        d.hand(BOB)
        d.kubernetes.annotate_namespace(DEFAULT, SECRET, TENANT)
        d.tree(TENANT)
        await d.start()
        await d.settle()
        assert set(d.accounts_of().values()) == {"bob"}
        assert all(d.of(TENANT, name).status["credentialsSecretRef"] == {"name": SECRET} for name in TREE)
        d.world.tokens = {ALICE: "alice", BOB: "bob", SPARE: "bob"}
        d.hand(SPARE, name="other")
        d.forget()
        d.kubernetes.annotate_namespace(DEFAULT, "other", TENANT)
        other = {"name": "other"}
        await d.until(lambda: all(d.of(TENANT, n).status["credentialsSecretRef"] == other for n in TREE), 120)
        await d.settle(60)
        d.kubernetes.annotate_namespace(DEFAULT, None, TENANT)
        await d.until(lambda: d.all_tell(TENANT, "AccountMismatch"), 120)
        assert "the operator's own credentials are of account alice" in d.words(TENANT, "edge")
        assert not d.changes(BOB)
        assert not d.changes(SPARE)
        assert not d.changes(ALICE)
        d.kubernetes.annotate_namespace(DEFAULT, SECRET, TENANT)
        await d.until(lambda: d.in_sync(TENANT), 120)
        assert not d.changes(BOB)

    play(story)


def test_default_counts_below_a_gateway_that_is_not_managed() -> None:
    """A connection that names its gateway by uuid has nobody else to say which credentials."""

    async def story(d: Tenants) -> None:
        await d.both()
        gateway = d.of(TENANT, "edge").uuid
        d.remove(TENANT, "office", "office-1")
        await d.until(lambda: d.left(TENANT) == ["edge"])
        d.kubernetes.take_finalizer("NetworkGateway", "edge", TENANT)
        d.kubernetes.delete("NetworkGateway", "edge", TENANT)
        d.put(TENANT, "office", {**CONNECTION, "gatewayRef": {"uuid": gateway}})
        await d.until(lambda: d.tells(TENANT, "office") == "ParentNotFound")
        d.kubernetes.annotate_namespace(DEFAULT, SECRET, TENANT)
        await d.until(lambda: d.ready(d.of(TENANT, "office")), 120)
        d.world.tokens = {ALICE: "alice", BOB: "bob", SPARE: "bob"}
        d.hand(SPARE, name="other")
        d.kubernetes.annotate_namespace(DEFAULT, "other", TENANT)
        await d.until(lambda: d.of(TENANT, "office").status["credentialsSecretRef"] == {"name": "other"}, 120)
        d.remove(TENANT, "office")
        await d.until(lambda: d.left(TENANT) == [])
        assert len(d.asked(SPARE, "DELETE")) == 1

    play(story)


@pytest.mark.parametrize("own", [ALICE, None], ids=["not for this namespace", "none"])
def test_no_credentials_for_a_namespace(own: str | None) -> None:
    """The operator's own are for others, or there are none: said with what to do, and nothing is asked."""

    async def story(d: Tenants) -> None:
        d.tree(TENANT)
        await d.start()
        await d.until(lambda: d.all_tell(TENANT, "CredentialsNotFound"), 60)
        said = d.words(TENANT, "edge")
        assert "credentialsSecretRef" in said
        assert "netgw.dev/default-credentials" in said
        assert ("NETGW_DEFAULT_CREDENTIALS_NAMESPACES" in said) == (own is not None)
        await asyncio.sleep(HOUR)
        assert not d.changes(ALICE)
        d.hand(BOB)
        d.kubernetes.annotate_namespace(DEFAULT, SECRET, TENANT)
        await soon(lambda: d.of(TENANT, "edge").uuid is not None, d)
        await d.settle()

    play(story, own=own, app={"own_credentials": frozenset({HOME if own else "*"})})


def test_namespace_that_may_not_use_them_any_more() -> None:
    """It is not even looked at with them: the last status stays for five minutes, then it is said that nobody looks."""

    async def story(d: Tenants) -> None:
        d.tree(HOME)
        await d.start()
        await d.settle()
        d._options["app"] = {"own_credentials": frozenset({"elsewhere"})}  # noqa: SLF001  a setting of the next start
        await d.again()
        d.forget()
        await d.until(lambda: d.all_tell(HOME, "CredentialsNotFound"), 60)
        assert d.tells(HOME, "edge", "Ready") == "Running"
        await asyncio.sleep(400)
        assert d.all_tell(HOME, "CannotObserve", "Ready")
        assert "NETGW_DEFAULT_CREDENTIALS_NAMESPACES" in d.words(HOME, "edge", "Ready")
        edge = str(d.of(HOME, "edge").uuid)
        assert not [call for call in d.asked(ALICE) if edge in call]
        assert not d.changes(ALICE)

    play(story)


def test_token_is_rotated() -> None:
    """Another token of the account, without a restart: nothing is written, nothing is lost, the old one is left."""

    async def story(d: Tenants) -> None:
        await d.both()
        await asyncio.sleep(1300)
        d.world.tokens = {ALICE: "alice", BOB: "bob", SPARE: "bob"}
        d.forget()
        writes = len(d.kubernetes.writes)
        d.hand(SPARE)
        await soon(lambda: LIST in d.asked(SPARE), d, 5)
        await asyncio.sleep(600)
        assert len(d.kubernetes.writes) == writes
        assert len(d.asked(BOB)) <= 1
        assert set(d.asked(SPARE)) == {"GET /1.3/account", LIST}

    play(story)


def test_call_under_way_with_the_old_token_ends_well() -> None:
    """The answer to a POST comes when the token has been replaced: it counts, and nothing is made twice."""

    async def story(d: Tenants) -> None:
        d.hand(BOB)
        d.tree(TENANT, **REF)
        posts = 0

        def rotate(request: Any) -> None:
            nonlocal posts
            if request.method == "POST":
                posts += 1
                d.world.tokens = {ALICE: "alice", BOB: "bob", SPARE: "bob"}
                d.hand(SPARE if posts % 2 else BOB)

        d.apart.when_answered = rotate
        await d.start()
        await d.settle()
        assert posts == 3
        assert len(d.world.gateways) == 1

    play(story, latency=0.5)


@pytest.mark.parametrize("seed", range(6))
def test_token_becomes_anothers_while_things_are_made(seed: int) -> None:
    """Whenever that happens: what bob's objects make is bob's, and so it is recorded."""

    async def story(d: Tenants) -> None:
        d.hand(BOB)
        d.tree(TENANT, **REF)

        def swap(request: Any) -> None:
            if d.rng.random() < 0.2:
                d.hand(ALICE if d.rng.random() < 0.5 else BOB)

        d.apart.when_answered = swap
        await d.start()
        await asyncio.sleep(120)
        d.apart.when_answered = lambda request: None
        d.hand(BOB)
        await asyncio.sleep(60)
        accounts = d.accounts_of()
        for name in TREE:
            obj = d.of(TENANT, name)
            if name == "edge" and obj.uuid is not None:
                assert accounts[obj.uuid] == obj.status["account"]
        assert len(accounts) == 1
        if "bob" in accounts.values():
            await d.settle(1800)

    play(story, seed=seed, latency=0.3)


def test_refused_token_is_replaced_without_anybody_telling() -> None:
    """Secrets are not watched: the one that is refused is read again every few seconds."""

    async def story(d: Tenants) -> None:
        await d.both()
        d.world.tokens = {ALICE: "alice", SPARE: "bob"}
        await d.until(lambda: d.all_tell(TENANT, "CredentialsRefused"), 120)
        said = d.words(TENANT, "edge")
        assert said.startswith(f"UpCloud answers 401 to Secret {TENANT}/{SECRET} since 2026-11-22T03:")
        assert "Put a new token in the Secret; it is read at once." in said
        await d.calm(calls=400, writes=6)
        d.kubernetes.secret_watcher = None
        d.hand(SPARE)
        await soon(lambda: d.in_sync(TENANT), d, 30)
        assert not d.changes(SPARE)

    play(story)


def test_token_of_another_account() -> None:
    """Nothing is written, nothing counts as gone, whatever is asked for; with the right one it goes on."""

    async def story(d: Tenants) -> None:
        await d.both()
        uuids = {name: d.of(TENANT, name).uuid for name in TREE}
        d.hand(ALICE)
        d.kubernetes.put_secret("office-psk", OTHER_KEY.encode(), TENANT)
        await d.until(lambda: d.all_tell(TENANT, "AccountMismatch"), 60)
        assert "It was made in account bob" in d.words(TENANT, "office")
        d.remove(TENANT, "office-1")
        await asyncio.sleep(900)
        assert d.tells(TENANT, "edge", "Ready") == "CannotObserve"
        assert d.left(TENANT) == list(TREE)
        assert ORPHAN in d.words(TENANT, "office-1")
        await d.again()
        await asyncio.sleep(900)
        assert {name: d.of(TENANT, name).uuid for name in TREE} == uuids
        assert not d.changes(ALICE)
        assert not d.asked(BOB, "POST", "DELETE")
        d.hand(BOB)
        await d.until(lambda: d.left(TENANT) == ["edge", "office"], 120)
        await d.settle(120)
        assert not d.asked(BOB, "POST")
        assert len(d.asked(BOB, "DELETE")) == 1

    play(story)


def test_secret_is_deleted_while_objects_live() -> None:
    """They are looked at as before and not changed; what is deleted goes with what is held."""

    async def story(d: Tenants) -> None:
        await d.both()
        d.hand(None)
        await d.until(lambda: d.all_tell(TENANT, "CredentialsNotFound"), 60)
        d.change(TENANT, "edge", plan="advanced")
        await asyncio.sleep(900)
        assert d.tells(TENANT, "edge", "Ready") == "Running"
        assert d.tells(TENANT, "office-1", "Ready") == "Up"
        assert not d.changes(BOB)
        d.world.force_tunnel(str(d.of(TENANT, "office-1").uuid), operational_state="connecting")
        await d.until(lambda: d.tells(TENANT, "office-1", "Ready") == "TunnelDown", 120)
        d.remove(TENANT, "office-1")
        await d.until(lambda: d.left(TENANT) == ["edge", "office"])
        d.hand(BOB)
        await d.until(lambda: len(d.asked(BOB, "PATCH")) == 1, 60)
        await d.settle()

    play(story)


@pytest.mark.parametrize("first", ["the Secrets", "the objects"])
def test_whole_namespace_is_deleted(first: str) -> None:
    async def story(d: Tenants) -> None:
        await d.both()
        if first == "the Secrets":
            d.hand(None)
            d.kubernetes.put_secret("office-psk", None, TENANT)
            await asyncio.sleep(0.1)
        d.remove(TENANT)
        if first == "the objects":
            d.hand(None)
            d.kubernetes.put_secret("office-psk", None, TENANT)
        await d.until(lambda: d.left(TENANT) == [], 120)
        assert len(d.asked(BOB, "DELETE")) == 3
        assert list(d.accounts_of().values()) == ["alice"]
        assert d.in_sync(HOME)

    play(story)


@pytest.mark.parametrize("way", ["the Secret is back", "force-orphan"])
def test_killed_when_the_secret_is_gone(way: str) -> None:
    """Nothing is held any more: the condition names what is missing and the way out, and nobody else suffers."""

    async def story(d: Tenants) -> None:
        await d.both()
        d.hand(None)
        d.remove(TENANT)
        await d.again()
        d.forget()
        await d.until(lambda: d.tells(TENANT, "office-1") == "CredentialsNotFound")
        said = d.words(TENANT, "office-1")
        assert [word for word in ("To be deleted.", f"no Secret {SECRET}", ORPHAN) if word not in said] == []
        await asyncio.sleep(900)
        assert d.asked(BOB) == []
        assert d.in_sync(HOME)
        if way == "force-orphan":
            for name, kind in TREE.items():
                d.kubernetes.annotate(kind, name, "force-orphan", "true", TENANT)
        else:
            d.hand(BOB)
        await d.until(lambda: d.left(TENANT) == [], 120)
        assert len(d.asked(BOB, "DELETE")) == (0 if way == "force-orphan" else 3)

    play(story)


def test_living_objects_after_a_restart_without_their_secret() -> None:
    """Nobody can look: after five minutes Ready says so, with the name of what is missing."""

    async def story(d: Tenants) -> None:
        await d.both()
        d.hand(None)
        await d.again()
        await d.until(lambda: d.all_tell(TENANT, "CredentialsNotFound"), 60)
        assert d.tells(TENANT, "edge", "Ready") == "Running"
        await asyncio.sleep(400)
        assert d.all_tell(TENANT, "CannotObserve", "Ready")
        assert f"no Secret {SECRET}" in d.words(TENANT, "office", "Ready")
        assert len(d.told("CannotObserve")) == 1
        d.hand(BOB)
        await d.until(lambda: d.in_sync(TENANT), 60)

    play(story)


def test_api_server_that_is_away_takes_no_credentials_away() -> None:
    """What is held is as good as it was."""

    async def story(d: Tenants) -> None:
        await d.both()
        await asyncio.sleep(1300)
        d.life.trouble = 1.0
        await asyncio.sleep(300)
        d.life.trouble = 0.0
        d.forget()
        await asyncio.sleep(300)
        assert d.in_sync(TENANT)
        assert "GET /1.3/account" not in d.asked(BOB)

    play(story)


def test_secret_that_cannot_be_read_at_first() -> None:
    async def story(d: Tenants) -> None:
        d.hand(BOB)
        d.tree(TENANT, **REF)
        d.trouble = 0.4
        for _ in range(20):
            try:
                await d.start()
            except Exception:  # noqa: BLE001  the LISTs of a start may fail: the process ends and is started again
                await d.kill()
            else:
                break
        d.life.trouble = 0.0
        await d.settle(900)

    play(story)


class Guard:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.held: set[tuple[str, str]] = set()
        self.looked_at: list[tuple[str, str]] = []

    def hold(self, refs: set[tuple[str, str]]) -> None:
        self.held = refs

    def look_at(self, refs: Iterable[tuple[str, str]]) -> None:
        self.looked_at += refs


def test_guard_knows_what_is_needed() -> None:
    """Named by a spec, by a namespace with objects, by a status; until the last object that needs it is gone."""

    async def story(d: Tenants) -> None:
        d.guard = guard = Guard()
        d.kubernetes.annotate_namespace(DEFAULT, "empty", "without-objects")
        await d.both()
        needed = (TENANT, SECRET)
        assert guard.held == {needed}
        d.hand(BOB)
        assert needed in guard.looked_at
        d.kubernetes.annotate_namespace(DEFAULT, "other", TENANT)
        assert guard.held == {needed, (TENANT, "other")}
        d.kubernetes.take_finalizer("NetworkGateway", "edge", TENANT)
        d.kubernetes.delete("NetworkGateway", "edge", TENANT)
        await d.until(lambda: d.left(TENANT) == ["office", "office-1"])
        assert needed in guard.held
        d.remove(TENANT, "office", "office-1")
        await d.until(lambda: d.left(TENANT) == [])
        await asyncio.sleep(1)
        assert guard.held == set()

    play(story)
