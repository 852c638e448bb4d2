"""The version is one, and who forgets a place is told which."""

from __future__ import annotations

from pathlib import Path

import pytest

from netgw_dev import requirements
from netgw_dev.versions import problems

FILES = {
    "pyproject.toml": '[project]\nversion = "1.2.3"\n',
    "CHANGELOG.md": "## [Unreleased]\n\n## 1.2.3 - 2026-11-27\n\n## 1.2.2 - 2026-10-01\n",
    "operator/netgw/__init__.py": '__version__ = "1.2.3"\n',
    "helm/netgw/Chart.yaml": "version: 0.4.0\nappVersion: 1.2.3\n",
}


def tree(folder: Path, **changed: str | None) -> Path:
    """A project; `changed` by the stem of the file, None for one that is missing."""
    for path, text in FILES.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        content = changed.get(file.stem.strip("_").lower(), text)
        if content is not None:
            file.write_text(content)
    return folder


def test_this_project_has_one_version() -> None:
    assert list(problems()) == []


def test_one_version_everywhere(tmp_path: Path) -> None:
    assert list(problems(tree(tmp_path), "v1.2.3")) == []


@pytest.mark.parametrize(
    ("file", "text", "tag", "told"),
    [
        ("changelog", "## 1.2.2 - 2026-10-01\n", "", "CHANGELOG.md begins with 1.2.2"),
        ("changelog", "# Changelog\n", "", "CHANGELOG.md begins with no version"),
        ("init", '__version__ = "1.2.2"\n', "", "__init__.py is not of version 1.2.3"),
        ("chart", "appVersion: 1.2.2\n", "", "appVersion 1.2.2"),
        ("chart", FILES["helm/netgw/Chart.yaml"], "v1.2.4", "the tag is v1.2.4"),
        ("changelog", "## 1.2.3 - unreleased\n", "v1.2.3", "no date but unreleased"),
        ("chart", None, "v1.2.3", "no chart"),
    ],
)
def test_what_disagrees_is_told(tmp_path: Path, file: str, text: str | None, tag: str, told: str) -> None:
    (problem,) = problems(tree(tmp_path, **{file: text}), tag)
    assert told in problem


def test_the_image_installs_the_pins_that_are_tested() -> None:
    assert requirements.PAGE.read_text() == requirements.render(), "run `make generate`"
    assert "pytest" not in requirements.pins(requirements.PAGE.read_text())
    assert "://" not in requirements.PAGE.read_text()
