"""Days with a tree that somebody made by hand: gateway `legacy`, connection `legacy-conn`, tunnel `legacy-1`.

Every story runs under audit.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from netgw.engine.ownership import MARK
from netgw.providers.upcloud.simulator.records import Gateway
from support.audit import SECRETS, Audit
from support.days import LEGACY, Day, day
from support.history import KEY, OTHER_KEY, ROUTER

FULL: dict[str, Any] = {"managementPolicy": "Full"}


@dataclass(frozen=True)
class Tree:
    """The uuids of what was made by hand."""

    gateway: str
    connection: str
    tunnel: str

    @property
    def paths(self) -> dict[str, str]:
        """Where each is in the API, by the name of its object."""
        gateway = f"/gateway/{self.gateway}"
        connection = f"{gateway}/connections/{self.connection}"
        return {"legacy": gateway, "legacy-conn": connection, "legacy-1": f"{connection}/tunnels/{self.tunnel}"}


async def tree(d: Day, *, mark: str | None = None, name: str = "legacy", router: str = ROUTER) -> Tree:
    """Made by hand, and running by the time that somebody looks."""
    labels = [{"key": "team", "value": "net"}]
    body: dict[str, Any] = {
        "name": name,
        "zone": "fi-hel1",
        "plan": "production",
        "features": ["vpn"],
        "routers": [{"uuid": router}],
        "addresses": [{"name": "public"}],
        "configured_status": "started",
        "labels": labels + ([] if mark is None else [{"key": MARK, "value": mark}]),
    }
    gateway = (await d.ask("POST", "/gateway", body))["uuid"]
    d.world.gateways[gateway].labels["_cloud"] = "1"  # the cloud's own
    routes: dict[str, Any] = {
        "local_routes": [{"name": "cloud", "type": "static", "static_network": "10.0.1.0/24"}],
        "remote_routes": [{"name": "office", "type": "static", "static_network": "10.0.2.0/24"}],
    }
    body = {"name": f"{name}-conn", "type": "ipsec", **routes}
    connection = (await d.ask("POST", f"/gateway/{gateway}/connections", body))["uuid"]
    body = {
        "name": f"{name}-1",
        "local_address": {"name": "public"},
        "remote_address": {"address": "100.10.0.111"},
        "ipsec": {"authentication": {"authentication": "psk", "psk": OTHER_KEY}},
    }
    tunnel = (await d.ask("POST", f"/gateway/{gateway}/connections/{connection}/tunnels", body))["uuid"]
    return Tree(gateway, connection, tunnel)


def adopt(d: Day, *, over: Mapping[str, Mapping[str, Any]] | None = None, **common: Any) -> None:
    """An import of each of the three, by name. `over`: more of a spec, by the name of the object."""
    parents: dict[str, dict[str, Any]] = {
        "legacy": {},
        "legacy-conn": {"gatewayRef": {"name": "legacy"}},
        "legacy-1": {"connectionRef": {"name": "legacy-conn"}},
    }
    for name, parent in parents.items():
        spec = {**parent, "import": {"name": name}, **common, **(over or {}).get(name, {})}
        d.kubernetes.apply(LEGACY[name], name, {field: value for field, value in spec.items() if value is not None})


PSK = {"authentication": {"pskSecretRef": {"name": "office-psk", "key": "psk"}}}


async def adopted(d: Day, **common: Any) -> Tree:
    """The whole tree is managed, and the calls so far are forgotten."""
    made = await tree(d)
    await d.start()
    d.secret(KEY)
    adopt(d, over={"legacy-1": {"ipsec": PSK}}, **{**FULL, **common})
    await d.settle()
    return made


def respec(d: Day, name: str, /, **over: Any) -> None:
    """Edit the spec of an object; None takes a field away."""
    obj = d.object(name)
    spec = {**obj.spec, **over}
    d.kubernetes.apply(obj.kind, name, {field: value for field, value in spec.items() if value is not None})


def writes(d: Day) -> list[str]:
    """Every call that is no GET."""
    return d.calls("POST", "PUT", "PATCH", "DELETE")


def one(d: Day) -> Gateway:
    """The only gateway that there is."""
    (gateway,) = d.world.gateways.values()
    return gateway


async def labelled(d: Day, **over: Any) -> None:
    """A gateway `edge` with a label of the cloud's own, and the calls so far are forgotten."""
    await d.start()
    d.gateway(**over)
    await d.settle()
    one(d).labels["_cloud"] = "its own"
    d.world.calls.clear()


def of_users(d: Day) -> dict[str, str]:
    """The labels of the only gateway that are neither our mark nor the cloud's own."""
    return {key: value for key, value in one(d).labels.items() if key not in (MARK, "_cloud")}


def drift(d: Day, name: str) -> dict[str, tuple[str, str]]:
    """`status.drift`: path to what is wanted and what there is."""
    return {each["path"]: (each["desired"], each["observed"]) for each in d.object(name).status.get("drift") or ()}


def play(story: Callable[[Day], Coroutine[Any, Any, None]], **options: Any) -> Day:
    """As `day`, under audit."""
    audits: list[Audit] = []

    async def watched(d: Day) -> None:
        d.witness = audit = Audit(d, SECRETS)
        audits.append(audit)
        await story(d)

    played = day(watched, **options)
    assert audits[0].violations == []
    return played
