from __future__ import annotations

from support.simulated_cloud import OTHER_PSK, Cloud, connection_body, tunnel_body


def test_of_a_service_without_tunnels(cloud: Cloud) -> None:
    found = cloud.got(f"/gateway/{cloud.gateway()['uuid']}/metrics")
    assert sorted(found["gateways"][0]) == [
        "active_connections",
        "created_at",
        "name",
        "total_accepted_connections",
        "total_rejected_sessions",
        "updated_at",
    ]
    assert found["ipsec_metrics"] == {"ike_sas": None}
    assert cloud.ask("GET", "/gateway/x/metrics").status_code == 404


def test_of_a_tunnel_that_came_up_and_went_down(cloud: Cloud) -> None:
    made = cloud.gateway(connections=[connection_body(tunnels=[tunnel_body()])])
    path = f"/gateway/{made['uuid']}"
    cloud.clock.advance(100)
    up = cloud.got(f"{path}/metrics")["ipsec_metrics"]["ike_sas"][0]
    address = cloud.got(path)["addresses"][0]["address"]
    assert (up["name"], up["operational_state"], up["internal_state"]) == (
        "office/office-1",
        "established",
        "established",
    )
    assert (up["local_host"], up["remote_host"], up["initator"], up["version"]) == (address, "100.10.0.111", True, 2)
    assert (up["tunnel_id"], up["unique_id"], up["established"]) == (1, "1", 99)
    assert up["child_sas"][0]["state"] == "installed"
    assert up["child_sas"][0]["bytes_in"] > 0
    assert up["heuristic_state"]["tunnel_up"] is True
    assert (up["heuristic_state"]["up_events"], up["heuristic_state"]["down_events"]) == (1, 0)

    connection = made["connections"][0]
    tunnel = f"{path}/connections/{connection['uuid']}/tunnels/{connection['tunnels'][0]['uuid']}"
    rotated = {"authentication": {"authentication": "psk", "psk": OTHER_PSK}, "child_rekey_time": 0}
    cloud.ask("PATCH", tunnel, {"name": "office-1", "ipsec": rotated})
    again = cloud.got(f"{path}/metrics")["ipsec_metrics"]["ike_sas"][0]
    assert (again["heuristic_state"]["up_events"], again["heuristic_state"]["down_events"]) == (2, 1)
    assert again["child_sas"][0]["rekey_time"] == 0

    cloud.ask("PATCH", path, {"configured_status": "stopped"})
    down = cloud.got(f"{path}/metrics")["ipsec_metrics"]["ike_sas"][0]
    assert (down["operational_state"], down["internal_state"], down["child_sas"]) == ("idle", "uninitialized", [])
    assert (down["heuristic_state"]["up_events"], down["heuristic_state"]["down_events"]) == (2, 2)
    assert (down["heuristic_state"]["tunnel_up"], down["heuristic_state"]["tunnel_healthy"]) == (False, True)
