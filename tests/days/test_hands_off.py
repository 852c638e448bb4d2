"""What is only observed or told stays as it is, and policies and credentials come from where the tables say."""

from __future__ import annotations

import asyncio

from support.days import TOKENS, Day, day
from support.history import CONNECTION, GATEWAY, ROUTER

LEGACY = {
    "name": "legacy",
    "zone": "fi-hel1",
    "plan": "production",
    "features": ["vpn"],
    "routers": [{"uuid": ROUTER}],
    "configured_status": "started",
    "addresses": [{"name": "public"}],
}


def test_what_is_imported_is_only_observed_and_says_so() -> None:
    """Its mark is ours and no word of the spec: that it lacks one is no drift."""

    async def story(d: Day) -> None:
        await d.start()
        await d.ask("POST", "/gateway", LEGACY)
        d.kubernetes.apply("NetworkGateway", "edge", {"import": {"name": "legacy"}})
        await d.becomes("edge", "ObserveOnly")
        d.says("edge", "is only observed")
        await asyncio.sleep(120)
        assert "drift" not in d.object("edge").status
        d.kubernetes.apply("NetworkGateway", "edge", {"import": {"name": "legacy"}, "plan": "advanced"})
        await d.until(lambda: bool(d.told("Drifted")))
        assert [entry["path"] for entry in d.object("edge").status["drift"]] == ["plan"]
        assert not d.calls("POST", "PUT", "PATCH", "DELETE")

    day(story)


def test_what_is_told_is_not_corrected_by_an_edit_of_something_else() -> None:
    """DriftPolicy Report: only a field that the spec newly says otherwise is sent. One Event tells of the drift."""

    async def story(d: Day) -> None:
        await d.made(0)
        d.gateway(driftPolicy="Report")
        await asyncio.sleep(30)
        await d.ask("PATCH", f"/gateway/{d.uuid('edge')}", {"plan": "advanced"})
        await d.becomes("edge", "Drifted")
        d.gateway(driftPolicy="Report", labels={"env": "prod"})
        await asyncio.sleep(120)
        assert d.verdict("edge") == ("False", "Drifted")
        assert not d.calls("PATCH")
        assert len(d.told("Drifted")) == 1
        d.gateway(driftPolicy="Correct", labels={"env": "prod"})
        await d.settle()
        assert len(d.calls("PATCH")) == 1
        assert "drift" not in d.object("edge").status

    day(story)


def test_full_after_observe_corrects_nothing_unasked() -> None:
    """With import drift is told: what differed while it was observed stays until the policy or the field says else."""

    async def story(d: Day) -> None:
        await d.start()
        await d.ask("POST", "/gateway", LEGACY)
        observed = {"import": {"name": "legacy"}, "plan": "advanced"}
        d.kubernetes.apply("NetworkGateway", "edge", observed)
        await d.until(lambda: bool(d.told("Drifted")))
        d.kubernetes.apply("NetworkGateway", "edge", observed | {"managementPolicy": "Full"})
        await d.becomes("edge", "Drifted")
        await asyncio.sleep(60)
        assert [call.partition("/labels")[1] for call in d.calls("POST", "PATCH")] == ["/labels"]
        d.kubernetes.apply("NetworkGateway", "edge", observed | {"managementPolicy": "Full", "driftPolicy": "Correct"})
        await d.settle()
        assert len(d.calls("PATCH")) == 1

    day(story)


def test_below_a_gateway_without_object_the_namespace_decides() -> None:
    """No gateway was ever there to inherit from, so what was in effect once does not stick."""

    async def story(d: Day) -> None:
        await d.start()
        gateway = (await d.ask("POST", "/gateway", LEGACY))["uuid"]
        below = CONNECTION | {"gatewayRef": {"uuid": gateway}}
        d.kubernetes.apply("VpnConnection", "office", below | {"deletionPolicy": "Retain"})
        await d.settle()
        d.kubernetes.apply("VpnConnection", "office", below)
        await d.settle()
        assert d.object("office").status["policies"]["deletionPolicy"] == "Delete"
        d.kubernetes.annotate_namespace("default-policies", '{"deletionPolicy": "Retain"}')
        await asyncio.sleep(10)
        assert d.object("office").status["policies"]["deletionPolicy"] == "Retain"

    day(story)


def test_a_gateway_that_is_gone_leaves_its_word() -> None:
    """A Retain of the gateway counts for what is below it, also when the gateway's object went first."""

    async def story(d: Day) -> None:
        await d.made(0)
        d.gateway(deletionPolicy="Retain")
        await asyncio.sleep(30)
        d.annotate("edge", "force-orphan", "true")
        d.delete("edge")
        await asyncio.sleep(30)
        d.connection(localRoutes=[])
        await asyncio.sleep(30)
        d.delete("office")
        await d.until(lambda: not d.objects())
        assert d.told("Retained")
        assert not d.calls("DELETE")

    day(story)


def test_new_credentials_are_used_at_once() -> None:
    """Nobody waits an interval for the first look with them, nor for one after a token was exchanged."""

    async def story(d: Day) -> None:
        await d.start()
        token, _ = TOKENS
        d.kubernetes.put_data("account", {"token": b"madeup-refused"})
        d.kubernetes.apply("NetworkGateway", "edge", GATEWAY | {"credentialsSecretRef": {"name": "account"}})
        await d.becomes("edge", "CredentialsRefused", seconds=10)
        d.kubernetes.put_data("account", {"token": token.encode()})
        await d.until(lambda: bool(d.calls("POST")), seconds=10)
        await d.settle()

    day(story, tokens=TOKENS)
