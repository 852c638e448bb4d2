"""What is tolerated in answers, and what goes out in requests."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from netgw.providers.upcloud import api
from netgw.providers.upcloud.api import (
    AuthenticationModify,
    Connection,
    Gateway,
    GatewayModify,
    IpsecCreate,
    IpsecModify,
    Label,
    LocalAddress,
    Metrics,
    Plan,
    PskAuthentication,
    RemoteAddress,
    Tunnel,
    TunnelCreate,
    TunnelModify,
    UpCloud,
)

MINIMAL: dict[str, Any] = {
    "uuid": "g",
    "name": "edge",
    "zone": "fi-hel1",
    "configured_status": "started",
    "operational_state": "running",
    "created_at": "2024-03-07T13:41:00.42508Z",
}
TUNNEL: dict[str, Any] = {
    "uuid": "t",
    "name": "t",
    "local_address": {"name": "public"},
    "remote_address": {"address": "100.10.0.111"},
    "ipsec": {"authentication": {"authentication": "psk"}},
    "operational_state": "idle",
    "created_at": "2024-03-07T13:41:00Z",
}


def test_gateway_that_tells_little() -> None:
    gateway = Gateway.model_validate(MINIMAL)
    assert gateway.connections is None
    assert (gateway.plan, gateway.addresses, gateway.labels, gateway.updated_at) == (None, (), (), None)
    assert gateway.created_at == datetime(2024, 3, 7, 13, 41, 0, 425080, tzinfo=UTC)


def test_no_connections_is_not_the_same_as_not_told() -> None:
    assert Gateway.model_validate(MINIMAL | {"connections": []}).connections == ()
    assert Gateway.model_validate(MINIMAL | {"connections": None}).connections is None


@pytest.mark.parametrize("name", ["features", "routers", "addresses", "labels"])
def test_null_for_a_list(name: str) -> None:
    assert getattr(Gateway.model_validate(MINIMAL | {name: None}), name) == ()


def test_null_for_lists_of_a_connection() -> None:
    data = {"uuid": "c", "name": "c", "type": "ipsec", "created_at": "2024-03-07T13:41:00Z"}
    connection = Connection.model_validate(data | {"local_routes": None, "remote_routes": None, "tunnels": None})
    assert (connection.local_routes, connection.remote_routes, connection.tunnels) == ((), (), ())


def test_unknown_fields_and_states() -> None:
    gateway = Gateway.model_validate(
        MINIMAL | {"operational_state": "detach-link-network", "configured_status": "asleep", "new": {"deep": [1]}}
    )
    assert (gateway.operational_state, gateway.configured_status) == ("detach-link-network", "asleep")
    assert not hasattr(gateway, "new")


def test_address_until_it_is_assigned() -> None:
    data = MINIMAL | {"addresses": [{"name": "a"}, {"name": "b", "address": "5.22.223.254", "provisioned_by": "user"}]}
    addresses = Gateway.model_validate(data).addresses
    assert [(item.address, item.provisioned_by) for item in addresses] == [(None, None), ("5.22.223.254", "user")]


def test_tunnel_of_2024() -> None:
    tunnel = Tunnel.model_validate(TUNNEL)
    assert (tunnel.tunnel_up, tunnel.tunnel_healthy, tunnel.tunnel_internal_ip) == (None, None, None)


def test_tunnel_of_today() -> None:
    young = {"tunnel_up": False, "tunnel_healthy": True, "tunnel_internal_ip": "", "internal_peer_ping_interval": 0}
    tunnel = Tunnel.model_validate(TUNNEL | young)
    assert {name: getattr(tunnel, name) for name in young} == young


def test_internal_ip_as_the_preview_describes_it() -> None:
    tunnel = Tunnel.model_validate(TUNNEL | {"tunnel_internal_ip": {"ip": {"addr": 1}, "hasParseError": False}})
    assert tunnel.tunnel_internal_ip is None


def test_a_key_that_comes_back_is_not_kept() -> None:
    data = TUNNEL | {"ipsec": {"authentication": {"authentication": "psk", "psk": "madeup_psk_for_tests_1"}}}
    tunnel = Tunnel.model_validate(data)
    assert "madeup" not in f"{tunnel!r} {tunnel.model_dump()}"


def test_label_without_a_value() -> None:
    assert Label.model_validate({"key": "env", "value": None}).value == ""


def test_plans_of_the_documentation() -> None:
    plan = Plan.model_validate({"name": "p", "supported_features": ["nat"], "vpn_tunnel_amount": 0})
    assert plan.per_gateway_maximum_vpn_bandwidth_mbps is None


def test_answers_are_frozen() -> None:
    gateway = Gateway.model_validate(MINIMAL | {"connections": [], "features": ["nat"]})
    with pytest.raises(ValidationError):
        gateway.name = "other"  # type: ignore[misc]
    assert hash(gateway) == hash(Gateway.model_validate(MINIMAL | {"connections": [], "features": ["nat"]}))


def test_metrics_as_documented() -> None:
    metrics = Metrics.model_validate_json((Path(__file__).with_name("metrics.json")).read_bytes())
    [nat] = metrics.gateways
    assert nat.total_rejected_sessions == 3
    assert metrics.ipsec_metrics is not None
    [ike] = metrics.ipsec_metrics.ike_sas
    assert (ike.name, ike.initiator, ike.unique_id) == ("example-connection/example-tunnel-1", True, "149")
    assert ike.heuristic_state is not None
    assert ike.heuristic_state.last_down_message == "received AUTHENTICATION_FAILED notify error"
    [child] = ike.child_sas
    assert child.local_traffic_selectors == ("0.0.0.0/0", "::/0")


def ike_sa(**fields: Any) -> Any:
    metrics = Metrics.model_validate({"gateways": None, "ipsec_metrics": {"ike_sas": [fields]}})
    assert metrics.ipsec_metrics is not None
    return metrics.ipsec_metrics.ike_sas[0]


def test_other_spellings_in_metrics() -> None:
    assert ike_sa(initiator=False).initiator is False
    assert ike_sa(unique_id=149).unique_id == "149"
    assert ike_sa(heuristic_state="none", child_sas=None).heuristic_state is None
    [child] = ike_sa(child_sas=[{"local_traffic_selector": "10.0.0.0/24", "remote_traffic_selector": None}]).child_sas
    assert (child.local_traffic_selectors, child.remote_traffic_selectors) == (("10.0.0.0/24",), ())
    [nat] = Metrics.model_validate({"gateways": [{"total_rejected_connections": 4}]}).gateways
    assert nat.total_rejected_sessions == 4


@pytest.mark.parametrize("data", [{}, {"ipsec_metrics": None}, {"ipsec_metrics": {"ike_sas": None}}])
def test_metrics_of_nothing(data: dict[str, Any]) -> None:
    metrics = Metrics.model_validate(data)
    assert (metrics.gateways, metrics.nat, metrics.ike_sas) == ((), None, ())


def test_metrics_of_a_rekey() -> None:
    children = [{"unique_id": number, "state": state} for number, state in ((389, "rekeyed"), (390, "installed"))]
    sas = [{"name": "c/t", "unique_id": "149", "child_sas": children}, {"name": "c/t", "unique_id": 150}]
    metrics = Metrics.model_validate({"gateways": [{"name": "edge"}], "ipsec_metrics": {"ike_sas": sas}})
    assert [(sa.name, sa.unique_id, len(sa.child_sas)) for sa in metrics.ike_sas] == [
        ("c/t", "149", 2),
        ("c/t", "150", 0),
    ]
    assert [(sa.unique_id, sa.state) for sa in metrics.ike_sas[0].child_sas] == [
        ("389", "rekeyed"),
        ("390", "installed"),
    ]
    assert metrics.nat is not None
    assert metrics.nat.name == "edge"


@pytest.mark.parametrize("never", [None, ""])
def test_a_time_that_never_came_hides_nothing(never: str | None) -> None:
    state = ike_sa(heuristic_state={"down_events": 4, "last_down_message_updated_at": never}).heuristic_state
    assert (state.down_events, state.last_down_message_updated_at) == (4, None)


# Requests


def sent_by(net: Any, use: Any) -> Any:
    net.run(use)
    return json.loads(net.requests[0].content)


def test_tunnel_as_it_is_created(network: Any, answer: Any) -> None:
    body = TunnelCreate(
        name="t",
        local_address=LocalAddress(name="public"),
        remote_address=RemoteAddress(address="100.10.0.111"),
        ipsec=IpsecCreate(
            authentication=PskAuthentication(authentication="psk", psk=SecretStr("madeup_psk_for_tests_1")),
            phase1_dh_group_numbers=(14,),
            dpd_delay=0,
        ),
    )

    async def use(cloud: UpCloud) -> object:
        return await cloud.create_tunnel(gateway="g", connection="c", body=body)

    net = network(answer(201, json=TUNNEL))
    assert sent_by(net, use) == {
        "name": "t",
        "local_address": {"name": "public"},
        "remote_address": {"address": "100.10.0.111"},
        "ipsec": {
            "authentication": {"authentication": "psk", "psk": "madeup_psk_for_tests_1"},
            "phase1_dh_group_numbers": [14],
            "dpd_delay": 0,
        },
    }
    assert net.requests[0].url.path == "/1.3/gateway/g/connections/c/tunnels"


def test_only_what_was_given_goes_out(network: Any, answer: Any) -> None:
    net = network(answer(200, json=MINIMAL))
    body = GatewayModify(plan=None, labels=(), automatic_tunnel_internal_ip_allocation=False)
    sent = sent_by(net, lambda cloud: cloud.modify_gateway(gateway="g", body=body))
    assert sent == {"labels": [], "automatic_tunnel_internal_ip_allocation": False}


def test_companions_of_a_change_of_ipsec(network: Any, answer: Any) -> None:
    net = network(answer(200, json=TUNNEL))
    change = IpsecModify(authentication=AuthenticationModify(authentication="psk"), rekey_time=0)
    body = TunnelModify(name="t", ipsec=change)
    sent = sent_by(net, lambda cloud: cloud.modify_tunnel(gateway="g", connection="c", tunnel="t", body=body))
    assert sent == {"name": "t", "ipsec": {"authentication": {"authentication": "psk"}, "rekey_time": 0}}


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (TunnelModify, {"tunnel_internal_ip": ""}),
        (TunnelModify, {"name": "t", "ipsec": {"rekey_time": 1}}),
        (TunnelModify, {"name": "t", "ipsec": {"authentication": {"psk": "madeup_psk_for_tests_1"}}}),
        (GatewayModify, {"zone": "fi-hel1"}),
        (GatewayModify, {"unknown": 1}),
        (IpsecCreate, {"authentication": {"authentication": "psk"}}),
    ],
)
def test_requests_that_the_api_would_refuse(model: type[BaseModel], data: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(data)


def test_the_door_is_sorted_and_whole() -> None:
    assert len(set(api.__all__)) == len(api.__all__)
    assert all(hasattr(api, name) for name in api.__all__)
