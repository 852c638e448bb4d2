from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from netgw.engine.actuator import Desired, Observation, Psk, Resolution
from netgw.engine.outcome import Stalled, Waiting
from netgw.providers.upcloud.tunnel.describe import Known, describe
from netgw.providers.upcloud.tunnel.state import DownMessage
from support.wire import NOW, TUNNEL_SPEC, gateway, obj, tunnel

LATER = NOW + timedelta(hours=1)
ROSE = "2026-11-22T03:10:00Z"
FELL = "2026-11-22T03:50:00Z"
AUTHENTICATION = "received AUTHENTICATION_FAILED notify error"

WAS_UP: dict[str, Any] = {"up": True, "since": ROSE}
WAS_DOWN: dict[str, Any] = {"up": False, "since": FELL}
NEVER: dict[str, Any] = {"up": False}
UP: dict[str, Any] = {}
DOWN: dict[str, Any] = {"operational_state": "connecting", "tunnel_up": False}


def seen(
    before: dict[str, Any],
    wire: dict[str, Any],
    *,
    resolution: Resolution | None = None,
    stopped: bool = False,
    **known: Any,
) -> Observation:
    found = obj("VpnTunnel", "office-1", TUNNEL_SPEC, before)
    at = gateway(configured_status="stopped" if stopped else "started")
    return describe(found, at, tunnel(**wire), resolution, Known(LATER, **known))


def minute(number: int) -> datetime:
    return NOW + timedelta(minutes=number)


def heard(number: int, text: str = AUTHENTICATION) -> DownMessage:
    return DownMessage(text, minute(number))


def state(word: str, up: bool | None = None) -> dict[str, Any]:
    return {"operational_state": word, "tunnel_up": up}


TABLE: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any], tuple[str, str]]] = [
    # status before, the tunnel as seen, what else is known, Ready
    (WAS_UP, UP, {"stopped": True}, ("False", "GatewayStopped")),
    (NEVER, state("transcending"), {"stopped": True}, ("False", "GatewayStopped")),
    (WAS_UP, state("deleting", up=True), {}, ("False", "TunnelDown")),
    (NEVER, state("destroying"), {}, ("False", "TunnelDown")),
    ({}, UP, {}, ("True", "Up")),
    (NEVER, state("idle", up=True), {}, ("True", "Up")),
    (WAS_DOWN, state("transcending", up=True), {}, ("True", "Up")),
    *((WAS_UP, state(word), {}, ("True", "Up")) for word in ("established", "rekeying", "rekeyed")),
    ({}, DOWN, {}, ("False", "PeerNeverConnected")),
    (NEVER, DOWN, {"message": heard(1)}, ("False", "PeerNeverConnected")),
    *(
        (NEVER, state(w), {}, ("False", "PeerNeverConnected"))
        for w in ("idle", "uninitialized", "created", "connecting")
    ),
    (WAS_UP, DOWN, {}, ("False", "TunnelDown")),
    (WAS_DOWN, DOWN, {}, ("False", "TunnelDown")),
    (WAS_DOWN, state("established", up=False), {}, ("False", "TunnelDown")),
    (WAS_UP, DOWN, {"message": heard(40)}, ("False", "AuthenticationFailed")),
    (WAS_UP, DOWN, {"message": heard(40, "no proposal chosen")}, ("False", "NoProposalChosen")),
    (WAS_UP, DOWN, {"message": heard(40, "TS_UNACCEPTABLE")}, ("False", "TrafficSelectorMismatch")),
    (WAS_UP, DOWN, {"message": heard(40, "peer unreachable")}, ("False", "PeerUnreachable")),
    (WAS_UP, DOWN, {"message": heard(40, "the moon")}, ("False", "TunnelDown")),
    (WAS_DOWN, DOWN, {"message": heard(55)}, ("False", "AuthenticationFailed")),
    ({}, state("unknown"), {}, ("Unknown", "StateUnknown")),
    (WAS_UP, state("transcending"), {}, ("Unknown", "StateUnknown")),
]


@pytest.mark.parametrize(("before", "wire", "known", "ready"), TABLE)
def test_ready(before: Any, wire: Any, known: Any, ready: tuple[str, str]) -> None:
    found = seen(before, wire, **known).ready
    assert (found.status, found.reason) == ready


AGES: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    # status before, what is known, whether the message is about this fall
    (WAS_UP, {"message": heard(9)}, False),  # from before the last rise
    (WAS_UP, {"message": heard(10)}, True),
    (WAS_UP, {"message": heard(20), "seen_up": minute(30)}, False),  # it was seen up after that
    (WAS_UP, {"message": heard(30), "seen_up": minute(30)}, True),
    (WAS_DOWN, {"message": heard(44)}, False),  # long before the fall
    (WAS_DOWN, {"message": heard(46)}, True),  # a fall is noticed late
    (WAS_DOWN, {"message": heard(46), "seen_up": minute(49)}, False),
    (WAS_DOWN, {"message": DownMessage(AUTHENTICATION, None)}, False),
]


@pytest.mark.parametrize(("before", "known", "is_news"), AGES)
def test_age_of_a_message(before: Any, known: Any, is_news: bool) -> None:
    ready = seen(before, DOWN, **known).ready
    assert ready.reason == ("AuthenticationFailed" if is_news else "TunnelDown")
    assert AUTHENTICATION not in ready.message


SINCE: list[tuple[dict[str, Any], dict[str, Any], str | None]] = [
    ({}, UP, "2026-11-22T04:00:00Z"),
    ({}, DOWN, None),
    (NEVER, DOWN, None),
    (NEVER, UP, "2026-11-22T04:00:00Z"),
    (WAS_UP, UP, ROSE),
    (WAS_UP, state("rekeying"), ROSE),
    (WAS_UP, DOWN, "2026-11-22T04:00:00Z"),
    (WAS_DOWN, DOWN, FELL),
    (WAS_DOWN, UP, "2026-11-22T04:00:00Z"),
    (WAS_UP, state("transcending"), ROSE),
    (WAS_UP, state("destroying"), "2026-11-22T04:00:00Z"),
]


@pytest.mark.parametrize(("before", "wire", "since"), SINCE)
def test_since(before: Any, wire: Any, since: str | None) -> None:
    observation = seen(before, wire)
    assert observation.fields["since"] == since
    if observation.ready.message.startswith(("Up since", "The tunnel to")):
        assert f"since {since}" in observation.ready.message


def test_message_is_the_same_in_the_next_look() -> None:
    first = seen(WAS_UP, DOWN, message=heard(40), seen_up=minute(30))
    again = seen({"up": False, "since": first.fields["since"]}, DOWN, message=heard(40), seen_up=minute(30))
    assert first.ready == again.ready


def test_what_to_do_about_the_key() -> None:
    accepted = {"psk": {"acceptedAt": "2026-11-22T02:41:00Z"}}
    said = seen(WAS_UP | accepted, DOWN, message=heard(40)).ready.message
    assert "accepted the key of Secret office-psk/psk at 2026-11-22T02:41:00Z; compare it with the peer's." in said
    assert "Compare the key of Secret office-psk/psk" in seen(WAS_UP, DOWN, message=heard(40)).ready.message


@pytest.mark.parametrize(
    "spec", [{}, {"ipsec": None}, {"ipsec": "psk"}, {"ipsec": {"authentication": {"pskSecretRef": "x"}}}]
)
def test_spec_that_says_nothing(spec: dict[str, Any]) -> None:
    """Status tells the truth about the cloud also while the spec is invalid."""
    found = obj("VpnTunnel", "office-1", spec, WAS_UP)
    ready = describe(found, gateway(), tunnel(**DOWN), None, Known(LATER, message=heard(40))).ready
    assert "Compare the key of the Secret with the peer's." in ready.message


def test_change_that_the_peer_has_to_agree_to() -> None:
    said = seen(WAS_UP, DOWN, interrupted="2026-11-22T03:59:00Z").ready.message
    assert "It was changed at 2026-11-22T03:59:00Z" in said


def test_fields() -> None:
    assert seen(WAS_UP, UP, interrupted="2026-11-22T03:59:00Z").fields == {
        "operationalState": "established",
        "localAddress": "5.22.223.254",
        "remoteAddress": "100.10.0.111",
        "up": True,
        "healthy": True,
        "since": ROSE,
        "interruptedAt": "2026-11-22T03:59:00Z",
    }


def test_local_address_before_there_is_an_ip_address() -> None:
    found = obj("VpnTunnel", "office-1", TUNNEL_SPEC)
    for addresses in ([{"name": "public"}], []):
        observation = describe(found, gateway(addresses=addresses), tunnel(), None, Known(LATER))
        assert observation.fields["localAddress"] == "public"


@pytest.mark.parametrize(
    ("wire", "healthy", "condition"),
    [
        ({"tunnel_healthy": True}, True, ("True", "Healthy")),
        ({"tunnel_healthy": False}, False, ("False", "BadLogMessages")),
        ({"tunnel_healthy": None}, None, ("Unknown", "NotTold")),
        (DOWN | {"tunnel_healthy": True}, None, ("Unknown", "NotUp")),
        (state("transcending"), None, ("Unknown", "NotUp")),
    ],
)
def test_healthy(wire: Any, healthy: bool | None, condition: tuple[str, str]) -> None:
    observation = seen(WAS_UP, wire)
    found = next(c for c in observation.conditions if c.type == "Healthy")
    assert (found.status, found.reason) == condition
    assert observation.fields["healthy"] is healthy


ACCEPTED = {"psk": {"fingerprint": "v1:a:1", "resourceVersion": "7", "acceptedAt": "2026-11-22T02:41:00Z"}}
REMEMBERED = {"psk": {"fingerprint": "v1:a:1", "resourceVersion": "7"}}
SAME, OTHER = Psk("v1:a:1", "7"), Psk("v1:a:2", "8")


def wants(psk: Psk | None, *, remember: bool = False, held: Any = None) -> Resolution:
    return Resolution(Desired("office-1", None, {}, psk=psk), (held,) if held else (), psk if remember else None)


@pytest.mark.parametrize(
    ("before", "resolution", "condition"),
    [
        (ACCEPTED, wants(SAME), ("True", "Accepted")),
        (ACCEPTED, None, ("True", "Accepted")),
        (ACCEPTED, Resolution(None), ("True", "Accepted")),
        (ACCEPTED, wants(OTHER), ("False", "KeyChanged")),
        (ACCEPTED, wants(OTHER, remember=True), ("Unknown", "NeverPushed")),
        (REMEMBERED, wants(SAME, remember=True), ("Unknown", "NeverPushed")),
        ({}, wants(SAME, remember=True), ("Unknown", "NeverPushed")),
        ({}, None, ("Unknown", "NeverPushed")),
        (ACCEPTED, wants(None, held=Waiting("SecretNotFound", "gone")), ("Unknown", "SecretNotFound")),
        (ACCEPTED, wants(None, held=Waiting("SecretKeyNotFound", "gone")), ("Unknown", "SecretKeyNotFound")),
        (ACCEPTED, wants(None, held=Stalled("InvalidPsk", "bad")), ("Unknown", "InvalidPsk")),
        (ACCEPTED, wants(SAME, held=Stalled("AddressNotFound", "bad")), ("True", "Accepted")),
    ],
)
def test_psk_in_sync(before: Any, resolution: Resolution | None, condition: tuple[str, str]) -> None:
    found = next(c for c in seen(before, UP, resolution=resolution).conditions if c.type == "PskInSync")
    assert (found.status, found.reason) == condition


def test_psk_of_an_import_without_secret() -> None:
    spec = {"connectionRef": {"name": "office"}, "import": {"name": "office-1"}}
    observation = describe(obj("VpnTunnel", "office-1", spec), gateway(), tunnel(), wants(None), Known(LATER))
    found = next(c for c in observation.conditions if c.type == "PskInSync")
    assert (found.status, found.reason) == ("Unknown", "NeverPushed")
    assert "is never touched" in found.message
