"""A right taken away for a while, as the API server sees it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import replace

from support.cluster import MERGE_PATCH, OPERATOR_NAMESPACE
from support.installed import RELEASE, Installation
from support.rights import Body, Grant, Request, rules, until

ROLES = "/apis/rbac.authorization.k8s.io/v1"


@contextlib.contextmanager
def without(installed: Installation, grant: Grant, given: Iterable[Grant], request: Request) -> Iterator[None]:
    """The role without this verb on this resource. The request is allowed before, refused inside, allowed after."""
    path = _role(grant)
    whole = installed.cluster.api("GET", path).raise_for_status().json()["rules"]
    mine = {replace(one, where="") for one in given if one.role == grant.role}
    until(installed.account, request, allowed=True)
    _write(installed, path, rules(mine - {replace(grant, where="")}))
    try:
        until(installed.account, request, allowed=False)
        yield
    finally:
        _write(installed, path, whole)
    until(installed.account, request, allowed=True)


def _role(grant: Grant) -> str:
    if grant.role == f"{RELEASE}-own":
        return f"{ROLES}/namespaces/{OPERATOR_NAMESPACE}/roles/{grant.role}"
    return f"{ROLES}/clusterroles/{grant.role}"


def _write(installed: Installation, path: str, wanted: list[Body]) -> None:
    answer = installed.cluster.api("PATCH", path, json={"rules": wanted}, content_type=MERGE_PATCH)
    answer.raise_for_status()
