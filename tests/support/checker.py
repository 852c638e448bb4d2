"""What must hold after every scenario, whatever its story was.

| invariant  | what is looked at                                                                                    |
|------------|------------------------------------------------------------------------------------------------------|
| conditions | every version that every object of the scenario ever had                                             |
| secrets    | those versions, all Events of the namespace, the operator's log, command line and metrics            |
| leaks      | everything in the cloud is recorded by exactly one object, or was made by hand                       |
| steadiness | over some intervals nothing is written to Kubernetes, and one list per interval is all that is asked |
|            | (and one of routers, where there is a Router)                                                        |
"""

from __future__ import annotations

import base64
import itertools
import json
import re
import time
from datetime import datetime
from typing import Any

from netgw.engine.ownership import MARK
from support.operator import FAST_POLL_INTERVAL, LIST, LIST_OF_ROUTERS, Call
from support.recorder import Version
from support.scenario import Scenario, cloud_objects

QUIET_DEADLINE = 20.0
MESSAGE_MOST = 1024
PART_OF_A_SECRET = 8  # characters in a row; the values of tests are random enough not to turn up by chance

LABEL_VALUE = re.compile(r'="((?:[^"\\]|\\.)*)"')
CAMEL_CASE = re.compile(r"([A-Z][a-z0-9]*)+")


def words(text: str) -> set[str]:
    return set(text.split())


SYNCED_TRUE = words("InSync ObserveOnly")
SYNCED_FALSE = words(
    """Creating Updating Deleting ParentNotFound ParentNotCreated ParentDeleting SecretNotFound SecretKeyNotFound
    RolloutHeld AwaitingApproval Paused ReadOnly Drifted ChildrenExist CascadeBlocked DeletionProtected DeletionOverdue
    CredentialsNotFound CredentialsRefused PermissionDenied InsufficientCredits QuotaReached FeatureMissing Conflict
    RateLimited CloudUnavailable AccountMismatch ExternallyDeleted OrphanSuspected ImportNotFound InvalidSpec InvalidPsk
    InvalidCredentials Rejected ImmutableField NameConflict OwnedByOther AddressNotFound DriftFight"""
)
READY_TRUE = words("Available Stopped Running Up NoTunnels TunnelsUp")
READY_FALSE = SYNCED_FALSE | words(
    """Deleting DeletingInCloud SettingUp SetupOverdue GatewayStopped PeerNeverConnected TunnelDown NoTunnelUp
    AuthenticationFailed NoProposalChosen TrafficSelectorMismatch PeerUnreachable"""
)
REASONS = {
    ("Synced", "True"): SYNCED_TRUE,
    ("Synced", "False"): SYNCED_FALSE,
    ("Ready", "True"): READY_TRUE,
    ("Ready", "False"): READY_FALSE,
    ("Ready", "Unknown"): {"CannotObserve", "StateUnknown"},
}
ONLY_WHILE_TRUE = {"Reconciling", "Stalled", "Warning"}


def check(scenario: Scenario) -> None:
    """All invariants, at the end of a scenario that has come to rest."""
    assert scenario.operator.alive, f"the operator ended:\n{scenario.operator.process.tail(30)}"
    steady(scenario, 2)
    objects = scenario.objects()
    scenario.recorder.catch_up([version.body for version in objects])
    conditions(scenario, objects)
    no_secrets(scenario)
    no_leaks(scenario, objects)


# ---- steadiness


def steady(scenario: Scenario, intervals: int, shortest: float = FAST_POLL_INTERVAL) -> list[Call]:
    """Wait for so many intervals in a row in which nothing is done; the calls of that time."""
    deadline = time.monotonic() + QUIET_DEADLINE
    while True:
        calls, noise = _window(scenario, intervals, deadline)
        # A look begins when the answer to the one before is here and the interval is over, however slow the machine is.
        pauses = [(after.time - before.time).total_seconds() for before, after in itertools.pairwise(calls)]
        noise += [f"two lists within {pause:.2f} s" for pause in pauses if pause < 0.9 * shortest]
        if not noise:
            return calls
        assert time.monotonic() < deadline, "no rest: " + "; ".join(noise) + f"\n{scenario.picture()}"


def _window(scenario: Scenario, intervals: int, deadline: float) -> tuple[list[Call], list[str]]:
    """The looks of so many intervals, or fewer, and what broke the rest."""
    before, first = _state(scenario), len(scenario.cloud.calls())
    beside = {LIST_OF_ROUTERS} if any(v.body["kind"] == "Router" for v in scenario.objects()) else set()
    while True:
        calls = scenario.cloud.calls(since=first)
        looks = [call for call in calls if str(call) == LIST]
        noise = [str(call) for call in calls if str(call) not in {LIST, *beside}]
        if len(calls) - len(looks) > len(looks) + 1:
            noise.append("routers are listed more often than gateways")
        if noise or len(looks) > intervals:
            return looks, noise + sorted(_state(scenario) - before)
        assert scenario.operator.alive, f"the operator ended:\n{scenario.operator.process.tail(30)}"
        assert time.monotonic() < deadline, f"the operator does not look any more\n{scenario.picture()}"
        time.sleep(0.05)


def _state(scenario: Scenario) -> set[str]:
    """Everything that a write to Kubernetes changes."""
    versions = [
        f"{v.body['kind']} {v.body['metadata']['name']} at {v.revision}: {v.status.get('reason')}"
        for v in scenario.objects()
    ]
    events = [f"Event {e['metadata']['name']} {e['metadata']['resourceVersion']} {e}" for e in scenario.events()]
    return {*versions, *events}


# ---- conditions


def conditions(scenario: Scenario, objects: list[Version]) -> None:
    for version in objects:
        metadata, status = version.body["metadata"], version.status
        assert status.get("observedGeneration") == metadata["generation"], f"not settled\n{scenario.picture()}"
    by_uid: dict[str, list[Version]] = {}
    for version in scenario.recorder.of(scenario.namespace):
        by_uid.setdefault(version.body["metadata"]["uid"], []).append(version)
    for versions in by_uid.values():
        for version in versions:
            if problems := _problems(version):
                raise AssertionError(f"{problems} in {json.dumps(version.body, indent=1)}")
        for before, after in itertools.pairwise(versions):
            if problems := _transitions(before, after):
                raise AssertionError(f"{problems}: from {json.dumps(before.status)} to {json.dumps(after.status)}")


def _problems(version: Version) -> list[str]:
    """What is wrong with one state of one object."""
    status = version.status
    if not status:
        return []
    kinds, observed = [condition["type"] for condition in status["conditions"]], status["observedGeneration"]
    wrong = {
        f"conditions {kinds}": len(set(kinds)) != len(kinds) or not {"Ready", "Synced"} <= set(kinds),
        "Reconciling and Stalled": {"Reconciling", "Stalled"} <= set(kinds),
        "observedGeneration in the future": observed > version.body["metadata"]["generation"],
        f"reason {status['reason']}, conditions say {_reason_word(version)}": status["reason"] != _reason_word(version),
    }
    found = [what for what, is_so in wrong.items() if is_so]
    return found + [what for condition in status["conditions"] for what in _problems_of_one(condition, observed)]


def _problems_of_one(condition: dict[str, Any], observed: int) -> list[str]:
    kind, status, reason, message = (condition[key] for key in ("type", "status", "reason", "message"))
    named = CAMEL_CASE.fullmatch(reason) and reason in REASONS.get((kind, status), {reason})
    wrong = {
        f"{kind} has another observedGeneration than status": condition["observedGeneration"] != observed,
        f"{kind} although {status}": kind in ONLY_WHILE_TRUE and status != "True",
        f"{kind}={status} has no reason {reason}": not named,
        f"{kind} has a message of {len(message)} characters": not message.strip() or len(message) > MESSAGE_MOST,
        f"{kind} has a time without a zone": _time(condition).utcoffset() is None,
    }
    return [what for what, is_so in wrong.items() if is_so]


def _time(condition: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(condition["lastTransitionTime"])


def _reason_word(version: Version) -> str:
    """The REASON column: that of Ready; that of Synced when only Synced is not True, or of a deletion that waits."""
    ready, synced = version.condition("Ready"), version.condition("Synced")
    deleting = ready["reason"] == "Deleting"
    return str((synced if deleting or (ready["status"], synced["status"]) == ("True", "False") else ready)["reason"])


def _transitions(before: Version, after: Version) -> list[str]:
    found = []
    for condition in after.status.get("conditions") or ():
        old = before.condition(condition["type"])
        if not old:
            continue
        then, now = _time(old), _time(condition)
        if old["status"] == condition["status"] and now != then:
            found.append(f"{condition['type']}: lastTransitionTime moved although it stayed {condition['status']}")
        if now < then:
            found.append(f"{condition['type']}: lastTransitionTime went back")
    return found


# ---- secrets


def no_secrets(scenario: Scenario) -> None:
    """No key and no token, not even in part, in anything that people or programs can read."""
    scraped = scenario.operator.metrics()
    assert "netgw_build_info" in scraped
    places = {
        "objects": json.dumps([version.body for version in scenario.recorder.of(scenario.namespace)]),
        "Events": json.dumps(scenario.events()),
        "log": scenario.operator.log(),
        "argv": scenario.operator.argv(),
        "metrics": " ".join(LABEL_VALUE.findall(scraped)),  # all else are constants of the source
    }
    for secret in {*scenario.keys, scenario.operator.token}:
        needles = _needles(secret)
        for place, text in places.items():
            shown = [needle for needle in needles if needle in text]
            assert not shown, f"part of a secret in {place}: {shown}"


def _needles(secret: str) -> set[str]:
    """The value, any part of it that is not common to all values of tests, and the same in base64."""
    own = re.sub(r"^madeup_(psk|token)_", "", secret)
    parts = {own[at : at + PART_OF_A_SECRET] for at in range(max(len(own) - PART_OF_A_SECRET + 1, 0))}
    whole = {value for value in (secret, secret.strip()) if len(value) >= PART_OF_A_SECRET - 2}
    encoded = {base64.b64encode(value.encode()).decode().rstrip("=") for value in whole}
    return {*whole, *parts, *encoded}


# ---- leaks


def no_leaks(scenario: Scenario, objects: list[Version]) -> None:
    """Each thing in the cloud belongs to exactly one object; what was made by hand is still there."""
    recorded = [str(version.status["uuid"]) for version in objects if version.status.get("uuid")]
    assert len(set(recorded)) == len(recorded), f"one uuid in two objects\n{scenario.picture()}"
    found = {body["uuid"] for body in cloud_objects(scenario.cloud.gateways())}
    found |= {
        body["uuid"] for body in scenario.cloud.routers() if any(label["key"] == MARK for label in body["labels"])
    }
    assert found >= scenario.foreign, f"made by hand, and gone: {scenario.foreign - found}\n{scenario.picture()}"
    assert found - set(recorded) <= scenario.foreign, f"in the cloud, but of no object\n{scenario.picture()}"
