"""The client against the simulated cloud: what one says, the other understands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest
from pydantic import SecretStr

from netgw.providers.upcloud.api import (
    AddressModify,
    BadRequest,
    Conflict,
    Credentials,
    GatewayReplace,
    Label,
    RouterCreate,
    RouterModify,
    StaticRouteCreate,
    UpCloud,
)
from netgw.providers.upcloud.simulator import transport
from support.simulated_cloud import Cloud, connection_body, tunnel_body

T = TypeVar("T")

FLOATING = "203.0.113.200"
LAB = StaticRouteCreate(name="lab", route="10.9.0.0/16", nexthop="10.0.0.9")


@pytest.fixture
def cloud() -> Cloud:
    """An account with a floating IP."""
    return Cloud(floating_ips=(FLOATING,))


def use(cloud: Cloud, calls: Callable[[UpCloud], Coroutine[Any, Any, T]]) -> T:
    async def main() -> T:
        credentials = Credentials(token=SecretStr("madeup_token_for_tests_1"))
        async with UpCloud(credentials, transport=transport(cloud.world)) as client:
            return await calls(client)

    return asyncio.run(main())


def test_addresses(cloud: Cloud) -> None:
    gateway = cloud.gateway()["uuid"]

    async def calls(client: UpCloud) -> list[str | None]:
        async def by() -> str | None:
            return (await client.get_address(gateway=gateway, name="public")).value.provisioned_by

        seen = [await by()]
        body = AddressModify(address=FLOATING)
        await client.modify_address(gateway=gateway, name="public", body=body)
        [address] = (await client.list_addresses(gateway=gateway)).value
        assert (address.name, address.address) == ("public", FLOATING)
        seen.append(await by())
        await client.release_address(gateway=gateway, name="public")
        with pytest.raises(BadRequest) as refused:
            await client.modify_address(gateway=gateway, name="public", body=AddressModify(address="203.0.113.99"))
        assert [param.name for param in refused.value.invalid_params] == ["address"]
        return [*seen, await by()]

    assert use(cloud, calls) == ["service", "user", "service"]


def test_nat_flush(cloud: Cloud) -> None:
    gateway = cloud.gateway(features=["nat"])["uuid"]
    cloud.clock.advance(60)

    async def calls(client: UpCloud) -> list[int | None]:
        async def active() -> int | None:
            nat = (await client.get_metrics(gateway=gateway)).value.nat
            assert nat is not None
            return nat.active_connections

        before = await active()
        await client.flush_nat(gateway=gateway)
        return [before, await active()]

    assert use(cloud, calls) == [15, 0]


def test_router(cloud: Cloud) -> None:
    async def calls(client: UpCloud) -> None:
        env = Label(key="env", value="prod")
        made = (await client.create_router(body=RouterCreate(name="lab", labels=(env,), static_routes=(LAB,)))).value
        assert [(route.name, route.type) for route in made.user_routes] == [("lab", "user")]
        assert (made.networks, made.gateways, made.labels) == ((), (), (env,))
        changed = (await client.modify_router(router=made.uuid, body=RouterModify(name="new", static_routes=()))).value
        assert (changed.name, changed.static_routes, changed.labels) == ("new", (), (env,))
        network = cloud.world.attach_network(made.uuid)
        assert (await client.get_router(router=made.uuid)).value.networks == (network,)
        with pytest.raises(Conflict) as attached:
            await client.delete_router(router=made.uuid)
        assert attached.value.code == "ROUTER_ATTACHED"

    use(cloud, calls)


def test_router_of_a_gateway(cloud: Cloud) -> None:
    made = cloud.gateway()

    async def calls(client: UpCloud) -> None:
        router = (await client.get_router(router=made["routers"][0]["uuid"])).value
        assert router.gateways == (made["uuid"],)
        assert [route.type for route in router.service_routes] == ["service"]
        assert router.user_routes == ()
        assert (await client.list_routers()).value == (router,)

    use(cloud, calls)


@pytest.mark.parametrize(("rekeying", "sas", "children"), [(None, 1, [1]), ("child", 1, [2]), ("ike", 2, [1, 1])])
def test_metrics_of_a_tunnel(cloud: Cloud, rekeying: Any, sas: int, children: list[int]) -> None:
    made = cloud.gateway(connections=[connection_body(tunnels=[tunnel_body()])])
    cloud.clock.advance(2000)
    cloud.world.force_tunnel(made["connections"][0]["tunnels"][0]["uuid"], rekeying=rekeying)

    async def calls(client: UpCloud) -> None:
        metrics = (await client.get_metrics(gateway=made["uuid"])).value
        assert (metrics.nat, len(metrics.ike_sas)) == (None, sas)
        assert {sa.name for sa in metrics.ike_sas} == {"office/office-1"}
        assert [len(sa.child_sas) for sa in metrics.ike_sas] == children

    use(cloud, calls)


def test_replace(cloud: Cloud) -> None:
    made = cloud.gateway(connections=[connection_body()])

    async def calls(client: UpCloud) -> None:
        body = GatewayReplace(name="put", configured_status="started")
        replaced = (await client.replace_gateway(gateway=made["uuid"], body=body)).value
        assert (replaced.name, replaced.connections and len(replaced.connections)) == ("put", 1)

    use(cloud, calls)


def test_an_item_that_paging_skips(cloud: Cloud) -> None:
    uuids = [cloud.gateway(name=f"edge-{number}", addresses=None)["uuid"] for number in range(101)]
    cloud.world.faults.add("GET /1.3/gateway", skip=1)

    async def calls(client: UpCloud) -> list[list[str]]:
        return [[gateway.uuid for gateway in (await client.list_gateways()).value] for _ in range(2)]

    assert use(cloud, calls) == [uuids[1:], uuids]
