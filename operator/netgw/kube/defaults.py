"""Policies where no spec says any: those of the namespace over those of the operator."""

from __future__ import annotations

from collections.abc import Mapping

from netgw.engine.policy import parse
from netgw.kube.provider import Namespaces

ANNOTATION = "default-policies"
CREDENTIALS = "default-credentials"
"""The annotation of a namespace that names a Secret with credentials."""


class PolicyDefaults:
    """`operator`: what NETGW_DEFAULT_POLICIES says."""

    def __init__(self, namespaces: Namespaces, operator: Mapping[str, str]) -> None:
        self._namespaces = namespaces
        self._operator = operator

    def policies(self, namespace: str) -> Mapping[str, str]:
        """By field of the spec. Raises InvalidPolicies."""
        text = self._namespaces.get(namespace).get(ANNOTATION)
        said = {} if text is None else parse(text, f"Annotation netgw.dev/{ANNOTATION} of namespace {namespace}")
        return {**self._operator, **said}
