"""What of `deploy/` is rendered from the chart: plain manifests for those who use no Helm.

    python -m netgw_dev.manifests --write     what `make generate` does
    python -m netgw_dev.manifests --check     names what is stale, with status 1

Text goes through as Helm wrote it, comments too; what speaks of Helm is taken out.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from netgw_dev.binaries import locate
from netgw_dev.modules import charts

ROOT = Path(__file__).resolve().parents[2]
CHART, DEPLOY = ROOT / "helm" / "netgw", ROOT / "deploy"
NAMESPACE = "netgw-system"
HEADER = "# Rendered from helm/netgw by `make generate`; do not edit.\n"
SPEAKS_OF_HELM = ("# Source: ", "    app.kubernetes.io/managed-by: Helm")

NAMESPACE_MANIFEST = f"""\
apiVersion: v1
kind: Namespace
metadata:
  name: {NAMESPACE}
  labels:
    pod-security.kubernetes.io/enforce: restricted
    pod-security.kubernetes.io/warn: restricted
"""
INSTALL_HEAD = """\
# All of netgw: CRDs, roles, the operator. Build its image from the Dockerfile and push it where your cluster pulls
# from; the kustomization beside this file puts that place in. The Secret with the credentials is yours to make:
#   kubectl create namespace netgw-system
#   kubectl --namespace netgw-system create secret generic upcloud --from-literal=token=...
# Give NETGW_CLUSTER_NAME a value before the day on which you rebuild the cluster: docs/settings.md.
"""
OPTIONAL = ("secretWatch", "credentialsFinalizer", "keyGeneration")
OPTIONAL_FILES = ("rbac-secret-watch", "rbac-credentials-finalizer", "rbac-key-generation")


def helm(*args: str | Path) -> str:
    """What helm prints. Raises CalledProcessError, with its words on stderr."""
    binary = locate(["helm"], recipe=charts())["helm"]
    return subprocess.run([binary, *args], stdout=subprocess.PIPE, text=True, check=True).stdout


def render(values: Mapping[str, str], only: Sequence[str] = ()) -> str:
    """These templates, or all, without what speaks of Helm."""
    sets = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
    show = [word for template in only for word in ("--show-only", f"templates/{template}.yaml")]
    text = helm("template", "netgw", CHART, "--namespace", NAMESPACE, "--no-hooks", *sets, *show)
    kept = [line for line in text.splitlines() if not line.startswith(SPEAKS_OF_HELM)]
    return "\n".join(kept).removeprefix("---\n") + "\n"


def wanted() -> dict[str, str]:
    """Every file by its name."""
    rbac = render({"leaderElection": "true"}, ["serviceaccount", "rbac"])  # for any setting
    install = render({"upcloud.existingSecret": "upcloud", "crds.keep": "false"})
    files = {
        "rbac.yaml": f"{HEADER}{NAMESPACE_MANIFEST}---\n{rbac}",
        "install.yaml": f"{HEADER}{INSTALL_HEAD}{NAMESPACE_MANIFEST}---\n{install}",
    }
    for value, file in zip(OPTIONAL, OPTIONAL_FILES, strict=True):
        files[f"{file}.yaml"] = HEADER + render({value: "true"}, [file])
    return files


def stale() -> list[str]:
    """Names of files that are missing or differ from what the chart says."""
    texts: Mapping[str, str] = MappingProxyType(wanted())
    found = {name: (DEPLOY / name).read_text() if (DEPLOY / name).is_file() else None for name in texts}
    return sorted(name for name, text in texts.items() if found[name] != text)


def main(argv: Sequence[str]) -> None:
    """Write or check."""
    if argv == ["--write"]:
        for name, text in wanted().items():
            (DEPLOY / name).write_text(text)
    elif argv != ["--check"]:
        sys.exit("expected --write or --check")
    elif names := stale():
        sys.exit(f"deploy/ is stale, run make generate: {', '.join(names)}")


if __name__ == "__main__":
    main(sys.argv[1:])
