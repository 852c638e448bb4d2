from __future__ import annotations

from typing import Any

import pytest

from netgw.providers.upcloud.simulator import Behaviour
from support.simulated_cloud import OTHER_PSK, PSK, Cloud, route, tunnel_body

AUTHENTICATION = {"authentication": "psk"}


def tunnels_of(cloud: Cloud, **gateway: Any) -> str:
    """The path of the tunnels of a new connection."""
    uuid = cloud.gateway(**gateway)["uuid"]
    return f"/gateway/{uuid}/connections/{cloud.connection(uuid)['uuid']}/tunnels"


@pytest.fixture
def path(cloud: Cloud) -> str:
    return tunnels_of(cloud)


def test_create_fills_in_what_was_not_sent(cloud: Cloud, path: str) -> None:
    assert cloud.got(path) == []
    made = cloud.made(path, tunnel_body())
    algorithms, integrity = ["aes128", "aes256", "aes128gcm128", "aes256gcm128"], ["sha256", "sha384", "sha512"]
    assert made.pop("created_at") == made.pop("updated_at")
    assert made.pop("uuid").startswith("10")
    assert made == {
        "internal_peer_ping_interval": 0,
        "ipsec": {
            "authentication": {"authentication": "psk"},
            "child_rekey_time": 1440,
            "dpd_delay": 30,
            "dpd_timeout": 120,
            "ike_lifetime": 86400,
            "phase1_algorithms": algorithms,
            "phase1_dh_group_numbers": [14, 16, 18, 19, 20, 21],
            "phase1_integrity_algorithms": integrity,
            "phase2_algorithms": algorithms,
            "phase2_dh_group_numbers": [14, 16, 18, 19, 20, 21],
            "phase2_integrity_algorithms": integrity,
            "rekey_time": 14400,
        },
        "local_address": {"name": "public"},
        "name": "office-1",
        "operational_state": "idle",
        "remote_address": {"address": "100.10.0.111"},
        "tunnel_healthy": True,
        "tunnel_internal_ip": "",
        "tunnel_up": False,
    }


@pytest.mark.parametrize(
    "psk",
    [
        "",
        "short_7",
        "x" * 65,
        "0leading_zero",
        "with-dash-1",
        "with/slash1",
        "with+plus_1",
        "with=equal1",
        "trailing\n",
        None,
        5,
    ],
)
def test_psk_alphabet_and_length(cloud: Cloud, path: str, psk: Any) -> None:
    body = tunnel_body(ipsec={"authentication": {"authentication": "psk", "psk": psk}})
    answer = cloud.ask("POST", path, body)
    assert answer.status_code == 400
    assert [item["name"] for item in answer.json()["invalid_params"]] == ["ipsec.authentication.psk"]
    assert not isinstance(psk, str) or not psk or psk.strip() not in answer.text


@pytest.mark.parametrize("psk", ["exactly8", "x" * 64, ".dots._and", "1leading_digit"])
def test_psk_that_is_accepted(cloud: Cloud, path: str, psk: str) -> None:
    cloud.made(path, tunnel_body(ipsec={"authentication": {"authentication": "psk", "psk": psk}}))


def ipsec(**values: Any) -> dict[str, Any]:
    return {"ipsec": {"authentication": {"authentication": "psk", "psk": PSK}, **values}}


@pytest.mark.parametrize(
    ("change", "params"),
    [
        ({"name": None}, ["name"]),
        ({"local_address": None}, ["local_address"]),
        ({"remote_address": {}}, ["remote_address.address"]),
        ({"remote_address": {"address": "peer.example.org"}}, ["remote_address.address"]),
        ({"remote_address": {"address": "2001:db8::1"}}, ["remote_address.address"]),
        ({"ipsec": None}, ["ipsec"]),
        ({"ipsec": {}}, ["ipsec.authentication"]),
        ({"ipsec": {"authentication": {"psk": PSK}}}, ["ipsec.authentication.authentication"]),
        ({"ipsec": {"authentication": AUTHENTICATION}}, ["ipsec.authentication.psk"]),
        (ipsec(phase1_algorithms=["des"]), ["ipsec.phase1_algorithms.0"]),
        (ipsec(phase1_algorithms=[]), ["ipsec.phase1_algorithms"]),
        (ipsec(phase2_algorithms=["aes128", "aes128"]), ["ipsec.phase2_algorithms"]),
        (ipsec(phase2_dh_group_numbers=[1]), ["ipsec.phase2_dh_group_numbers.0"]),
        (ipsec(phase1_integrity_algorithms=["md5"]), ["ipsec.phase1_integrity_algorithms.0"]),
        (ipsec(rekey_time=-1, dpd_delay=2147483648), ["ipsec.rekey_time", "ipsec.dpd_delay"]),
        (ipsec(rekey_time="60"), ["ipsec.rekey_time"]),
        (ipsec(bgp=True), ["ipsec.bgp"]),
        ({"internal_peer_ping_interval": 4}, ["internal_peer_ping_interval"]),
        ({"tunnel_internal_ip": "169.254.17.3"}, ["tunnel_internal_ip"]),
        ({"tunnel_internal_ip": "10.0.0.1"}, ["tunnel_internal_ip"]),
        ({"tunnel_internal_ip": "169.254.17.1"}, ["tunnel_internal_ip"]),  # while allocation is automatic
        ({"tunnel_up": True}, ["tunnel_up"]),
    ],
)
def test_create_refuses_with_invalid_params(cloud: Cloud, path: str, change: dict[str, Any], params: list[str]) -> None:
    answer = cloud.ask("POST", path, tunnel_body(**change))
    assert answer.status_code == 400
    assert [item["name"] for item in answer.json()["invalid_params"]] == params
    assert PSK not in answer.text


@pytest.mark.parametrize(
    ("change", "title"),
    [
        ({"local_address": {"name": "none"}}, "Invalid local address: none not found in service."),
        ({"remote_address": {"address": "10.0.0.1"}}, "Invalid remote address."),
        ({"remote_address": {"address": "172.31.0.1"}}, "Invalid remote address."),
        ({"remote_address": {"address": "192.168.0.1"}}, "Invalid remote address."),
        ({"remote_address": {"address": "127.0.0.1"}}, "Invalid remote address."),
        ({"remote_address": {"address": "169.254.1.1"}}, "Invalid remote address."),
        ({"remote_address": {"address": "224.0.0.1"}}, "Invalid remote address."),
        ({"ipsec": {"authentication": {"authentication": "cert", "psk": PSK}}}, "Unknown authentication type."),
        ({"name": "taken"}, "Duplicate tunnel name."),
    ],
)
def test_create_breaks_a_rule(cloud: Cloud, path: str, change: dict[str, Any], title: str) -> None:
    cloud.made(path, tunnel_body(name="taken"))
    answer = cloud.ask("POST", path, tunnel_body(**change))
    assert (answer.status_code, answer.json()["title"]) == (400, title)


@pytest.mark.parametrize("address", ["100.123.123.10", "200.10.0.111", "203.0.113.9", "172.32.0.1"])
def test_remote_addresses_that_are_accepted(cloud: Cloud, path: str, address: str) -> None:
    cloud.made(path, tunnel_body(remote_address={"address": address}))


def test_name_is_unique_in_the_gateway(cloud: Cloud) -> None:
    gateway = cloud.gateway()["uuid"]
    one, other = (cloud.connection(gateway, name=name)["uuid"] for name in ("one", "other"))
    cloud.tunnel(gateway, one)
    answer = cloud.ask("POST", f"/gateway/{gateway}/connections/{other}/tunnels", tunnel_body())
    assert (answer.status_code, answer.json()["title"]) == (400, "Duplicate tunnel name.")


def test_quota_counts_across_the_gateway(cloud: Cloud) -> None:
    gateway = cloud.gateway(plan="production")["uuid"]
    connections = [cloud.connection(gateway, name=name)["uuid"] for name in ("one", "other")]
    for number, connection in enumerate(connections):
        cloud.tunnel(gateway, connection, name=f"t{number}")
    answer = cloud.ask("POST", f"/gateway/{gateway}/connections/{connections[0]}/tunnels", tunnel_body())
    assert answer.json()["title"] == "Service with plan production can have up to 2 tunnels."


def test_default_address_can_be_named_once_it_is_there(cloud: Cloud) -> None:
    path = tunnels_of(cloud, addresses=None)
    cloud.made(path, tunnel_body(local_address={"name": "public-ip-1"}))


def test_internal_ips(cloud: Cloud) -> None:
    path = tunnels_of(cloud, automatic_tunnel_internal_ip_allocation=False)
    first = cloud.made(path, tunnel_body(tunnel_internal_ip="169.254.17.1", internal_peer_ping_interval=5))
    assert (first["tunnel_internal_ip"], first["internal_peer_ping_interval"]) == ("169.254.17.1", 5)
    same_link = tunnel_body(name="second", tunnel_internal_ip="169.254.17.2")
    assert cloud.ask("POST", path, same_link).status_code == 400
    second = cloud.made(path, tunnel_body(name="second", tunnel_internal_ip="169.254.17.6"))
    connection = path.removesuffix("/tunnels")
    assert cloud.ask("PATCH", connection, {"local_routes": [route("x", "169.254.17.0/29")]}).status_code == 400
    cleared = cloud.ask("PATCH", f"{path}/{second['uuid']}", {"name": "second", "tunnel_internal_ip": ""})
    assert cleared.json()["tunnel_internal_ip"] == ""


def test_patch_merges_inside_ipsec_and_keeps_the_uuid(cloud: Cloud, path: str) -> None:
    made = cloud.made(path, tunnel_body())
    body = {
        "name": "renamed",
        "remote_address": {"address": "100.10.0.222"},
        "ipsec": {"authentication": {"authentication": "psk", "psk": OTHER_PSK}, "dpd_delay": 0},
        "internal_peer_ping_interval": 10,
    }
    changed = cloud.ask("PATCH", f"{path}/{made['uuid']}", body).json()
    assert changed["updated_at"] > made["updated_at"]
    assert changed == made | {
        "name": "renamed",
        "remote_address": {"address": "100.10.0.222"},
        "ipsec": made["ipsec"] | {"dpd_delay": 0},
        "internal_peer_ping_interval": 10,
        "updated_at": changed["updated_at"],
        "operational_state": "connecting",
    }
    assert [item["uuid"] for item in cloud.got(path)] == [made["uuid"]]


def test_patch_stamps_the_tunnel_alone(cloud: Cloud, path: str) -> None:
    made = cloud.made(path, tunnel_body())
    service = path.partition("/connections")[0]
    before = cloud.got(service)
    changed = cloud.ask("PATCH", f"{path}/{made['uuid']}", {"name": "renamed"}).json()
    after = cloud.got(service)
    assert (after["updated_at"], after["operational_state"]) == (before["updated_at"], "running")
    assert after["connections"][0]["updated_at"] == before["connections"][0]["updated_at"]
    assert after["connections"][0]["tunnels"][0]["updated_at"] == changed["updated_at"]


@pytest.mark.parametrize(
    ("body", "params"),
    [
        ({"remote_address": {"address": "100.10.0.9"}}, ["name"]),
        ({"name": "x", "ipsec": {"dpd_delay": 1}}, ["ipsec.authentication.authentication"]),
        ({"name": "x", "ipsec": {"authentication": {}}}, ["ipsec.authentication.authentication"]),
        ({"name": "x", "ipsec": {"authentication": {"psk": PSK}}}, ["ipsec.authentication.authentication"]),
        ({"ipsec": {}}, ["name", "ipsec.authentication.authentication"]),
        ({"name": "x", "uuid": "10000000-0000-4000-8000-000000000000"}, ["uuid"]),
        ({"name": "x", "remote_address": None}, ["remote_address"]),
    ],
)
def test_patch_refuses_with_invalid_params(cloud: Cloud, path: str, body: dict[str, Any], params: list[str]) -> None:
    made = cloud.made(path, tunnel_body())
    answer = cloud.ask("PATCH", f"{path}/{made['uuid']}", body)
    assert answer.status_code == 400
    assert [item["name"] for item in answer.json()["invalid_params"]] == params


def test_partial_authentication_was_accepted_in_2024() -> None:
    cloud = Cloud(behaviour=Behaviour.recorded_2024())
    path = tunnels_of(cloud)
    made = cloud.made(path, tunnel_body())
    body = {"name": "x", "ipsec": {"authentication": {"psk": OTHER_PSK}}}
    changed = cloud.ask("PATCH", f"{path}/{made['uuid']}", body)
    assert changed.status_code == 200
    assert "tunnel_up" not in changed.json()
    assert changed.json()["ipsec"]["authentication"] == AUTHENTICATION


def test_delete(cloud: Cloud, path: str) -> None:
    made = cloud.made(path, tunnel_body())
    assert cloud.got(f"{path}/{made['uuid']}")["uuid"] == made["uuid"]
    assert cloud.ask("DELETE", f"{path}/{made['uuid']}").status_code == 204
    assert cloud.got(path) == []


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_unknown_tunnel(cloud: Cloud, path: str, method: str) -> None:
    answer = cloud.ask(method, f"{path}/10000000-0000-4000-8000-000000000000", {})
    assert (answer.status_code, answer.json()["title"]) == (404, "Tunnel not found.")
