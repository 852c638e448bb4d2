"""The reasons that a kind's page lists are those that its source gives, under the same condition and status."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from netgw.kinds import KINDS
from netgw.kube.kind import Kind
from netgw.providers.upcloud.tunnel.describe import SECRET_REASONS
from support.cluster import ROOT

UPCLOUD = ROOT / "operator" / "netgw" / "providers" / "upcloud"
FOLDERS = {"Router": "router", "NetworkGateway": "gateway", "VpnConnection": "connection", "VpnTunnel": "tunnel"}

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)


def listed(kind: Kind) -> set[tuple[str, str, str]]:
    return {(v.condition, v.status, reason) for v in kind.verdicts for reason in v.reasons}


def given(path: Path) -> Iterator[tuple[str, str, str]]:
    """Calls like Condition("Ready", "True", "Up", …), and of the gateway _verdict("True", "Running", …)."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            words = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            if node.func.id == "Condition" and len(words) >= 3 and _constant(node, 3):
                yield words[0], words[1], words[2]
            elif node.func.id == "_verdict" and _constant(node, 2):
                yield "Ready", words[0], words[1]


def _constant(call: ast.Call, number: int) -> bool:
    return all(isinstance(arg, ast.Constant) for arg in call.args[:number])


@each_kind
def test_page_and_source_have_the_same_reasons(kind: Kind) -> None:
    said = set(given(UPCLOUD / FOLDERS[kind.kind] / "describe.py"))
    if kind.kind == "VpnTunnel":  # reasons that are no constants there: of a log message, and of a Secret
        said |= {("Ready", "False", reason) for reason in causes()}
        said |= {("PskInSync", "Unknown", reason) for reason in SECRET_REASONS}
    assert said == listed(kind)


def causes() -> set[str]:
    """What a message of UpCloud's log may be the cause of."""
    tree = ast.parse((UPCLOUD / "tunnel" / "state.py").read_text())
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {word for word in words if word.isalpha() and word[0].isupper() and any(c.isupper() for c in word[1:])}
