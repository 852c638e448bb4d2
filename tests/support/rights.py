"""Rights and what was asked for: the rules of rendered roles, one by one, against an API server's audit log."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
SEEN_WITHIN = 20.0

Body = dict[str, Any]


@dataclass(frozen=True, order=True)
class Request:
    """What was asked of the API server and not refused."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""

    def attributes(self) -> Body:
        """As a SelfSubjectAccessReview wants it."""
        resource, _, subresource = self.resource.partition("/")
        where = {"namespace": self.namespace, "name": self.name, "subresource": subresource}
        return {"verb": self.verb, "group": self.group, "resource": resource} | {k: v for k, v in where.items() if v}


@dataclass(frozen=True, order=True)
class Grant:
    """One verb on one resource. `where`: a namespace, or "*"; `name`: the only object, or ""."""

    role: str
    where: str
    verb: str
    group: str
    resource: str
    name: str

    def covers(self, request: Request) -> bool:
        wanted = (request.verb, request.group, request.resource)
        here = self.where in ("*", request.namespace) and self.name in ("", request.name)
        return here and wanted == (self.verb, self.group, self.resource)

    def request(self) -> Request:
        """The widest that it covers."""
        where = "" if self.where == "*" else self.where
        return Request(self.verb, self.group, self.resource, where, self.name)

    def __str__(self) -> str:
        return f"{self.role}: {self.verb} {self.resource}{f'/{self.name}' if self.name else ''} in {self.where}"


def grants(found: Iterable[Body], namespace: str) -> set[Grant]:
    """What the bindings give to the ServiceAccount of the release in this namespace."""
    objects = list(found)
    roles = {(obj["kind"], obj["metadata"]["name"]): obj["rules"] for obj in objects if obj["kind"].endswith("Role")}
    given: set[Grant] = set()
    for obj in (obj for obj in objects if obj["kind"].endswith("RoleBinding")):
        assert [subject["namespace"] for subject in obj["subjects"]] == [namespace]
        role, where = obj["roleRef"]["name"], obj["metadata"].get("namespace", "*")
        given |= {
            Grant(role, where, verb, group, resource, name)
            for rule in roles[obj["roleRef"]["kind"], role]
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for name in rule.get("resourceNames", [""])
            for verb in rule["verbs"]
        }
    return given


def rules(given: Iterable[Grant]) -> list[Body]:
    """A role's rules that give just this, one each."""
    return [
        {"apiGroups": [one.group], "resources": [one.resource], "verbs": [one.verb]}
        | ({"resourceNames": [one.name]} if one.name else {})
        for one in sorted(given)
    ]


def needed_for(grant: Grant, given: Iterable[Grant], asked: Iterable[Request]) -> Request | None:
    """Something that was asked for and that this grant alone allows."""
    others = [other for other in given if other != grant]
    alone = (one for one in asked if grant.covers(one) and not any(other.covers(one) for other in others))
    return min(alone, default=None)


def until(account: httpx.Client, request: Request, *, allowed: bool) -> None:
    """Wait until the API server says so to whoever this is: it sees a changed role a moment later."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": request.attributes()},
    }
    deadline = time.monotonic() + SEEN_WITHIN
    while account.post(REVIEWS, json=review).raise_for_status().json()["status"]["allowed"] is not allowed:
        assert time.monotonic() < deadline, f"{'refused' if allowed else 'allowed'}: {request}"
        time.sleep(0.01)


class Audit:
    """What the ServiceAccount asked since this was made; discovery and the like, which needs no right, is left out."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._since = log.stat().st_size if log.exists() else 0

    def requests(self, namespace: str | None = None) -> set[Request]:
        """Those that were allowed; with a namespace, of objects there alone."""
        with self._log.open("rb") as file:
            file.seek(self._since)
            events = [json.loads(line) for line in file if line.endswith(b"\n")]
        found = {_request(event) for event in events if _counts(event)}
        return {one for one in found if namespace in (None, one.namespace)}


def _counts(event: Body) -> bool:
    if event["verb"] == "watch" and event["stage"] != "ResponseStarted":
        return False  # the end of one that began long ago
    return "objectRef" in event and (event.get("responseStatus") or {}).get("code") != 403


def _request(event: Body) -> Request:
    of = event["objectRef"]
    resource = "/".join(part for part in (of["resource"], of.get("subresource")) if part)
    return Request(event["verb"], of.get("apiGroup", ""), resource, of.get("namespace", ""), of.get("name", ""))
