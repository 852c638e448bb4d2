"""Which manifests the API server refuses and accepts, and with which words: every rule of the three kinds."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from support.admission import CONNECTION, GATEWAY, TUNNEL, UUID, ipsec, merge, peer, post, routes, says, secret, spec
from support.cluster import Cluster

NAME = "should match '^[a-zA-Z0-9_-]{1,64}$'"
UNSPECIFIED = "0.0.0.0"  # noqa: S104 (nothing listens here)
ONE_OF = "give exactly one of name and uuid"
REQUIRED = "Required value"
NO_SECRET = "spec.ipsec: Required value: ipsec.authentication.pskSecretRef is required, unless spec.import names"
PUBLIC = "spec.remoteAddress.address: Invalid value: … give the peer's public IPv4 address, such as"
INSIDE = "spec.tunnelInternalIp: Invalid value: … give the second or third address of a /30 in 169.254.0.0/16, such as"
NETWORK = "spec.localRoutes[0].staticNetwork: Invalid value: … give an IPv4 network with its length, such as"
ANNOUNCED = "pskGeneration.announce: Invalid value: … announce needs a rotateAfter that is longer"
HOST_BITS = "spec.localRoutes[0].staticNetwork: Invalid value: … host bits are set: give the first address"


def generation(**fields: str) -> dict[str, Any]:
    return ipsec(authentication={"pskGeneration": fields})


REFUSED: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    # every kind: names
    (
        "gateway name with a dot",
        GATEWAY,
        {"metadata": {"name": "edge.office"}},
        "metadata.name cannot be the name in UpCloud",
    ),
    (
        "connection name with a dot",
        CONNECTION,
        {"metadata": {"name": "a.b"}},
        "spec.name: Required value: metadata.name cannot",
    ),
    ("tunnel name with a dot", TUNNEL, {"metadata": {"name": "a.b"}}, "set spec.name"),
    ("name of 65", GATEWAY, {"metadata": {"name": "n" * 65}}, "set spec.name"),
    ("metadata.name of 129", GATEWAY, {"metadata": {"name": "n" * 129}} | spec(name="edge"), "not be longer than 128"),
    (
        "cloud name with a space",
        GATEWAY,
        spec(name="edge 1"),
        f'spec.name: Invalid value: "edge 1": spec.name in body {NAME}',
    ),
    ("cloud name empty", CONNECTION, spec(name=""), NAME),
    ("cloud name of 65", TUNNEL, spec(name="n" * 65), "spec.name: Too long: may not be more than 64"),
    ("no spec", GATEWAY, {"spec": None}, f"spec: {REQUIRED}"),
    ("unknown field", GATEWAY, spec(interval="5m"), 'unknown field "spec.interval"'),
    # gateway
    ("no zone", GATEWAY, spec(zone=None), f"spec.zone: {REQUIRED}"),
    ("zone", GATEWAY, spec(zone="hel1"), "spec.zone in body should match '^[a-z]{2}-[a-z]{3}[0-9]$'"),
    ("no plan", GATEWAY, spec(plan=None), f"spec.plan: {REQUIRED}"),
    ("empty plan", GATEWAY, spec(plan=""), "spec.plan in body should be at least 1 chars long"),
    ("no features", GATEWAY, spec(features=None), f"spec.features: {REQUIRED}"),
    ("empty features", GATEWAY, spec(features=[]), "spec.features in body should have at least 1 items"),
    ("unknown feature", GATEWAY, spec(features=["dns"]), 'Unsupported value: "dns": supported values: "nat", "vpn"'),
    ("feature twice", GATEWAY, spec(features=["vpn", "vpn"]), 'spec.features[1]: Duplicate value: "vpn"'),
    ("no router", GATEWAY, spec(routerRef=None), f"spec.routerRef: {REQUIRED}"),
    ("router by nothing", GATEWAY, spec(routerRef={"uuid": None}), f"spec.routerRef: Invalid value: {ONE_OF}"),
    ("router uuid", GATEWAY, spec(routerRef={"uuid": UUID.upper()}), "spec.routerRef.uuid in body should match"),
    ("no address", GATEWAY, spec(addresses=[]), "spec.addresses in body should have at least 1 items"),
    (
        "three addresses",
        GATEWAY,
        spec(addresses=[{"name": n} for n in "abc"]),
        "spec.addresses: Too many: 3: must have at most 2",
    ),
    ("address twice", GATEWAY, spec(addresses=[{"name": "a"}, {"name": "a"}]), "spec.addresses[1]: Duplicate value"),
    ("address without name", GATEWAY, spec(addresses=[{}]), f"spec.addresses[0].name: {REQUIRED}"),
    ("address name", GATEWAY, spec(addresses=[{"name": "a.b"}]), NAME),
    ("configured status", GATEWAY, spec(configuredStatus="paused"), 'supported values: "started", "stopped"'),
    ("allocation no boolean", GATEWAY, spec(automaticTunnelInternalIpAllocation="yes"), "must be of type boolean"),
    # connection
    ("no gateway", CONNECTION, spec(gatewayRef=None), f"spec.gatewayRef: {REQUIRED}"),
    ("gateway by nothing", CONNECTION, spec(gatewayRef={"name": None}), f"spec.gatewayRef: Invalid value: {ONE_OF}"),
    ("gateway by both", CONNECTION, spec(gatewayRef={"uuid": UUID}), f"spec.gatewayRef: Invalid value: {ONE_OF}"),
    ("gateway name", CONNECTION, spec(gatewayRef={"name": "Edge"}), "spec.gatewayRef.name in body should match"),
    (
        "gateway uuid",
        CONNECTION,
        spec(gatewayRef={"name": None, "uuid": "edge"}),
        "spec.gatewayRef.uuid in body should match",
    ),
    ("type", CONNECTION, spec(type="gre"), 'Unsupported value: "gre": supported values: "ipsec"'),
    ("no route", CONNECTION, spec(localRoutes=None, remoteRoutes=None), "spec: Invalid value: give at least one route"),
    (
        "empty lists",
        CONNECTION,
        spec(localRoutes=[], remoteRoutes=[]),
        "give at least one route, in localRoutes or in remoteRoutes",
    ),
    (
        "too many routes",
        CONNECTION,
        routes(*["10.0.0.0/24"] * 101),
        "spec.localRoutes: Too many: 101: must have at most 100",
    ),
    (
        "route without name",
        CONNECTION,
        spec(localRoutes=[{"staticNetwork": "10.0.1.0/24"}]),
        f"spec.localRoutes[0].name: {REQUIRED}",
    ),
    (
        "route without network",
        CONNECTION,
        spec(remoteRoutes=[{"name": "a"}]),
        f"spec.remoteRoutes[0].staticNetwork: {REQUIRED}",
    ),
    ("route name", CONNECTION, spec(remoteRoutes=[{"name": "a b", "staticNetwork": "10.0.1.0/24"}]), NAME),
    (
        "route name twice",
        CONNECTION,
        spec(localRoutes=[{"name": "a", "staticNetwork": "10.0.1.0/24"}] * 2),
        "Duplicate value",
    ),
    (
        "route type",
        CONNECTION,
        spec(localRoutes=[{"name": "a", "staticNetwork": "10.0.1.0/24", "type": "bgp"}]),
        '"static"',
    ),
    ("no network", CONNECTION, routes("office"), NETWORK),
    ("address without length", CONNECTION, routes("10.0.1.0"), NETWORK),
    ("IPv6 network", CONNECTION, routes("2001:db8::/32"), NETWORK),
    ("length of 33", CONNECTION, routes("10.0.1.0/33"), NETWORK),
    ("host bits", CONNECTION, routes("10.0.1.7/24"), HOST_BITS),
    ("long network", CONNECTION, routes("10.0.1.0/24" + " " * 9), "Too long: may not be more than 18"),
    # tunnel
    ("no connection", TUNNEL, spec(connectionRef=None), f"spec.connectionRef: {REQUIRED}"),
    (
        "connection by nothing",
        TUNNEL,
        spec(connectionRef={"name": None}),
        f"spec.connectionRef: Invalid value: {ONE_OF}",
    ),
    ("connection by both", TUNNEL, spec(connectionRef={"uuid": UUID}), f"spec.connectionRef: Invalid value: {ONE_OF}"),
    ("local address without name", TUNNEL, spec(localAddress={}), f"spec.localAddress.name: {REQUIRED}"),
    ("local address", TUNNEL, spec(localAddress={"name": "5.22.223.254"}), NAME),
    ("no peer", TUNNEL, spec(remoteAddress=None), f"spec.remoteAddress: {REQUIRED}"),
    ("peer without address", TUNNEL, spec(remoteAddress={"address": None}), f"spec.remoteAddress.address: {REQUIRED}"),
    ("peer by host name", TUNNEL, peer("vpn.example.org"), PUBLIC),
    ("peer with leading zeros", TUNNEL, peer("100.010.0.111"), PUBLIC),
    ("peer by IPv6", TUNNEL, peer("2001:db8::1"), PUBLIC),
    ("peer 10/8", TUNNEL, peer("10.0.0.1"), PUBLIC),
    ("peer 172.16/12", TUNNEL, peer("172.31.255.254"), PUBLIC),
    ("peer 192.168/16", TUNNEL, peer("192.168.1.1"), PUBLIC),
    ("peer loopback", TUNNEL, peer("127.0.0.1"), PUBLIC),
    ("peer link-local", TUNNEL, peer("169.254.17.1"), PUBLIC),
    ("peer multicast", TUNNEL, peer("224.0.0.1"), PUBLIC),
    ("peer unspecified", TUNNEL, peer(UNSPECIFIED), PUBLIC),
    ("peer 0/8", TUNNEL, peer("0.1.2.3"), PUBLIC),
    ("peer 240/4", TUNNEL, peer("240.0.0.1"), PUBLIC),
    ("peer broadcast", TUNNEL, peer("255.255.255.255"), PUBLIC),
    ("no ipsec", TUNNEL, spec(ipsec=None), f"spec.ipsec: {REQUIRED}"),
    ("no authentication", TUNNEL, ipsec(authentication=None), NO_SECRET),
    ("no Secret", TUNNEL, ipsec(authentication={"pskSecretRef": None}), NO_SECRET),
    ("Secret without name", TUNNEL, secret(name=None), f"spec.ipsec.authentication.pskSecretRef.name: {REQUIRED}"),
    ("Secret name", TUNNEL, secret(name="Office"), "spec.ipsec.authentication.pskSecretRef.name in body should match"),
    ("Secret key", TUNNEL, secret(key="a/b"), "spec.ipsec.authentication.pskSecretRef.key in body should match"),
    ("term without unit", TUNNEL, generation(rotateAfter="720"), "pskGeneration.rotateAfter in body should match"),
    ("empty term", TUNNEL, generation(rotateAfter=""), "rotateAfter in body should be at least 2 chars long"),
    ("short term", TUNNEL, generation(rotateAfter="23h59m"), "rotateAfter: Invalid value: … give at least 24h"),
    ("announced too early", TUNNEL, generation(rotateAfter="48h", announce="48h"), ANNOUNCED),
    ("announced without term", TUNNEL, generation(announce="1h"), ANNOUNCED),
    (
        "a key in the spec",
        TUNNEL,
        ipsec(authentication={"psk": "madeup_psk_for_tests_1"}),
        'unknown field "spec.ipsec.authentication.psk"',
    ),
    (
        "no algorithm",
        TUNNEL,
        ipsec(phase1Algorithms=[]),
        "spec.ipsec.phase1Algorithms in body should have at least 1 items",
    ),
    (
        "algorithm",
        TUNNEL,
        ipsec(phase2Algorithms=["3des"]),
        'spec.ipsec.phase2Algorithms[0]: Unsupported value: "3des"',
    ),
    (
        "algorithm twice",
        TUNNEL,
        ipsec(phase1Algorithms=["aes128"] * 2),
        "spec.ipsec.phase1Algorithms[1]: Duplicate value",
    ),
    ("integrity", TUNNEL, ipsec(phase1IntegrityAlgorithms=["md5"]), 'Unsupported value: "md5"'),
    ("no integrity", TUNNEL, ipsec(phase2IntegrityAlgorithms=[]), "should have at least 1 items"),
    ("group", TUNNEL, ipsec(phase2DhGroupNumbers=[1]), "spec.ipsec.phase2DhGroupNumbers[0]: Unsupported value: 1"),
    ("no group", TUNNEL, ipsec(phase1DhGroupNumbers=[]), "should have at least 1 items"),
    ("time below 0", TUNNEL, ipsec(rekeyTime=-1), "spec.ipsec.rekeyTime in body should be greater than or equal to 0"),
    (
        "time above the most",
        TUNNEL,
        ipsec(dpdDelay=2**31),
        "spec.ipsec.dpdDelay in body should be less than or equal to 2147483647",
    ),
    ("time with unit", TUNNEL, ipsec(ikeLifetime="24h"), "spec.ipsec.ikeLifetime: Invalid value"),
    ("inside: no address", TUNNEL, spec(tunnelInternalIp="auto"), INSIDE),
    ("inside: other network", TUNNEL, spec(tunnelInternalIp="10.0.0.1"), INSIDE),
    ("inside: first of its /30", TUNNEL, spec(tunnelInternalIp="169.254.17.0"), INSIDE),
    ("inside: fourth of its /30", TUNNEL, spec(tunnelInternalIp="169.254.17.7"), INSIDE),
    ("inside: with length", TUNNEL, spec(tunnelInternalIp="169.254.17.1/30"), INSIDE),
    ("inside: IPv6", TUNNEL, spec(tunnelInternalIp="fe80::1"), INSIDE),
    ("ping of 4", TUNNEL, spec(internalPeerPingInterval=4), "give 0 (no pings) or at least 5 seconds"),
    ("ping below 0", TUNNEL, spec(internalPeerPingInterval=-1), "should be greater than or equal to 0"),
]

ACCEPTED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("gateway", GATEWAY, {}),
    ("connection", CONNECTION, {}),
    ("tunnel", TUNNEL, {}),
    ("name with a dot and a cloud name", GATEWAY, {"metadata": {"name": "edge.office"}} | spec(name="Edge_office-1")),
    ("metadata.name of 128", TUNNEL, {"metadata": {"name": "n" * 128}} | spec(name="n" * 64)),
    ("name of 64", GATEWAY, {"metadata": {"name": "n" * 64}}),
    ("both features", GATEWAY, spec(features=["vpn", "nat"])),
    ("a plan of tomorrow", GATEWAY, spec(plan="development-gwaas-1c2g")),
    ("addresses unset", GATEWAY, spec(addresses=None)),
    ("two addresses", GATEWAY, spec(addresses=[{"name": "a"}, {"name": "b"}])),
    ("stopped, no allocation", GATEWAY, spec(configuredStatus="stopped", automaticTunnelInternalIpAllocation=False)),
    ("gateway by uuid", CONNECTION, spec(gatewayRef={"name": None, "uuid": UUID})),
    ("ipsec", CONNECTION, spec(type="ipsec")),
    ("only local routes", CONNECTION, spec(remoteRoutes=None)),
    ("only remote routes", CONNECTION, spec(localRoutes=[])),
    ("public and default networks", CONNECTION, routes("222.123.123.0/24", "0.0.0.0/0", "10.0.0.7/32")),
    ("as many routes as may be", CONNECTION, routes(*["10.0.0.0/24"] * 100)),
    ("connection by uuid", TUNNEL, spec(connectionRef={"name": None, "uuid": UUID})),
    ("peer in 100.64/10", TUNNEL, peer("100.123.123.10")),
    ("peer next to private", TUNNEL, peer("172.32.0.1")),
    ("inside: second of its /30", TUNNEL, spec(tunnelInternalIp="169.254.17.1")),
    ("inside: third of its /30", TUNNEL, spec(tunnelInternalIp="169.254.17.254")),
    ("inside: taken away", TUNNEL, spec(tunnelInternalIp="")),
    ("no pings", TUNNEL, spec(internalPeerPingInterval=0)),
    ("ping of 5", TUNNEL, spec(internalPeerPingInterval=5)),
    ("local address and key", TUNNEL, merge(spec(localAddress={"name": "public"}), secret(key="edge.1"))),
    (
        "every algorithm",
        TUNNEL,
        ipsec(
            phase1Algorithms=[
                "aes128gcm16",
                "aes128gcm128",
                "aes192gcm16",
                "aes192gcm128",
                "aes256gcm16",
                "aes256gcm128",
                "aes128",
                "aes192",
                "aes256",
            ],
            phase2IntegrityAlgorithms=["aes128gmac", "aes256gmac", "sha1", "sha256", "sha384", "sha512"],
            phase1DhGroupNumbers=[2, 5, 14, 15, 16, 18, 19, 20, 21, 24],
        ),
    ),
    ("key to be made", TUNNEL, generation()),
    ("key to be rotated", TUNNEL, generation(rotateAfter="720h", announce="24h")),
    ("term in parts", TUNNEL, generation(rotateAfter="24h0m1s", announce="0s")),
    ("every time", TUNNEL, ipsec(rekeyTime=0, childRekeyTime=1, ikeLifetime=2**31 - 1, dpdDelay=0, dpdTimeout=0)),
]


@pytest.mark.parametrize(("base", "patch", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(cluster: Cluster, namespace: str, base: dict[str, Any], patch: dict[str, Any], words: str) -> None:
    response = post(cluster, namespace, merge(base, patch), dry=True)
    assert response.is_client_error, response.text
    assert says(response, words), response.text


@pytest.mark.parametrize(("base", "patch"), [row[1:] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
def test_accepted(cluster: Cluster, namespace: str, base: dict[str, Any], patch: dict[str, Any]) -> None:
    response = post(cluster, namespace, merge(base, patch), dry=True)
    assert response.status_code == httpx.codes.CREATED, response.text
    assert "Warning" not in response.headers


def test_nothing_is_filled_in(cluster: Cluster, namespace: str) -> None:
    for manifest in (GATEWAY, CONNECTION, TUNNEL):
        assert post(cluster, namespace, manifest, dry=True).json()["spec"] == manifest["spec"]
