"""Every row of the table in `key`, with Secrets that count how often they are read."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import SecretBytes, SecretStr

from netgw.engine.objects import Object
from netgw.engine.outcome import Stalled, Waiting
from netgw.kube.client import Secret, SecretMeta
from netgw.kube.errors import KubernetesError
from netgw.kube.fingerprint import FingerprintKey
from netgw.kube.resource import SecretKeyRef
from netgw.providers.upcloud.tunnel.key import Keys, KeyState
from support.wire import TUNNEL_SPEC, obj

OURS = FingerprintKey(SecretBytes(b"madeup-fingerprint-key-for-tests-0"))
LOST = FingerprintKey(SecretBytes(b"madeup-fingerprint-key-for-tests-1"))
KEY, OTHER = "madeup_psk_for_tests_1", "madeup_psk_for_tests_2"
REF = SecretKeyRef(name="office-psk")
NEWLINE = "Secret office-psk/psk ends with a newline, which is not part of the key and is left out."


class FakeSecrets:
    def __init__(self, data: dict[str, str] | None, version: str = "7", *, vanishes: bool = False) -> None:
        self.secret = None
        if data is not None:
            meta = SecretMeta("default", "office-psk", "uid", version)
            self.secret = Secret(meta, {key: SecretBytes(value.encode()) for key, value in data.items()})
        self.vanishes = vanishes
        self.away = False
        self.reads = 0

    async def look(self, ref: tuple[str, str]) -> SecretMeta | None:
        assert ref == ("default", "office-psk")
        if self.away:
            raise KubernetesError("no answer in time")
        return self.secret.meta if self.secret else None

    async def read(self, ref: tuple[str, str]) -> Secret | None:
        self.reads += 1
        return None if self.vanishes else self.secret


def recorded(key: str = KEY, version: str = "7", by: FingerprintKey = OURS, *, accepted: bool = True) -> dict[str, Any]:
    psk = {"fingerprint": by.fingerprint(SecretStr(key)), "resourceVersion": version}
    return {"psk": psk | ({"acceptedAt": "2026-11-22T02:41:00Z"} if accepted else {})}


def state(
    secrets: FakeSecrets, status: dict[str, Any] | None = None, *, new: bool = False, found: Object | None = None
) -> KeyState:
    tunnel = found or obj("VpnTunnel", "office-1", TUNNEL_SPEC, status)
    return asyncio.run(Keys(secrets, OURS, lambda *ref: True).state(tunnel, REF, new=new))


def test_same_version_is_not_read() -> None:
    secrets = FakeSecrets({"psk": KEY})
    found = state(secrets, recorded())
    assert (found.psk and found.psk.fingerprint) == recorded()["psk"]["fingerprint"]
    assert (found.key, found.unknown, found.hold, secrets.reads) == (None, False, None, 0)


def test_same_version_is_read_where_the_key_is_needed() -> None:
    secrets = FakeSecrets({"psk": KEY})
    assert state(secrets, recorded(), new=True).key == SecretStr(KEY)
    assert secrets.reads == 1


def test_same_version_is_read_where_the_reference_may_be_another() -> None:
    secrets = FakeSecrets({"psk": KEY})
    state(secrets, found=obj("VpnTunnel", "office-1", TUNNEL_SPEC, recorded(), generation=2))
    assert secrets.reads == 1


def test_other_version_same_key() -> None:
    found = state(FakeSecrets({"psk": KEY}, "8"), recorded())
    assert found.psk is not None
    assert found.psk.to_status() == recorded(version="8", accepted=False)["psk"]
    assert not found.unknown


def test_other_key() -> None:
    found = state(FakeSecrets({"psk": OTHER}, "8"), recorded())
    assert found.psk is not None
    assert found.psk.to_status() == recorded(OTHER, "8", accepted=False)["psk"]
    assert (found.key, found.unknown) == (SecretStr(OTHER), False)


@pytest.mark.parametrize("status", [{}, {"psk": {}}, recorded(by=LOST), {"psk": {"fingerprint": "v9:what"}}])
def test_nothing_to_compare_with(status: dict[str, Any]) -> None:
    """Adopted, or recorded by a fingerprint key that is lost: also at the same version."""
    found = state(FakeSecrets({"psk": KEY}), status)
    assert found.unknown
    assert found.psk is not None


def test_no_secret() -> None:
    hold = state(FakeSecrets(None)).hold
    assert isinstance(hold, Waiting)
    assert hold.reason == "SecretNotFound"
    assert "no Secret office-psk in this namespace" in hold.message
    assert "keeps" not in hold.message


def test_secret_that_vanishes_between_look_and_read() -> None:
    hold = state(FakeSecrets({"psk": KEY}, "8", vanishes=True), recorded()).hold
    assert isinstance(hold, Waiting)
    assert hold.reason == "SecretNotFound"
    assert "The tunnel keeps the key accepted at 2026-11-22T02:41:00Z." in hold.message


def test_secret_that_cannot_be_read() -> None:
    secrets = FakeSecrets({"psk": KEY})
    secrets.away = True
    hold = state(secrets, recorded()).hold
    assert isinstance(hold, Waiting)
    assert (hold.reason, hold.after) == ("SecretNotFound", 30.0)
    assert "Secret office-psk cannot be read: no answer in time." in hold.message
    assert "The tunnel keeps the key" in hold.message


@pytest.mark.parametrize(
    ("annotation", "field"),
    [("push-psk-requested-at", "lastHandledPushPskAt"), ("reconcile-requested-at", "lastHandledReconcileAt")],
)
def test_same_version_is_read_where_somebody_asks(annotation: str, field: str) -> None:
    asked = {"annotations": {f"netgw.dev/{annotation}": "2026-11-22T03:00:00Z"}}
    for handled, reads in (({}, 1), ({field: "2026-11-22T02:00:00Z"}, 1), ({field: "2026-11-22T03:00:00Z"}, 0)):
        secrets = FakeSecrets({"psk": KEY})
        state(secrets, found=obj("VpnTunnel", "office-1", TUNNEL_SPEC, recorded() | handled, **asked))
        assert secrets.reads == reads


def test_no_such_key_in_it() -> None:
    hold = state(FakeSecrets({"password": KEY}, "8"), recorded()).hold
    assert isinstance(hold, Waiting)
    assert hold.reason == "SecretKeyNotFound"
    assert "Secret office-psk has no key psk" in hold.message
    assert "The tunnel keeps the key accepted at 2026-11-22T02:41:00Z." in hold.message


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "empty"),
        ("x" * 7, "too short"),
        ("x" * 65, "too long"),
        ("made up with spaces", "characters that are not allowed"),
        ("0madeup_psk", "a leading 0"),
    ],
)
def test_no_key_that_upcloud_accepts(value: str, why: str) -> None:
    found = state(FakeSecrets({"psk": value}, "8"), recorded())
    assert isinstance(found.hold, Stalled)
    assert found.hold.reason == "InvalidPsk"
    assert found.hold.message == (
        f"Secret office-psk/psk is not a key that UpCloud accepts ({why}). 8 to 64 characters of A–Z a–z 0–9 _ and . , "
        f"no leading 0. A good one: openssl rand -hex 24 | sed 's/^0/a/'. "
        f"The tunnel keeps the key accepted at 2026-11-22T02:41:00Z."
    )
    assert (found.psk, found.key) == (None, None)
    if len(value) > 5:
        assert value not in repr(found)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_newline_is_trimmed_and_told(end: str) -> None:
    found = state(FakeSecrets({"psk": KEY + end}, "8"), recorded())
    assert found.key == SecretStr(KEY)
    assert found.psk is not None
    assert found.psk.fingerprint == recorded()["psk"]["fingerprint"]
    assert found.warnings == (NEWLINE,)


def test_newline_is_told_while_the_secret_is_as_it_was() -> None:
    async def story() -> None:
        secrets = FakeSecrets({"psk": KEY + "\n"})
        keys = Keys(secrets, OURS, lambda *ref: True)
        new, made = obj("VpnTunnel", "office-1", TUNNEL_SPEC), obj("VpnTunnel", "office-1", TUNNEL_SPEC, recorded())
        assert (await keys.state(new, REF, new=True)).warnings == (NEWLINE,)
        assert (await keys.state(made, REF, new=False)).warnings == (NEWLINE,)
        assert secrets.reads == 1
        # Another process knows it from the condition.
        advice = {"conditions": [{"type": "Warning", "status": "True", "reason": "Advice", "message": NEWLINE}]}
        told = obj("VpnTunnel", "office-1", TUNNEL_SPEC, recorded() | advice)
        assert (await Keys(secrets, OURS, lambda *ref: True).state(told, REF, new=False)).warnings == (NEWLINE,)
        other = {
            "conditions": [{"type": "Warning", "status": "True", "reason": "Advice", "message": "Of another Secret."}]
        }
        told = obj("VpnTunnel", "office-1", TUNNEL_SPEC, recorded() | other)
        assert (await Keys(secrets, OURS, lambda *ref: True).state(told, REF, new=False)).warnings == ()

    asyncio.run(story())


def test_key_is_in_no_repr() -> None:
    found = state(FakeSecrets({"psk": KEY}, "8"), recorded(), new=True)
    assert found.key is not None
    assert KEY not in repr(found) + str(found)
