"""A new key for two tunnels that share a Secret: in place, one after the other."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from netgw_dev.demo.cloud import Call
from netgw_dev.demo.items import Item
from netgw_dev.demo.screen import Look, Screen
from netgw_dev.demo.stage import DELAY, OBJECTS, Stage

SECRET = "office-psk"


def rotate(screen: Screen, stage: Stage) -> None:
    """Both tunnels get the new key by one PATCH each, keep their uuid, and are never down at the same time."""
    screen.heading("Rotate the key that both tunnels share")
    screen.command(f"kubectl patch secret {SECRET} --patch-file=new-key.json")
    before = stage.tunnels()
    key = f"a{secrets.token_hex(20)}"
    edited = datetime.now(UTC)
    with screen.step("The new key is in both tunnels, one after the other", 60) as step:
        # By stdin, because the words of a command can be seen by others.
        edit = json.dumps({"stringData": {"psk": key}})
        stage.kubectl("patch", "secret", SECRET, "--patch-file=/dev/stdin", stdin=edit)
        step.until("Both tunnels have the new key and are up again", lambda: _rotated(stage, before, _digest(key)))
        step.check("One PATCH per tunnel and no further POST", stage.writes(posts=OBJECTS, patches=len(before)))
        patches = [call for call in stage.cloud.calls() if call.method == "PATCH"]
        story = tell(patches, _uuids(before), _uuids(stage.tunnels()), edited)
        step.check("The same uuids, and no PATCH before the tunnel of the last one was up again", story)
    screen.rows(story.seen)


def tell(patches: Sequence[Call], before: Mapping[str, str], after: Mapping[str, str], edited: datetime) -> Look:
    """What was done to which tunnel and when; `before` and `after` are the uuids by name."""
    rows = []
    names = {uuid: name for name, uuid in after.items()}
    for patch in patches:
        uuid = patch.path.rpartition("/")[2]
        name = names.get(uuid, "(another)")
        rows += [
            (name, f"PATCH after {_after(patch.at, edited)}"),
            ("", f"uuid before  {before.get(name)}"),
            ("", f"uuid after   {uuid}"),
        ]
    one_by_one = all(_up_again(one.at) < other.at for one, other in pairwise(patches))
    return Look(one_by_one and before == after, rows)


def _rotated(stage: Stage, before: Sequence[Item], digest: str) -> Look:
    old = {item.fingerprint for item in before}
    cloud = {tunnel.uuid: tunnel for tunnel in stage.cloud.world().tunnels}
    rows, done = [], True
    for item in stage.tunnels():
        tunnel = cloud.get(item.uuid)
        there = tunnel is not None and tunnel.psk_sha256 == digest
        known = item.fingerprint not in old and not item.interrupted
        done = done and there and known and item.settled
        state = tunnel.state if tunnel else "not in the cloud"
        rows.append((item.row[0], f"{'new' if there else 'old'} key in the cloud, {state}, {item.row[1]}"))
    return Look(done and len(rows) == len(before), rows)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _uuids(tunnels: Sequence[Item]) -> dict[str, str]:
    return {tunnel.name: tunnel.uuid for tunnel in tunnels}


def _up_again(at: datetime) -> datetime:
    """The simulator brings a tunnel up one transition after its key changed."""
    return at + timedelta(seconds=DELAY)


def _after(at: datetime, edited: datetime) -> str:
    return f"{(at - edited).total_seconds():.1f} s"
