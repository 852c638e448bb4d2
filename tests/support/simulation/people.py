"""What people do in a history: in the cluster, and by hand in the cloud."""

from __future__ import annotations

import copy
import json
import random
import re
from typing import Any

from netgw.engine.objects import Name, format_time
from netgw.engine.policy import CHOICES
from support.history import GATEWAY
from support.simulation.cast import LEGACY, THIRD, Spec, pick
from support.simulation.scene import BOB, KEEPING, TOKENS, Scene

APPROVAL = re.compile(r"netgw\.dev/approve=(\w+)")
TIMES = {0: 7200, 1: 14400, 2: 28800}


# ---- in the cluster


def apply(s: Scene, *, part: float, salt: int) -> None:
    for ref in sorted(s.wanted):
        if part == 1.0 or random.Random(f"{salt}{ref}").random() < part:
            s.apply(ref)


def edit(s: Scene, *, who: float, value: int) -> None:
    ref = pick(who, s.wanted)
    assert ref is not None
    spec = s.wanted[ref] = copy.deepcopy(s.wanted[ref])
    match ref[0]:
        case "NetworkGateway":
            spec["automaticTunnelInternalIpAllocation"] = value == 1
        case "VpnConnection":
            spec["localRoutes"] = [{"name": "cloud", "staticNetwork": f"10.0.{value + 3}.0/24"}]
        case "Router":
            spec["staticRoutes"] = [{"name": "lab", "route": f"10.{value + 20}.0.0/16", "nexthop": "no-nexthop"}]
        case _:
            spec["ipsec"]["rekeyTime"] = TIMES[value]
    s.apply(ref)


def delete(s: Scene, *, who: float) -> None:
    ref = pick(who, s.wanted)
    if ref is not None:
        s.kubernetes.delete(*ref)


def delete_all(s: Scene) -> None:
    for obj in s.objects():
        s.kubernetes.delete(obj.kind, obj.name)


def rotate(s: Scene, *, who: float, key: str | None) -> None:
    del who
    s.kubernetes.put_secret("office-psk", None if key is None else key.encode())


def annotate(s: Scene, *, who: float, annotation: str) -> None:
    if (obj := s.some(who)) is not None:
        s.kubernetes.annotate(obj.kind, obj.name, annotation, format_time(s.true.wall()))


def pause(s: Scene, *, who: float, value: str | None) -> None:
    if (obj := s.some(who)) is not None:
        s.kubernetes.annotate(obj.kind, obj.name, "paused", value)


def policy(s: Scene, *, who: float, policy: str, value: str) -> None:
    """One more word in the spec of an object."""
    ref = pick(who, s.wanted)
    assert ref is not None
    s.wanted[ref] = {**s.wanted[ref], policy: value}
    s.reapply(ref)


def no_policy(s: Scene) -> None:
    """The words are taken back."""
    for ref in s.wanted:
        s.wanted[ref] = unbiased(s.wanted[ref])
        s.reapply(ref)


def namespace(s: Scene, *, who: float, said: str | None) -> None:
    del who
    s.kubernetes.annotate_namespace("default-policies", said)
    if said is not None and any(word in said for word in KEEPING):
        s.kept |= {obj.uid for obj in s.objects()}


def labels(s: Scene, *, who: float, keys: list[str], value: str) -> None:
    ref = pick(who, [ref for ref in s.wanted if ref[0] in ("NetworkGateway", "Router")])
    assert ref is not None
    s.wanted[ref] = {**s.wanted[ref], "labels": dict.fromkeys(keys, value)}
    s.reapply(ref)


def approve(s: Scene) -> None:
    """Somebody says yes to what is asked."""
    for obj in s.objects():
        if found := APPROVAL.search(str((obj.condition("Synced") or {}).get("message"))):
            s.kubernetes.annotate(obj.kind, obj.name, "approve", found[1])


async def wipe(s: Scene, *, who: float) -> None:
    """As a restore does that knows no status; while nobody is at work, for it is no race that anybody could win.

    Of what is in another account than the operator's, nobody else would know that it is there.
    """
    if (obj := s.some(who)) is None:
        return
    await s.alone()
    await s.kill()
    left = s.kubernetes.get(obj.kind, obj.name)
    if left is not None and not left.creating and left.status.get("account") != TOKENS[BOB]:
        s.wiped.add(obj.uid)
        s.kubernetes.wipe_status(obj.kind, obj.name)


async def restore(s: Scene, *, status: str, age: float) -> None:
    """The cluster is lost and made anew: new uids, specs as they were, statuses none, or of a backup."""
    await s.alone()
    await s.kill()
    s.keys_known = s.keys_known and status != "old"
    then = s.kubernetes.as_of(s.true.now() - age)
    for ref, body in s.kubernetes.lose_everything().items():
        s.wiped.add(body["metadata"]["uid"])
        s.kubernetes.apply(ref.kind, ref.name, body["spec"])
        kept = {"none": {}, "old": then.get(ref, {}), "new": body}[status].get("status")
        if kept:
            s.kubernetes.put_status(ref, kept)
            s.restored(kept.get("uuid"), s.kubernetes.objects[ref]["metadata"]["uid"])
    await s.up()


def touch(s: Scene, *, who: float, times: int) -> None:
    """Writes of others, which make ours conflict."""
    if (obj := s.some(who)) is not None:
        ref: Name = obj.ref
        for number in range(times):
            s.loop.call_later(number * 0.05, s.kubernetes.touch, ref)


# ---- in the cloud


async def import_legacy(s: Scene, *, who: float, policy: str, labels: dict[str, str] | None) -> None:
    """A gateway that is made by hand and imported, in either order."""
    del who
    if not any(g.name == "legacy" or g.router == THIRD for g in s.world.gateways.values()):
        body = {"name": "legacy", "zone": "fi-hel1", "plan": GATEWAY["plan"], "features": ["vpn"]}
        more = {"routers": [{"uuid": THIRD}], "configured_status": "started"}
        made = await s.by_hand("POST", "/gateway", {**body, **more})
        s.foreign.add(made["uuid"])
    spec: Spec = {"import": {"name": "legacy"}, "managementPolicy": policy}
    s.kubernetes.apply(*LEGACY, spec if labels is None else spec | {"labels": labels})


async def remove_in_cloud(s: Scene, *, who: float) -> None:
    paths = s.paths()
    attached = s.world.attached()
    free = [uuid for uuid in paths if uuid not in attached]
    if (uuid := pick(who, free)) is not None:
        s.removed |= s.with_all_in_it(uuid)
        await s.by_hand("DELETE", paths[uuid])


async def make_in_cloud(s: Scene, *, who: float, number: int) -> None:
    gateways = {found.uuid: found for found in s.alive() if "vpn" in found.features}
    if (uuid := pick(who, gateways)) is not None:
        route = {"name": "r", "type": "static", "static_network": "10.9.0.0/24"}
        body: dict[str, Any] = {"name": f"by-hand-{number}", "type": "ipsec", "local_routes": [route]}
        plan = s.world.plans[gateways[uuid].plan]
        if any(connection.name == body["name"] for connection in gateways[uuid].connections):
            return
        if len(gateways[uuid].connections) >= plan["vpn_tunnel_amount"]:
            return  # the plan has no room for one more
        made = await s.by_hand("POST", f"/gateway/{uuid}/connections", body)
        s.foreign.add(made["uuid"])
        s.inside[made["uuid"]] = uuid, s.world.stamp()
        s.by_hand_at(made["uuid"])


def drift(s: Scene, *, who: float, value: int) -> None:
    tunnels = {found.uuid: found for gateway in s.alive() for found in gateway.tunnels}
    if (uuid := pick(who, tunnels)) is not None:
        tunnels[uuid].ipsec["rekey_time"] = value


def label_by_hand(s: Scene, *, who: float, key: str) -> None:
    gateways = {found.uuid: found for found in s.alive()}
    if (uuid := pick(who, gateways)) is not None:
        gateways[uuid].labels[key] = "by hand"


def unbiased(spec: Spec) -> Spec:
    """Without any policy."""
    kept = {field: value for field, value in spec.items() if field not in CHOICES}
    return dict(json.loads(json.dumps(kept)))
