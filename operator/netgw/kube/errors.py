"""What can go wrong with Kubernetes, in our own words: the only exceptions that leave `kube.client`.

| class               | when                                                        | what the caller does        |
|---------------------|-------------------------------------------------------------|-----------------------------|
| KubernetesError     | no answer, or a refusal (`status` is the HTTP status)       | tries again later           |
| WriteConflict       | 409, or a JSON patch whose `test` failed (422)              | decides again on fresh data |
| ObjectGone          | 404 in the server's own words, which name the object        | forgets the object          |
| KindNotServed       | 404 on a list                                               | ends: the CRD is missing    |
| NamespaceTerminating| 403 because the namespace is being deleted                  | drops what it wanted to make|
| WatchExpired        | 410 on a watch                                              | lists again                 |

Messages are short and never quote a body: the server repeats whole objects in them, Secrets too.
"""

from __future__ import annotations

from netgw.engine import ports


class KubernetesError(ports.Unanswered):
    """Kubernetes did not answer (`status` is None) or refused."""

    def __init__(self, message: str, status: int | None = None):
        super().__init__(message)
        self.status = status


class WriteConflict(KubernetesError, ports.WriteConflict):
    """The object moved since it was read, or is there already."""


class ObjectGone(KubernetesError, ports.ObjectGone):
    """The object of a write does not exist."""


class KindNotServed(KubernetesError):
    """The API server does not serve this kind: its CRD is missing."""


class NamespaceTerminating(KubernetesError):
    """Nothing can be created in this namespace any more."""


class WatchExpired(KubernetesError):
    """The resourceVersion of a watch is too old."""
