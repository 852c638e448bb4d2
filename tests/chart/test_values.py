"""Values: what is refused, what each setting becomes, and what the page says of them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from netgw.engine.policy import CHOICES
from netgw.providers.upcloud.api.credentials import Credentials, base_url_from_env
from netgw.settings import Settings
from netgw_dev.chart_page import VALUES, described, leaves, stale
from support.chart import CHART, ToolError, container, objects, one, rendered, run
from support.cluster import ROOT


def environment(*sets: str) -> dict[str, Any]:
    """Variables of the container, with None where the value comes from elsewhere."""
    found = container(objects("default", *sets))["env"]
    assert len({variable["name"] for variable in found}) == len(found)
    return {variable["name"]: variable.get("value") for variable in found}


def test_lint() -> None:
    assert "0 chart(s) failed" in run("helm", "lint", "--strict", CHART)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("upcloud.tokne='x'", "tokne"),
        ("replica=2", "replica"),
        ('replicas="two"', "/replicas"),
        ("settings.polInterval=5", "polInterval"),
        ("settings.pollInterval=0", "/settings/pollInterval"),
        ("settings.metricsShare=25", "/settings/metricsShare"),
        ('settings.logLevel="loud"', "/settings/logLevel"),
        ('settings.clusterNetworks=["10.0.0.0"]', "/settings/clusterNetworks"),
        ('settings.defaultPolicies={"deletionPolcy":"Retain"}', "deletionPolcy"),
        ('settings.defaultPolicies={"deletionPolicy":"retain"}', "/settings/defaultPolicies/deletionPolicy"),
        ("metrics.servicemonitor.enabled=true", "servicemonitor"),
        ("crds.installed=false", "installed"),
        ('image.digest="sha256:123"', "/image/digest"),
        ('upcloud.apiBaseUrl="https://api.example.com/1.3"', "/upcloud/apiBaseUrl"),
        ('resources.limit={"memory":"1Gi"}', "limit"),
        ('extraEnv=[{"nam":"A"}]', "/extraEnv"),
        ('tolerations=[{"keys":"infra"}]', "keys"),
        ('affinity={"podAfinity":{}}', "podAfinity"),
        ('watchNamespaces=["Team A"]', "/watchNamespaces"),
        ('watchNamespaces=["team-a"]', "/clusterName"),
        ('clusterName="a/b"', "/clusterName"),
        ('upcloud.token="x"', "both set"),
        ('upcloud.secretKeys={"token":"a","username":"b","password":"c"}', "set the others to"),
        ('upcloud.secretKeys={"token":"","username":"b","password":""}', "belong together"),
        ('privateCA={"existingConfigMap":"a","existingSecret":"b"}', "both set"),
        ("serviceAccount.create=false", "serviceAccount.name is needed"),
    ],
)
def test_what_is_wrong_is_refused_and_named(wrong: str, told: str) -> None:
    with pytest.raises(ToolError, match=re.escape(told)):
        rendered("default", wrong.replace("'", '"'))


SETTINGS = {
    "NETGW_NAMESPACES": (['watchNamespaces=["team-a"]'], "team-a"),
    "NETGW_CLUSTER_NAME": (['clusterName="c"'], "c"),
    "NETGW_LEADER_ELECTION": (["replicas=2"], "true"),
    "NETGW_FINGERPRINT_KEY_FILE": (['fingerprintKey.existingSecret="k"'], "/etc/netgw/fingerprint/key"),
    "KUBECONFIG": (['kubeconfig.existingSecret="k"'], "/etc/netgw/kubeconfig/config"),
    "NETGW_POLL_INTERVAL": (["settings.pollInterval=0.5"], "0.5"),
    "NETGW_FAST_POLL_INTERVAL": (["settings.fastPollInterval=7"], "7"),
    "NETGW_SECRET_INTERVAL": (["settings.secretInterval=1200000"], "1200000"),
    "NETGW_SECRET_WATCH": (["secretWatch=true"], "true"),
    "NETGW_METRICS_INTERVAL": (["settings.metricsInterval=0"], "0"),
    "NETGW_METRICS_SHARE": (["settings.metricsShare=0.5"], "0.5"),
    "NETGW_WORKERS": (["settings.workers=16"], "16"),
    "NETGW_READ_ONLY": (["settings.readOnly=true"], "true"),
    "NETGW_DEFAULT_CREDENTIALS_NAMESPACES": (['upcloud.defaultCredentialsNamespaces=["a","b"]'], "a,b"),
    "NETGW_CREDENTIALS_FINALIZER": (["credentialsFinalizer=true"], "true"),
    "NETGW_DEFAULT_POLICIES": (['settings.defaultPolicies={"deletionPolicy":"Retain"}'], '{"deletionPolicy":"Retain"}'),
    "NETGW_CLUSTER_NETWORKS": (['settings.clusterNetworks=["10.0.0.0/16","10.1.0.0/16"]'], "10.0.0.0/16,10.1.0.0/16"),
    "NETGW_LISTEN": (['listen={"host":"[::]","port":9000}'], "[::]:9000"),
    "NETGW_LOG_FORMAT": (['settings.logFormat="text"'], "text"),
    "NETGW_LOG_LEVEL": (['settings.logLevel="debug"'], "debug"),
    "UPCLOUD_TOKEN_EXPIRES_AT": (['upcloud.expiresAt="2026-11-22T03:00:00Z"'], "2026-11-22T03:00:00Z"),
    "UPCLOUD_DEBUG_API_BASE_URL": (['upcloud.apiBaseUrl="http://sim.example.com"'], "http://sim.example.com"),
}
"""By variable: values that set it, and what it is then."""
REFERENCES = {"secretKeyRef", "configMapKeyRef", "secretRef", "configMapRef", "secret", "configMap"}
FROM_ELSEWHERE = {"NETGW_NAMESPACE", "UPCLOUD_TOKEN", "UPCLOUD_USERNAME", "UPCLOUD_PASSWORD"}


def test_every_setting_of_the_page_has_a_value() -> None:
    rows = re.findall(r"^\| (`[^|]+`) \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE)
    shown = {name for row in rows for name in re.findall(r"[A-Z_]{4,}", row)}
    assert shown == SETTINGS.keys() | FROM_ELSEWHERE


def test_values_become_settings_that_the_operator_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    found = environment(*(one for sets, _ in SETTINGS.values() for one in sets))
    assert {name: found.get(name) for name in SETTINGS} == {name: expected for name, (_, expected) in SETTINGS.items()}
    for name in SETTINGS:
        monkeypatch.setenv(name, found[name])
    settings = Settings.load()
    defaults = Settings.model_construct().model_dump()
    same = {name for name, value in settings.model_dump().items() if value == defaults.get(name)}
    assert same <= {"namespace", "log_format"}  # text is what the chart does not choose by itself
    assert base_url_from_env(found) == "http://sim.example.com"


def test_default_policies_are_those_that_the_operator_takes() -> None:
    """A word that it does not know ends its start: the schema has the same table."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    policies = schema["properties"]["settings"]["properties"]["defaultPolicies"]
    assert policies["additionalProperties"] is False
    assert {field: tuple(each["enum"]) for field, each in policies["properties"].items()} == CHOICES


def test_without_a_value_the_default_is_the_operators() -> None:
    assert environment() == {
        "NETGW_NAMESPACE": None,
        "UPCLOUD_TOKEN": None,
        "NETGW_LISTEN": "0.0.0.0:8080",
        "NETGW_LOG_FORMAT": "json",
        "NETGW_LOG_LEVEL": "info",
    }
    assert environment("settings.clusterNetworks=[]")["NETGW_CLUSTER_NETWORKS"] == "none"


def test_credentials_are_a_token_or_a_name_with_a_password() -> None:
    by_name = objects("available")
    for found, names in (
        (objects("default"), ["TOKEN"]),
        (by_name, ["USERNAME", "PASSWORD"]),
        (objects("token"), ["TOKEN"]),
    ):
        given = {variable["name"]: "madeup" for variable in container(found)["env"] if "UPCLOUD_" in variable["name"]}
        given.pop("UPCLOUD_DEBUG_API_BASE_URL", None)
        assert list(given) == [f"UPCLOUD_{name}" for name in names]
        assert Credentials.from_env(given).secrets()


def test_a_token_among_the_values_goes_into_a_secret_and_nowhere_else() -> None:
    found = objects("token")
    assert one("Secret", found)["stringData"] == {"token": "madeup_token_of_a_golden_file"}
    assert sum("madeup_token" in yaml.safe_dump(obj) for obj in found) == 1


EVERY_SECRET = (
    'fingerprintKey.existingSecret="key"',
    'privateCA.existingSecret="ca"',
    'extraEnv=[{"name":"A","valueFrom":{"secretKeyRef":{"name":"more","key":"a"}}}]',
    'extraEnvFrom=[{"secretRef":{"name":"more"}}]',
    'extraVolumes=[{"name":"more","secret":{"secretName":"more"}}]',
    'extraVolumeMounts=[{"name":"more","mountPath":"/more"}]',
)


@pytest.mark.parametrize(
    ("sets", "needed"),
    [((), set()), (('kubeconfig.existingSecret="other"',), {"other", "ca"})],
    ids=["its own cluster", "another"],
)
def test_the_look_before_an_uninstall_needs_no_credentials(sets: tuple[str, ...], needed: set[str]) -> None:
    """A pod that names a Secret which is gone never starts, and the uninstall would wait for it in vain."""
    found = objects("default", *EVERY_SECRET, 'watchNamespaces=["team-a"]', 'clusterName="c"', *sets)
    operator, look = (one(kind, found)["spec"]["template"]["spec"] for kind in ("Deployment", "Job"))
    assert named(operator) == {"upcloud", "key", "ca", "more"} | needed
    assert named(look) == needed
    (check,) = look["containers"]
    given = {variable["name"]: variable.get("value") for variable in check["env"]}
    assert (given["NETGW_NAMESPACES"], given["NETGW_CLUSTER_NAME"]) == ("team-a", "c")
    assert ("KUBECONFIG" in given, "SSL_CERT_FILE" in given) == (bool(needed), bool(needed))
    assert {mount["name"] for mount in check["volumeMounts"]} == {volume["name"] for volume in look["volumes"]}


def named(spec: Any) -> set[str]:
    """Secrets and ConfigMaps that a pod cannot start without."""
    if isinstance(spec, list):
        return set().union(*map(named, spec))
    if not isinstance(spec, dict):
        return set()
    found = {spec[key].get("name") or spec[key].get("secretName") for key in REFERENCES & spec.keys()}
    return found.union(*map(named, spec.values()))


def test_two_are_never_at_work() -> None:
    """Without leader election the old pod ends before the new one starts."""
    alone, elected, two = objects("default"), objects("default", "leaderElection=true"), objects("available")
    assert [one("Deployment", found)["spec"]["strategy"]["type"] for found in (alone, elected, two)] == [
        "Recreate",
        "RollingUpdate",
        "RollingUpdate",
    ]
    leads = [
        any(v["name"] == "NETGW_LEADER_ELECTION" for v in container(found)["env"]) for found in (alone, elected, two)
    ]
    assert leads == [False, True, True]
    assert [sum(obj["kind"] == "PodDisruptionBudget" for obj in found) for found in (alone, elected, two)] == [0, 0, 1]


def test_selectors_find_the_operator_alone() -> None:
    found = objects("default")
    selector = one("Deployment", found)["spec"]["selector"]["matchLabels"]
    job = one("Job", found)["spec"]["template"]["metadata"]["labels"]
    assert one("Service", found)["spec"]["selector"] == selector
    assert selector.items() <= one("Deployment", found)["spec"]["template"]["metadata"]["labels"].items()
    assert not selector.items() <= job.items()


def test_every_value_has_a_sentence() -> None:
    text = VALUES.read_text()
    told = {value.path for value in described(text)}
    missing = [
        path for path in leaves(yaml.safe_load(text)) if not any(path[: n + 1] in told for n in range(len(path)))
    ]
    assert missing == []


def test_page_is_fresh() -> None:
    assert not stale(), "run `make generate`"
