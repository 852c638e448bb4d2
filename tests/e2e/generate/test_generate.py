"""netgw makes the key of a tunnel and rotates it, under the role that allows it and not without."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta

from netgw.engine.objects import format_time
from netgw.providers.upcloud.tunnel.record import ANNOTATION
from support.cluster import MERGE_PATCH, OPERATOR_NAMESPACE, OPERATOR_SERVICE_ACCOUNT
from support.grants import granted
from support.operator import SECRET_INTERVAL
from support.scenario import Body, Scenario

GENERATION = {"rotateAfter": "720h", "announce": "24h"}


def secret(scenario: Scenario) -> Body | None:
    answer = scenario.cluster.api("GET", f"/api/v1/namespaces/{scenario.namespace}/secrets/office-psk")
    return dict(answer.json()) if answer.status_code == 200 else None


def keys(scenario: Scenario) -> dict[str, str]:
    """What the Secret holds; from now on none of it may show up anywhere."""
    found = {name: base64.b64decode(value).decode() for name, value in ((secret(scenario) or {})["data"]).items()}
    scenario.keys.extend(found.values())
    return found


def has(scenario: Scenario, key: str) -> bool:
    return bool(scenario.in_cloud("VpnTunnel", "office-1")["psk_sha256"] == hashlib.sha256(key.encode()).hexdigest())


def age(scenario: Scenario, days: int) -> None:
    """The key was made so many days ago."""
    notes = (secret(scenario) or {})["metadata"]["annotations"]
    record = json.loads(notes[ANNOTATION])
    record["psk"]["rotatedAt"] = format_time(datetime.now(UTC) - timedelta(days=days))
    path = f"/api/v1/namespaces/{scenario.namespace}/secrets/office-psk"
    patch = {"metadata": {"annotations": {ANNOTATION: json.dumps(record)}}}
    scenario.cluster.api("PATCH", path, json=patch, content_type=MERGE_PATCH).raise_for_status()


def said(scenario: Scenario) -> str:
    return str(scenario.get("VpnTunnel", "office-1").condition("Synced").get("message"))


def phase(scenario: Scenario) -> str | None:
    rotation = scenario.get("VpnTunnel", "office-1").status.get("pskRotation") or {}
    return rotation.get("phase")


def test_a_key_is_made_announced_and_switched(scenario: Scenario) -> None:
    scenario.gateway()
    scenario.connection()
    reference = {"pskSecretRef": {"name": "office-psk"}, "pskGeneration": GENERATION}
    scenario.tunnel("office-1", "office", ipsec={"authentication": reference})
    scenario.wait_for("VpnTunnel", "office-1", Synced="SecretNotFound")
    scenario.wait("the role is named", lambda: "deploy/rbac-key-generation.yaml" in said(scenario))
    assert secret(scenario) is None
    account = f"{OPERATOR_NAMESPACE}:{OPERATOR_SERVICE_ACCOUNT}"
    with granted(scenario.cluster, "rbac-key-generation.yaml", scenario.namespace, account):
        scenario.annotate("VpnTunnel", "office-1", **{"reconcile-requested-at": format_time(datetime.now(UTC))})
        scenario.wait_all_ready()
        scenario.wait_event("PskGenerated")
        first = keys(scenario)["psk"]
        assert len(first) == 48
        assert has(scenario, first)
        uuid = scenario.uuid("VpnTunnel", "office-1")

        age(scenario, 29)  # of 30: within the day in which the next one is announced
        scenario.wait("it is announced", lambda: phase(scenario) == "Announced", seconds=60 * SECRET_INTERVAL)
        scenario.wait_event("PskRotationAnnounced")
        following = keys(scenario)["psk-next"]
        assert following != first
        assert has(scenario, first)

        scenario.cloud.door("DELETE", "/calls")
        approval = scenario.get("VpnTunnel", "office-1").status["pskRotation"]["approval"]
        scenario.annotate("VpnTunnel", "office-1", approve=approval)
        scenario.wait("the cloud has the next key", lambda: has(scenario, following))
        scenario.wait_all_ready()
        scenario.wait_event("PskSwitched")
        after = keys(scenario)
        assert (after["psk"], after["psk-previous"]) == (following, first)
        assert "psk-next" not in after
        assert scenario.uuid("VpnTunnel", "office-1") == uuid
        assert len([call for call in scenario.cloud.calls() if call.method != "GET"]) == 1
