"""Plans, zones and the values that the API fills in. Recorded 2024-06-04 unless a line says otherwise."""

from __future__ import annotations

from typing import Any, Final, Literal, get_args

Feature = Literal["nat", "vpn"]
Algorithm = Literal[
    "aes128gcm16",
    "aes128gcm128",
    "aes192gcm16",
    "aes192gcm128",
    "aes256gcm16",
    "aes256gcm128",
    "aes128",
    "aes192",
    "aes256",
]
Integrity = Literal["aes128gmac", "aes256gmac", "sha1", "sha256", "sha384", "sha512"]
DhGroup = Literal[2, 5, 14, 15, 16, 18, 19, 20, 21, 24]

DEFAULT_ACCOUNT: Final = "simulator"
DEFAULT_ADDRESS_NAME: Final = "public-ip-1"


def _plan(name: str, *, servers: int, mbps: int, connections: int, vpn_mbps: int, tunnels: int) -> dict[str, Any]:
    return {
        "name": name,
        "per_gateway_bandwidth_mbps": mbps,
        "per_gateway_max_connections": connections,
        "per_gateway_maximum_vpn_bandwidth_mbps": vpn_mbps,
        "server_number": servers,
        "supported_features": list(get_args(Feature)) if tunnels else ["nat"],
        "vpn_tunnel_amount": tunnels,
    }


PLANS: Final[dict[str, dict[str, Any]]] = {
    plan["name"]: plan
    for plan in (
        _plan("advanced", servers=2, mbps=1000, connections=250000, vpn_mbps=500, tunnels=10),
        _plan("development", servers=1, mbps=500, connections=10000, vpn_mbps=0, tunnels=0),
        _plan("production", servers=2, mbps=1000, connections=100000, vpn_mbps=300, tunnels=2),
        _plan("standard", servers=2, mbps=500, connections=100000, vpn_mbps=0, tunnels=0),
    )
}
DEFAULT_PLAN: Final = "development"  # only where a plan is not required; API document: "only supports NAT"

ZONES: Final[dict[str, str]] = {
    "au-syd1": "Sydney #1",
    "de-fra1": "Frankfurt #1",
    "dk-cph1": "Copenhagen #1",
    "es-mad1": "Madrid #1",
    "fi-hel1": "Helsinki #1",
    "fi-hel2": "Helsinki #2",
    "nl-ams1": "Amsterdam #1",
    "no-svg1": "Stavanger #1",
    "pl-waw1": "Warsaw #1",
    "se-sto1": "Stockholm #1",
    "sg-sin1": "Singapore #1",
    "uk-lon1": "London #1",
    "us-chi1": "Chicago #1",
    "us-nyc1": "New York #1",
    "us-sjo1": "San Jose #1",
}

_ALGORITHMS = ["aes128", "aes256", "aes128gcm128", "aes256gcm128"]
_INTEGRITY = ["sha256", "sha384", "sha512"]
_DH_GROUPS = [14, 16, 18, 19, 20, 21]

PROPOSALS: Final = (
    "phase1_algorithms",
    "phase1_dh_group_numbers",
    "phase1_integrity_algorithms",
    "phase2_algorithms",
    "phase2_dh_group_numbers",
    "phase2_integrity_algorithms",
)
IPSEC: Final[dict[str, Any]] = {
    "child_rekey_time": 1440,
    "dpd_delay": 30,
    "dpd_timeout": 120,
    "ike_lifetime": 86400,
    "phase1_algorithms": _ALGORITHMS,
    "phase1_dh_group_numbers": _DH_GROUPS,
    "phase1_integrity_algorithms": _INTEGRITY,
    "phase2_algorithms": _ALGORITHMS,
    "phase2_dh_group_numbers": _DH_GROUPS,
    "phase2_integrity_algorithms": _INTEGRITY,
    "rekey_time": 14400,
}

# That a gateway adds one is documented, what is in it is not.
SERVICE_ROUTE: Final = {"route": "0.0.0.0/0", "nexthop": "100.127.0.241"}

ACCOUNT_LIMITS: Final = {  # OpenAPI preview, example of GET /account
    "network_gateways": 20,
    "network_gateways_essentials": 20,
    "networks": 100,
    "public_ipv4": 64,
    "routers": 20,
}
