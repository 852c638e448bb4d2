from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from netgw.engine.plan import Change, Interrupts, diff
from netgw.kube.kind import parse_spec
from netgw.providers.upcloud.tunnel import plan
from netgw.providers.upcloud.tunnel.model import TunnelSpec
from support.wire import TUNNEL_SPEC, sent, tunnel

KEY = "madeup_psk_for_tests_1"
AUTHENTICATION = {"authentication": "psk"}
REF = TUNNEL_SPEC["ipsec"]["authentication"]
IPSEC: dict[str, Any] = {
    "authentication": REF,
    "phase1Algorithms": ["aes256", "aes128"],
    "phase1IntegrityAlgorithms": ["sha384", "sha256"],
    "phase1DhGroupNumbers": [16, 14],
    "phase2Algorithms": ["aes256", "aes128"],
    "phase2IntegrityAlgorithms": ["sha384", "sha256"],
    "phase2DhGroupNumbers": [16, 14],
    "rekeyTime": 14400,
    "childRekeyTime": 1440,
    "ikeLifetime": 86400,
    "dpdDelay": 30,
    "dpdTimeout": 120,
}
FULL: dict[str, Any] = TUNNEL_SPEC | {
    "name": "office-1",
    "localAddress": {"name": "public"},
    "ipsec": IPSEC,
    "tunnelInternalIp": "",
    "internalPeerPingInterval": 0,
}
OTHER_WIRE: dict[str, Any] = {
    "local_address": {"name": "other"},
    "tunnel_internal_ip": "169.254.17.1",
    "internal_peer_ping_interval": 60,
    "ipsec": {"rekey_time": 1, "phase1_algorithms": ["aes192"], "phase2_dh_group_numbers": [24]},
}


def changes(spec: dict[str, Any], *, psk: str | None = None, accepted: str | None = None, **wire: Any) -> list[Change]:
    """`psk`, `accepted`: fingerprints of the key that the Secret holds, and of the one accepted last."""
    values = dict(plan.desired(parse_spec(TunnelSpec, spec), spec.get("name", "office-1")))
    if psk is not None:
        values[plan.PSK] = psk
    return list(diff(plan.FIELDS, values, plan.observed(tunnel(**wire), accepted)))


def test_equal_in_every_field() -> None:
    """Also when algorithms come in another order."""
    assert changes(FULL, psk="v1:a:b", accepted="v1:a:b") == []


def test_what_is_not_set_is_not_compared() -> None:
    assert changes(TUNNEL_SPEC, accepted="v1:a:b", **OTHER_WIRE) == []


def ipsec(**over: Any) -> dict[str, Any]:
    return {"ipsec": IPSEC | over}


DIFFERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "name": ({"name": "paris-1"}, {"name": "paris-1"}),
    "localAddress.name": ({"localAddress": {"name": "second"}}, {"local_address": {"name": "second"}}),
    "remoteAddress.address": ({"remoteAddress": {"address": "1.2.3.4"}}, {"remote_address": {"address": "1.2.3.4"}}),
    "tunnelInternalIp": ({"tunnelInternalIp": "169.254.17.1"}, {"tunnel_internal_ip": "169.254.17.1"}),
    "internalPeerPingInterval": ({"internalPeerPingInterval": 30}, {"internal_peer_ping_interval": 30}),
    "ipsec.phase1Algorithms": (ipsec(phase1Algorithms=["aes192"]), {"ipsec": {"phase1_algorithms": ["aes192"]}}),
    "ipsec.phase1IntegrityAlgorithms": (
        ipsec(phase1IntegrityAlgorithms=["sha1"]),
        {"ipsec": {"phase1_integrity_algorithms": ["sha1"]}},
    ),
    "ipsec.phase1DhGroupNumbers": (ipsec(phase1DhGroupNumbers=[24]), {"ipsec": {"phase1_dh_group_numbers": [24]}}),
    "ipsec.phase2Algorithms": (ipsec(phase2Algorithms=["aes192"]), {"ipsec": {"phase2_algorithms": ["aes192"]}}),
    "ipsec.phase2IntegrityAlgorithms": (
        ipsec(phase2IntegrityAlgorithms=["sha1"]),
        {"ipsec": {"phase2_integrity_algorithms": ["sha1"]}},
    ),
    "ipsec.phase2DhGroupNumbers": (ipsec(phase2DhGroupNumbers=[24]), {"ipsec": {"phase2_dh_group_numbers": [24]}}),
    "ipsec.rekeyTime": (ipsec(rekeyTime=0), {"ipsec": {"rekey_time": 0}}),
    "ipsec.childRekeyTime": (ipsec(childRekeyTime=0), {"ipsec": {"child_rekey_time": 0}}),
    "ipsec.ikeLifetime": (ipsec(ikeLifetime=0), {"ipsec": {"ike_lifetime": 0}}),
    "ipsec.dpdDelay": (ipsec(dpdDelay=0), {"ipsec": {"dpd_delay": 0}}),
    "ipsec.dpdTimeout": (ipsec(dpdTimeout=0), {"ipsec": {"dpd_timeout": 0}}),
}


@pytest.mark.parametrize("path", DIFFERS)
def test_differs_and_changes_in_place(path: str) -> None:
    """Just that field, and what the API demands beside it: the name as observed, `authentication`."""
    over, fields = DIFFERS[path]
    (change,) = changes(FULL | over, psk="v1:a:b", accepted="v1:a:b")
    assert (change.path, change.mutable, change.interrupts is Interrupts.NO) == (path, True, False)
    body = {"name": "office-1", **fields}
    if "ipsec" in body:
        body["ipsec"] = {"authentication": AUTHENTICATION, **fields["ipsec"]}
    assert sent(plan.modification("office-1", [change], SecretStr(KEY))) == body


def test_every_field_is_tested() -> None:
    assert {field.path for field in plan.FIELDS} == {*DIFFERS, plan.PSK}


@pytest.mark.parametrize("accepted", [None, "v1:a:other"])
def test_another_key(accepted: str | None) -> None:
    (change,) = changes(FULL, psk="v1:a:b", accepted=accepted)
    assert (change.path, change.interrupts) == (plan.PSK, Interrupts.YES)
    assert str(change) == "ipsec.authentication.psk: a new key"
    body = plan.modification("office-1", [change], SecretStr(KEY))
    assert sent(body) == {"name": "office-1", "ipsec": {"authentication": AUTHENTICATION | {"psk": KEY}}}
    assert KEY not in repr(body) + str(body) + repr(change)


def test_key_and_fields_are_one_body() -> None:
    found = changes(FULL | ipsec(dpdDelay=10) | {"name": "paris-1"}, psk="v1:a:b", accepted=None)
    assert sent(plan.modification("office-1", found, SecretStr(KEY))) == {
        "name": "paris-1",
        "ipsec": {"authentication": AUTHENTICATION | {"psk": KEY}, "dpd_delay": 10},
    }


def test_name_in_a_change_is_the_observed_one() -> None:
    """Not the spec's: another change must not rename."""
    (change,) = changes(TUNNEL_SPEC | {"remoteAddress": {"address": "1.2.3.4"}})
    body = sent(plan.modification("as-observed", [change], None))
    assert body == {"name": "as-observed", "remote_address": {"address": "1.2.3.4"}}


@pytest.mark.parametrize("told", [{}, {"tunnel_internal_ip": None, "internal_peer_ping_interval": None}])
def test_off_is_off_where_the_answer_does_not_tell(told: dict[str, Any]) -> None:
    """Older answers have neither field: setting them to nothing must not be sent again and again."""
    assert changes(FULL, **told) == []


def test_create_minimal() -> None:
    values = plan.desired(parse_spec(TunnelSpec, TUNNEL_SPEC), "office-1")
    body = plan.creation("office-1", "public", values, SecretStr(KEY))
    assert sent(body) == {
        "name": "office-1",
        "local_address": {"name": "public"},
        "remote_address": {"address": "100.10.0.111"},
        "ipsec": {"authentication": AUTHENTICATION | {"psk": KEY}},
    }
    assert KEY not in repr(body) + str(body)


def test_create_full() -> None:
    full = FULL | {"tunnelInternalIp": "169.254.17.1", "internalPeerPingInterval": 30}
    values = plan.desired(parse_spec(TunnelSpec, full), "office-1")
    assert sent(plan.creation("office-1", "public", values, SecretStr(KEY))) == {
        "name": "office-1",
        "local_address": {"name": "public"},
        "remote_address": {"address": "100.10.0.111"},
        "tunnel_internal_ip": "169.254.17.1",
        "internal_peer_ping_interval": 30,
        "ipsec": {
            "authentication": AUTHENTICATION | {"psk": KEY},
            "phase1_algorithms": ["aes256", "aes128"],
            "phase1_integrity_algorithms": ["sha384", "sha256"],
            "phase1_dh_group_numbers": [16, 14],
            "phase2_algorithms": ["aes256", "aes128"],
            "phase2_integrity_algorithms": ["sha384", "sha256"],
            "phase2_dh_group_numbers": [16, 14],
            "rekey_time": 14400,
            "child_rekey_time": 1440,
            "ike_lifetime": 86400,
            "dpd_delay": 30,
            "dpd_timeout": 120,
        },
    }
