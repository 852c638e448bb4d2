from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgw.providers.upcloud.advice.routes import Routes, advise, overlaps, routes
from netgw.providers.upcloud.advice.who import Who
from netgw.settings import CLUSTER_NETWORKS

ELDER = Who("VpnConnection lab", ("2026-11-22T03:00:00Z", "a"))
YOUNGER = Who("VpnConnection office", ("2026-11-22T03:00:01Z", "a"))
CLOUD_ONLY = Who("connection old (10-1)")
HARMLESS = "172.16.0.0/24"


def made(who: Who = YOUNGER, local: tuple[str, ...] = (), remote: tuple[str, ...] = ()) -> Routes:
    """Its routes are named a, b and so on."""
    named = [[f"{name} {network}" for name, network in zip("abcdefg", side, strict=False)] for side in (local, remote)]
    return routes(who, {"localRoutes": named[0], "remoteRoutes": named[1]})


@pytest.mark.parametrize(
    ("mine", "theirs", "told"),
    [
        ("10.0.2.0/24", "10.0.2.0/24", True),
        ("10.0.2.0/24", "10.0.0.0/16", True),
        ("10.0.0.0/16", "10.0.2.0/24", True),
        ("10.0.2.0/24", "10.0.2.255/32", True),
        ("10.0.2.0/24", "10.0.3.0/32", False),
        ("10.0.2.0/24", "10.0.1.255/32", False),
        ("0.0.0.0/0", "10.0.2.0/24", False),
        ("10.0.2.0/24", "0.0.0.0/0", False),
        ("0.0.0.0/1", "10.0.2.0/24", True),
    ],
)
def test_remote_routes_of_two_connections(mine: str, theirs: str, told: bool) -> None:
    sentence = (
        f"Remote route a {mine} overlaps remote route a {theirs} of VpnConnection lab: UpCloud does not say which of "
        "the two gets the traffic. Give each network to one connection; a second way to the same networks is a second "
        "tunnel of that connection."
    )
    said = advise(made(remote=(mine,)), [made(ELDER, remote=(theirs,))], ())
    assert said == ((sentence,) if told else ())


@pytest.mark.parametrize(
    ("mine", "other", "told"),
    [(YOUNGER, ELDER, True), (ELDER, YOUNGER, False), (ELDER, CLOUD_ONLY, True), (YOUNGER, CLOUD_ONLY, True)],
)
def test_who_is_told(mine: Who, other: Who, told: bool) -> None:
    assert bool(advise(made(mine, remote=(HARMLESS,)), [made(other, remote=(HARMLESS,))], ())) is told


def test_made_in_the_same_second_the_uid_decides() -> None:
    second = "2026-11-22T03:00:00Z"
    one, two = (made(Who(f"VpnConnection {uid}", (second, uid)), remote=(HARMLESS,)) for uid in "ab")
    assert advise(one, [two], ()) == ()
    assert len(advise(two, [one], ())) == 1


def test_each_other_connection_is_named_once_with_the_number_of_its_pairs() -> None:
    others = [
        made(CLOUD_ONLY, remote=("10.0.3.0/24",)),
        made(ELDER, remote=("10.0.2.0/24", "10.0.0.0/16")),
    ]
    said = advise(made(remote=("10.0.3.0/24", "10.0.2.0/24")), others, ())
    assert [sentence.partition(":")[0] for sentence in said] == [
        "Remote route b 10.0.2.0/24 overlaps remote route b 10.0.0.0/16 of VpnConnection lab (and 2 more such pairs)",
        "Remote route a 10.0.3.0/24 overlaps remote route a 10.0.3.0/24 of connection old (10-1)",
    ]
    assert advise(made(remote=("10.0.2.0/24", "10.0.3.0/24")), others[::-1], ())[1].startswith("Remote route b")


def test_local_routes_of_two_connections_may_be_the_same() -> None:
    assert advise(made(local=("10.0.1.0/24",)), [made(ELDER, local=("10.0.1.0/24",))], ()) == ()


@pytest.mark.parametrize(
    ("local", "remote", "told"),
    [
        ("10.0.1.0/24", "10.0.1.0/24", True),
        ("10.0.1.0/24", "10.0.0.0/16", True),
        ("10.0.1.0/24", "10.0.1.128/25", True),
        ("10.0.1.0/24", "10.0.2.0/24", False),
        ("10.0.1.0/24", "0.0.0.0/0", False),
    ],
)
def test_both_sides_of_a_connection(local: str, remote: str, told: bool) -> None:
    said = advise(made(local=(local,), remote=(remote,)), [], ())
    assert len(said) == int(told)
    assert not told or said[0].startswith(f"Local route a {local} overlaps remote route a {remote}: each side takes")


@pytest.mark.parametrize(
    ("network", "inside"),
    [
        ("10.96.0.0/12", "10.96.0.0/12"),
        ("10.111.255.255/32", "10.96.0.0/12"),
        ("10.112.0.0/16", None),
        ("10.95.255.0/24", None),
        ("10.244.7.0/24", "10.244.0.0/16"),
        ("10.42.0.0/15", None),
        ("192.168.1.0/24", "192.168.0.0/16"),
        ("10.0.0.0/8", None),
        ("0.0.0.0/0", None),
        ("10.0.1.0/24", None),
        ("100.64.0.0/10", None),
    ],
)
def test_networks_of_clusters(network: str, inside: str | None) -> None:
    local = advise(made(local=(network,)), [], CLUSTER_NETWORKS)
    remote = advise(made(remote=(network,)), [], CLUSTER_NETWORKS)
    usual = f"in {inside}, a usual network of a cluster's pods or services (a {network}): "
    assert (len(local), len(remote)) == ((0, 0) if inside is None else (1, 1))
    assert inside is None or local[0].startswith(f"Local routes {usual}such addresses exist inside the cluster only")
    assert inside is None or remote[0].startswith(f"Remote routes {usual}a cluster that has it keeps the traffic")
    assert advise(made(local=(network,), remote=()), [], ()) == ()


def test_a_network_of_clusters_is_one_sentence_and_a_route_is_named_once() -> None:
    clusters = (IPv4Network("10.0.0.0/8"), IPv4Network("10.96.0.0/12"))
    said = advise(made(remote=tuple(f"10.96.{i}.0/24" for i in range(5))), [], clusters)
    assert len(said) == 1
    assert "(a 10.96.0.0/24, b 10.96.1.0/24, c 10.96.2.0/24 and 2 more)" in said[0]


@pytest.mark.parametrize("values", [{}, {"localRoutes": None}, {"localRoutes": []}, {"localRoutes": ["a x", "a", ""]}])
def test_what_is_no_network_is_left_out(values: dict[str, Any]) -> None:
    assert routes(YOUNGER, values) == Routes(YOUNGER)


def test_host_bits_and_other_types_of_routes_are_read() -> None:
    assert routes(YOUNGER, {"localRoutes": ["a 10.0.1.7/24 dynamic"]}) == made(local=("10.0.1.0/24",))


# ---- whatever the networks are

NETWORKS = st.builds(
    lambda address, length: str(IPv4Network((address << 22, length), strict=False)),
    st.integers(0, 2**10 - 1),
    st.integers(0, 32),
)
SIDES = st.lists(NETWORKS, max_size=4).map(tuple)
AGES = st.tuples(st.sampled_from(["2026-11-22T03:00:00Z", "2026-11-22T03:00:01Z"]), st.sampled_from("abc"))


@given(SIDES, SIDES)
def test_overlap_is_symmetric_and_what_ipaddress_says(mine: tuple[str, ...], theirs: tuple[str, ...]) -> None:
    one, two = made(remote=mine).remote, made(remote=theirs).remote
    pairs = overlaps(one, two)
    assert sorted(map(str, pairs)) == sorted(str((b, a)[::-1]) for b, a in overlaps(two, one))
    anywhere = IPv4Network("0.0.0.0/0")
    expected = {(a, b) for a in one for b in two if a.network.overlaps(b.network)}
    assert set(pairs) == {(a, b) for a, b in expected if anywhere not in (a.network, b.network)}


@given(SIDES, SIDES, AGES, AGES)
def test_exactly_one_of_two_is_told(
    mine: tuple[str, ...], theirs: tuple[str, ...], age: tuple[str, str], other_age: tuple[str, str]
) -> None:
    if age == other_age:  # a uid is unique
        return
    one, two = made(Who("one", age), remote=mine), made(Who("two", other_age), remote=theirs)
    told = [bool(advise(one, [two], ())), bool(advise(two, [one], ()))]
    assert told.count(True) == int(bool(overlaps(one.remote, two.remote)))


@given(SIDES, SIDES, st.randoms(use_true_random=False))
def test_order_means_nothing(mine: tuple[str, ...], theirs: tuple[str, ...], rng: Any) -> None:
    others = [made(ELDER, remote=theirs), made(CLOUD_ONLY, remote=mine)]
    said = advise(made(local=theirs, remote=mine), others, CLUSTER_NETWORKS)
    texts = {"localRoutes": [f"{n} {x}" for n, x in zip("abcd", theirs, strict=False)]}
    texts["remoteRoutes"] = [f"{n} {x}" for n, x in zip("abcd", mine, strict=False)]
    for side in texts.values():
        rng.shuffle(side)
    rng.shuffle(others)
    assert advise(routes(YOUNGER, texts), others, CLUSTER_NETWORKS) == said
