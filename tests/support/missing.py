"""A right taken away for a while, and what the API server says of it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace

import httpx

from support.cluster import MERGE_PATCH, OPERATOR_NAMESPACE
from support.installed import RELEASE, Installation
from support.rights import Grant, Request, rules

SEEN_WITHIN = 20.0
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
ROLES = "/apis/rbac.authorization.k8s.io/v1"


@contextlib.contextmanager
def service_account(installed: Installation) -> Iterator[httpx.Client]:
    """The API server as the release's ServiceAccount."""
    kubeconfig = installed.cluster.access.kubeconfig_for(RELEASE, OPERATOR_NAMESPACE)
    with replace(installed.cluster.access, kubeconfig=kubeconfig).client() as client:
        yield client


@contextlib.contextmanager
def without(
    installed: Installation, client: httpx.Client, grant: Grant, given: Iterable[Grant], request: Request
) -> Iterator[None]:
    """The role without this verb on this resource. The request is allowed before, refused inside, allowed after."""
    path = _role(grant)
    whole = installed.cluster.api("GET", path).raise_for_status().json()["rules"]
    mine = {replace(one, where="") for one in given if one.role == grant.role}
    until(client, request, allowed=True)
    _write(installed, path, rules(mine - {replace(grant, where="")}))
    try:
        until(client, request, allowed=False)
        yield
    finally:
        _write(installed, path, whole)
    until(client, request, allowed=True)


def until(client: httpx.Client, request: Request, *, allowed: bool) -> None:
    """The API server sees a changed role a moment later."""
    deadline = time.monotonic() + SEEN_WITHIN
    while _may(client, request) is not allowed:
        assert time.monotonic() < deadline, f"{'refused' if allowed else 'allowed'}: {request}"
        time.sleep(0.01)


def _may(client: httpx.Client, request: Request) -> bool:
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": request.attributes()},
    }
    return bool(client.post(REVIEWS, json=body).raise_for_status().json()["status"]["allowed"])


def _role(grant: Grant) -> str:
    if grant.role == f"{RELEASE}-own":
        return f"{ROLES}/namespaces/{OPERATOR_NAMESPACE}/roles/{grant.role}"
    return f"{ROLES}/clusterroles/{grant.role}"


def _write(installed: Installation, path: str, wanted: list[dict[str, object]]) -> None:
    answer = installed.cluster.api("PATCH", path, json={"rules": wanted}, content_type=MERGE_PATCH)
    answer.raise_for_status()
