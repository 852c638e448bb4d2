"""netgw makes the key of its tunnels and rotates it, over days of virtual time, also when it dies at any moment.

At every write to the Secret and every change in the cloud, the key that the cloud has is in the Secret.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest

from netgw.kube.provider import Intervals
from support.audit import Audit
from support.effort import effort
from support.history import CONNECTION, GATEWAY, KEY, OTHER_KEY, History, play, tunnel

Story = Callable[[History], Coroutine[Any, Any, None]]

HOUR = 3600.0
TERM = {"rotateAfter": "24h", "announce": "2h"}
STRIDE = effort(test=23, soak=1)
AT = ("default", "office-psk")
ANNOUNCED = ("patch", "psk-next")
SWITCHED = ("patch", "psk", "psk-previous", "-psk-next")
DROPPED = ("patch", "-psk-previous")
NOTED = ("patch",)
ROUND = [ANNOUNCED, SWITCHED, DROPPED]


class Watch(Audit):
    """As every audit, and: no tunnel in the cloud has a key that the Secret has lost."""

    def __init__(self, history: History) -> None:
        super().__init__(history)
        self._h = history
        self.lost: list[str] = []
        history.kubernetes.on_secret = self.look

    def answered(self, request: httpx.Request) -> None:
        super().answered(request)
        self.look()

    def look(self) -> None:
        secret = self._h.kubernetes.secrets.get(AT)
        held = {} if secret is None else {name: sha(value.get_secret_value()) for name, value in secret.data.items()}
        kept = {held.get("psk"), held.get("psk-previous")}
        for found in tunnels(self._h):
            if found.psk_sha256 not in kept:
                self.lost.append(f"at {self._h.clock.now()}: {found.name}")

    @property
    def pushed(self) -> list[Any]:
        """Keys that replaced others in the cloud, in order, by tunnel."""
        return [(uuid, value) for uuid, field, value in self.effects if field == "psk_sha256"]


def sha(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()


def tunnels(h: History) -> list[Any]:
    return [found for gateway in h.world.gateways.values() for found in gateway.tunnels]


def asking(number: int = 1, generation: Any = TERM) -> dict[str, Any]:
    spec = tunnel(f"100.10.0.{110 + number}")
    spec["ipsec"]["authentication"]["pskGeneration"] = generation
    return spec


def apply(h: History, count: int = 1, generation: Any = TERM) -> None:
    """No Secret: that is the operator's matter."""
    h.kubernetes.apply("NetworkGateway", "edge", GATEWAY)
    h.kubernetes.apply("VpnConnection", "office", CONNECTION)
    for number in range(1, count + 1):
        h.kubernetes.apply("VpnTunnel", f"office-{number}", asking(number, generation))


def rotation(h: History, name: str = "office-1") -> dict[str, Any]:
    return dict(h.get("VpnTunnel", name).status.get("pskRotation") or {})


def phase(h: History, name: str = "office-1") -> str | None:
    return rotation(h, name).get("phase")


def told(h: History, reason: str) -> list[str]:
    return [message for _, _, said, message in h.kubernetes.events if said == reason]


def unseen(h: History) -> None:
    """No key in a status, an Event or an annotation of the Secret."""
    shown = json.dumps([[obj.body for obj in h.objects()], h.kubernetes.events, dict(h.kubernetes.secrets[AT].notes)])
    assert [key for key in h.kubernetes.keys if key in shown] == []


async def wait(h: History, what: Callable[[], bool], seconds: float) -> None:
    """As `until`, for hours: looked at less often."""
    end = h.clock.now() + seconds
    while not what():
        assert h.clock.now() < end, "not in time:\n" + h.picture()
        await asyncio.sleep(60)


def slowly(story: Story, **options: Any) -> History:
    """With looks far apart, for days take long otherwise."""
    return play(story, intervals=Intervals(900.0, 60.0), **options)


def test_secret_is_made_and_its_key_sent() -> None:
    async def story(h: History) -> None:
        watch = h.witness = Watch(h)
        await h.start()
        apply(h, 2)
        await h.settle()
        assert h.kubernetes.secret_writes == [("create", "psk")]
        (key,) = h.kubernetes.keys
        assert {found.psk_sha256 for found in tunnels(h)} == {sha(key.encode())}
        assert len(key) == 48
        assert told(h, "PskGenerated") == ["Secret office-psk was made, with a strong key in psk for the peer."]
        assert len(h.calls("POST")) == 4
        assert h.calls("PATCH") == []
        assert (watch.violations, watch.lost) == ([], [])
        unseen(h)

    slowly(story)


def test_without_it_nothing_is_ever_written() -> None:
    async def story(h: History) -> None:
        await h.start()
        h.apply_all()
        h.kubernetes.put_secret("office-psk", None)
        await h.until(lambda: h.reason("VpnTunnel", "office-1") == "SecretNotFound")
        await asyncio.sleep(HOUR)
        h.kubernetes.put_secret("office-psk", KEY.encode())
        await h.settle()
        await asyncio.sleep(30 * HOUR)
        assert h.kubernetes.secret_writes == []
        assert phase(h) is None

    slowly(story)


def test_two_rotations_of_two_tunnels() -> None:
    """One round for both tunnels, each key sent once to each, announced before, and nobody is without a key."""

    async def story(h: History) -> None:
        watch = h.witness = Watch(h)
        await h.start()
        apply(h, 2)
        await h.settle()
        for number in (1, 2):
            await wait(h, lambda: phase(h) == "Announced" == phase(h, "office-2"), 25 * HOUR)
            assert ("approval" in rotation(h)) != ("approval" in rotation(h, "office-2"))
            assert len(told(h, "PskRotationAnnounced")) == number
            assert rotation(h)["switchAt"] in told(h, "PskRotationAnnounced")[-1]
            pushed = len(watch.pushed)
            await asyncio.sleep(1.9 * HOUR)
            assert len(watch.pushed) == pushed
            await wait(h, lambda: phase(h) == "Switched", HOUR)
            await wait(h, lambda: phase(h) == "Scheduled", HOUR)
            assert len(told(h, "PskSwitched")) == number
            assert len(watch.pushed) == 2 * number
        assert [write for write in h.kubernetes.secret_writes if len(write) > 1][1:] == ROUND * 2
        assert len(h.calls("PATCH")) == 4
        assert h.calls("DELETE") == []
        assert set(h.kubernetes.secrets[AT].data) == {"psk"}
        assert len(h.kubernetes.keys) == 3
        assert (watch.violations, watch.lost) == ([], [])
        assert all(h.ready(obj) for obj in h.objects())
        unseen(h)

    slowly(story)


def test_a_person_s_key_is_rotated_and_kept_as_the_former_one() -> None:
    async def story(h: History) -> None:
        watch = h.witness = Watch(h)
        h.kubernetes.put_secret("office-psk", KEY.encode())
        await h.start()
        apply(h)
        await h.settle()
        assert tunnels(h)[0].psk_sha256 == sha(KEY.encode())
        await wait(h, lambda: phase(h) == "Switched", 26 * HOUR)
        assert h.kubernetes.secrets[AT].data["psk-previous"].get_secret_value() == KEY.encode()
        await wait(h, lambda: phase(h) == "Scheduled", HOUR)
        assert h.kubernetes.secret_writes == [NOTED, *ROUND]
        assert watch.lost == []

    slowly(story)


def test_former_key_is_kept_while_the_peer_has_not_the_new_one() -> None:
    """Also past the time of the next rotation."""

    async def story(h: History) -> None:
        watch = h.witness = Watch(h)
        await h.start()
        apply(h)
        await h.settle()
        uuid = str(h.get("VpnTunnel", "office-1").uuid)
        await wait(h, lambda: phase(h) == "Announced", 25 * HOUR)
        h.world.force_tunnel(uuid, operational_state="connecting")
        await wait(h, lambda: phase(h) == "Switched", 3 * HOUR)
        await asyncio.sleep(26 * HOUR)
        assert "psk-previous" in h.kubernetes.secrets[AT].data
        assert phase(h) == "Switched"
        assert len(watch.pushed) == 1
        h.world.force_tunnel(uuid, operational_state="established")
        await wait(h, lambda: phase(h) in ("Scheduled", "Announced"), HOUR)
        assert watch.lost == []

    slowly(story)


def test_approved_at_once() -> None:
    async def story(h: History) -> None:
        watch = h.witness = Watch(h)
        await h.start()
        apply(h)
        await h.settle()
        await wait(h, lambda: phase(h) == "Announced", 25 * HOUR)
        assert f"netgw.dev/approve={rotation(h)['approval']}" in told(h, "PskRotationAnnounced")[0]
        h.kubernetes.annotate("VpnTunnel", "office-1", "approve", "another")
        await asyncio.sleep(60)
        assert phase(h) == "Announced"
        h.kubernetes.annotate("VpnTunnel", "office-1", "approve", rotation(h)["approval"])
        await h.until(lambda: len(watch.pushed) == 1, 30)
        assert watch.lost == []

    slowly(story)


@pytest.mark.parametrize("gate", ["paused", "read-only", "no role"])
def test_what_stops_it(gate: str) -> None:
    ways: dict[str, dict[str, Any]] = {"read-only": {"app": {"read_only": True}}, "no role": {"forbidden": True}}
    options = ways.get(gate, {})

    async def story(h: History) -> None:
        await h.start()
        apply(h)
        if gate == "paused":
            h.kubernetes.annotate("VpnTunnel", "office-1", "paused", "true")
        await asyncio.sleep(600)
        assert h.kubernetes.secret_writes == []
        if gate == "no role":
            assert h.reason("VpnTunnel", "office-1") == "SecretNotFound"
            message = (h.get("VpnTunnel", "office-1").condition("Synced") or {})["message"]
            assert "deploy/rbac-key-generation.yaml" in message
        if gate == "paused":
            h.kubernetes.annotate("VpnTunnel", "office-1", "paused", None)
            await h.settle()
            h.kubernetes.annotate("VpnTunnel", "office-1", "paused", "true")
            await asyncio.sleep(30 * HOUR)
            assert h.kubernetes.secret_writes == [("create", "psk")]

    slowly(story, **options)


def test_rotation_without_the_role_says_so_and_leaves_traffic_alone() -> None:
    async def story(h: History) -> None:
        h.kubernetes.put_secret("office-psk", KEY.encode())
        await h.start()
        apply(h)
        await h.until(lambda: h.reason("VpnTunnel", "office-1") == "PskRotationHeld")
        await h.until(lambda: h.reason("VpnTunnel", "office-1", "Ready") == "Up")
        writes = len(h.kubernetes.writes)
        await asyncio.sleep(2 * HOUR)
        assert len(h.kubernetes.writes) <= writes + 2

    slowly(story, forbidden=True)


def test_secret_that_is_gone_is_not_made_again_unasked() -> None:
    """A new key would cut a tunnel that is up."""

    async def story(h: History) -> None:
        await h.start()
        apply(h)
        await h.settle()
        before = tunnels(h)[0].psk_sha256
        h.kubernetes.put_secret("office-psk", None)
        await h.until(lambda: h.reason("VpnTunnel", "office-1") == "SecretNotFound")
        await asyncio.sleep(1 * HOUR)
        assert tunnels(h)[0].psk_sha256 == before
        message = (h.get("VpnTunnel", "office-1").condition("Synced") or {})["message"]
        assert h.reason("VpnTunnel", "office-1", "Ready") == "Up"
        approval = message.split("netgw.dev/approve=")[1].split()[0]
        h.kubernetes.annotate("VpnTunnel", "office-1", "approve", approval)
        await h.until(lambda: tunnels(h)[0].psk_sha256 != before)
        await h.settle()

    slowly(story)


def test_key_edited_by_hand_is_not_overwritten() -> None:
    """In the middle of an announcement: it is sent, and becomes the former key at the switch."""

    async def story(h: History) -> None:
        watch = h.witness = Watch(h)
        await h.start()
        apply(h)
        await h.settle()
        await wait(h, lambda: phase(h) == "Announced", 25 * HOUR)
        h.kubernetes.put_secret("office-psk", OTHER_KEY.encode())
        await h.until(lambda: tunnels(h)[0].psk_sha256 == sha(OTHER_KEY.encode()))
        watch.lost.clear()
        await wait(h, lambda: phase(h) == "Switched", 3 * HOUR)
        assert h.kubernetes.secrets[AT].data["psk-previous"].get_secret_value() == OTHER_KEY.encode()
        assert watch.lost == []

    slowly(story)


def test_key_announced_by_a_person_and_a_former_key_in_the_way() -> None:
    async def story(h: History) -> None:
        h.kubernetes.put_secret("office-psk", KEY.encode())
        h.kubernetes.put_secret("office-psk", OTHER_KEY.encode(), under="psk-next")
        h.kubernetes.put_secret("office-psk", b"madeup_psk_for_tests_3", under="psk-previous")
        await h.start()
        apply(h)
        await wait(h, lambda: h.reason("VpnTunnel", "office-1") == "PskRotationHeld", 25 * HOUR)
        assert h.kubernetes.secret_writes == [NOTED]
        h.kubernetes.put_secret("office-psk", None, under="psk-previous")
        await wait(h, lambda: phase(h) == "Switched", 26 * HOUR)
        assert h.kubernetes.secrets[AT].data["psk"].get_secret_value() == OTHER_KEY.encode()
        assert len(h.kubernetes.keys) == 3

    slowly(story)


def test_the_eldest_decides_and_the_other_is_told() -> None:
    async def story(h: History) -> None:
        await h.start()
        apply(h)
        await h.settle()
        await asyncio.sleep(60)
        h.kubernetes.apply("VpnTunnel", "office-2", asking(2, {"rotateAfter": "48h"}))
        await h.settle()
        advice = (h.get("VpnTunnel", "office-2").condition("Warning") or {}).get("message", "")
        assert "VpnTunnel office-1" in advice
        assert h.get("VpnTunnel", "office-1").condition("Warning") is None
        assert rotation(h)["switchAt"] == rotation(h, "office-2")["switchAt"]

    slowly(story)


def test_kubernetes_that_fails_one_call_in_five() -> None:
    """Before it has its effect, or after: the same round."""

    async def story(h: History) -> None:
        watch = h.witness = Watch(h)
        apply(h, 2)
        await h.start()
        h.life.trouble = 0.2
        await wait(h, lambda: rounded(h), 40 * HOUR)
        assert h.kubernetes.secret_writes == [("create", "psk"), *ROUND]
        assert len(watch.pushed) == 2
        assert watch.lost == []

    for seed in range(4):
        slowly(story, seed=seed)


def test_two_operators_at_once() -> None:
    """As when a leader has not noticed that it is none: whoever comes second finds the Secret changed."""

    async def story(h: History) -> None:
        watch = h.witness = Watch(h)
        other = h.beside()
        apply(h, 2)
        await h.start()
        await other.start()
        await wait(h, lambda: rounded(h), 40 * HOUR)
        assert h.kubernetes.secret_writes == [("create", "psk"), *ROUND]
        assert watch.lost == []
        await other.kill()

    slowly(story)


class Killed:
    """One round for two tunnels: announced, switched, sent twice, dropped; death so many steps after the start."""

    def __init__(self, step: int | None) -> None:
        self.step = step
        self.steps = 0
        self.died = False
        slowly(self._story, seed=step or 0, latency=0.05)

    async def _story(self, h: History) -> None:
        watch = h.witness = Watch(h)
        h.kubernetes.put_secret("office-psk", KEY.encode())
        apply(h, 2, {"rotateAfter": "24h", "announce": "0s"})
        await h.start()
        await h.settle()
        await wait(h, lambda: phase(h) == "Scheduled", HOUR)
        await h.kill()
        await asyncio.sleep(24 * HOUR)  # the time comes while nobody looks
        begun = h.loop.steps
        if self.step is not None:
            h.loop.at_step(begun + self.step, h.die)
        await h.start_or_die()
        await wait(h, lambda: h.life.over or rounded(h), HOUR)
        self.steps, self.died = h.loop.steps - begun, h.life.over
        await h.kill()
        await h.start()
        await wait(h, lambda: rounded(h), HOUR)
        await asyncio.sleep(600)
        assert [write for write in h.kubernetes.secret_writes if write != NOTED] == ROUND
        assert {uuid for uuid, _ in watch.pushed} == {found.uuid for found in tunnels(h)}
        assert len(watch.pushed) == 2
        assert (watch.violations, watch.lost) == ([], [])
        assert told(h, "PskSwitched") != []
        unseen(h)


def rounded(h: History) -> bool:
    return DROPPED in h.kubernetes.secret_writes and phase(h) == "Scheduled" and all(map(h.ready, h.objects()))


def test_killed_at_any_step_of_a_rotation() -> None:
    """Also between any two of its writes: the same steps in the same order, each key sent to each tunnel once."""
    steps = Killed(None).steps
    died = [Killed(step).died for step in range(1, steps, STRIDE)]
    assert sum(died) > 0.8 * len(died)
