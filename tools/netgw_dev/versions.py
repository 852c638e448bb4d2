"""Whether one version is told everywhere: pyproject.toml, netgw itself, the changelog and the chart.

python -m netgw_dev.versions             what holds of every commit
python -m netgw_dev.versions v1.2.3      and of this tag: it is that version, and the changelog dates it
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
_ENTRY = re.compile(r"^## \[?(\d+\.\d+\.\d+)\]? - (\S+)$", re.MULTILINE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_OWN = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)


def problems(root: Path = ROOT, tag: str = "") -> Iterator[str]:
    """What disagrees, one sentence each. The chart is compared where there is one."""
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    entries = _ENTRY.findall((root / "CHANGELOG.md").read_text())
    latest, date = entries[0] if entries else ("no version", "")
    own = _OWN.search((root / "operator" / "netgw" / "__init__.py").read_text())
    if latest != version:
        yield f"CHANGELOG.md begins with {latest}, pyproject.toml has {version}"
    if own is None or own[1] != version:
        yield f"operator/netgw/__init__.py is not of version {version}"
    chart = root / "helm" / "netgw" / "Chart.yaml"
    if chart.is_file() and (app := str(yaml.safe_load(chart.read_text()).get("appVersion"))) != version:
        yield f"Chart.yaml has appVersion {app}, pyproject.toml has {version}"
    if tag and tag != f"v{version}":
        yield f"the tag is {tag}, pyproject.toml has {version}"
    if tag and not _DATE.fullmatch(date):
        yield f"CHANGELOG.md gives {latest} no date but {date or 'nothing'}"
    if tag and not chart.is_file():
        yield "there is no chart in helm/netgw"


def main() -> None:
    """Tell all of them, and fail when there are some."""
    if found := list(problems(tag=sys.argv[1] if len(sys.argv) > 1 else "")):
        sys.exit("\n".join(f"netgw: {problem}" for problem in found))


if __name__ == "__main__":
    main()
