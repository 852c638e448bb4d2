"""Rules of the whole tree that no type checker knows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from netgw.kinds import KINDS
from netgw.kube import crd
from support.cluster import ROOT

OPERATOR = ROOT / "operator"


def test_import_contracts_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", ["operator/__init__.py", "tests/__init__.py", "tests/operator"])
def test_nothing_shadows_the_standard_library(path: str) -> None:
    """A package named operator breaks Python itself when it starts from the root of the repository."""
    assert not (ROOT / path).exists()


def test_no_folder_of_tests_is_a_package() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_every_folder_of_source_is_a_package() -> None:
    """Without __init__.py its modules are neither linted for imports nor shipped."""
    folders = {path.parent for path in (OPERATOR / "netgw").rglob("*.py")}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_only_handlers_and_cli_import_kopf() -> None:
    imports = re.compile(r"^\s*(import|from) +kopf\b", re.MULTILINE)
    found = {path.name for path in OPERATOR.rglob("*.py") if imports.search(path.read_text())}
    assert found == {"cli.py", "handlers.py"}


def test_crds_are_what_the_models_say() -> None:
    assert crd.stale(KINDS, ROOT / "crds") == [], "run `make generate`"


def test_pins_name_no_address() -> None:
    """An installation takes whatever index its user has set up."""
    assert "://" not in (ROOT / "constraints.txt").read_text()
