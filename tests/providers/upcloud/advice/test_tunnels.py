from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgw.engine.outcome import Stalled
from netgw.providers.upcloud.advice.tunnels import Ends, Parent, advise, ends, internal_ip_hold
from netgw.providers.upcloud.advice.who import Who

ELDER = Who("VpnTunnel lab-1", ("2026-11-22T03:00:00Z", "a"))
YOUNGER = Who("VpnTunnel office-1", ("2026-11-22T03:00:01Z", "a"))
CLOUD_ONLY = Who("tunnel old (10-1)")
BY_HAND = Parent("NetworkGateway edge", automatic=False)
ITSELF = Parent("NetworkGateway edge", automatic=True)
UNSEEN = Parent("its gateway")
ME = Ends(YOUNGER)


def made(who: Who = YOUNGER, local: str = "public", remote: str = "100.10.0.111", inside: str = "") -> Ends:
    values = {"localAddress.name": local, "remoteAddress.address": remote, "tunnelInternalIp": inside}
    return ends(who, values)


def said(values: dict[str, Any], gateway: Parent = ITSELF) -> tuple[str, ...]:
    return advise(ME, values, [], gateway)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (made(ELDER), True),
        (made(CLOUD_ONLY), True),
        (made(ELDER, local="second"), False),
        (made(ELDER, remote="100.10.0.112"), False),
        (ends(ELDER, {}), False),
        (ends(ELDER, {"remoteAddress.address": "100.10.0.111"}), False),
        (ends(ELDER, {"remoteAddress.address": "100.10.0.111"}, "public"), True),
    ],
)
def test_the_same_pair_of_addresses(other: Ends, told: bool) -> None:
    sentence = (
        f"{other.who.called} joins the same two addresses, public and 100.10.0.111: a peer is known by its address, so "
        "the two may take each other's traffic, or one of them stays down. Give this tunnel another localAddress or "
        "remoteAddress, or delete one of the two."
    )
    assert advise(made(), {}, [other], ITSELF) == ((sentence,) if told else ())


def test_addresses_that_are_not_known_are_not_the_same() -> None:
    assert advise(ends(YOUNGER, {}), {}, [ends(ELDER, {})], ITSELF) == ()


@pytest.mark.parametrize(
    ("mine", "theirs", "told"),
    [
        ("169.254.17.1", "169.254.17.1", True),
        ("169.254.17.1", "169.254.17.2", True),
        ("169.254.17.1", "169.254.17.5", False),
        ("169.254.17.6", "169.254.17.5", True),
        ("", "", False),
        ("169.254.17.1", "", False),
        ("odd", "odd", False),
    ],
)
def test_an_internal_network_used_twice(mine: str, theirs: str, told: bool) -> None:
    one, two = made(inside=mine), made(ELDER, "second", inside=theirs)
    told_on_me = advise(one, {}, [two], BY_HAND)
    assert len(told_on_me) == int(told)
    assert not told or told_on_me[0].startswith(f"VpnTunnel lab-1 has its tunnelInternalIp in {one.inside} as well: ")
    assert advise(two, {}, [one], BY_HAND) == ()


def test_everything_at_once_in_one_order() -> None:
    values = {
        "ipsec.phase1IntegrityAlgorithms": ["sha1"],
        "ipsec.dpdDelay": 30,
        "ipsec.dpdTimeout": 30,
        "ipsec.rekeyTime": 1,
        "ipsec.ikeLifetime": 1,
        "internalPeerPingInterval": 5,
    }
    others = [made(CLOUD_ONLY, inside="169.254.17.1"), made(ELDER, inside="169.254.17.2")]
    told = advise(made(inside="169.254.17.1"), values, others, BY_HAND)
    assert [sentence.split()[:3] for sentence in told] == [
        ["VpnTunnel", "lab-1", "joins"],
        ["tunnel", "old", "(10-1)"],
        ["VpnTunnel", "lab-1", "has"],
        ["tunnel", "old", "(10-1)"],
        ["ipsec.phase1IntegrityAlgorithms", "has", "sha1:"],
        ["ipsec.dpdTimeout", "(30", "s)"],
        ["ipsec.rekeyTime", "(1", "s)"],
        ["internalPeerPingInterval", "is", "5"],
    ]
    assert advise(made(inside="169.254.17.1"), values, others[::-1], BY_HAND) == told


@pytest.mark.parametrize(
    ("values", "begin"),
    [
        ({"ipsec.phase1IntegrityAlgorithms": ["sha256", "sha1"]}, ["ipsec.phase1IntegrityAlgorithms has sha1: "]),
        ({"ipsec.phase2IntegrityAlgorithms": ("sha1",)}, ["ipsec.phase2IntegrityAlgorithms has sha1: "]),
        ({"ipsec.phase1IntegrityAlgorithms": ["sha256"]}, []),
        ({"ipsec.phase1IntegrityAlgorithms": ["sha512"], "ipsec.phase2IntegrityAlgorithms": None}, []),
        ({"ipsec.phase1DhGroupNumbers": [2]}, ["ipsec.phase1DhGroupNumbers has 2: "]),
        ({"ipsec.phase1DhGroupNumbers": [14, 5]}, ["ipsec.phase1DhGroupNumbers has 5: "]),
        ({"ipsec.phase2DhGroupNumbers": [5, 14, 2]}, ["ipsec.phase2DhGroupNumbers has 2 and 5: "]),
        ({"ipsec.phase1DhGroupNumbers": [14], "ipsec.phase2DhGroupNumbers": [15, 20, 21, 24]}, []),
    ],
)
def test_weak_algorithms(values: dict[str, Any], begin: list[str]) -> None:
    assert [sentence[: len(words)] for sentence, words in zip(said(values), begin, strict=True)] == begin


@pytest.mark.parametrize(
    ("delay", "timeout", "told"),
    [
        (30, 120, False),
        (30, 31, False),
        (30, 30, True),
        (30, 29, True),
        (30, 0, True),
        (0, 0, False),
        (0, 120, False),
        (30, None, False),
        (None, 120, False),
    ],
)
def test_dead_peer_detection(delay: int | None, timeout: int | None, told: bool) -> None:
    sentences = said({"ipsec.dpdDelay": delay, "ipsec.dpdTimeout": timeout})
    words = f"ipsec.dpdTimeout ({timeout} s) is not longer than ipsec.dpdDelay ({delay} s): "
    assert [sentence[: len(words)] for sentence in sentences] == ([words] if told else [])


@pytest.mark.parametrize(
    ("rekey", "lifetime", "told"),
    [
        (14400, 86400, False),
        (86399, 86400, False),
        (86400, 86400, True),
        (86401, 86400, True),
        (0, 86400, False),
        (14400, 0, False),
        (0, 0, False),
        (14400, None, False),
        (None, 1, False),
    ],
)
def test_rekeying(rekey: int | None, lifetime: int | None, told: bool) -> None:
    sentences = said({"ipsec.rekeyTime": rekey, "ipsec.ikeLifetime": lifetime})
    words = f"ipsec.rekeyTime ({rekey} s) is not shorter than ipsec.ikeLifetime ({lifetime} s): "
    assert [sentence[: len(words)] for sentence in sentences] == ([words] if told else [])


@pytest.mark.parametrize(
    ("interval", "address", "gateway", "told"),
    [
        (5, "", BY_HAND, True),
        (5, None, BY_HAND, True),
        (0, "", BY_HAND, False),
        (None, "", BY_HAND, False),
        (5, "169.254.17.1", BY_HAND, False),
        (5, "", ITSELF, False),
        (5, "", UNSEEN, False),
    ],
)
def test_pings_without_an_address(interval: int | None, address: str | None, gateway: Parent, told: bool) -> None:
    sentences = said({"internalPeerPingInterval": interval, "tunnelInternalIp": address}, gateway)
    words = "internalPeerPingInterval is 5 s, but the tunnel has no internal address and NetworkGateway edge gives none"
    assert [sentence[: len(words)] for sentence in sentences] == ([words] if told else [])


@pytest.mark.parametrize(
    ("wanted", "observed", "gateway", "held"),
    [
        ("169.254.17.1", None, ITSELF, True),
        ("169.254.17.1", "", ITSELF, True),
        ("169.254.17.1", "169.254.17.5", ITSELF, True),
        ("169.254.17.1", "", UNSEEN, True),
        ("169.254.17.1", "", BY_HAND, False),
        ("169.254.17.1", "169.254.17.1", ITSELF, False),
        ("", "169.254.17.1", ITSELF, False),
        ("", None, ITSELF, False),
        (None, "169.254.17.1", ITSELF, False),
    ],
)
def test_an_internal_address_that_upcloud_gives_itself(
    wanted: str | None, observed: str | None, gateway: Parent, held: bool
) -> None:
    hold = internal_ip_hold(wanted, observed, gateway)
    assert (hold is not None) is held
    if hold is not None:
        assert (type(hold), hold.reason) == (Stalled, "Rejected")
        assert f"tunnelInternalIp {wanted} is not sent: {gateway.called} gives its tunnels" in hold.message
        assert f"Set automaticTunnelInternalIpAllocation: false on {gateway.called}, or take" in hold.message


AGES = st.tuples(st.sampled_from(["2026-11-22T03:00:00Z", "2026-11-22T03:00:01Z"]), st.sampled_from("abc"))
LOCALS = st.sampled_from(["public", "second", None])
REMOTES = st.sampled_from(["100.10.0.111", "100.10.0.112", None])
INSIDES = st.sampled_from(["169.254.17.1", "169.254.17.2", "169.254.17.5", "", None])
PLACES = st.fixed_dictionaries(
    {"localAddress.name": LOCALS, "remoteAddress.address": REMOTES, "tunnelInternalIp": INSIDES}
)


@given(PLACES, PLACES, AGES, AGES)
def test_exactly_one_of_two_is_told(
    mine: dict[str, Any], theirs: dict[str, Any], age: tuple[str, str], other_age: tuple[str, str]
) -> None:
    if age == other_age:  # a uid is unique
        return
    one, two = ends(Who("one", age), mine), ends(Who("two", other_age), theirs)
    told = [len(advise(one, {}, [two], BY_HAND)), len(advise(two, {}, [one], BY_HAND))]
    pair = one.local is not None and one.remote is not None and (one.local, one.remote) == (two.local, two.remote)
    assert sorted(told) == [0, int(pair) + int(one.inside is not None and one.inside == two.inside)]
    assert told[0] == 0 or age > other_age
