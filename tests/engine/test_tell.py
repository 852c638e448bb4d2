from __future__ import annotations

from typing import Any, Literal

import pytest

from netgw.engine.objects import Object
from netgw.engine.tell import tell
from support.made import made

RUNNING = ("Ready", "True", "Running")
SETTING_UP = ("Ready", "False", "SettingUp")
IN_SYNC = ("Synced", "True", "InSync")
ADVICE = ("Warning", "True", "Advice", "Mind this.")
NOT_FOUND = ("Synced", "False", "SecretNotFound")


class Reporter:
    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []

    def event(self, obj: Object, type_: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        assert message
        self.events.append((type_, reason))


def obj(*conditions: tuple[str, ...]) -> Object:
    """Conditions as type, status, reason and, if not "As it is.", message."""
    shown = [dict(zip(("type", "status", "reason", "message"), (*c, "As it is."), strict=False)) for c in conditions]
    return made(status={"conditions": shown})


@pytest.mark.parametrize(
    ("before", "after", "events"),
    [
        ([RUNNING, IN_SYNC], [RUNNING, IN_SYNC], []),
        ([], [("Ready", "False", "Creating"), ("Synced", "False", "Creating")], []),
        ([], [SETTING_UP, IN_SYNC], [("Normal", "SettingUp")]),
        ([SETTING_UP, IN_SYNC], [RUNNING, IN_SYNC], [("Normal", "Running")]),
        ([RUNNING, IN_SYNC], [RUNNING, NOT_FOUND], [("Warning", "SecretNotFound")]),
        ([RUNNING, NOT_FOUND], [RUNNING, IN_SYNC], []),
        ([RUNNING], [("Ready", "Unknown", "CannotObserve")], []),
        ([], [("Ready", "False", "Rejected"), ("Synced", "False", "Rejected")], [("Warning", "Rejected")]),
        ([], [("Ready", "False", "TunnelDown"), NOT_FOUND], [("Warning", "SecretNotFound"), ("Warning", "TunnelDown")]),
        ([RUNNING], [(*RUNNING, "Another message.")], []),
        ([], [ADVICE], [("Warning", "Advice")]),
        ([ADVICE], [ADVICE], []),
        ([ADVICE], [("Warning", "True", "Advice", "Or that.")], [("Warning", "Advice")]),
        ([ADVICE], [], []),
    ],
)  # fmt: skip
def test_events(before: Any, after: Any, events: list[tuple[str, str]]) -> None:
    reporter = Reporter()
    tell(reporter, obj(*before), obj(*after))
    assert sorted(reporter.events) == events


def test_one_line_for_a_change(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    tell(
        Reporter(),
        obj(),
        obj(("Ready", "False", "Creating", "Making it."), ("Synced", "False", "Creating", "Making it.")),
    )
    tell(
        Reporter(), obj(), obj(("Ready", "True", "Running", "It runs."), ("Synced", "False", "Paused", "It is paused."))
    )
    assert [record.getMessage() for record in caplog.records] == [
        "Ready=False Creating, Synced=False Creating: Making it.",
        "Ready=True Running, Synced=False Paused: It runs. It is paused.",
    ]
