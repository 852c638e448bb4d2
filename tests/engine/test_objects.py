from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgw.engine.objects import FINALIZER, Key, Name, Object, format_time, parse_time
from support.made import made

RECORD = {"name": "edge", "at": "2026-11-22T03:00:00Z"}


@pytest.mark.parametrize(
    ("status", "uuid", "creating"),
    [
        ({}, None, False),
        ({"uuid": "10-1"}, "10-1", False),
        ({"create": RECORD}, None, True),
        ({"uuid": "10-1", "create": RECORD}, None, True),  # where both exist, the record decides
        ({"uuid": "10-1", "create": {}}, "10-1", False),
        ({"uuid": "10-1", "create": None}, "10-1", False),
        ({"uuid": "10-1", "create": {"name": "edge"}}, "10-1", False),
        ({"uuid": "10-1", "create": {"name": "edge", "at": "lunch"}}, "10-1", False),
        ({"uuid": "10-1", "create": "edge"}, "10-1", False),
    ],
)
def test_which_uuid_is_recorded(status: dict[str, Any], uuid: str | None, creating: bool) -> None:
    obj = made(status=status)
    assert (obj.uuid, obj.creating) == (uuid, creating)


CONDITIONS = {"conditions": [{"type": "Synced", "status": "False", "reason": "ParentNotFound"}]}
SUSPECTED = {"conditions": [{"type": "Synced", "status": "False", "reason": "OrphanSuspected"}]}


@pytest.mark.parametrize(
    ("status", "lost"),
    [
        ({}, True),
        ({"reason": "Running"}, True),
        (CONDITIONS, False),
        (SUSPECTED, True),
        ({**CONDITIONS, "create": {"name": "edge"}}, True),
        ({**CONDITIONS, "create": RECORD}, False),
        ({**CONDITIONS, "uuid": "10-1"}, False),
        ({"create": RECORD}, False),
        ({"uuid": "10-1"}, False),
        ({**SUSPECTED, "uuid": "10-1"}, False),
    ],
)
def test_whether_a_status_is_lost(status: dict[str, Any], lost: bool) -> None:
    assert made(status=status).lost is lost


def test_what_a_bare_object_has() -> None:
    obj = Object("NetworkGateway", {"metadata": {"name": "edge", "namespace": "default", "uid": "1"}})
    assert obj.key == Key("NetworkGateway", "1")
    assert obj.ref == Name("NetworkGateway", "default", "edge")
    assert str(obj.ref) == "NetworkGateway default/edge"
    assert (obj.spec, obj.status, obj.generation, obj.resource_version) == ({}, {}, 0, "")
    assert not obj.deleting
    assert not obj.guarded
    assert obj.annotation("paused") is None
    assert obj.condition("Ready") is None


def test_what_a_full_object_has() -> None:
    obj = made(
        deletionTimestamp="2026-11-22T03:00:00Z",
        finalizers=["other/finalizer", FINALIZER],
        annotations={"netgw.dev/paused": "true", "other/paused": "no"},
        status={"conditions": [{"type": "Ready", "status": "True", "reason": "Running"}]},
    )
    assert obj.deleting
    assert obj.guarded
    assert obj.annotation("paused") == "true"
    assert obj.own_annotations == {"netgw.dev/paused": "true"}
    assert obj.condition("Ready") == {"type": "Ready", "status": "True", "reason": "Running"}
    assert obj.condition("Synced") is None


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-22T03:00:00Z", datetime(2026, 11, 22, 3, tzinfo=UTC)),
        ("2026-11-22T05:00:00+02:00", datetime(2026, 11, 22, 3, tzinfo=UTC)),
        ("2026-11-22T03:00:00", datetime(2026, 11, 22, 3, tzinfo=UTC)),
        ("2026-11-22T03:00:00.25Z", datetime(2026, 11, 22, 3, microsecond=250000, tzinfo=UTC)),
        ("true", None),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_parse_time(text: Any, time: datetime | None) -> None:
    assert parse_time(text) == time


@given(st.datetimes(min_value=datetime(1990, 1, 1), timezones=st.timezones()))  # noqa: DTZ001  they ask for a naive one
def test_a_time_survives_being_written(time: datetime) -> None:
    again = parse_time(format_time(time))
    assert again is not None
    assert abs((again - time).total_seconds()) < 1
