"""No verb too many: each that the chart grants is used, and what uses it is refused without it.

Two stories are played under the chart's roles, and the API server's audit log says what was asked for: one with all
namespaces and leader election, one with a single namespace and every option that grants more. What the log has and what
the roles say must be the same. Then each verb goes from its role in turn, and the API server has to refuse what the
story asked for. What the operator says to that is shown for some.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from netgw.engine.objects import format_time
from netgw.kube.guard import CREDENTIALS_FINALIZER
from netgw.providers.upcloud.tunnel.record import ANNOTATION
from support.cluster import MERGE_PATCH, OPERATOR_NAMESPACE
from support.installed import Installation, PodOperator, Values, quick
from support.missing import without
from support.operator import DRAIN_SECONDS, PROBES, Simulator, announced, ended, made_up
from support.rights import Audit, Grant, Request, needed_for
from support.scenario import Scenario

EXISTING = {"upcloud": {"existingSecret": "upcloud"}}
ELECTED = {"leaderElection": True}
OPTIONS = {
    "secretWatch": "secret-watch",
    "credentialsFinalizer": "credentials-finalizer",
    "keyGeneration": "key-generation",
}
WRITTEN_BY = {"netgw-credentials-finalizer": "account", "netgw-key-generation": "office-psk"}
"""Which Secret of the story each option writes; the verbs are the same."""
TWICE = "netgw-own: get secrets/netgw-fingerprint-key in netgw-system"
"""With all namespaces the general role allows this too; where some are named it is needed."""
FINGERPRINT_KEY = f"/api/v1/namespaces/{OPERATOR_NAMESPACE}/secrets/netgw-fingerprint-key"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{OPERATOR_NAMESPACE}/leases/netgw"


@dataclass(frozen=True)
class Play:
    """What the roles gave, and what was asked for in the story."""

    values: tuple[Values, ...]
    given: frozenset[Grant]
    asked: frozenset[Request]

    def grant(self, verb: str, resource: str, role: str = "netgw") -> Grant:
        (found,) = (g for g in self.given if (g.role, g.verb, g.resource) == (role, verb, resource))
        return found

    def needs(self, grant: Grant) -> Request:
        found = needed_for(grant, self.given, self.asked)
        assert found is not None, f"nothing needs it: {grant}"
        return found


def begin(installed: Installation, *values: Values) -> PodOperator:
    """A pod of the release with these values, as the first that there ever was."""
    token = made_up("token")
    for path in (FINGERPRINT_KEY, LEASE):
        installed.cluster.api("DELETE", path)
    installed.secret("upcloud", token=token)
    installed.install(*values)
    operator = installed.operator(token)
    operator.begin()
    return operator


@pytest.fixture(scope="module")
def everywhere(installed: Installation, cloud: Simulator) -> Play:
    """Every kind becomes ready; then the pod goes, and its hands are taken off the objects (`netgw release`)."""
    audit, values = Audit(installed.audit), (quick(cloud.url), EXISTING, ELECTED)
    operator = begin(installed, *values)
    with installed.cluster.namespace() as namespace, installed.scenario(cloud, operator, namespace) as scenario:
        scenario.create("Router", "hub", {"labels": {"team": "net"}})
        scenario.secret()
        scenario.gateway(routerRef={"name": "hub"})
        scenario.connection()
        scenario.tunnel()
        scenario.wait_all_ready()
        scenario.wait("Events are posted", scenario.events)
        operator.stop()
        released = operator.command("release", "--all")
        assert released.returncode == 0, released.stderr
        scenario.delete_all()
        assert scenario.objects() == []
    return Play(values, installed.given, frozenset(audit.requests()))


@pytest.fixture(scope="module")
def one_namespace(installed: Installation, cloud: Simulator) -> Iterator[Play]:
    """A gateway with credentials of its own, which are kept, and a tunnel whose key is made and rotated."""
    with installed.cluster.namespace() as namespace:
        scope = {"watchNamespaces": [namespace], "clusterName": "e2e"}
        audit, values = Audit(installed.audit), (quick(cloud.url), EXISTING, ELECTED, scope)
        operator = begin(installed, *values, dict.fromkeys(OPTIONS, True))
        with installed.scenario(cloud, operator, namespace) as scenario:
            keys_and_credentials(scenario)
            scenario.delete_all()
            scenario.wait("all are gone", lambda: not scenario.objects())
        yield Play(values, installed.given, frozenset(audit.requests()))


def keys_and_credentials(scenario: Scenario) -> None:
    scenario.secret("account", made_up("token"), "token")
    scenario.gateway(credentialsSecretRef={"name": "account"})
    scenario.connection()
    generation = {"rotateAfter": "720h", "announce": "24h"}
    reference = {"pskSecretRef": {"name": "office-psk"}, "pskGeneration": generation}
    scenario.tunnel(ipsec={"authentication": reference})
    scenario.wait_all_ready()
    path = f"/api/v1/namespaces/{scenario.namespace}/secrets"

    def held() -> bool:
        metadata = scenario.cluster.api("GET", f"{path}/account").raise_for_status().json()["metadata"]
        return bool(metadata.get("finalizers") == [CREDENTIALS_FINALIZER])

    scenario.wait("the credentials are kept", held)
    notes = scenario.cluster.api("GET", f"{path}/office-psk").raise_for_status().json()["metadata"]["annotations"]
    record = json.loads(notes[ANNOTATION])
    record["psk"]["rotatedAt"] = format_time(datetime.now(UTC) - timedelta(days=29))
    patch = {"metadata": {"annotations": {ANNOTATION: json.dumps(record)}}}
    scenario.cluster.api("PATCH", f"{path}/office-psk", json=patch, content_type=MERGE_PATCH).raise_for_status()

    def phase() -> bool:
        rotation = scenario.get("VpnTunnel", "office-1").status.get("pskRotation") or {}
        return bool(rotation.get("phase") == "Announced")

    scenario.wait("the next key is announced", phase)


def test_granted_is_what_is_used(everywhere: Play) -> None:
    unused = [str(one) for one in sorted(everywhere.given) if not any(map(one.covers, everywhere.asked))]
    assert unused == []
    beyond = [one for one in sorted(everywhere.asked) if not any(grant.covers(one) for grant in everywhere.given)]
    assert beyond == [], "it lives on rights that are not of the chart"
    twice = [str(one) for one in everywhere.given if needed_for(one, everywhere.given, everywhere.asked) is None]
    assert twice == [TWICE]


def test_granted_is_what_is_used_in_one_namespace(everywhere: Play, one_namespace: Play) -> None:
    """There each option is used; what the other roles give has its use in one of the two stories."""
    used = {(one.role, one.verb, one.resource) for one in everywhere.given if any(map(one.covers, everywhere.asked))}
    idle = [one for one in sorted(one_namespace.given) if not any(map(one.covers, one_namespace.asked))]
    assert [str(one) for one in idle if (one.role, one.verb, one.resource) not in used] == []
    given = one_namespace.given
    assert [one for one in sorted(one_namespace.asked) if not any(grant.covers(one) for grant in given)] == []


def test_each_verb_is_missed(installed: Installation, everywhere: Play) -> None:
    installed.install(*everywhere.values)
    tried = [one for one in sorted(everywhere.given) if str(one) != TWICE]
    assert len(tried) > 25
    for grant in tried:
        with without(installed, grant, everywhere.given, everywhere.needs(grant)):
            pass


@pytest.mark.parametrize("option", OPTIONS)
def test_each_verb_of_an_option_is_missed(installed: Installation, one_namespace: Play, option: str) -> None:
    """Each option alone, for two of them grant the same verb; with it, what the release may in its own namespace."""
    installed.install(*one_namespace.values, {option: True})
    role = f"netgw-{OPTIONS[option]}"
    play = Play(one_namespace.values, installed.given, asked_by(one_namespace, role))
    assert role in {grant.role for grant in play.given}
    for grant in sorted(play.given):
        if grant.role == role or str(grant) == TWICE:
            with without(installed, grant, play.given, play.needs(grant)):
                pass


def asked_by(play: Play, role: str) -> frozenset[Request]:
    """Without the changes of Secrets that are another option's."""
    changed = {one for one in play.asked if (one.verb, one.resource) == ("patch", "secrets")}
    return play.asked - {one for one in changed if one.name != WRITTEN_BY.get(role)}


@contextlib.contextmanager
def begun_without(installed: Installation, play: Play, grant: Grant) -> Iterator[PodOperator]:
    """A pod that begins while the role lacks this verb."""
    installed.install(*play.values)
    with without(installed, grant, play.given, play.needs(grant)):
        operator = begin(installed, *play.values)
        try:
            yield operator
        finally:
            operator.stop()


@pytest.mark.parametrize(
    ("verb", "resource", "role", "says"),
    [
        ("list", "vpntunnels", "netgw", "/vpntunnels: 403 "),
        ("create", "secrets", "netgw-own", "Secret netgw-system/netgw-fingerprint-key cannot be made (POST "),
    ],
)
def test_the_operator_ends_and_says_why(
    installed: Installation, everywhere: Play, verb: str, resource: str, role: str, says: str
) -> None:
    with begun_without(installed, everywhere, everywhere.grant(verb, resource, role)) as operator:
        assert ended(operator.process, 60) == 1
    last = operator.process.tail(1)
    assert last.startswith("netgw: ")
    assert says in last
    assert "403" in last


@pytest.mark.parametrize(
    ("verb", "resource", "role", "readiness", "says"),
    [
        ("get", "leases", "netgw-own", "standing by", "The Lease cannot be read or written: GET "),
        ("list", "namespaces", "netgw", "working", "Annotations of namespaces cannot be read and count as absent"),
    ],
)
def test_the_operator_goes_on_and_says_so(
    installed: Installation,
    everywhere: Play,
    verb: str,
    resource: str,
    role: str,
    readiness: str,
    says: str,
) -> None:
    with begun_without(installed, everywhere, everywhere.grant(verb, resource, role)) as operator:
        announced(operator.process, f"({says}.* 403 )")
        operator.wait_ready()
        answer = httpx.get(f"{announced(operator.process, PROBES)}/readyz", trust_env=False)
        assert (answer.status_code, answer.text.strip()) == (200, readiness)
        operator.terminate()
        assert ended(operator.process, DRAIN_SECONDS) == 0
