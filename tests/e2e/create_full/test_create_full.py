"""Every field that can be set is in the cloud as it was set, by one POST each."""

from __future__ import annotations

from support.scenario import Scenario, route

LISTS = {
    "phase1Algorithms": ["aes256gcm128", "aes256"],
    "phase1IntegrityAlgorithms": ["sha384"],
    "phase1DhGroupNumbers": [19, 21],
    "phase2Algorithms": ["aes128gcm16"],
    "phase2IntegrityAlgorithms": ["sha512", "sha256"],
    "phase2DhGroupNumbers": [14],
}
TIMERS = {"rekeyTime": 10000, "childRekeyTime": 1000, "ikeLifetime": 80000, "dpdDelay": 20, "dpdTimeout": 100}


def full_gateway(scenario: Scenario) -> None:
    scenario.gateway(
        name="Edge_1",
        plan="advanced",
        features=["vpn", "nat"],
        addresses=[{"name": "public"}, {"name": "spare"}],
        configuredStatus="started",
        automaticTunnelInternalIpAllocation=False,
    )


def full_connection(scenario: Scenario) -> None:
    scenario.connection(
        name="to_office",
        type="ipsec",
        localRoutes=[route("cloud", "10.0.1.0/24"), route("more", "10.0.3.0/24") | {"type": "static"}],
        remoteRoutes=[route("office", "10.0.2.0/24"), route("lab", "192.0.2.0/28")],
    )


def test_gateway(scenario: Scenario) -> None:
    full_gateway(scenario)
    status = scenario.wait_ready("NetworkGateway", "edge").status
    made = scenario.in_cloud("NetworkGateway", "edge")
    assert (made["name"], made["zone"], made["plan"]) == ("Edge_1", "fi-hel1", "advanced")
    assert (sorted(made["features"]), made["configured_status"]) == (["nat", "vpn"], "started")
    assert made["automatic_tunnel_internal_ip_allocation"] is False
    assert [item["uuid"] for item in made["routers"]] == [scenario.router]
    addresses = {item["name"]: item["address"] for item in made["addresses"]}
    assert {item["name"]: item["address"] for item in status["addresses"]} == addresses
    assert list(addresses) == ["public", "spare"]
    owner = scenario.get("NetworkGateway", "edge").body["metadata"]["uid"]
    assert [label["key"] for label in made["labels"]] == ["netgw.dev/owner"]
    assert made["labels"][0]["value"].endswith(f"/{scenario.namespace}/edge/{owner}")
    assert len(scenario.cloud.writes()) == 1


def test_stopped_gateway(scenario: Scenario) -> None:
    scenario.gateway(configuredStatus="stopped")
    scenario.wait_for("NetworkGateway", "edge", Ready="Stopped", Synced="InSync")
    assert scenario.in_cloud("NetworkGateway", "edge")["configured_status"] == "stopped"
    scenario.wait("it stopped", lambda: scenario.get("NetworkGateway", "edge").status["operationalState"] == "stopped")
    assert len(scenario.cloud.writes()) == 1


def test_connection(scenario: Scenario) -> None:
    full_gateway(scenario)
    full_connection(scenario)
    scenario.wait_for("VpnConnection", "office", Ready="NoTunnels", Synced="InSync")
    made = scenario.in_cloud("VpnConnection", "office")
    assert (made["name"], made["type"]) == ("to_office", "ipsec")
    assert [item["static_network"] for item in made["local_routes"]] == ["10.0.1.0/24", "10.0.3.0/24"]
    assert [item["static_network"] for item in made["remote_routes"]] == ["10.0.2.0/24", "192.0.2.0/28"]
    scenario.wait_all_ready()
    assert len(scenario.cloud.writes()) == 2


def test_tunnel(scenario: Scenario) -> None:
    scenario.secret("keys", key="office")
    full_gateway(scenario)
    full_connection(scenario)
    scenario.tunnel(
        name="Office-1",
        localAddress={"name": "spare"},
        tunnelInternalIp="169.254.17.1",
        internalPeerPingInterval=5,
        ipsec={"authentication": {"pskSecretRef": {"name": "keys", "key": "office"}}, **LISTS, **TIMERS},
    )
    status = scenario.wait_ready("VpnTunnel", "office-1").status
    made = scenario.in_cloud("VpnTunnel", "office-1")
    assert (made["name"], made["local_address"]) == ("Office-1", {"name": "spare"})
    assert made["remote_address"] == {"address": "100.10.0.111"}
    assert (made["tunnel_internal_ip"], made["internal_peer_ping_interval"]) == ("169.254.17.1", 5)
    ipsec = {key.replace("_", "").lower(): value for key, value in made["ipsec"].items()}
    assert {field: ipsec[field.lower()] for field in (*LISTS, *TIMERS)} == LISTS | TIMERS
    gateway = scenario.get("NetworkGateway", "edge").status
    assert status["localAddress"] == gateway["addresses"][1]["address"]
    scenario.wait_all_ready()
    assert len(scenario.cloud.writes()) == 3
