"""Public addresses and floating IPs, as the OpenAPI preview describes them."""

from __future__ import annotations

from typing import Any

import pytest

from netgw.providers.upcloud.simulator import Behaviour, World
from support.simulated_cloud import Cloud, connection_body, gateway_body, tunnel_body

FLOATING, OTHER, UNKNOWN = "203.0.113.200", "203.0.113.201", "203.0.113.202"


@pytest.fixture
def cloud() -> Cloud:
    """An account with two floating IPs."""
    return Cloud(floating_ips=(FLOATING, OTHER))


def attach(cloud: Cloud, gateway: str, address: str, name: str = "public") -> Any:
    answer = cloud.ask("PATCH", f"/gateway/{gateway}/addresses/{name}", {"address": address})
    assert answer.status_code == 200, answer.text
    return answer.json()


def release(cloud: Cloud, gateway: str, name: str = "public") -> int:
    return cloud.ask("POST", f"/gateway/{gateway}/addresses/{name}/release").status_code


def test_attach_and_release(cloud: Cloud) -> None:
    gateway = cloud.gateway()["uuid"]
    path = f"/gateway/{gateway}/addresses"
    [first] = cloud.got(path)
    assert (first["name"], first["provisioned_by"]) == ("public", "service")
    attached = {"name": "public", "address": FLOATING, "provisioned_by": "user"}
    assert attach(cloud, gateway, FLOATING) == attached
    assert cloud.got(path) == cloud.got(f"/gateway/{gateway}")["addresses"] == [attached]
    assert cloud.got(f"{path}/public") == attached
    assert attach(cloud, gateway, FLOATING) == attached
    assert release(cloud, gateway) == 202
    [last] = cloud.got(path)
    assert (last["name"], last["provisioned_by"]) == ("public", "service")
    assert last["address"] not in (first["address"], FLOATING)
    assert release(cloud, gateway) == 400


def test_a_released_one_is_free_again(cloud: Cloud) -> None:
    one, two = cloud.gateway()["uuid"], cloud.gateway(name="other")["uuid"]
    attach(cloud, one, FLOATING)
    taken = cloud.ask("PATCH", f"/gateway/{two}/addresses/public", {"address": FLOATING})
    assert taken.json()["invalid_params"] == [{"name": "address", "reason": "Floating IP address is in use."}]
    attach(cloud, one, OTHER)
    attach(cloud, two, FLOATING)
    release(cloud, two)
    cloud.ask("DELETE", f"/gateway/{one}")
    attach(cloud, two, OTHER)


def test_create_attaches_too(cloud: Cloud) -> None:
    made = cloud.gateway(addresses=[{"name": "a", "address": FLOATING}, {"name": "b"}])
    assert made["addresses"] == [
        {"name": "a", "provisioned_by": "user"},
        {"name": "b", "provisioned_by": "service"},
    ]
    shown = cloud.got(f"/gateway/{made['uuid']}")["addresses"]
    assert (shown[0]["address"], shown[1]["address"]) == (FLOATING, "203.0.113.1")


@pytest.mark.parametrize(
    ("addresses", "param"),
    [
        ([{"name": "a", "address": UNKNOWN}], "addresses.0.address"),
        ([{"name": "a"}, {"name": "b", "address": UNKNOWN}], "addresses.1.address"),
        ([{"name": "a", "address": FLOATING}, {"name": "b", "address": FLOATING}], "addresses.1.address"),
        ([{"name": "a", "address": "nonsense"}], "addresses.0.address"),
    ],
)
def test_create_with_one_that_cannot_be_had(cloud: Cloud, addresses: Any, param: str) -> None:
    answer = cloud.ask("POST", "/gateway", gateway_body(cloud.router(), addresses=addresses))
    assert (answer.status_code, answer.json()["title"]) == (400, "Validation error.")
    assert [item["name"] for item in answer.json()["invalid_params"]] == [param]
    assert cloud.got("/gateway") == []


@pytest.mark.parametrize("body", [{"address": UNKNOWN}, {"address": "x"}, {}, {"address": FLOATING, "name": "b"}])
def test_attach_refuses(cloud: Cloud, body: Any) -> None:
    path = f"/gateway/{cloud.gateway()['uuid']}/addresses/public"
    answer = cloud.ask("PATCH", path, body)
    assert answer.status_code == 400
    assert answer.json()["invalid_params"][0]["name"] in ("address", "name")
    assert cloud.got(path)["provisioned_by"] == "service"


@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("PATCH", ""), ("POST", "/release")])
def test_unknown(cloud: Cloud, method: str, rest: str) -> None:
    made = cloud.gateway()["uuid"]
    for path in (f"/gateway/{made}/addresses/other{rest}", f"/gateway/nonsense/addresses/public{rest}"):
        answer = cloud.ask(method, path, {"address": FLOATING})
        assert (answer.status_code, answer.json()["title"]) == (404, "The resource you requested does not exist.")
    assert cloud.ask("GET", "/gateway/nonsense/addresses").status_code == 404


def test_a_floating_ip_belongs_to_one_account() -> None:
    cloud = Cloud(tokens={"made-up-a": "alice", "made-up-b": "bob"}, floating_ips=(FLOATING,))
    bob = {"Authorization": "Bearer made-up-b"}
    router = cloud.ask("POST", "/router", {"router": {"name": "r"}}, headers=bob).json()["router"]["uuid"]
    body = gateway_body(router, addresses=[{"name": "public", "address": FLOATING}])
    assert cloud.ask("POST", "/gateway", body, headers=bob).status_code == 400
    cloud.world.add_floating_ip(OTHER, account="bob")
    body["addresses"][0]["address"] = OTHER
    assert cloud.ask("POST", "/gateway", body, headers=bob).status_code == 201


def test_an_address_that_nobody_asked_for_has_its_name_once_it_runs() -> None:
    cloud = Cloud(delay=1, floating_ips=(FLOATING,))
    path = f"/gateway/{cloud.gateway(addresses=None)['uuid']}/addresses"
    assert cloud.got(path) == []
    assert cloud.ask("PATCH", f"{path}/public-ip-1", {"address": FLOATING}).status_code == 404
    cloud.clock.advance(3)
    assert [item["name"] for item in cloud.got(path)] == ["public-ip-1"]


def test_attached_during_setup_and_shown_when_it_runs() -> None:
    cloud = Cloud(delay=1, floating_ips=(FLOATING,))
    made = cloud.gateway()
    assert attach(cloud, made["uuid"], FLOATING) == {"name": "public", "provisioned_by": "user"}
    cloud.clock.advance(3)
    assert cloud.got(f"/gateway/{made['uuid']}/addresses/public")["address"] == FLOATING


def test_the_service_runs_on_and_tunnels_that_end_there_start_over() -> None:
    cloud = Cloud(delay=1, floating_ips=(FLOATING,))
    tunnels = [tunnel_body(), tunnel_body(name="office-2", local_address={"name": "second"})]
    made = cloud.gateway(
        addresses=[{"name": "public"}, {"name": "second"}], connections=[connection_body(tunnels=tunnels)]
    )
    cloud.clock.advance(10)
    attach(cloud, made["uuid"], FLOATING)
    found = cloud.got(f"/gateway/{made['uuid']}")
    assert found["operational_state"] == "running"
    assert found["updated_at"] > found["connections"][0]["updated_at"]
    states = [tunnel["operational_state"] for tunnel in found["connections"][0]["tunnels"]]
    assert states == ["connecting", "established"]
    sa = cloud.got(f"/gateway/{made['uuid']}/metrics")["ipsec_metrics"]["ike_sas"][0]
    assert (sa["local_host"], sa["heuristic_state"]["down_events"]) == (FLOATING, 1)


def test_nothing_changes_while_it_is_being_deleted() -> None:
    cloud = Cloud(delay=1, floating_ips=(FLOATING,))
    gateway = cloud.gateway(addresses=[{"name": "public", "address": FLOATING}])["uuid"]
    other = cloud.gateway(name="other")["uuid"]
    cloud.ask("DELETE", f"/gateway/{gateway}")
    assert release(cloud, gateway) == 409
    assert cloud.ask("PATCH", f"/gateway/{other}/addresses/public", {"address": FLOATING}).status_code == 400
    cloud.clock.advance(3)
    attach(cloud, other, FLOATING)


@pytest.mark.parametrize("behaviour", [Behaviour.recorded_2023(), Behaviour.recorded_2024()])
def test_older_answers_do_not_say_who_provisioned_it(behaviour: Behaviour) -> None:
    cloud = Cloud(behaviour=behaviour)
    assert cloud.gateway(features=["nat"])["addresses"] == [{"name": "public"}]


def test_the_door_adds_one(cloud: Cloud) -> None:
    assert cloud.door("POST", "/_sim/floating-ips", {"address": UNKNOWN}).status_code == 204
    assert cloud.door("POST", "/_sim/floating-ips", {"address": "x"}).status_code == 400
    assert cloud.door("GET", "/_sim/world").json()["floating_ips"][-1] == {"account": "simulator", "address": UNKNOWN}
    cloud.gateway(addresses=[{"name": "public", "address": UNKNOWN}])
    cloud.door("POST", "/_sim/reset")
    assert list(cloud.world.floating_ips) == [FLOATING, OTHER]


def test_a_world_with_one_that_is_no_address() -> None:
    with pytest.raises(ValueError, match="2001:db8::1"):
        World(floating_ips=["2001:db8::1"])


def test_made_up_addresses_are_never_floating_ones() -> None:
    cloud = Cloud(floating_ips=("203.0.113.1", "203.0.113.2"))
    assert cloud.got(f"/gateway/{cloud.gateway()['uuid']}/addresses")[0]["address"] == "203.0.113.3"
