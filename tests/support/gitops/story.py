"""One story in which every kind is in every state that Argo CD knows, and what each object looked like then."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from support.recorder import Version
from support.scenario import DEADLINE, EVERY_KIND, Scenario, cloud_objects, route

ANSWERS_LATE = 1.5

Label = tuple[str, str]
"""A kind and a name like `degraded_tunnel_down`, which begins with the health that is expected."""


@dataclass
class Story:
    """`seen`: the objects at the moments that are told; `versions`: every state of every object."""

    scenario: Scenario
    seen: dict[Label, dict[str, Any]] = field(default_factory=dict)
    versions: list[Version] = field(default_factory=list)

    def keep(self, label: str, kind: str, name: str, **reasons: str) -> None:
        self.seen[kind, label] = self.scenario.wait_for(kind, name, seconds=DEADLINE, **reasons).body


def play(scenario: Scenario) -> Story:
    """The whole of it."""
    story = Story(scenario)
    _from_below(story)
    _a_site(story)
    _names_that_are_taken(story)
    _only_observed(story)
    _a_dead_tunnel(story)
    _stopped(story)
    _paused(story)
    scenario.recorder.catch_up([version.body for version in scenario.objects()])
    story.versions = scenario.recorder.of(scenario.namespace)
    return story


def _from_below(story: Story) -> None:
    """Children first: each waits for what is above it."""
    s = story.scenario
    s.tunnel("office-1", "office")
    s.connection("office", "edge")
    story.keep("progressing_parent_not_found", "VpnConnection", "office", Synced="ParentNotFound")
    story.keep("progressing_parent_not_created", "VpnTunnel", "office-1", Synced="ParentNotCreated")
    s.create("Router", "hub", {})
    s.gateway("edge", routerRef={"name": "hub"})
    story.keep("progressing_secret_not_found", "VpnTunnel", "office-1", Synced="SecretNotFound")


def _a_site(story: Story) -> None:
    s = story.scenario
    s.secret()
    s.wait_all_ready()
    s.wait_for("NetworkGateway", "edge", Synced="InSync", Ready="Running")
    story.keep("healthy_available", "Router", "hub", Synced="InSync", Ready="Available")
    story.keep("healthy_running", "NetworkGateway", "edge", Synced="InSync", Ready="Running")
    story.keep("healthy_tunnels_up", "VpnConnection", "office", Synced="InSync", Ready="TunnelsUp")
    story.keep("healthy_up", "VpnTunnel", "office-1", Synced="InSync", Ready="Up")
    s.change("Router", "hub", labels={"team": "net"})
    s.wait_all_ready()
    unobserved = (v for v in s.history("Router", "hub") if v.body["metadata"]["generation"] == 2)
    story.seen["Router", "progressing_generation"] = next(unobserved).body


def _names_that_are_taken(story: Story) -> None:
    """By somebody without netgw. And one gateway that is never done with its set-up, in a network of its own."""
    s = story.scenario
    s.gateway_by_hand(name="taken")
    s.cloud.api("POST", "/router", {"router": {"name": "taken-too"}})
    s.gateway("taken", routerRef={"uuid": s.cloud.router()})
    s.create("Router", "taken-too", {})
    story.keep("degraded_name_conflict", "NetworkGateway", "taken", Synced="NameConflict")
    story.keep("degraded_name_conflict", "Router", "taken-too", Synced="NameConflict")
    s.cloud.faults({"match": "POST /1.3/gateway*", "slow": ANSWERS_LATE, "times": 1})
    s.gateway("second", routerRef={"uuid": s.cloud.router()})
    _hold(s, "gateways", "second", "setup-gw")
    story.keep("progressing_setting_up", "NetworkGateway", "second", Synced="InSync", Ready="SettingUp")
    s.cloud.door("POST", f"/gateways/{s.uuid('NetworkGateway', 'second')}", {})
    s.wait_ready("NetworkGateway", "second")
    s.connection("lab", "second", localRoutes=[route("cloud", "10.0.5.0/24")])
    s.wait_ready("VpnConnection", "lab")
    s.cloud.faults({"match": "POST /1.3/gateway/*/tunnels", "slow": ANSWERS_LATE, "times": 1})
    s.tunnel("lab-1", "lab", remoteAddress={"address": "100.10.0.115"})
    _hold(s, "tunnels", "lab-1", "connecting")
    story.keep("progressing_peer_never_connected", "VpnTunnel", "lab-1", Synced="InSync", Ready="PeerNeverConnected")


def _hold(s: Scenario, what: str, name: str, state: str) -> None:
    """In this state before netgw, whose answer comes late, knows of it."""

    def made() -> list[str]:
        return [str(body["uuid"]) for body in cloud_objects(s.cloud.gateways()) if body["name"] == name]

    (uuid,) = s.wait(f"{name} is made", made)
    s.cloud.door("POST", f"/{what}/{uuid}", {"operational_state": state})


def _only_observed(story: Story) -> None:
    s = story.scenario
    legacy = s.gateway_by_hand(name="legacy")
    s.create("NetworkGateway", "legacy", {"import": {"uuid": legacy}, "labels": {"env": "prod"}})
    s.wait("its drift", lambda: s.get("NetworkGateway", "legacy").status.get("drift"))
    story.keep("suspended_observed_drift", "NetworkGateway", "legacy", Synced="ObserveOnly")


def _a_dead_tunnel(story: Story) -> None:
    s = story.scenario
    uuid = s.uuid("VpnTunnel", "office-1")
    s.cloud.door("POST", f"/tunnels/{uuid}", {"operational_state": "idle", "tunnel_up": False})
    story.keep("degraded_tunnel_down", "VpnTunnel", "office-1", Synced="InSync", Ready="TunnelDown")
    story.keep("degraded_no_tunnel_up", "VpnConnection", "office", Synced="InSync", Ready="NoTunnelUp")
    s.cloud.door("POST", f"/tunnels/{uuid}", {})
    s.wait_ready("VpnTunnel", "office-1")


def _stopped(story: Story) -> None:
    s = story.scenario
    s.change("NetworkGateway", "edge", configuredStatus="stopped")
    story.keep("suspended_gateway_stopped", "VpnTunnel", "office-1", Ready="GatewayStopped")
    story.keep("suspended_gateway_stopped", "VpnConnection", "office", Ready="GatewayStopped")
    s.change("NetworkGateway", "edge", configuredStatus="started")
    for kind, name in (("NetworkGateway", "edge"), ("VpnTunnel", "office-1"), ("VpnConnection", "office")):
        s.wait_ready(kind, name)


def _paused(story: Story) -> None:
    s = story.scenario
    names = dict(zip(EVERY_KIND, ("hub", "edge", "office", "office-1"), strict=True))
    for kind, name in names.items():
        s.annotate(kind, name, paused="true")
    for kind, name in names.items():
        story.keep("suspended_paused", kind, name, Synced="Paused")
    for kind, name in names.items():
        s.annotate(kind, name, paused=None)
    for kind, name in names.items():
        s.wait_ready(kind, name)
