"""The Secret with the pre-shared key: absent, wrong, late, shared, gone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from support.days import Day, day
from support.history import KEY, OTHER_KEY

GOOD_ONE = "openssl rand -hex 24"

BAD: dict[str, tuple[dict[str, Any], str, tuple[str, ...]]] = {
    "absent": ({"key": None}, "SecretNotFound", ("no Secret office-psk", "key psk", GOOD_ONE)),
    "key absent": ({"under": "password"}, "SecretKeyNotFound", ("office-psk", "no key psk", GOOD_ONE)),
    "empty": ({"key": ""}, "InvalidPsk", ("office-psk/psk", "(empty)", GOOD_ONE)),
    "only a newline": ({"key": "\n"}, "InvalidPsk", ("(empty)",)),
    "too short": ({"key": "short12"}, "InvalidPsk", ("(too short)", "8 to 64 characters", GOOD_ONE)),
    "too long": ({"key": "x" * 65}, "InvalidPsk", ("(too long)",)),
    "forbidden characters": ({"key": "madeup+psk/for=tests"}, "InvalidPsk", ("(characters that are not allowed)",)),
    "no text": ({"key": b"\xff\xfe\x00madeup"}, "InvalidPsk", ("(characters that are not allowed)",)),
    "leading zero": ({"key": "0madeup_psk_for_tests"}, "InvalidPsk", ("(a leading 0)", "no leading 0")),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_from_the_start(case: str) -> None:
    """The rest is made, no tunnel is, nothing is asked for in vain, and a good key mends it at once."""
    made, reason, words = BAD[case]

    async def story(d: Day) -> None:
        await d.start()
        d.gateway()
        d.connection()
        d.tunnel(1)
        d.tunnel(2)
        d.secret(**made)
        await d.until(lambda: d.verdict("office-1") == ("False", reason) == d.verdict("office-2"))
        d.says("office-1", *words)
        d.says("office-1", *words, kind="Ready")
        assert ("Stalled" in types(d, "office-1")) == (reason == "InvalidPsk")
        assert d.told(reason)
        await asyncio.sleep(60)
        assert d.verdict("office", "Ready") == ("True", "NoTunnels")
        await d.calm(calls=63, passes=20)
        d.world.calls.clear()
        d.secret(KEY)
        await d.settle(60)
        assert len(d.calls("POST")) == 2

    day(story)


@pytest.mark.parametrize("case", BAD)
def test_bad_at_a_rotation(case: str) -> None:
    """The tunnel keeps its key and goes on; the message says so."""
    made, reason, words = BAD[case]

    async def story(d: Day) -> None:
        await d.made()
        await asyncio.sleep(1300)
        d.world.calls.clear()
        d.secret(**made)
        await d.until(lambda: d.verdict("office-1") == ("False", reason) == d.verdict("office-2"), 60)
        d.says("office-1", *words)
        assert d.verdict("office-1", "Ready") == ("True", "Up")
        assert d.verdict("office-1", "PskInSync") == ("Unknown", reason)
        d.says("office-1", "keeps the key")
        await d.calm(calls=63, passes=20)
        assert d.calls("PATCH", "POST", "DELETE") == []
        d.secret(KEY)
        await d.settle(60)
        assert d.calls("PATCH") == []
        d.secret(OTHER_KEY)
        await d.until(lambda: len(d.calls("PATCH")) == 2)
        await d.settle()

    day(story)


def test_trailing_newline_is_trimmed_and_told() -> None:
    async def story(d: Day) -> None:
        await d.start()
        d.apply_all(1)
        d.secret(KEY + "\n")
        await d.settle()
        assert d.verdict("office-1", "Warning")[0] == "True"
        d.says("office-1", "office-psk/psk", "newline", kind="Warning")
        sent = d.world.find_tunnel(d.uuid("office-1"))
        assert sent is not None
        d.secret(KEY + "\n")  # touched, the same key
        await asyncio.sleep(1300)
        d.says("office-1", "newline", kind="Warning")
        await d.calm(calls=63)
        await d.restart()
        await asyncio.sleep(60)
        d.says("office-1", "newline", kind="Warning")
        assert d.calls("PATCH") == []
        d.secret(KEY)  # the same key without it: nothing to send
        await d.until(lambda: not d.condition("office-1", "Warning"), 60)
        assert d.calls("PATCH") == []

    day(story)


def test_trailing_newline_has_an_event() -> None:
    async def story(d: Day) -> None:
        await d.start()
        d.apply_all(1)
        d.secret(KEY + "\n")
        await d.settle()
        await asyncio.sleep(600)
        assert len([message for *_, message in d.kubernetes.events if "newline" in message]) == 1

    day(story)


def test_gone_while_all_is_well() -> None:
    """A Secret that is taken away changes nothing for traffic, and deleting needs no key."""

    async def story(d: Day) -> None:
        await d.made(1)
        d.secret(None)
        await d.becomes("office-1", "SecretNotFound")
        assert d.verdict("office-1", "Ready") == ("True", "Up")
        d.delete("office-1", "office", "edge")
        await d.until(lambda: not d.objects())
        assert not d.world.gateways

    day(story)


def test_other_fields_are_set_while_the_secret_is_gone() -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        d.secret(None)
        await d.becomes("office-1", "SecretNotFound")
        d.tunnel(1, ipsec={"rekeyTime": 7200})
        await d.until(lambda: len(d.calls("PATCH")) == 1)
        await asyncio.sleep(60)
        assert d.verdict("office-1") == ("False", "SecretNotFound")
        found = d.world.find_tunnel(d.uuid("office-1"))
        assert found is not None
        assert found[1].ipsec["rekey_time"] == 7200

    day(story)


def test_edit_that_changes_nothing_costs_no_call() -> None:
    async def story(d: Day) -> None:
        await d.made()
        d.secret(KEY)
        await asyncio.sleep(120)
        assert d.calls("PATCH") == []
        assert d.verdict("office-1", "PskInSync") == ("True", "Accepted")

    day(story)


def test_rotated_while_the_operator_was_down() -> None:
    async def story(d: Day) -> None:
        await d.made()
        before = d.uuid("office-1")
        await d.kill()
        d.secret(OTHER_KEY)
        await d.start()
        await d.until(lambda: len(d.calls("PATCH")) == 2)
        await d.settle()
        assert d.uuid("office-1") == before
        assert d.verdict("office-2", "PskInSync") == ("True", "Accepted")

    day(story)


def test_another_secret_by_reference() -> None:
    """The spec names another Secret: one that is not there yet, then one with another key."""

    async def story(d: Day) -> None:
        await d.made(1)
        d.tunnel(1, ipsec={"authentication": {"pskSecretRef": {"name": "other-psk", "key": "psk"}}})
        await d.becomes("office-1", "SecretNotFound")
        d.says("office-1", "other-psk")
        d.secret(OTHER_KEY, name="other-psk")
        await d.until(lambda: len(d.calls("PATCH")) == 1)
        await d.settle()

    day(story)


def types(d: Day, name: str) -> list[str]:
    return [condition["type"] for condition in d.object(name).status["conditions"]]
