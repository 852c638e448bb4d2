"""What six sets of values render to, word for word. `NETGW_GOLDEN=write` (`make generate`) writes it anew.

CRDs are shortened to their names: they are compared with `crds/` elsewhere. The dashboards and rules too, for they have
tests of their own.
"""

from __future__ import annotations

import os
import re

import pytest

from support.chart import SETS, rendered
from support.cluster import ROOT

GOLDEN = ROOT / "tests" / "chart" / "golden"
LONG = ("kind: CustomResourceDefinition\n", "kind: PrometheusRule\n", "-dashboards\n")


def shortened(text: str) -> str:
    """Without the inside of what is long."""
    documents = re.split(r"^---\n", text, flags=re.MULTILINE)
    return "---\n".join(
        re.sub(r"^(spec|data):\n.*", r"\1: …\n", document, flags=re.MULTILINE | re.DOTALL)
        if any(mark in document for mark in LONG)
        else document
        for document in documents
    )


@pytest.mark.parametrize("values", SETS)
def test_golden(values: str) -> None:
    text = shortened(rendered(values))
    path = GOLDEN / f"{values}.yaml"
    if os.environ.get("NETGW_GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(text)
    assert path.read_text() == text, "run `make generate` and look at what changes"


def test_there_are_six() -> None:
    assert len(SETS) == 6
    assert sorted(path.stem for path in GOLDEN.glob("*.yaml")) == SETS
