"""The CRDs are those of `crds/`, and rights go as far as the values say and no further."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from netgw.kinds import KINDS
from netgw.kube import crd
from support.chart import CHART, crds, objects
from support.cluster import OPERATOR_NAMESPACE, ROOT

KEEP = "helm.sh/resource-policy"
Grant = tuple[str, str, str, str]
"""Where, of what, its name if only one, and the verb."""


def grants(found: list[dict[str, Any]], account: str = "netgw") -> set[Grant]:
    """What the bindings of a render give to the ServiceAccount, namespace by namespace; "*" is everywhere."""
    roles = {(obj["kind"], obj["metadata"]["name"]): obj["rules"] for obj in found if obj["kind"].endswith("Role")}
    given: set[Grant] = set()
    for obj in found:
        if obj["kind"].endswith("RoleBinding"):
            assert obj["subjects"] == [{"kind": "ServiceAccount", "name": account, "namespace": OPERATOR_NAMESPACE}]
            where = obj["metadata"].get("namespace", "*")
            for rule in roles[obj["roleRef"]["kind"], obj["roleRef"]["name"]]:
                given |= {
                    (where, resource, name, verb)
                    for resource in rule["resources"]
                    for name in rule.get("resourceNames", [""])
                    for verb in rule["verbs"]
                }
    return given


def on_secrets(given: set[Grant]) -> set[tuple[str, str, str]]:
    return {(where, name, verb) for where, resource, name, verb in given if resource == "secrets"}


def test_copy_of_the_crds_is_fresh() -> None:
    assert crd.stale(KINDS, CHART / "files" / "crds") == [], "run `make generate`"


@pytest.mark.parametrize(("sets", "kept"), [((), True), (("crds.keep=false",), False)])
def test_crds_are_those_of_the_models(sets: tuple[str, ...], kept: bool) -> None:
    found = crds("default", *sets)
    assert [obj["metadata"].get("annotations", {}).get(KEEP) == "keep" for obj in found] == [kept] * len(KINDS)
    wanted = [yaml.safe_load(path.read_text()) for path in sorted((ROOT / "crds").glob("*.yaml"))]
    assert [{**obj, "metadata": {"name": obj["metadata"]["name"]}} for obj in found] == wanted


def test_crds_may_come_from_elsewhere() -> None:
    assert crds("default", "crds.install=false") == []


def test_every_kind_has_its_rights() -> None:
    given = grants(objects("default"))
    for kind in KINDS:
        assert {verb for _, resource, _, verb in given if resource == kind.plural} == {"get", "list", "watch", "patch"}
        assert {verb for _, resource, _, verb in given if resource == f"{kind.plural}/status"} == {"patch"}


def test_of_secrets_get_alone_unless_a_value_grants_more() -> None:
    own = {(OPERATOR_NAMESPACE, "", "create"), (OPERATOR_NAMESPACE, "netgw-fingerprint-key", "get")}
    assert on_secrets(grants(objects("default"))) == {("*", "", "get"), *own}
    for value, verbs in (
        ("secretWatch", {"list", "watch"}),
        ("credentialsFinalizer", {"patch"}),
        ("keyGeneration", {"create", "patch"}),
    ):
        more = on_secrets(grants(objects("default", f"{value}=true")))
        assert more == {("*", "", "get"), *own, *(("*", "", verb) for verb in verbs)}, value
    keyed = on_secrets(grants(objects("default", 'fingerprintKey.existingSecret="k"')))
    assert keyed == {("*", "", "get")}


def test_a_lease_is_made_with_leader_election_alone() -> None:
    """`netgw release` looks for one in any case, and holds one that an earlier leader left."""
    held = {(OPERATOR_NAMESPACE, "leases", "netgw", verb) for verb in ("get", "update")}
    for sets, more in (
        ((), set()),
        (("leaderElection=true",), {(OPERATOR_NAMESPACE, "leases", "", "create")}),
        (("replicas=2",), {(OPERATOR_NAMESPACE, "leases", "", "create")}),
    ):
        given = {grant for grant in grants(objects("default", *sets)) if grant[1] == "leases"}
        assert given == held | more, sets


def test_with_watched_namespaces_nothing_is_granted_elsewhere() -> None:
    given = grants(objects("namespaced"))
    assert {where for where, *_ in given} == {"team-a", OPERATOR_NAMESPACE}
    there = {(resource, verb) for where, resource, _, verb in given if where == "team-a"}
    assert there == {(resource, verb) for where, resource, name, verb in grants(objects("default")) if where == "*"} - {
        ("namespaces", "list"),
        ("namespaces", "watch"),
    } | {("secrets", verb) for verb in ("list", "watch", "create", "patch")}
    assert all(obj["kind"] != "ClusterRoleBinding" for obj in objects("namespaced"))


def test_roles_for_people_are_bound_to_nobody_and_not_aggregated() -> None:
    roles = [obj for obj in objects("default", "userRoles.create=true") if obj["kind"] == "ClusterRole"]
    assert {obj["metadata"]["name"] for obj in roles} == {"netgw", "netgw-viewer", "netgw-editor"}
    assert "aggregate" not in yaml.safe_dump(roles)
    bound = {obj["roleRef"]["name"] for obj in objects("default", "userRoles.create=true") if "roleRef" in obj}
    assert bound == {"netgw", "netgw-own"}
    assert not any("viewer" in obj["metadata"]["name"] for obj in objects("default"))


READ = {"get", "list", "watch"}


@pytest.mark.parametrize(
    ("role", "verbs"),
    [("netgw-viewer", READ), ("netgw-editor", READ | {"create", "update", "patch", "delete", "deletecollection"})],
)
def test_roles_for_people_have_every_kind(role: str, verbs: set[str]) -> None:
    found = objects("default", "userRoles.create=true")
    (rules,) = (obj["rules"] for obj in found if (obj["kind"], obj["metadata"]["name"]) == ("ClusterRole", role))
    assert {group for rule in rules for group in rule["apiGroups"]} == {kind.group for kind in KINDS}
    given = {resource: set(rule["verbs"]) for rule in rules for resource in rule["resources"]}
    assert given == {kind.plural: verbs for kind in KINDS} | {f"{kind.plural}/status": {"get"} for kind in KINDS}


def test_without_rbac_there_is_none() -> None:
    found = objects("namespaced", "rbac.create=false")
    assert not [obj["kind"] for obj in found if "Role" in obj["kind"]]
