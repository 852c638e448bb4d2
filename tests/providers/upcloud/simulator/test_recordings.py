"""Every recorded exchange, replayed: same status, same content type, same answer field by field.

What a recording cannot share with a simulation is compared by its pattern: each recorded uuid and each recorded time
stands for exactly one of the simulator's, throughout a recording. Addresses are compared by being there.
"""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from netgw.providers.upcloud.simulator import Behaviour
from support.simulated_cloud import Cloud

RECORDED = json.loads((Path(__file__).parents[1] / "recordings" / "exchanges.json").read_text())
DELAY = 1.5  # a fresh service that is deleted was gone after 5 s
YEARS = {
    "gatewaynat": Behaviour.recorded_2023(),
    "gatewayvpn": Behaviour.recorded_2024(),
    "gatewayvpnconnections": Behaviour.recorded_2024(),
}
VOLATILE = {"created_at", "updated_at", "uuid"}


class Replay:
    """One recording against one world."""

    def __init__(self, fixture: str) -> None:
        self.cloud = Cloud(delay=DELAY, behaviour=YEARS[fixture])
        self.ours: dict[str, str] = {}  # recorded uuid or time → the simulator's

    def translated(self, text: str) -> str:
        for recorded, ours in self.ours.items():
            text = text.replace(recorded, ours)
        return text

    def same(self, recorded: Any, ours: Any, where: str = "") -> None:
        if isinstance(recorded, dict) and "address" in recorded and "name" in recorded:
            assert set(ours) == {"address", "name"}, where
            assert ours["name"] == recorded["name"], where
        elif isinstance(recorded, dict):
            assert sorted(ours) == sorted(recorded), where
            for key, value in recorded.items():
                if key in VOLATILE:
                    assert self.ours.setdefault(value, ours[key]) == ours[key], f"{where}.{key}"
                else:
                    self.same(value, ours[key], f"{where}.{key}")
        elif isinstance(recorded, list):
            assert len(ours) == len(recorded), where
            for index, (item, other) in enumerate(zip(recorded, ours, strict=True)):
                self.same(item, other, f"{where}.{index}")
        else:
            assert ours == recorded, where


@pytest.mark.parametrize("fixture", YEARS)
def test_answers_as_recorded(fixture: str) -> None:
    replay = Replay(fixture)
    for exchange in (each for each in RECORDED if each["fixture"] == fixture):
        replay.cloud.clock.now = parsedate_to_datetime(exchange["date"])
        body = json.loads(replay.translated(json.dumps(exchange["request_json"])))
        path = replay.translated(exchange["path"])
        answer = replay.cloud.door(exchange["method"], path, body, headers={"Authorization": "Bearer made-up"})
        where = f"{fixture} {exchange['n']}"
        assert answer.status_code == exchange["status"], where
        assert answer.headers.get("content-type") == content_type(exchange), where
        assert answer.headers["date"] == exchange["date"], where
        if exchange["response_json"] is None:
            assert answer.content == b"", where
        else:
            replay.same(exchange["response_json"], answer.json(), where)
    assert len(set(replay.ours.values())) == len(replay.ours)


def content_type(exchange: dict[str, Any]) -> str | None:
    if exchange["status"] == 204:
        return None
    return "application/json; charset=UTF-8" if "/router" in exchange["path"] else "application/json"


def test_every_recording_is_replayed() -> None:
    assert {exchange["fixture"] for exchange in RECORDED} == set(YEARS)
    assert len(RECORDED) == 22
