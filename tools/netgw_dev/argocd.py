"""Copies of deploy/argocd/health.lua, one per kind, in the two forms in which Argo CD takes them.

`resource_customizations/` is laid out as in Argo CD's own repository, ready to be merged there; `health-argocd-cm.yaml`
is a patch of the ConfigMap argocd-cm, for a cluster today. `health_test.yaml` names the recorded objects beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "argocd"
CUSTOMIZATIONS = "resource_customizations"
SOURCE = "health.lua"
CONFIG_MAP = "health-argocd-cm.yaml"
HEAD = """\
# Generated from health.lua by make generate. For Argo CD's ConfigMap:
#   kubectl --namespace argocd patch configmap argocd-cm --patch-file deploy/argocd/health-argocd-cm.yaml
"""


class Block(str):
    """Text that YAML shows line by line."""

    __slots__ = ()


class Dumper(yaml.SafeDumper):
    """Knows blocks."""


Dumper.add_representer(Block, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|"))


def kinds() -> list[tuple[str, str]]:
    """Group and kind of each CRD in crds/."""
    crds = [yaml.safe_load(path.read_text()) for path in sorted((FOLDER.parents[1] / "crds").glob("*.yaml"))]
    return [(crd["spec"]["group"], crd["spec"]["names"]["kind"]) for crd in crds]


def folder_of(group: str, kind: str) -> Path:
    """Where Argo CD's repository has what belongs to a kind, below ours."""
    return Path(CUSTOMIZATIONS) / group / kind


def files(folder: Path = FOLDER) -> Mapping[Path, str]:
    """All that is generated, by its path below `folder`."""
    lua = (folder / SOURCE).read_text()
    data = {f"resource.customizations.health.{group}_{kind}": Block(lua) for group, kind in kinds()}
    made = {Path(CONFIG_MAP): HEAD + yaml.dump({"data": data}, Dumper=Dumper, width=1000)}
    for group, kind in kinds():
        at = folder_of(group, kind)
        made[at / "health.lua"] = lua
        made[at / "health_test.yaml"] = _tests(folder / at / "testdata")
    return made


def _tests(testdata: Path) -> str:
    """The health that each recorded object has is the first word of its name; its message is beside it."""
    tests = []
    for path in sorted(testdata.glob("*.yaml")):
        first = path.read_text().splitlines()[0]
        health = {"status": path.stem.split("_")[0].capitalize(), "message": first.removeprefix("# ")}
        tests.append({"healthStatus": health, "inputPath": f"testdata/{path.name}"})
    return yaml.safe_dump({"tests": tests}, sort_keys=False, width=1000)


def main(argv: list[str]) -> None:
    """`--write`, or `--check`, which fails when something is stale."""
    made = files()
    if argv == ["--write"]:
        for path, text in made.items():
            (FOLDER / path).parent.mkdir(parents=True, exist_ok=True)
            (FOLDER / path).write_text(text)
        return
    stale = [str(path) for path, text in made.items() if not _is(FOLDER / path, text)]
    if stale:
        sys.exit(f"deploy/argocd: stale, run make generate: {', '.join(stale)}")


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text() == text


if __name__ == "__main__":
    main(sys.argv[1:])
