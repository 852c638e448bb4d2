"""Argo CD compares what it applied with what is there: nothing that netgw does may make a difference.

Server-side fields and the status are left out there by default, and so they are here. The finalizer is metadata that no
manifest of these has, which Argo CD does not look at either: it compares the fields that the manifest sets, and this
test all others as well.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from netgw.engine.objects import FINALIZER
from support.cluster import ROOT
from support.scenario import EVERY_KIND, Scenario
from support.there_before import tunnel_by_hand

SAMPLES = ROOT / "deploy" / "samples"
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
SERVERS = {"creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"}
OWN = "upcloud.netgw.dev"
ADOPT = "adopt.yaml"
ONE_OF_EACH = ("router.yaml", "network-gateway.yaml", "vpn-connection.yaml", "vpn-tunnel.yaml")


def manifests(*samples: str) -> list[dict[str, Any]]:
    return [manifest for sample in samples for manifest in yaml.safe_load_all((SAMPLES / sample).read_text())]


def ours(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [manifest for manifest in found if manifest["apiVersion"].startswith(OWN)]


def as_applied(scenario: Scenario, live: dict[str, Any]) -> dict[str, Any]:
    """A live object without status, without what the server writes and what kubectl notes, as a manifest."""
    metadata = {key: value for key, value in live["metadata"].items() if key not in SERVERS}
    annotations = {k: v for k, v in (metadata.pop("annotations", None) or {}).items() if k != APPLIED}
    assert metadata.pop("namespace") == scenario.namespace
    assert metadata.pop("finalizers") == [FINALIZER]
    metadata |= {"annotations": annotations} if annotations else {}
    return {key: value for key, value in live.items() if key != "status"} | {"metadata": metadata}


def settle(scenario: Scenario, wanted: list[dict[str, Any]]) -> None:
    scenario.foreign |= {gateway["uuid"] for gateway in scenario.cloud.gateways()}
    names = {(manifest["kind"], manifest["metadata"]["name"]) for manifest in wanted}
    scenario.wait(
        "all objects are there",
        lambda: {(v.body["kind"], v.body["metadata"]["name"]) for v in scenario.objects()} == names,
    )
    scenario.wait_all_ready()


def by_hand(scenario: Scenario) -> None:
    """What the sample says that exists."""
    gateway = scenario.gateway_by_hand(name="legacy", addresses=[{"name": "public"}])
    routes = [{"name": "cloud", "type": "static", "static_network": "10.7.1.0/24"}]
    body = {"name": "office", "type": "ipsec", "local_routes": routes}
    connection = scenario.cloud.api("POST", f"/gateway/{gateway}/connections", body)
    below = f"/gateway/{gateway}/connections/{connection['uuid']}/tunnels"
    tunnel = scenario.cloud.api("POST", below, tunnel_by_hand(scenario, "office-1", 1))
    scenario.foreign |= {connection["uuid"], tunnel["uuid"]}


@pytest.mark.parametrize(
    "samples",
    [("nat-only.yaml",), ("vpn-from-nothing.yaml",), ("site-to-site.yaml",), (ADOPT,), ONE_OF_EACH],
    ids=lambda samples: samples[0].removesuffix(".yaml"),
)
def test_a_sample_stays_what_was_applied(scenario: Scenario, samples: tuple[str, ...]) -> None:
    if ADOPT in samples:
        by_hand(scenario)
    found, files = manifests(*samples), [word for sample in samples for word in ("-f", str(SAMPLES / sample))]
    scenario.cluster.kubectl("apply", "--namespace", scenario.namespace, *files)
    scenario.keys += [value for manifest in found for value in (manifest.get("stringData") or {}).values()]
    settle(scenario, ours(found))
    for manifest in ours(found):
        live = scenario.get(manifest["kind"], manifest["metadata"]["name"]).body
        assert as_applied(scenario, live) == manifest
    diff = scenario.cluster.kubectl("diff", "--namespace", scenario.namespace, *files)
    assert diff == ""


def test_there_is_a_sample_for_each_kind() -> None:
    assert [manifest["kind"] for manifest in ours(manifests(*ONE_OF_EACH))] == list(EVERY_KIND)


def test_server_side_apply_and_every_kind(scenario: Scenario) -> None:
    """Applied as Argo CD and Flux do it: their fields are theirs alone, netgw owns the finalizer and the status."""
    sample = "vpn-from-nothing.yaml"
    found = ours(manifests(sample))
    assert {manifest["kind"] for manifest in found} == set(EVERY_KIND)
    here, path = ("--namespace", scenario.namespace), str(SAMPLES / sample)
    scenario.keys.append("madeup_psk_for_the_sample_1")
    scenario.cluster.kubectl("apply", "--server-side", "--field-manager=argocd-controller", *here, "-f", path)
    settle(scenario, found)
    for manifest in found:
        live = scenario.get(manifest["kind"], manifest["metadata"]["name"]).body
        managed = {entry["manager"]: entry for entry in live["metadata"]["managedFields"] if "subresource" not in entry}
        assert managed["netgw"]["fieldsV1"] == {"f:metadata": {"f:finalizers": {".": {}, f'v:"{FINALIZER}"': {}}}}
    again = scenario.cluster.kubectl("apply", "--server-side", "--field-manager=argocd-controller", *here, "-f", path)
    assert again.count("serverside-applied") == len(found) + 1
    scenario.wait_all_ready()
