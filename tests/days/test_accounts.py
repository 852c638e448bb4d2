"""Whose credentials: of another account, late, back again."""

from __future__ import annotations

import asyncio

from support.days import KINDS, TOKENS, Day, day
from support.history import OTHER_KEY

ALICE, BOB = TOKENS


def test_credentials_of_another_account() -> None:
    """Nothing of the one counts as gone for the other: no write, no deletion; with the right ones it goes on."""

    async def story(d: Day) -> None:
        await d.made()
        await d.restart(BOB)
        d.secret(OTHER_KEY)
        for name in KINDS:
            await d.becomes(name, "AccountMismatch")
            d.says(name, "alice", "bob", "Nothing is observed or changed")
        await asyncio.sleep(900)
        for name in KINDS:
            assert d.verdict(name, "Ready") == ("Unknown", "CannotObserve")
        await d.calm(calls=130, writes=0)
        assert not d.calls("POST", "PATCH", "DELETE")
        d.delete("office-1")
        await asyncio.sleep(300)
        assert d.verdict("office-1") == ("False", "AccountMismatch")
        await d.restart(ALICE)
        await d.until(lambda: len(d.objects()) == 3)
        await d.settle()
        assert len(d.calls("PATCH")) == 1
        assert len(d.calls("DELETE")) == 1
        assert not d.calls("POST")

    day(story, tokens=TOKENS)


def test_new_objects_with_the_credentials_of_another_account() -> None:
    """Children wait for a parent that this account does not have."""

    async def story(d: Day) -> None:
        await d.made(1)
        await d.restart(BOB)
        d.tunnel(2)
        await asyncio.sleep(300)
        assert d.verdict("office-2")[0] == "False"
        assert not d.calls("POST")
        await d.restart(ALICE)
        await d.settle()

    day(story, tokens=TOKENS)


def test_credentials_are_refused_for_a_night() -> None:
    """Revoked, then accepted again (an address that was not allowed): no restart is needed."""

    async def story(d: Day) -> None:
        await d.made()
        tokens, d.world.tokens = d.world.tokens, {}
        d.secret(OTHER_KEY)
        for name in KINDS:
            await d.becomes(name, "CredentialsRefused", seconds=400)
        await asyncio.sleep(8 * 3600)
        d.world.tokens = tokens
        await d.settle(180)
        assert len([call for call in d.world.calls if call.method == "PATCH" and call.status == 200]) == 2

    day(story, tokens=TOKENS)


def test_one_token_after_another_of_the_same_account() -> None:
    async def story(d: Day) -> None:
        await d.made()
        d.world.tokens = {BOB: "alice"}
        await d.restart(BOB)
        await d.settle()
        await asyncio.sleep(60)
        assert not d.calls("POST", "PATCH", "DELETE")

    day(story, tokens=TOKENS)
