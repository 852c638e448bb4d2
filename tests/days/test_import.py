"""Import: bound to what exists, never made. With Full it is managed from then on, and kept by default."""

from __future__ import annotations

import asyncio

import pytest

from netgw.engine.ownership import MARK
from support.days import LEGACY, Day
from support.history import OTHER_KEY
from support.legacy import FULL, PSK, adopt, adopted, drift, one, play, respec, tree, writes

ALL = ("legacy-1", "legacy-conn", "legacy")


def test_managed_from_now_on() -> None:
    """No write but the mark; no key is sent although the Secret holds another one."""

    async def story(d: Day) -> None:
        await adopted(d)
        assert writes(d) == [f"POST /1.3/gateway/{d.uuid('legacy')}/labels"]
        assert one(d).labels[MARK].startswith("test/default/legacy/")
        assert {"team": "net", "_cloud": "1"}.items() <= one(d).labels.items()
        assert d.verdict("legacy-1", "PskInSync") == ("Unknown", "NeverPushed")
        assert all(d.verdict(name) == ("True", "InSync") for name in ALL)
        assert len(d.told("Imported")) == 3
        await asyncio.sleep(900)
        await d.calm(calls=70)
        d.world.calls.clear()
        respec(d, "legacy-conn", localRoutes=[])
        await d.until(lambda: len(writes(d)) == 1, 10)
        respec(d, "legacy-1", ipsec=PSK | {"rekeyTime": 7200})
        await d.until(lambda: len(writes(d)) == 2, 10)
        respec(d, "legacy", plan="advanced", labels={"env": "prod"})
        await d.settle()
        await asyncio.sleep(60)
        assert len(writes(d)) == 4
        assert len(d.calls("PATCH")) == 3
        d.secret(OTHER_KEY)  # differs from the one that was seen at the adoption
        await d.until(lambda: d.verdict("legacy-1", "PskInSync") == ("True", "Accepted"), 60)
        assert len(writes(d)) == 5

    play(story)


def test_push_the_key_all_the_same() -> None:
    async def story(d: Day) -> None:
        await adopted(d)
        d.world.calls.clear()
        d.annotate("legacy-1", "push-psk-requested-at")
        await d.until(lambda: d.verdict("legacy-1", "PskInSync") == ("True", "Accepted"), 60)
        assert len(writes(d)) == 1

    play(story)


def test_deleted_it_is_let_go() -> None:
    """Retain is the default of an import: our mark goes, everything else stays."""

    async def story(d: Day) -> None:
        await adopted(d)
        d.world.calls.clear()
        d.delete(*ALL)
        await d.until(lambda: not d.objects(), 60)
        assert len(writes(d)) == 1
        assert one(d).labels == {"team": "net", "_cloud": "1"}
        assert len(one(d).tunnels) == 1

    play(story)


def test_deleted_it_goes_when_the_spec_says_so() -> None:
    async def story(d: Day) -> None:
        await adopted(d, deletionPolicy="Delete")
        d.world.calls.clear()
        d.delete(*ALL)
        await d.until(lambda: not d.objects(), 60)
        assert len(d.calls("DELETE")) == 3
        assert len(writes(d)) == 3
        assert not d.world.gateways

    play(story)


@pytest.mark.parametrize("policy", ["Full", "Observe"])
def test_what_is_not_there_is_waited_for(policy: str) -> None:
    """Nothing is made, for hours; bound when it appears."""

    async def story(d: Day) -> None:
        await d.start()
        adopt(d, managementPolicy=policy)
        await d.becomes("legacy", "ImportNotFound")
        d.says("legacy", "no gateway with name legacy", "Nothing is made")
        assert d.verdict("legacy-conn") == ("False", "ParentNotCreated")
        await d.calm(calls=70)
        await tree(d)
        await d.settle(120)
        assert len(writes(d)) == (policy == "Full")

    play(story)


def test_the_connection_comes_last() -> None:
    async def story(d: Day) -> None:
        made = await tree(d)
        connection = one(d).connections.pop()
        await d.start()
        adopt(d)
        await d.becomes("legacy-conn", "ImportNotFound")
        assert d.uuid("legacy") == made.gateway
        one(d).connections.append(connection)
        await d.settle(120)
        assert writes(d) == []

    play(story)


@pytest.mark.parametrize("older", ["name", "uuid"])
@pytest.mark.parametrize("policy", ["Full", "Observe"])
def test_two_that_import_the_same(older: str, policy: str) -> None:
    """The older has it, whichever is looked at first; the younger gets it when the older goes."""

    async def story(d: Day) -> None:
        made = await tree(d)
        ways = {"name": {"name": "legacy"}, "uuid": {"uuid": made.gateway}}
        spec = {"import": ways.pop(older), "managementPolicy": policy}
        d.kubernetes.apply("NetworkGateway", "legacy", spec)
        await asyncio.sleep(2)
        d.kubernetes.apply("NetworkGateway", "edge", spec | {"import": ways.popitem()[1]})
        await d.start()
        await d.until(lambda: d.ready(d.object("legacy")))
        await d.becomes("edge", "NameConflict")
        d.says("edge", "NetworkGateway default/legacy")
        await d.calm(calls=120)
        assert d.object("edge").uuid is None
        d.delete("legacy")
        await d.settle(120)
        assert d.uuid("edge") == made.gateway
        assert len(d.objects()) == 1

    play(story)


@pytest.mark.parametrize("name", ALL)
def test_vanished_it_is_not_made_again(name: str) -> None:
    async def story(d: Day) -> None:
        made = await adopted(d, recreatePolicy="Always")
        await d.ask("DELETE", made.paths[name])
        await d.becomes(name, "ExternallyDeleted")
        d.says(name, "imported", "without spec.import")
        d.world.calls.clear()
        await asyncio.sleep(900)
        await d.calm(calls=130)
        assert writes(d) == []
        for below in ALL[: ALL.index(name)]:
            assert d.verdict(below)[1] in ("ExternallyDeleted", "ParentNotCreated")
        d.delete(*ALL)
        await d.until(lambda: not d.objects(), 120)

    play(story)


def test_the_tunnel_of_a_connection_that_nobody_manages() -> None:
    """References by uuid: the parents are in the cloud alone."""

    async def story(d: Day) -> None:
        made = await tree(d)
        await d.start()
        spec = {"connectionRef": {"uuid": made.connection}, "import": {"uuid": made.tunnel}}
        d.kubernetes.apply("VpnTunnel", "legacy-1", spec)
        await d.settle(120)
        respec(d, "legacy-1", **FULL, ipsec={"dpdDelay": 20})
        await d.until(lambda: len(writes(d)) == 1, 10)
        await d.settle(120)
        assert one(d).tunnels[0].ipsec["dpd_delay"] == 20
        assert drift(d, "legacy-1") == {}

    play(story)


def test_an_import_that_names_nothing() -> None:
    """Admission refuses it; should it come through all the same, nothing is made."""

    async def story(d: Day) -> None:
        await tree(d)
        await d.start()
        for kind, name in LEGACY.items():
            parents = {
                "VpnConnection": {"gatewayRef": {"name": "edge"}},
                "VpnTunnel": {"connectionRef": {"name": "office"}},
            }
            d.kubernetes.apply(name, kind, {**parents.get(name, {}), "import": {}, **FULL})
        for name in LEGACY:
            await d.becomes(name, "InvalidSpec")
        await d.calm(calls=130)
        assert writes(d) == []

    play(story)
