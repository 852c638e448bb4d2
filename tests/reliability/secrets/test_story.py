"""Every feature that holds a secret, the log at DEBUG, errors that quote it, crashes: then the search."""

from __future__ import annotations

import base64
import signal

import yaml

from support.effort import effort
from support.figures import Figures
from support.operator import DRAIN_SECONDS, ended, made_up
from support.secrecy.needles import Needles, forms
from support.secrecy.places import in_folder, of_process, of_scenario, written_by
from support.secrecy.told import Told

PART = "secrets"
STYLES = (("json", "one"), ("text", "two"))
"""The format of the life that follows, and a word for what is changed in this one."""


def quoting(match: str, *secrets: str) -> list[dict[str, object]]:
    """Answers to one request that give back what it held, as proxies and careless servers do."""
    basic = base64.b64encode(f"bob:{secrets[0]}".encode()).decode()
    whole = " ".join([f"Authorization: Basic {basic}", *(form for secret in secrets for form in forms(secret))])
    cut = " ".join(secret[:-4] for secret in secrets)
    problem = {"title": f"refused: {cut}", "invalid_params": [{"name": "psk", "reason": whole}]}
    legacy = {"error": {"error_message": cut, "error_code": whole}}
    return [
        {"match": match, "status": 502, "body": f"<html>{whole}</html>", "headers": {"Upcloud-Cid": secrets[0]}},
        {"match": match, "status": 400, "body": problem if len(secrets) > 1 else legacy},
    ]


def three_trees(told: Told) -> None:
    """In three accounts: a key that a user made, one that netgw makes, one that two tunnels share."""
    scenario = told.scenario
    scenario.secret("alice", told.token, "token")
    scenario.secret("bob", "bob", "username")
    scenario.secret("bob", told.password, "password")
    for name, credentials, token in (("edge", None, None), ("branch", "alice", told.token), ("depot", "bob", None)):
        reference = {"credentialsSecretRef": {"name": credentials}} if credentials else {}
        router = scenario.cloud.router(told.password if name == "depot" else token)
        scenario.gateway(name, routerRef={"uuid": router}, **reference)
        scenario.connection(f"{name}-office", name)
        generation = {"pskGeneration": {"rotateAfter": "720h"}} if name == "branch" else {}
        authentication = {"authentication": {"pskSecretRef": {"name": f"{name}-psk"}, **generation}}
        if name != "branch":
            told.secrets.append(scenario.secret(f"{name}-psk"))
        scenario.tunnel(f"{name}-1", f"{name}-office", ipsec=authentication)
    scenario.wait_all_ready()
    made = scenario.cluster.api("GET", f"/api/v1/namespaces/{scenario.namespace}/secrets/branch-psk").json()
    told.secrets.append(base64.b64decode(made["data"]["psk"]).decode())


def rotate(told: Told, name: str, value: str | None = None) -> str:
    key = told.scenario.secret(name, value)
    told.secrets.append(key)
    return key


def careless_cloud(told: Told, word: str) -> None:
    """Each account changes something and is refused with its own words; one key is no key at all."""
    scenario = told.scenario
    owners = {"edge": scenario.operator.token, "branch": told.token, "depot": told.password}
    for name, credential in owners.items():
        match = f"POST /1.3/gateway/{scenario.uuid('NetworkGateway', name)}/labels"
        scenario.cloud.faults(*quoting(match, credential))
    key = made_up("psk")
    tunnel = scenario.uuid("VpnTunnel", "edge-1")
    scenario.cloud.faults(*quoting(f"PATCH /1.3/gateway/*/tunnels/{tunnel}", owners["edge"], key))
    rotate(told, "edge-psk", key)
    for name in owners:
        scenario.change("NetworkGateway", name, labels={word: "first"})
    rotate(told, "depot-psk", made_up("psk") + "!")
    scenario.wait_for("VpnTunnel", "depot-1", Synced="InvalidPsk")
    for kind, name in (("VpnTunnel", "edge-1"), *(("NetworkGateway", name) for name in owners)):
        scenario.wait_for(kind, name, Synced="Rejected", seconds=60)
    scenario.cloud.door("DELETE", "/faults")
    rotate(told, "edge-psk")
    rotate(told, "depot-psk")
    for name in owners:
        scenario.change("NetworkGateway", name, labels={word: "again"})
    scenario.wait_all_ready(seconds=60)


def test_nothing_shows_a_secret(told: Told, figures: Figures) -> None:
    scenario, operator = told.scenario, told.scenario.operator
    three_trees(told)
    for style, word in effort(test=STYLES[:1], soak=STYLES):
        careless_cloud(told, word)
        assert written_by(operator.process.pid) <= {operator.process.log}, "files are written"
        places = of_scenario(scenario) | of_process(operator.process.pid)
        assert Needles(told.secrets).shown(places) == {}
        key = rotate(told, "edge-psk")
        operator.process.signal(signal.SIGABRT)  # in the middle, with faulthandler
        assert ended(operator.process, DRAIN_SECONDS) == -signal.SIGABRT
        assert "Fatal Python error: Aborted" in operator.log()
        operator.start(scenario.cloud.url, NETGW_LOG_FORMAT=style)
        scenario.wait("the new key is sent", lambda key=key: scenario.has_key("edge-1", key))  # type: ignore[misc]
    scenario.wait_all_ready()
    user = yaml.safe_load(scenario.cluster.operator_kubeconfig().read_text())["users"][0]["user"]
    told.secrets.append(user["token"].rpartition(".")[2])  # its signature: all else is no secret
    written = in_folder(told.home)
    assert [path for path, text in written.items() if not text.startswith("-----BEGIN CERTIFICATE-----")] == []
    places = of_scenario(scenario) | of_process(operator.process.pid) | written
    assert Needles(told.secrets).shown(places) == {}
    figures.put(PART, "keys, tokens and passwords searched for", len(told.secrets))
    figures.put(PART, "places searched: " + ", ".join(sorted(place for place in places if "/" not in place)), "clean")
    figures.put(PART, "characters of log at DEBUG", f"{len(operator.log()):,}")


def test_the_search_finds_what_is_hidden() -> None:
    """A search that finds nothing proves something only if it finds what there is."""
    secret = made_up("psk")
    for form in forms(secret):
        assert Needles([secret]).shown({"here": f'{{"a": "x{form}y"}}', "there": "nothing"}).keys() == {"here"}
    assert Needles([secret]).found(secret[:-8]) != set()
    assert Needles([secret]).found("madeup_psk_") == set()
