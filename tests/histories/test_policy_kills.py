"""Killed at any step while something is imported, let go, approved, labelled, handed over, and started again."""

from __future__ import annotations

from typing import Any

from netgw.engine.ownership import MARK
from netgw.engine.plan import approval
from netgw.providers.upcloud.simulator.records import Gateway
from support.history import GATEWAY, OTHER_KEY, ROUTER, History
from support.kills import STRIDE, Killed, gone, settled, sweep

FLOATING = "198.51.100.77"
NAMES = [("NetworkGateway", "edge"), ("VpnConnection", "office"), ("VpnTunnel", "office-1"), ("VpnTunnel", "office-2")]
WIDE = 3 * STRIDE


def one(h: History) -> Gateway:
    (gateway,) = h.world.gateways.values()
    return gateway


def spec(h: History, kind: str, name: str, **over: Any) -> None:
    h.kubernetes.apply(kind, name, {**h.get(kind, name).spec, **over})


async def everything(h: History) -> None:
    await h.start()
    h.apply_all()
    await h.settle()


async def by_hand(h: History) -> None:
    """A gateway with a connection, and an operator that knows nothing of them yet."""
    gateway = {
        "name": "edge",
        "zone": "fi-hel1",
        "plan": "production",
        "features": ["vpn"],
        "routers": [{"uuid": ROUTER}],
        "configured_status": "started",
    }
    made = await h.by_hand("POST", "/gateway", gateway)
    routes = [{"name": "cloud", "type": "static", "static_network": "10.0.1.0/24"}]
    connection = {"name": "office", "type": "ipsec", "local_routes": routes}
    await h.by_hand("POST", f"/gateway/{made['uuid']}/connections", connection)
    await h.start()


def test_while_importing() -> None:
    """One write, the mark; bound to what there is."""

    def act(h: History) -> None:
        common = {"managementPolicy": "Full"}
        h.kubernetes.apply("NetworkGateway", "edge", {"import": {"name": "edge"}, **common})
        h.kubernetes.apply(
            "VpnConnection", "office", {"gatewayRef": {"name": "edge"}, "import": {"name": "office"}, **common}
        )

    def done(h: History) -> bool:
        return settled(h) and MARK in one(h).labels

    def check(killed: Killed) -> None:
        h = killed.history
        assert h.calls("PATCH", "PUT", "DELETE") == []
        assert 1 <= len(h.calls("POST")) <= 2  # a label whose answer was lost is asked for again
        assert h.get("NetworkGateway", "edge").uuid == one(h).uuid
        assert h.get("VpnConnection", "office").uuid == one(h).connections[0].uuid

    sweep(History.apply_all, act, done, check, before=by_hand)


def test_while_letting_go() -> None:
    """Retain: the mark is taken off, and nothing else is touched."""

    async def before(h: History) -> None:
        await everything(h)
        spec(h, "NetworkGateway", "edge", deletionPolicy="Retain")
        await h.settle()

    def act(h: History) -> None:
        for kind, name in NAMES:
            h.kubernetes.delete(kind, name)

    def check(killed: Killed) -> None:
        h = killed.history
        assert MARK not in one(h).labels
        assert len(one(h).tunnels) == 2
        assert all("/labels/" in call for call in h.calls("POST", "PUT", "PATCH", "DELETE"))

    sweep(History.apply_all, act, gone, check, before=before, stride=WIDE)


def test_while_labels_change() -> None:
    async def before(h: History) -> None:
        h.kubernetes.apply("NetworkGateway", "edge", GATEWAY | {"labels": {"env": "1", "tier": "2", "gone": "3"}})
        await h.start()
        await h.settle()

    def act(h: History) -> None:
        spec(h, "NetworkGateway", "edge", labels={"env": "1", "tier": "3", "cost": "4"})

    def done(h: History) -> bool:
        return settled(h) and {key: v for key, v in one(h).labels.items() if key != MARK} == {
            "env": "1",
            "tier": "3",
            "cost": "4",
        }

    def check(killed: Killed) -> None:
        h = killed.history
        assert all("/labels" in call for call in h.calls("POST", "PUT", "PATCH", "DELETE"))
        assert h.get("NetworkGateway", "edge").status["ownLabelKeys"] == ["cost", "env", "tier"]

    sweep(History.apply_all, act, done, check, before=before, stride=2 * STRIDE)


def test_while_an_approved_plan_is_carried_out() -> None:
    """Two calls under one yes, each once; and the yes is used up."""
    asked: list[str] = []

    async def before(h: History) -> None:
        h.world.add_floating_ip(FLOATING)
        await everything(h)
        addresses = [{"name": "public", "address": FLOATING}]
        spec(h, "NetworkGateway", "edge", disruptionPolicy="Ask", plan="advanced", addresses=addresses)
        await h.until(lambda: h.reason("NetworkGateway", "edge") == "AwaitingApproval")
        message = (h.get("NetworkGateway", "edge").condition("Synced") or {})["message"]
        asked.append(message.partition("netgw.dev/approve=")[2][: len(approval(()))])

    def act(h: History) -> None:
        h.kubernetes.annotate("NetworkGateway", "edge", "approve", asked[-1])

    def done(h: History) -> bool:
        return settled(h) and one(h).plan == "advanced" and one(h).addresses[0].value == FLOATING

    def check(killed: Killed) -> None:
        assert sorted(field for _, field, _ in killed.audit.effects) == ["addresses", "plan"]
        assert killed.history.get("NetworkGateway", "edge").status["approval"] == {"hash": asked[-1]}
        assert killed.history.calls("POST", "DELETE") == []

    sweep(History.apply_all, act, done, check, before=before, stride=2 * WIDE)


def test_while_a_key_is_approved() -> None:
    """Of one tunnel: the other keeps the old key."""
    asked: list[str] = []

    async def before(h: History) -> None:
        await everything(h)
        spec(h, "NetworkGateway", "edge", disruptionPolicy="Ask")
        await h.settle()
        h.kubernetes.put_secret("office-psk", OTHER_KEY.encode())
        await h.until(lambda: h.reason("VpnTunnel", "office-1") == "AwaitingApproval")
        message = (h.get("VpnTunnel", "office-1").condition("Synced") or {})["message"]
        asked.append(message.partition("netgw.dev/approve=")[2][:12])

    def act(h: History) -> None:
        h.kubernetes.annotate("VpnTunnel", "office-1", "approve", asked[-1])

    def done(h: History) -> bool:
        return h.reason("VpnTunnel", "office-1", "PskInSync") == "Accepted"

    def check(killed: Killed) -> None:
        assert [field for _, field, _ in killed.audit.effects] == ["psk_sha256"]

    sweep(History.apply_all, act, done, check, before=before, stride=WIDE)


def test_while_everything_is_handed_over() -> None:
    """From another cluster: adopted, and no write but the mark."""

    async def before(h: History) -> None:
        await everything(h)
        await h.kill()
        had = list(h.kubernetes.objects.items())
        h.kubernetes.objects.clear()
        for ref, body in had:
            h.kubernetes.apply(ref.kind, ref.name, body["spec"])
        h.cluster = "other"
        await h.start()
        await h.until(lambda: h.reason("NetworkGateway", "edge") == "OwnedByOther")

    def act(h: History) -> None:
        for kind, name in NAMES:
            h.kubernetes.annotate(kind, name, "take-over", "true")

    def done(h: History) -> bool:
        return settled(h) and one(h).labels[MARK].startswith("other/")

    def check(killed: Killed) -> None:
        h = killed.history
        assert h.calls("POST", "PUT", "DELETE") == []
        assert 1 <= len(h.calls("PATCH")) <= 2
        assert [field for _, field, _ in killed.audit.effects] == ["labels"]
        assert len(one(h).tunnels) == 2

    sweep(History.apply_all, act, done, check, before=before, stride=WIDE)
