"""Routers: made, shared, kept and taken down in order; what others have there is left alone."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from netgw.engine.ownership import MARK
from support.audit import Audit
from support.days import HOUR, Day, day
from support.history import CONNECTION, GATEWAY, ROUTER, tunnel

AT_HUB = GATEWAY | {"routerRef": {"name": "hub"}}
LAB = {"name": "lab", "route": "10.9.0.0/16", "nexthop": "10.0.1.7"}
SHED = {"name": "shed", "route": "10.8.0.0/16", "nexthop": "10.0.1.8"}
NOT_HERE = {"error": {"error_code": "ROUTER_ATTACHED", "error_message": "The router is attached to a service."}}
FORBIDDEN = {"error": {"error_code": "FORBIDDEN", "error_message": "No right to networks."}}
LIST = "GET /1.3/router"
ALL: dict[tuple[str, str], dict[str, Any]] = {
    ("Router", "hub"): {},
    ("NetworkGateway", "edge"): AT_HUB,
    ("VpnConnection", "office"): CONNECTION,
    ("VpnTunnel", "office-1"): tunnel("100.10.0.111"),
}


def apply(d: Day, *kinds: str) -> None:
    for (kind, name), spec in ALL.items():
        if not kinds or kind in kinds:
            d.kubernetes.apply(kind, name, spec)


async def made(d: Day) -> Audit:
    """A VPN from nothing, and the calls so far forgotten."""
    d.witness = audit = Audit(d)
    d.secret()
    await d.start()
    apply(d)
    await d.settle()
    d.world.calls.clear()
    return audit


async def hub(d: Day, **spec: Any) -> None:
    """A router alone."""
    await d.start()
    d.kubernetes.apply("Router", "hub", spec)
    await d.settle()
    await asyncio.sleep(120)
    d.world.calls.clear()


def router(d: Day) -> Any:
    """As the cloud has it."""
    return d.world.routers[d.uuid("hub")]


def labels(d: Day) -> dict[str, str]:
    return {label["key"]: label["value"] for label in router(d).labels}


# ---- made


@pytest.mark.parametrize("order", list(itertools.permutations(("Router", "NetworkGateway", "VpnTunnel")))[::2])
def test_a_vpn_from_nothing_in_any_order(order: tuple[str, ...]) -> None:
    """Each waits for the one above it, and says so; the gateway is made when its router's uuid is there."""

    async def story(d: Day) -> None:
        d.witness = audit = Audit(d)
        d.secret()
        await d.start()
        apply(d, "VpnConnection")
        for kind in order:
            apply(d, kind)
            await asyncio.sleep(15)
            if ("Router", "hub") not in {ref[::2] for ref in d.kubernetes.objects} and kind == "NetworkGateway":
                assert d.verdict("edge") == ("False", "ParentNotFound")
                d.says("edge", "There is no Router hub in this namespace yet")
        await d.settle()
        assert [call.path for call in d.world.calls if call.method == "POST"][:2] == ["/1.3/router", "/1.3/gateway"]
        assert len(d.calls("POST")) == 4
        assert not d.calls("PATCH", "PUT", "DELETE")
        assert d.verdict("hub", "Ready") == ("True", "Available")
        (gateway,) = d.world.gateways.values()
        assert gateway.router == d.uuid("hub")
        await asyncio.sleep(120)
        assert d.object("hub").status["gateways"] == [{"uuid": gateway.uuid, "name": "edge"}]
        assert audit.violations == []

    day(story)


def test_quiet_means_two_calls_per_interval_and_no_write() -> None:
    """And where there is no Router, routers are not asked for."""

    async def story(d: Day) -> None:
        audit = await made(d)
        await asyncio.sleep(900)
        d.world.calls.clear()
        await d.calm(calls=130)
        assert {call.split("?")[0] for call in d.calls()} == {LIST, "GET /1.3/gateway"}
        assert d.calls().count(LIST) <= 64
        assert audit.violations == []

    async def without(d: Day) -> None:
        await d.made(1)
        await asyncio.sleep(HOUR)
        assert LIST not in d.calls()

    day(story)
    day(without)


def test_fields_of_the_spec_are_in_the_post() -> None:
    async def story(d: Day) -> None:
        await hub(d, name="The hub", labels={"env": "prod"}, staticRoutes=[LAB])
        assert (router(d).name, labels(d)["env"], labels(d)[MARK].split("/")[:3]) == (
            "The hub",
            "prod",
            ["test", "default", "hub"],
        )
        assert [route.route for route in router(d).static_routes] == ["10.9.0.0/16"]
        assert d.object("hub").status["ownLabelKeys"] == ["env"]

    day(story)


# ---- found


def test_a_lost_status_is_found_by_the_mark() -> None:
    async def story(d: Day) -> None:
        audit = await made(d)
        uuid = d.uuid("hub")
        await d.kill()
        d.kubernetes.wipe_status("Router", "hub")
        await d.start()
        await d.settle()
        assert d.uuid("hub") == uuid
        assert not d.calls("POST", "PATCH", "PUT", "DELETE")
        assert audit.violations == []

    day(story)


def test_a_cluster_that_is_rebuilt_writes_the_marks_alone() -> None:
    """Other uids and no status: everything is found, nothing is made."""

    async def story(d: Day) -> None:
        await made(d)
        before = {name: d.uuid(name) for name in ("hub", "edge", "office", "office-1")}
        await d.kill()
        d.kubernetes.objects.clear()
        apply(d)
        await d.start()
        await d.settle()
        assert {name: d.uuid(name) for name in before} == before
        writes = sorted(d.calls("POST", "PATCH", "PUT", "DELETE"))
        mark = f"PATCH /1.3/gateway/{before['edge']}/labels/netgw.dev%2Fowner"
        assert writes == [mark, f"PATCH /1.3/router/{before['hub']}"]
        assert labels(d)[MARK].endswith(d.object("hub").uid)

    day(story)


def test_a_name_that_another_router_has() -> None:
    """Two of one name could be; but whoever wants one of those that exist has to say which."""

    async def story(d: Day) -> None:
        await d.start()
        d.kubernetes.apply("Router", "hub", {"name": "router-1"})
        await d.becomes("hub", "NameConflict")
        d.says("hub", ROUTER, "take it over with netgw.dev/take-over")
        assert not d.calls("POST", "PATCH", "DELETE")
        d.annotate("hub", "take-over", "true")
        await d.settle()
        assert d.uuid("hub") == ROUTER
        assert labels(d)[MARK].startswith("test/default/hub/")
        assert d.calls("POST", "PATCH") == [f"PATCH /1.3/router/{ROUTER}"]

    day(story)


@pytest.mark.parametrize("by", [{"uuid": ROUTER}, {"name": "router-1"}])
def test_an_import_that_only_observes(by: dict[str, str]) -> None:
    """No call but GET, also when it differs, when it is deleted, and when the gateway names it."""

    async def story(d: Day) -> None:
        await d.start()
        d.kubernetes.apply("Router", "hub", {"import": by, "labels": {"env": "prod"}, "staticRoutes": [LAB]})
        await d.until(lambda: d.verdict("hub", "Ready") == ("True", "Available"), 60)
        await asyncio.sleep(120)
        assert (d.uuid("hub"), d.verdict("hub")) == (ROUTER, ("True", "ObserveOnly"))
        assert {entry["path"] for entry in d.object("hub").status["drift"]} >= {"labels[env]", "staticRoutes"}
        d.delete("hub")
        await d.until(lambda: not d.kubernetes.objects)
        assert not d.calls("POST", "PATCH", "PUT", "DELETE")
        assert ROUTER in d.world.routers

    day(story)


def test_a_router_of_a_service_is_nobodys() -> None:
    async def story(d: Day) -> None:
        listed = await d.ask("GET", "/router")
        listed["routers"]["router"][0]["type"] = "service"
        d.world.faults.add("GET /1.3/router", status=200, body=listed, times=None)
        await d.start()
        d.kubernetes.apply("Router", "hub", {"import": {"name": "router-1"}})
        await d.becomes("hub", "ImportNotFound")

    day(story)


# ---- changed


async def change_by_hand(d: Day, **body: Any) -> None:
    await d.ask("PATCH", f"/router/{d.uuid('hub')}", {"router": body})


@pytest.mark.parametrize("what", ["label", "route", "name", "mark"])
def test_drift_is_one_patch_with_what_drifted(what: str) -> None:
    async def story(d: Day) -> None:
        await hub(d, labels={"env": "prod"}, staticRoutes=[LAB])
        mine = [{"key": key, "value": value} for key, value in labels(d).items()]
        bodies: dict[str, dict[str, Any]] = {
            "label": {"labels": [*(label for label in mine if label["key"] != "env"), {"key": "env", "value": "dev"}]},
            "route": {"static_routes": [LAB, SHED]},
            "name": {"name": "other"},
            "mark": {"labels": [label for label in mine if label["key"] != MARK]},
        }
        before = router(d).labels, router(d).static_routes, router(d).name
        await change_by_hand(d, **bodies[what])
        await d.until(lambda: bool(d.calls("PATCH")), 120)
        await asyncio.sleep(300)
        assert d.calls("POST", "PATCH", "PUT", "DELETE") == [f"PATCH /1.3/router/{d.uuid('hub')}"]
        (call,) = [call for call in d.world.calls if call.method == "PATCH"]
        assert sorted(map(str, router(d).labels)) == sorted(map(str, before[0]))
        assert (router(d).static_routes, router(d).name) == before[1:]
        assert call.status == 200

    day(story)


def test_drift_that_is_only_told() -> None:
    async def story(d: Day) -> None:
        await hub(d, staticRoutes=[LAB], driftPolicy="Report")
        await change_by_hand(d, static_routes=[LAB, SHED])
        await d.becomes("hub", "Drifted")
        d.says("hub", "shed 10.8.0.0/16 10.0.1.8")
        await asyncio.sleep(600)
        assert not d.calls("PATCH")

    day(story)


def test_labels_of_others_are_kept_also_when_they_came_a_moment_ago() -> None:
    """The whole set is sent, so it is read right before."""

    async def story(d: Day) -> None:
        await hub(d, labels={"env": "prod"})
        mine = [{"key": key, "value": value} for key, value in labels(d).items()]
        await change_by_hand(d, labels=[*mine, {"key": "team", "value": "net"}])
        d.kubernetes.apply("Router", "hub", {"labels": {"env": "dev"}})
        await d.settle(60)
        assert len(d.calls("PATCH")) == 1
        assert {**labels(d), MARK: ""} == {"env": "dev", "team": "net", MARK: ""}
        d.kubernetes.apply("Router", "hub", {})
        await d.until(lambda: "env" not in labels(d), 60)
        assert labels(d)["team"] == "net"
        d.kubernetes.apply("Router", "hub", {"labelPolicy": "Replace"})
        await d.until(lambda: labels(d).keys() == {MARK}, 60)

    day(story)


def test_routes_of_services_are_left_alone() -> None:
    """The gateway adds one: it is no drift, and no change of the user's routes sends it."""

    async def story(d: Day) -> None:
        audit = await made(d)
        shown = (await d.ask("GET", f"/router/{d.uuid('hub')}"))["router"]["static_routes"]
        assert [route["type"] for route in shown] == ["service"]
        for routes in ([LAB], [LAB, SHED], []):
            d.kubernetes.apply("Router", "hub", {"staticRoutes": routes})
            await d.settle(60)
            shown = (await d.ask("GET", f"/router/{d.uuid('hub')}"))["router"]["static_routes"]
            assert [route["name"] for route in shown if route["type"] == "user"] == [r["name"] for r in routes]
            assert [route["type"] for route in shown].count("service") == 1
        await asyncio.sleep(300)
        assert len(d.calls("PATCH")) == 3
        assert audit.violations == []

    day(story)


def test_changes_that_interrupt_can_be_asked_for() -> None:
    async def story(d: Day) -> None:
        await hub(d, staticRoutes=[LAB], disruptionPolicy="Ask")
        d.kubernetes.apply(
            "Router", "hub", {"staticRoutes": [SHED], "labels": {"env": "prod"}, "disruptionPolicy": "Ask"}
        )
        await d.becomes("hub", "AwaitingApproval")
        await d.until(lambda: labels(d).get("env") == "prod", 60)  # what does not interrupt goes out
        assert [route.name for route in router(d).static_routes] == ["lab"]
        message = d.condition("hub")["message"]
        d.annotate("hub", "approve", message.partition("netgw.dev/approve=")[2][:12])
        await d.settle(60)
        assert [route.name for route in router(d).static_routes] == ["shed"]

    day(story)


# ---- and its gateway


def test_a_reference_that_means_the_same_is_no_change() -> None:
    async def story(d: Day) -> None:
        audit = await made(d)
        d.kubernetes.apply("NetworkGateway", "edge", GATEWAY | {"routerRef": {"uuid": d.uuid("hub")}})
        await d.settle(60)
        d.kubernetes.apply("NetworkGateway", "edge", AT_HUB)
        await d.settle(60)
        assert not d.calls("POST", "PATCH", "PUT", "DELETE")
        d.kubernetes.apply("Router", "rim", {})
        d.kubernetes.apply("NetworkGateway", "edge", GATEWAY | {"routerRef": {"name": "rim"}})
        await d.becomes("edge", "ImmutableField")
        assert audit.violations == []

    day(story)


def test_a_second_gateway_at_one_router() -> None:
    async def story(d: Day) -> None:
        audit = await made(d)
        d.kubernetes.apply("NetworkGateway", "second", AT_HUB)
        await d.until(lambda: d.reason("NetworkGateway", "second") == "Conflict")
        message = str((d.get("NetworkGateway", "second").condition("Synced") or {})["message"])
        assert f"router {d.uuid('hub')} has gateway edge ({d.uuid('edge')}) already" in message
        assert len(d.calls("POST")) == 1
        assert audit.violations == []

    day(story)


def test_a_router_without_networks() -> None:
    async def story(d: Day) -> None:
        await made(d)
        assert d.verdict("hub", "Warning") == ("True", "Advice")
        d.says("hub", "No network is attached to Router hub", kind="Warning")
        assert d.condition("edge", "Warning") == {}  # told once
        d.world.attach_network(d.uuid("hub"))
        await d.until(lambda: d.condition("hub", "Warning") == {}, 90)
        assert d.object("hub").status["networks"] == 1

    day(story)


def test_a_router_without_networks_that_is_no_object() -> None:
    """Told on the gateway, as long as routers are looked at, which a Router of the account is the reason for."""

    async def story(d: Day) -> None:
        await d.made(0)
        await asyncio.sleep(120)
        assert d.condition("edge", "Warning") == {}
        d.kubernetes.apply("Router", "hub", {})
        await d.until(lambda: d.condition("edge", "Warning") != {}, 120)
        d.says("edge", f"No network is attached to router {ROUTER}", kind="Warning")
        network = d.world.attach_network(ROUTER)
        await d.until(lambda: d.condition("edge", "Warning") == {}, 120)
        d.world.detach_network(ROUTER, str(network))
        await d.until(lambda: d.condition("edge", "Warning") != {}, 120)
        d.delete("hub")
        await d.until(lambda: d.condition("edge", "Warning") == {}, 180)

    day(story)


# ---- deleted


@pytest.mark.parametrize("order", [("hub", "edge", "office", "office-1"), ("office", "hub", "office-1", "edge")])
@pytest.mark.parametrize("pause", [0.0, 7.0])
def test_torn_down_in_order(order: tuple[str, ...], pause: float) -> None:
    """Whatever the order in which it is asked for: the router goes after its gateway answered 404."""

    async def story(d: Day) -> None:
        audit = await made(d)
        for name in order:
            d.delete(name)
            await asyncio.sleep(pause)
        await d.until(lambda: not d.kubernetes.objects)
        deleted = [call.path.split("/")[2::2] for call in d.world.calls if call.method == "DELETE"]
        assert [path[0] for path in deleted] == ["gateway", "gateway", "gateway", "router"]
        first = next(i for i, c in enumerate(d.world.calls) if c.method == "DELETE" and "/router/" in c.path)
        gone = [c for c in d.world.calls[:first] if c.path.startswith("/1.3/gateway/") and c.status == 404]
        assert gone
        assert set(d.world.routers) == {ROUTER}
        assert audit.violations == []

    day(story)


def test_upcloud_lets_go_of_a_router_a_while_after_its_gateway() -> None:
    """Clients of UpCloud's own sleep 15 seconds; here it is tried again soon, and nothing stalls."""

    async def story(d: Day) -> None:
        await made(d)
        d.world.faults.add("DELETE /1.3/router/*", status=409, body=NOT_HERE, times=3)
        for name in ("hub", "edge", "office", "office-1"):
            d.delete(name)
        await d.until(lambda: any(call.status == 409 for call in d.world.calls), 120)
        begun = d.clock.now()
        await d.becomes("hub", "ChildrenExist")
        d.says("hub", "is not let go of yet", "attached to a service")
        await d.until(lambda: not d.kubernetes.objects)
        assert d.clock.now() - begun < 40

    day(story)


def test_what_is_attached_by_hand_holds_it() -> None:
    """UpCloud would refuse, so it is not asked: what is in the way is named."""

    async def story(d: Day) -> None:
        await hub(d)
        uuid = d.uuid("hub")
        body = {"name": "by-hand", "zone": "fi-hel1", "plan": "production", "features": ["nat"]}
        made = await d.ask("POST", "/gateway", body | {"routers": [{"uuid": uuid}], "configured_status": "started"})
        network = str(d.world.attach_network(uuid))
        await asyncio.sleep(60)
        d.delete("hub")
        await d.becomes("hub", "ChildrenExist")
        d.says("hub", f"gateway by-hand ({made['uuid']})", f"network {network}", "Delete or detach")
        await d.calm(calls=700, writes=0, passes=700)
        assert not d.calls("DELETE")
        await d.ask("DELETE", f"/gateway/{made['uuid']}")
        d.world.detach_network(uuid, network)
        await d.until(lambda: not d.kubernetes.objects, 180)
        assert len(d.calls("DELETE")) == 1

    day(story)


def test_protected_then_retained() -> None:
    """Retain takes the mark off, and nothing else."""

    async def story(d: Day) -> None:
        spec = {"labels": {"env": "prod"}, "deletionProtection": True}
        await hub(d, **spec)
        d.delete("hub")
        await d.becomes("hub", "DeletionProtected")
        uuid, kept = d.uuid("hub"), labels(d)
        d.kubernetes.apply("Router", "hub", {**spec, "deletionPolicy": "Retain"})
        await d.until(lambda: not d.kubernetes.objects)
        left = {label["key"]: label["value"] for label in d.world.routers[uuid].labels}
        assert left == {key: value for key, value in kept.items() if key != MARK}
        assert d.calls("POST", "PATCH", "DELETE") == [f"PATCH /1.3/router/{uuid}"]

    day(story)


def test_a_router_that_vanished_is_made_again_when_somebody_says_so() -> None:
    async def story(d: Day) -> None:
        await hub(d)
        old = d.uuid("hub")
        await d.ask("DELETE", f"/router/{old}")
        await d.becomes("hub", "ExternallyDeleted")
        d.says("hub", "networks and gateways are not attached to a new one")
        d.kubernetes.apply("NetworkGateway", "edge", AT_HUB)
        await d.becomes("edge", "ParentNotCreated")
        d.says("edge", "Router hub does not exist in UpCloud any more")
        await asyncio.sleep(600)
        assert not d.calls("POST")
        d.annotate("hub", "approve", d.condition("hub")["message"].partition("netgw.dev/approve=")[2][:12])
        await d.settle()
        assert d.uuid("hub") != old

    day(story)


# ---- bad days


def test_no_right_to_networks_stops_no_gateway() -> None:
    async def story(d: Day) -> None:
        await made(d)
        fault = d.world.faults
        fault.add("* /1.3/router*", status=403, body=FORBIDDEN, times=None)
        await d.becomes("hub", "PermissionDenied", seconds=90)
        await d.becomes("hub", "CannotObserve", "Ready", seconds=600)
        d.says("hub", "No right to networks", kind="Ready")
        assert d.verdict("hub") == ("False", "PermissionDenied")
        d.kubernetes.apply("NetworkGateway", "edge", AT_HUB | {"plan": "advanced"})
        await d.until(lambda: d.verdict("edge") == ("True", "InSync"), 60)
        assert d.verdict("edge", "Ready")[0] == "True"
        fault.clear()
        await d.settle(180)

    day(story)


def test_a_list_that_is_too_short_proves_nothing() -> None:
    async def story(d: Day) -> None:
        await made(d)
        d.world.faults.add(LIST, status=200, body={"routers": {"router": []}}, times=3)
        await d.until(lambda: not d.world.faults.waiting(), 300)
        await asyncio.sleep(120)
        assert d.verdict("hub") == ("True", "InSync")
        assert not d.calls("POST", "PATCH", "PUT", "DELETE")

    day(story)


def test_a_404_of_a_proxy_proves_nothing() -> None:
    async def story(d: Day) -> None:
        await hub(d)
        d.world.faults.add("GET /1.3/router*", status=404, body="<html>Not Found</html>", times=None)
        d.annotate("hub", "reconcile-requested-at")
        await d.becomes("hub", "CannotObserve", "Ready", seconds=600)
        assert d.verdict("hub") == ("False", "CloudUnavailable")
        d.world.faults.clear()
        await d.settle(120)
        assert not d.calls("POST", "PATCH", "DELETE")

    day(story)


def test_a_gateway_uses_the_credentials_of_its_router() -> None:
    """The router is Bob's, so is its gateway and all below; the operator's own account has none of it."""

    async def story(d: Day) -> None:
        d.kubernetes.put_data("bobs", {"token": b"madeup-token-of-bob"})
        d.secret()
        await d.start()
        apply(d)
        d.kubernetes.apply("Router", "hub", {"credentialsSecretRef": {"name": "bobs"}})
        await d.settle()
        assert {found.account for found in d.world.gateways.values()} == {"bob"}
        assert router(d).account == "bob"
        for name in ("hub", "edge", "office", "office-1"):
            assert d.object(name).status["account"] == "bob"
        for name in ("hub", "edge", "office", "office-1"):
            d.delete(name)
        await d.until(lambda: not d.kubernetes.objects)
        assert d.world.gateways == {} or all(g.deleting for g in d.world.gateways.values())

    day(story, tokens={"madeup-token": "alice", "madeup-token-of-bob": "bob"})


def test_one_refusal_that_no_look_meets() -> None:
    """The next good look is the probe that succeeds, as it is for everything else of this account."""

    async def story(d: Day) -> None:
        await hub(d)
        d.world.faults.add("PATCH /1.3/router/*", status=401)
        d.kubernetes.apply("Router", "hub", {"staticRoutes": [LAB]})
        await d.becomes("hub", "CredentialsRefused", seconds=30)
        await d.settle(120)
        assert len(d.calls("PATCH")) == 2

    day(story)
