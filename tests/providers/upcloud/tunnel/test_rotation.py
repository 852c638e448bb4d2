"""What a turn does with Kubernetes: how often it reads, and what becomes of writes that fail."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretBytes, SecretStr

from netgw.engine.objects import Object
from netgw.engine.store import Store
from netgw.kube.client import Secret, SecretMeta
from netgw.kube.errors import KubernetesError, NamespaceTerminating, ObjectGone, WriteConflict
from netgw.kube.fingerprint import FingerprintKey
from netgw.kube.kind import parse_spec
from netgw.kube.provider import Making
from netgw.providers.upcloud.tunnel.actuator import TunnelActuator
from netgw.providers.upcloud.tunnel.generation import Record, Settings
from netgw.providers.upcloud.tunnel.model import TunnelSpec
from netgw.providers.upcloud.tunnel.record import read_record, write_record
from netgw.providers.upcloud.tunnel.rotation import Rotation, Turn
from netgw.providers.upcloud.tunnel.sharers import secret_key, settings_of
from support.wire import NOW, TUNNEL_SPEC, TUNNEL_UUID, Hands, obj

OURS = FingerprintKey(SecretBytes(b"madeup-fingerprint-key-for-tests-0"))
LOST = FingerprintKey(SecretBytes(b"madeup-fingerprint-key-for-tests-1"))
KEY = "madeup_psk_for_tests_1"
DAY = 86400.0


class Stage:
    """One tunnel with `rotateAfter: 48h`, its Secret, and counts of what was asked. `error` meets every write."""

    def __init__(self, error: KubernetesError | None = None, *, there: bool = True) -> None:
        self.secret: Secret | None = None
        self.error = error
        self.reads = self.writes = 0
        self.hands = Hands()
        self.status: dict[str, Any] = {}
        self.annotations: dict[str, str] = {}
        self.fingerprints = OURS
        if there:
            self.secret = Secret(SecretMeta("default", "office-psk", "u", "1"), {"psk": SecretBytes(KEY.encode())})
            psk = {"fingerprint": OURS.fingerprint(SecretStr(KEY)), "acceptedAt": "2026-11-22T03:00:00Z"}
            self.status = {"uuid": TUNNEL_UUID, "up": True, "psk": psk | {"resourceVersion": "1"}}

    async def look(self, ref: tuple[str, str]) -> SecretMeta | None:
        return self.secret.meta if self.secret else None

    async def read(self, ref: tuple[str, str]) -> Secret | None:
        self.reads += 1
        return self.secret

    async def create(
        self, namespace: str, name: str, data: Mapping[str, SecretBytes], annotations: Mapping[str, str]
    ) -> None:
        self._written(SecretMeta(namespace, name, "u", "1"), data, annotations)

    async def patch(
        self,
        meta: SecretMeta,
        *,
        put: Mapping[str, SecretBytes],
        remove: Iterable[str] = (),
        annotations: Mapping[str, str],
    ) -> None:
        old = self.secret.data if self.secret else {}
        data = {key: value for key, value in {**old, **put}.items() if key not in set(remove)}
        self._written(replace(meta, resource_version=str(int(meta.resource_version) + 1)), data, annotations)

    def _written(self, meta: SecretMeta, data: Mapping[str, SecretBytes], notes: Mapping[str, str]) -> None:
        if self.error is not None:
            raise self.error
        self.writes += 1
        self.secret = Secret(meta, data, notes)

    @property
    def tunnel(self) -> Object:
        spec = {**TUNNEL_SPEC, "ipsec": {"authentication": {"pskSecretRef": {"name": "office-psk"}}}}
        spec["ipsec"]["authentication"]["pskGeneration"] = {"rotateAfter": "48h"}
        return obj("VpnTunnel", "office-1", spec, self.status, annotations=self.annotations)

    def turn(self, *, may_write: bool = True) -> Turn:
        store = Store({"VpnTunnel": TunnelActuator.links})
        store.apply(self.tunnel)
        rotation = Rotation(store, self.hands, self, self.fingerprints, Making(self, random.Random(0).choice))
        ipsec = parse_spec(TunnelSpec, self.tunnel.spec).ipsec
        authentication = None if ipsec is None else ipsec.authentication
        here = "uuid" in self.status
        turn = asyncio.run(rotation.turn(self.tunnel, authentication, here=here, may_write=may_write))
        self.status |= {name: value for name, value in turn.fields.items() if value is not None}
        return turn

    def remember(self) -> None:
        """As `Keys` does in the same pass."""
        assert self.secret is not None
        self.status["psk"] = self.status["psk"] | {"resourceVersion": self.secret.meta.resource_version}


def test_secret_is_not_read_while_nothing_is_due() -> None:
    stage = Stage()
    assert stage.turn().wrote
    stage.remember()
    assert stage.turn().fields["pskRotation"]["phase"] == "Scheduled"
    stage.reads = 0
    for _ in range(23):
        stage.hands.seconds += 3600
        assert stage.turn().after is not None
    assert (stage.reads, stage.writes) == (0, 1)
    stage.hands.seconds = DAY
    assert stage.turn().wrote
    assert stage.reads == 2  # before the write and after it


def test_what_was_remembered_in_the_pass_of_the_write_counts_for_nothing() -> None:
    """The key's resourceVersion may be noted in a pass that saw the rotation of another one."""
    stage = Stage()
    stage.turn()
    stage.remember()
    stage.turn()
    stage.hands.seconds = DAY
    stage.turn()
    stage.remember()
    turn = stage.turn()
    assert turn.fields["pskRotation"]["phase"] == "Announced"
    assert [notice.reason for notice in turn.events] == ["PskRotationAnnounced"]
    assert stage.turn().events == ()


def test_nothing_is_written_where_it_may_not() -> None:
    for stage in (Stage(), Stage(there=False)):
        stage.turn(may_write=False)
        assert stage.writes == 0


@pytest.mark.parametrize("error", [WriteConflict("moved", 409), ObjectGone("gone", 404)])
def test_secret_that_moved_is_looked_at_again(error: KubernetesError) -> None:
    turn = Stage(error).turn()
    assert (turn.hold, turn.after, turn.wrote) == (None, 1.0, False)


@pytest.mark.parametrize(
    ("error", "words", "after"),
    [
        (KubernetesError("PATCH: 403 forbidden", 403), "deploy/rbac-key-generation.yaml", 300.0),
        (NamespaceTerminating("POST: 403 it is being deleted", 403), "it is being deleted", 30.0),
        (KubernetesError("PATCH: no answer in time"), "no answer in time. Tried again every 30 s.", 30.0),
    ],
)
@pytest.mark.parametrize("there", [True, False])
def test_write_that_fails_is_told(error: KubernetesError, words: str, after: float, there: bool) -> None:
    hold = Stage(error, there=there).turn().hold
    assert hold is not None
    assert (hold.reason, hold.after) == ("PskRotationHeld" if there else "SecretNotFound", after)
    assert words in hold.message


def test_secret_that_somebody_else_made_meanwhile() -> None:
    stage = Stage(WriteConflict("it is there", 409), there=False)
    turn = stage.turn()
    assert (turn.hold, turn.after, stage.reads) == (None, 0.0, 1)


def test_lost_fingerprint_key_restarts_nothing() -> None:
    """The age of the key counts on, and what is kept as the former one stays ours to drop."""
    stage = Stage()
    assert stage.secret is not None
    record = Record(NOW, LOST.fingerprint(SecretStr(KEY)), previous=LOST.fingerprint(SecretStr("madeup_former")))
    data = {**stage.secret.data, "psk-previous": SecretBytes(b"madeup_former")}
    stage.secret = replace(stage.secret, data=data, notes=write_record({}, "psk", record))
    stage.hands.seconds = 700.0
    assert stage.turn().wrote
    assert set(stage.secret.data) == {"psk"}
    assert read_record(stage.secret.notes, "psk").rotated_at == NOW


@pytest.mark.parametrize("note", ["", "no JSON", "[]", '{"psk": 3}', '{"psk": {"rotatedAt": 7, "previous": {}}}'])
def test_record_that_somebody_spoilt(note: str) -> None:
    assert read_record({"netgw.dev/psk-rotation": note}, "psk") == Record()


def test_record_of_another_key_stays() -> None:
    first = write_record({}, "a", Record(NOW, "K0"))
    both = write_record(first, "b", Record(NOW, "K1", NOW, NOW, "K9"))
    assert read_record(both, "a") == Record(NOW, "K0")
    assert read_record(both, "b") == Record(NOW, "K1", NOW, NOW, "K9")


@pytest.mark.parametrize(
    ("generation", "hours"),
    [
        (None, None),
        ("720h", None),
        ({}, (None, 0)),
        ({"rotateAfter": "720h"}, (720, 24)),
        ({"rotateAfter": "30h"}, (30, 15)),
        ({"rotateAfter": "720h", "announce": "0s"}, (720, 0)),
        ({"rotateAfter": "1h", "announce": "99h"}, (24, 24)),
        ({"rotateAfter": 7}, (None, 0)),
    ],
)
def test_settings(generation: Any, hours: Any) -> None:
    found = settings_of(generation)
    if hours is None:
        assert found is None
        return
    assert found is not None
    term = None if found.rotate_after is None else found.rotate_after.total_seconds() / 3600
    assert (term, found.announce.total_seconds() / 3600) == hours
    assert isinstance(found, Settings)


@pytest.mark.parametrize("spec", [{}, {"ipsec": None}, {"ipsec": {"authentication": {"pskSecretRef": {"name": 3}}}}])
def test_spec_that_names_no_secret(spec: dict[str, Any]) -> None:
    assert secret_key(obj("VpnTunnel", "office-1", spec)) is None
