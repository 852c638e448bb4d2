"""No room for it: no feature vpn, a plan that is full or becomes too small, an address that is not there."""

from __future__ import annotations

import asyncio

from support.days import HOUR, Day, day

TWO = [{"name": "public"}, {"name": "second"}]


def test_gateway_without_vpn() -> None:
    """Judged without a call; goes on as soon as the feature is there."""

    async def story(d: Day) -> None:
        await d.start()
        d.gateway(features=["nat"])
        d.connection()
        d.tunnel()
        d.secret()
        await d.becomes("office", "FeatureMissing")
        d.says("office", "NetworkGateway edge", "Add vpn to its spec.features")
        assert d.verdict("office-1") == ("False", "ParentNotCreated")
        await asyncio.sleep(900)
        await d.calm(calls=70, writes=0)
        assert len(d.calls("POST")) == 1
        d.gateway(features=["nat", "vpn"])
        await d.settle(120)
        assert [call.status for call in d.world.calls if call.method == "POST"] == [201, 201, 201]

    day(story)


def test_plan_without_vpn() -> None:
    """Told before the call, with the plans that have it."""

    async def story(d: Day) -> None:
        await d.start()
        d.gateway(plan="development")
        await d.becomes("edge", "Rejected")
        d.says("edge", "Plan development has no feature vpn", "advanced, production")
        assert not d.calls("POST")
        await d.calm(calls=70, writes=4)
        d.gateway(plan="production")
        await d.settle(60)
        d.connection()
        d.tunnel()
        d.secret()
        await d.settle(60)
        d.gateway(plan="development")
        await d.becomes("edge", "QuotaReached")
        d.says("edge", "plan development has 0 tunnels", "uses 1, in 1 connections")

    day(story)


def test_feature_goes_while_there_are_connections() -> None:
    """Refused before the call, naming them; done when they are gone."""

    async def story(d: Day) -> None:
        await d.made(1)
        d.gateway(features=["nat"])
        await d.becomes("edge", "Rejected")
        d.says("edge", "vpn", "connections (office)", "Delete them first")
        assert d.verdict("edge", "Ready") == ("True", "Running")
        await asyncio.sleep(900)
        await d.calm(calls=70, writes=0)
        assert not d.calls("PATCH")
        d.delete("office-1", "office")
        await d.settle(120)
        assert next(iter(d.world.gateways.values())).features == ["nat"]

    day(story)


def test_no_tunnel_left_until_one_is_deleted() -> None:
    async def story(d: Day) -> None:
        await d.made(2)
        d.tunnel(3)
        await d.until(lambda: d.reason("VpnTunnel", "office-3") == "QuotaReached")
        message = str((d.get("VpnTunnel", "office-3").condition("Synced") or {})["message"])
        assert message == (
            "Not created: plan production has 2 tunnels and edge uses 2. Set plan: advanced on NetworkGateway edge, or "
            "delete a tunnel. UpCloud says: Service with plan production can have up to 2 tunnels. Tried again "
            "every 15 min."
        )
        assert len(d.calls("POST")) == 1  # its words may mean connections, so it is asked
        await asyncio.sleep(600)
        await d.calm(calls=80, writes=12)
        asked = len(d.calls("POST"))
        d.delete("office-1")
        await d.settle(120)
        assert len(d.calls("POST")) == asked + 1

    day(story)


def test_no_tunnel_left_until_the_plan_is_larger() -> None:
    async def story(d: Day) -> None:
        await d.made(2)
        d.tunnel(3)
        await d.until(lambda: d.reason("VpnTunnel", "office-3") == "QuotaReached")
        d.gateway(plan="advanced")
        await d.settle(120)
        assert len(d.calls("POST")) == 2

    day(story)


def test_no_connection_left() -> None:
    async def story(d: Day) -> None:
        await d.made(1)
        for name in ("second", "third"):
            d.kubernetes.apply("VpnConnection", name, dict(d.object("office").spec))
        await d.until(lambda: "QuotaReached" in [d.reason("VpnConnection", name) for name in ("second", "third")])
        last = next(name for name in ("second", "third") if d.reason("VpnConnection", name) == "QuotaReached")
        other = {"second": "third", "third": "second"}[last]
        await d.calm(calls=130, writes=12)  # tried again every 15 minutes
        d.kubernetes.delete("VpnConnection", other)
        await d.settle(120)
        # Both were made at once: perhaps the one that came late had to hear it from the cloud.
        assert 2 <= len(d.calls("POST")) <= 8

    day(story)


def test_quota_that_only_the_cloud_knows() -> None:
    """Plans drift: the refusal is understood all the same, and tried again."""

    async def story(d: Day) -> None:
        await d.start()
        title = "Service with plan production can have up to 2 connections."
        kind = "https://developers.upcloud.com/1.3/errors#ERROR_INVALID_REQUEST"
        body = {"status": 400, "title": title, "type": kind, "correlation_id": "01KFDTBWFKWSYR6T8BDHY1JD5J"}
        d.world.faults.add("POST /1.3/gateway/*/connections/", times=None, status=400, body=body)
        d.apply_all(1)
        await d.becomes("office", "QuotaReached")
        d.says("office", title, "Set plan: advanced on NetworkGateway edge", "15 min")
        await asyncio.sleep(900)
        await d.calm(calls=110, writes=30)
        d.world.faults.clear()
        await d.settle(HOUR)

    day(story)


def test_plan_becomes_too_small() -> None:
    """Told with the numbers; done when there is less."""

    async def story(d: Day) -> None:
        await d.start()
        d.gateway(plan="advanced")
        d.connection()
        for number in (1, 2, 3):
            d.tunnel(number)
        d.secret()
        await d.settle()
        d.world.calls.clear()
        d.gateway(plan="production")
        await d.becomes("edge", "QuotaReached")
        d.says("edge", "plan production has 2 tunnels", "edge uses 3", "Delete some first")
        assert d.verdict("edge", "Ready") == ("True", "Running")
        await d.calm(calls=130, writes=24)  # one connection: in one reading of the plan it fits, so it is asked again
        d.delete("office-1")
        await d.settle(120)
        answers = [call.status for call in d.world.calls if call.method == "PATCH"]
        assert 2 <= len(answers) <= 7
        assert answers == [*[400] * (len(answers) - 1), 200]

    day(story)


def test_address_that_the_gateway_does_not_have() -> None:
    async def story(d: Day) -> None:
        await d.start()
        d.gateway()
        d.connection()
        d.tunnel(1, localAddress={"name": "privat"})
        d.secret()
        await d.becomes("office-1", "AddressNotFound")
        d.says("office-1", "NetworkGateway edge", "no address privat", "it has public", "localAddress.name")
        assert d.verdict("office-1", "Stalled")[0] == "True"
        await asyncio.sleep(900)
        await d.calm(calls=70, writes=0)
        assert len(d.calls("POST")) == 2
        d.tunnel(1, localAddress={"name": "public"})
        await d.settle(60)

    day(story)


def test_address_that_is_wrong_later() -> None:
    """The tunnel stays as it is, the other changes are made."""

    async def story(d: Day) -> None:
        await d.made(1)
        d.tunnel(1, localAddress={"name": "privat"}, ipsec={"dpdDelay": 10})
        await d.becomes("office-1", "AddressNotFound")
        await asyncio.sleep(60)
        assert len(d.calls("PATCH")) == 1
        assert d.verdict("office-1") == ("False", "AddressNotFound")
        assert d.verdict("office-1", "Ready") == ("True", "Up")
        await asyncio.sleep(900)
        await d.calm(calls=70, writes=0)
        d.tunnel(1, ipsec={"dpdDelay": 10})
        await d.settle(60)
        assert len(d.calls("PATCH")) == 1

    day(story)


def test_address_left_open_with_two() -> None:
    async def story(d: Day) -> None:
        await d.start()
        d.gateway(addresses=TWO)
        d.connection()
        d.tunnel(1)
        d.secret()
        await d.becomes("office-1", "AddressNotFound")
        d.says("office-1", "public, second", "set localAddress.name")
        d.tunnel(1, localAddress={"name": "second"})
        await d.settle(60)

    day(story)


def test_address_left_open_before_there_is_one() -> None:
    """A gateway without named addresses lists one when it runs: the tunnel waits for that, however long it takes."""

    async def story(d: Day) -> None:
        await d.start()
        d.gateway(addresses=None)
        d.connection()
        d.tunnel(1)
        d.secret()
        await d.becomes("office-1", "ParentNotCreated")
        await d.until(lambda: "no address yet" in d.condition("office-1")["message"])
        await d.settle(1200)
        found = d.world.find_tunnel(d.uuid("office-1"))
        assert found is not None
        assert found[1].local_address == "public-ip-1"

    day(story, delay=150)
