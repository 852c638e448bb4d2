"""What the cloud says of itself: words that nobody knows, set-up that does not end, tunnels that go and come."""

from __future__ import annotations

import asyncio

import pytest

from support.days import HOUR, Day, day
from support.history import OTHER_KEY

AUTHENTICATION = "received AUTHENTICATION_FAILED notify error"


def test_unknown_word_for_a_gateway_that_ran() -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        await asyncio.sleep(1300)
        d.world.force_gateway(d.uuid("edge"), operational_state="defragmenting")
        await d.until(lambda: d.object("edge").status["operationalState"] == "defragmenting")
        assert d.verdict("edge", "Ready") == ("True", "Running")
        assert d.verdict("edge", "Reconciling")[0] == "True"
        assert d.verdict("edge") == ("True", "InSync")
        await asyncio.sleep(HOUR)
        await d.calm(calls=62)
        d.world.force_gateway(d.uuid("edge"))
        await d.until(lambda: not d.condition("edge", "Reconciling"))

    day(story)


def test_unknown_word_for_a_gateway_that_never_ran() -> None:
    async def story(d: Day) -> None:
        await d.start()
        d.gateway()
        await d.becomes("edge", "SettingUp", "Ready")
        d.says("edge", "since", "no traffic yet", kind="Ready")
        d.world.force_gateway(d.uuid("edge"), operational_state="setup-quantum-link")
        await d.becomes("edge", "StateUnknown", "Ready")
        assert d.verdict("edge", "Ready")[0] == "Unknown"
        d.says("edge", "setup-quantum-link", "does not know", kind="Ready")
        assert d.verdict("edge") == ("True", "InSync")
        await asyncio.sleep(HOUR)
        await d.calm(calls=62)
        d.world.force_gateway(d.uuid("edge"))
        await d.becomes("edge", "Running", "Ready")

    day(story, delay=30)


def test_set_up_that_does_not_end() -> None:
    """After half an hour it says so, by itself, and looks less often; it still may end well."""

    async def story(d: Day) -> None:
        await d.start()
        d.apply_all(1)
        await d.becomes("edge", "SettingUp", "Ready")
        assert d.verdict("edge", "Reconciling")[0] == "True"
        await asyncio.sleep(1700)
        assert d.verdict("edge", "Ready") == ("False", "SettingUp")
        await d.becomes("edge", "SetupOverdue", "Ready", seconds=200)
        d.says("edge", "after 30 minutes", "pending", "ask its support", d.uuid("edge"), kind="Ready")
        assert not d.condition("edge", "Reconciling")
        await asyncio.sleep(120)
        await d.calm(calls=72)
        await asyncio.sleep(HOUR)  # the next step of the set-up does not begin it anew
        assert d.verdict("edge", "Ready") == ("False", "SetupOverdue")
        await asyncio.sleep(4 * HOUR)
        assert d.verdict("edge", "Ready") == ("True", "Running")

    day(story, delay=1.8 * HOUR)


@pytest.mark.parametrize("word", ["unknown", "transcending"])
def test_unknown_word_for_a_tunnel(word: str) -> None:
    """`tunnel_up` says what the word does not."""

    async def story(d: Day) -> None:
        await d.made(1)
        since = d.object("office-1").status["since"]
        d.world.force_tunnel(d.uuid("office-1"), operational_state=word, tunnel_up=True)
        await d.until(lambda: d.object("office-1").status["operationalState"] == word)
        assert d.verdict("office-1", "Ready") == ("True", "Up")
        assert d.object("office-1").status["since"] == since
        d.world.force_tunnel(d.uuid("office-1"), operational_state=word, tunnel_up=False)
        await d.becomes("office-1", "TunnelDown", "Ready")
        await asyncio.sleep(1300)
        await d.calm(calls=80)

    day(story)


def test_rekeying_is_no_flap() -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        await asyncio.sleep(1300)
        before = d.object("office-1")
        events = len(d.kubernetes.events)
        for state in ("rekeying", "rekeyed", "established", "rekeying", "established"):
            d.world.force_tunnel(d.uuid("office-1"), operational_state=state)
            await d.until(lambda state=state: d.object("office-1").status["operationalState"] == state)  # type: ignore[misc]
            assert d.condition("office-1", "Ready") == before.condition("Ready")
            assert d.object("office-1").status["since"] == before.status["since"]
            assert d.verdict("office", "Ready") == ("True", "TunnelsUp")
        assert len(d.kubernetes.events) == events

    day(story)


def test_cut_and_come_back() -> None:
    """Up, down, up: since, Ready, the connection, the gateway's count, Events; and quiet in between."""

    async def story(d: Day) -> None:
        await d.made(2)
        await asyncio.sleep(1300)
        d.world.force_tunnel(d.uuid("office-1"), operational_state="connecting", last_down_message=AUTHENTICATION)
        await d.becomes("office-1", "AuthenticationFailed", "Ready")
        since = d.object("office-1").status["since"]
        accepted = d.object("office-1").status["psk"]["acceptedAt"]
        message = d.condition("office-1", "Ready")["message"]
        assert message == (
            "Peer 100.10.0.111 refused authentication: the pre-shared key differs, or the peer does not identify as "
            "100.10.0.111 (usual behind NAT). UpCloud accepted the key of Secret office-psk/psk at "
            f"{accepted}; compare it with the peer's. No traffic since {since}."
        )
        assert d.told("AuthenticationFailed") == [message]
        assert d.object("office").status["tunnels"] == "1/2"
        assert d.object("edge").status["tunnels"] == "1/2"
        assert d.verdict("office", "Ready") == ("True", "TunnelsUp")
        assert d.verdict("office", "Redundant") == ("False", "TooFewUp")
        d.world.force_tunnel(d.uuid("office-2"), operational_state="idle")
        await d.becomes("office", "NoTunnelUp", "Ready")
        d.says("office", "office-1, office-2", "no traffic", kind="Ready")
        await asyncio.sleep(1300)
        await d.calm(calls=90)  # a list per minute, metrics every five
        assert d.condition("office-1", "Ready")["message"] == message
        d.world.force_tunnel(d.uuid("office-1"))
        await d.becomes("office-1", "Up", "Ready")
        assert d.object("office-1").status["since"] > since
        assert not d.calls("PATCH", "POST", "DELETE")

    day(story)


CAUSES = {
    AUTHENTICATION: ("AuthenticationFailed", "compare it with the peer's"),
    "received NO_PROPOSAL_CHOSEN error": ("NoProposalChosen", "algorithms and DH groups"),
    "received TS_UNACCEPTABLE notify": ("TrafficSelectorMismatch", "routes of the connection"),
    "giving up after 5 retransmits": ("PeerUnreachable", "UDP 500 and 4500"),
    "the moon was in the way": ("TunnelDown", 'UpCloud says: "the moon was in the way".'),
}


@pytest.mark.parametrize("text", CAUSES)
def test_cause_of_a_fall(text: str) -> None:
    reason, words = CAUSES[text]

    async def story(d: Day) -> None:
        await d.made(1)
        d.world.force_tunnel(d.uuid("office-1"), operational_state="connecting", last_down_message=text)
        await d.becomes("office-1", reason, "Ready")
        await d.until(lambda: words in d.condition("office-1", "Ready")["message"])
        d.says("office-1", "100.10.0.111", "No traffic since", kind="Ready")

    day(story)


def test_old_message_says_nothing() -> None:
    """The cloud keeps a message for hours: one from before the last rise is not about this fall."""

    async def story(d: Day) -> None:
        await d.made(1)
        d.world.force_tunnel(d.uuid("office-1"), operational_state="connecting", last_down_message=AUTHENTICATION)
        await d.becomes("office-1", "AuthenticationFailed", "Ready")
        d.world.force_tunnel(d.uuid("office-1"))
        await d.becomes("office-1", "Up", "Ready")
        await asyncio.sleep(60)
        d.world.force_tunnel(d.uuid("office-1"), operational_state="connecting")
        await d.becomes("office-1", "TunnelDown", "Ready")
        await asyncio.sleep(900)
        assert d.verdict("office-1", "Ready") == ("False", "TunnelDown")
        assert "AUTH" not in d.condition("office-1", "Ready")["message"]

    day(story)


def test_peer_that_never_connected() -> None:
    async def story(d: Day) -> None:
        await d.start()
        d.world.tunnels = "idle"
        d.apply_all(1)
        await d.becomes("office-1", "PeerNeverConnected", "Ready")
        d.says("office-1", "100.10.0.111", "has never connected", "no traffic", "same key", kind="Ready")
        assert d.verdict("office-1") == ("True", "InSync")
        assert "since" not in d.object("office-1").status
        d.world.force_tunnel(d.uuid("office-1"), operational_state="connecting", last_down_message=AUTHENTICATION)
        await d.until(lambda: "refused authentication" in d.condition("office-1", "Ready")["message"], 400)
        assert d.verdict("office-1", "Ready") == ("False", "PeerNeverConnected")
        await asyncio.sleep(1300)
        await d.calm(calls=90)
        d.world.tunnels = "up"
        d.world.force_tunnel(d.uuid("office-1"))
        await d.becomes("office-1", "Up", "Ready")
        assert d.object("office-1").status["since"]

    day(story)


def test_bad_words_in_the_log_of_a_tunnel_that_is_up() -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        d.world.force_tunnel(d.uuid("office-1"), tunnel_healthy=False)
        await d.becomes("office-1", "BadLogMessages", "Healthy")
        assert d.verdict("office-1", "Healthy")[0] == "False"
        assert d.verdict("office-1", "Ready") == ("True", "Up")
        assert d.object("office-1").status["healthy"] is False

    day(story)


@pytest.mark.parametrize("state", ["deleting", "destroying"])
def test_tunnel_that_ends_is_down_whatever_else_it_says(state: str) -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        d.world.force_tunnel(d.uuid("office-1"), operational_state=state, tunnel_up=True)
        await d.becomes("office-1", "TunnelDown", "Ready")
        d.says("office-1", state, kind="Ready")

    day(story)


def test_gateway_stopped_and_started() -> None:
    """Stopped is no failure of the gateway; what is below it carries nothing, and says why."""

    async def story(d: Day) -> None:
        await d.made(2)
        d.gateway(configuredStatus="stopped")
        await d.becomes("edge", "Stopped", "Ready")
        assert d.verdict("edge", "Ready")[0] == "True"
        for name in ("office", "office-1", "office-2"):
            await d.becomes(name, "GatewayStopped", "Ready")
            assert d.verdict(name, "Ready")[0] == "False"
            assert d.verdict(name) == ("True", "InSync")
            d.says(name, "edge is stopped", "no traffic", kind="Ready")
        await asyncio.sleep(1300)
        await d.calm(calls=62)
        d.gateway(configuredStatus="started")
        await d.settle()
        assert d.verdict("office-1", "Ready") == ("True", "Up")

    day(story)


def test_rotation_while_the_gateway_is_stopped() -> None:
    """Tunnels that are down are never held."""

    async def story(d: Day) -> None:
        await d.made(2)
        d.gateway(configuredStatus="stopped")
        await d.becomes("office-2", "GatewayStopped", "Ready")
        d.world.calls.clear()
        d.secret(OTHER_KEY)
        await d.until(lambda: len(d.calls("PATCH")) == 2, 10)

    day(story)


def test_gateway_that_somebody_deletes_in_the_cloud() -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        await d.ask("DELETE", f"/gateway/{d.uuid('edge')}")
        await d.becomes("edge", "DeletingInCloud", "Ready")
        d.tunnel(2)
        await d.until(lambda: d.verdict("office-2")[1] == "ParentDeleting")
        d.says("office-2", "edge", "being deleted")
        await d.becomes("edge", "ExternallyDeleted")
        await d.until(lambda: "netgw.dev/approve=" in d.condition("edge")["message"])
        for name in ("office", "office-1", "office-2"):
            await d.becomes(name, "ParentNotCreated", seconds=600)
        assert not d.calls("POST", "PATCH", "DELETE")
        await asyncio.sleep(900)
        await d.calm(calls=72)

    day(story, delay=20)
