"""The story: create, rotate the key, lose a peer, delete. Each step is observed in Kubernetes and in the cloud."""

from __future__ import annotations

import time
from contextlib import ExitStack

from netgw_dev.binaries import locate
from netgw_dev.demo.items import Item
from netgw_dev.demo.keep import hold
from netgw_dev.demo.rotation import rotate
from netgw_dev.demo.screen import Look, Screen
from netgw_dev.demo.stage import OBJECTS, ROOT, SAMPLE, Stage, open_stage

SILENCE = "giving up after 5 retransmits"
"""What an IKE daemon says of a peer that does not answer."""


def play(screen: Screen, *, keep: bool) -> None:
    """From nothing to nothing; with `keep` it waits for Ctrl-C instead of deleting. Raises Missed."""
    begun = time.monotonic()
    binaries = locate()  # before anything moves on the screen: a build shows its own progress
    screen.heading("netgw: manifests become a VPN, on a real API server and a simulated UpCloud")
    stack = ExitStack()
    summary: str | None = None
    try:
        stage = open_stage(screen, stack, binaries)
        summary = stage.guarded(lambda: _tour(screen, stage, keep=keep))
    finally:
        screen.say()
        with screen.step("All processes ended, nothing left behind", 60):
            stack.close()
    if summary is not None:
        screen.heading(f"Every step was seen, in {time.monotonic() - begun:.0f} s: {summary}.")
        screen.say("To play with it yourself: make demo KEEP=1")


def _tour(screen: Screen, stage: Stage, *, keep: bool) -> str | None:
    create(screen, stage)
    rotate(screen, stage)
    lose_peer(screen, stage)
    if keep:
        hold(screen, stage)
        return None
    delete(screen, stage)
    posts, patches, deletes, gets = stage.cloud.count("POST", "PATCH", "DELETE", "GET")
    return f"{posts} POSTs, {patches} PATCHes, {deletes} DELETEs and {gets} GETs"


def create(screen: Screen, stage: Stage) -> None:
    """Everything Ready, by one POST per object."""
    screen.heading("Create")
    screen.command(f"kubectl apply -f {SAMPLE}")

    def look() -> Look:
        items = stage.items()
        return Look(len(items) == OBJECTS and all(item.settled for item in items), [item.row for item in items])

    with screen.step("A gateway, a connection and two tunnels, all Ready", 60) as step:
        stage.kubectl("apply", "-f", ROOT / SAMPLE)
        step.until("Gateway, connection and both tunnels are Ready and Synced", look)
        step.check("One POST per object and no PATCH", stage.writes(posts=OBJECTS, patches=0))
    for kind in ("ngw", "vpnc", "vpnt"):
        screen.command(f"kubectl get {kind}")
        screen.output(stage.kubectl("get", kind))


def lose_peer(screen: Screen, stage: Stage) -> None:
    """One tunnel goes down in the cloud: its condition and an Event name the cause, the other carries on."""
    screen.heading("Lose a peer, and get it back")
    tunnel = stage.tunnels()[-1]
    with screen.step(f"The peer of {tunnel.name} falls silent: told with its cause", 30) as step:
        stage.cloud.force(tunnel.uuid, operational_state="connecting", last_down_message=SILENCE)
        step.until(
            f"{tunnel.name} has Ready=False PeerUnreachable and an Event of it, the connection stays Ready with 1/2",
            lambda: _down(stage, tunnel),
        )
    down = _down(stage, tunnel)
    screen.rows(down.seen)
    with screen.step("The peer answers again: Ready, two of two", 30) as step:
        stage.cloud.force(tunnel.uuid)
        step.until(f"{tunnel.name} is Ready, and the connection has 2/2", lambda: _up(stage))


def _down(stage: Stage, lost: Item) -> Look:
    items = {item.uid: item for item in stage.items()}
    tunnel = items[lost.uid]
    connection = next(item for item in items.values() if item.kind == "VpnConnection")
    ready, still = tunnel.condition("Ready"), connection.condition("Ready")
    event = stage.event(tunnel, "PeerUnreachable")
    told = (ready.status, ready.reason) == ("False", "PeerUnreachable") and event is not None
    rows = [
        ("Condition", tunnel.told("Ready")),
        ("Event", event or "none yet"),
        ("Connection", f"Ready={still.status} {still.reason}, {connection.tunnels} up"),
    ]
    return Look(told and still.status == "True" and connection.tunnels == "1/2", rows)


def _up(stage: Stage) -> Look:
    items = stage.items()
    both = all(item.tunnels == "2/2" for item in items if item.kind == "VpnConnection")
    return Look(both and all(item.settled for item in items), [item.row for item in items])


def delete(screen: Screen, stage: Stage) -> None:
    """All at once; the operator finds the order."""
    screen.heading("Delete")
    screen.command(f"kubectl delete --wait=false -f {SAMPLE}")

    def look() -> Look:
        items, world = stage.items(), stage.cloud.world()
        return Look(not items and not world.gateways, [*(item.row for item in items), ("UpCloud", str(world))])

    with screen.step("All objects are gone, and so is everything in the cloud", 60) as step:
        stage.kubectl("delete", "--wait=false", "-f", ROOT / SAMPLE)
        step.until("No object is left in Kubernetes and no gateway in the cloud", look)
    screen.rows([("UpCloud now", str(stage.cloud.world()))])
