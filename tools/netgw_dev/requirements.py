"""requirements.txt: what of constraints.txt the image needs, nothing for development, and what builds the wheel.

    python -m netgw_dev.requirements            writes it
    python -m netgw_dev.requirements --check    fails when it is stale

The pins and hashes are those of constraints.txt, word for word. Which of them are needed, the installed packages say:
run it in the environment that constraints.txt made.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PINS, PAGE = ROOT / "constraints.txt", ROOT / "requirements.txt"

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""Whatever one of these needs is in: the base of the image is an argument."""

HEAD = """\
# What the image installs: the part of constraints.txt that the operator needs, and setuptools, which builds its wheel.
# Renew with `make generate`.
"""
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==\S+(?: \\\n    --hash=\S+)+\n", re.MULTILINE)


def pins(text: str) -> dict[str, str]:
    """Each pin with its hashes, by name, as it stands."""
    return {canonicalize_name(found[1]): found[0] for found in _PIN.finditer(text)}


def closure(wanted: Iterable[str]) -> set[str]:
    """The names of these requirements and of all that they need, on Linux."""
    found: set[str] = set()
    left = [(requirement, "") for requirement in map(Requirement, wanted)]
    while left:
        requirement, extra = left.pop()
        if not _applies(requirement, extra):
            continue
        name = canonicalize_name(requirement.name)
        for wish in ("", *requirement.extras):
            if (key := f"{name}[{wish}]") not in found:
                found.add(key)
                left += [(Requirement(text), wish) for text in requires(name) or ()]
    return {key.partition("[")[0] for key in found}


def render() -> str:
    """The file as it has to be."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    names = closure([*project["project"]["dependencies"], *project["build-system"]["requires"]])
    known = pins(PINS.read_text())
    if missing := sorted(names - known.keys()):
        sys.exit(f"constraints.txt has no pin for {', '.join(missing)}: renew it, its first lines say how")
    return HEAD + "".join(known[name] for name in sorted(names))


def _applies(requirement: Requirement, extra: str) -> bool:
    if requirement.marker is None:
        return True
    linux = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "extra": extra}
    return any(
        requirement.marker.evaluate({**linux, "python_version": python, "python_full_version": f"{python}.0"})
        for python in PYTHONS
    )


def main() -> None:
    """Write, or check what was written."""
    text = render()
    if sys.argv[1:] != ["--check"]:
        PAGE.write_text(text)
    elif not PAGE.is_file() or PAGE.read_text() != text:
        sys.exit("netgw: requirements.txt is stale, run make generate")


if __name__ == "__main__":
    main()
