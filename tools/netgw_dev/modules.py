"""What is built with Go for tests and for the demo: sets of programs, all pinned by the module in tools/.

Another program gets a `tool` line in its go.mod, and a place in one of SETS.
"""

from __future__ import annotations

import hashlib
import platform
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

MODULE = Path(__file__).resolve().parents[1]
CONTROL_PLANE, CHARTS, OBSERVABILITY = "control-plane", "charts", "observability"

PACKAGES: Mapping[str, str] = MappingProxyType(
    {
        "etcd": "go.etcd.io/etcd/server/v3",
        "kubectl": "k8s.io/kubernetes/cmd/kubectl",
        "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
        "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    }
)
"""The control plane."""
CHART_PACKAGES: Mapping[str, str] = MappingProxyType(
    {"helm": "helm.sh/helm/v3/cmd/helm", "kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform"}
)
OBSERVABILITY_PACKAGES: Mapping[str, str] = MappingProxyType(
    {name: f"github.com/prometheus/prometheus/cmd/{name}" for name in ("prometheus", "promtool")}
)
_GOARCH = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class Recipe:
    """How the programs of a set are built; whatever is in here decides where in the cache they belong."""

    module: Path
    flags: tuple[str, ...]
    goos: str
    goarch: str
    name: str = CONTROL_PLANE
    packages: Mapping[str, str] = field(default_factory=lambda: PACKAGES)

    @classmethod
    def of(cls, module: Path = MODULE) -> Recipe:
        """The control plane: without a version linked in, the server reports one that no client can parse."""
        version, major, minor = required(module, "k8s.io/kubernetes")
        variables = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
        return recipe(
            CONTROL_PLANE, module, PACKAGES, {f"k8s.io/component-base/version.{key}": v for key, v in variables.items()}
        )

    @property
    def key(self) -> str:
        """Names the folder in the cache."""
        parts = ((self.module / "go.sum").read_text(), *self.flags, self.goos, self.goarch)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]

    def command(self, go: str, package: str, target: Path) -> list[str]:
        """Build one package into one file; etcd's would otherwise be called `server`."""
        return [go, "build", *self.flags, "-o", str(target), package]

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Without cgo and without a workspace file that happens to lie above. GOGC spares the compiler work."""
        fixed = {"CGO_ENABLED": "0", "GOWORK": "off", "GOOS": self.goos, "GOARCH": self.goarch}
        return {"GOGC": "400", **environ, **fixed}


def recipe(
    name: str, module: Path, packages: Mapping[str, str], variables: Mapping[str, str] = MappingProxyType({})
) -> Recipe:
    """A set of programs of one module, for this machine, with variables linked in."""
    link = " ".join(["-s -w", *(f"-X {variable}={value}" for variable, value in variables.items())])
    machine = platform.machine().lower()
    return Recipe(module, ("-trimpath", "-ldflags", link), sys.platform, _GOARCH.get(machine, machine), name, packages)


def required(module: Path, path: str) -> tuple[str, str, str]:
    """The version of a module that go.mod requires, its major and its minor."""
    found = re.search(rf"^\s*{re.escape(path)} (v(\d+)\.(\d+)\.\S+)", (module / "go.mod").read_text(), re.MULTILINE)
    if found is None:
        raise ValueError(f"{module / 'go.mod'} does not require {path}")
    return found[1], found[2], found[3]


def charts(module: Path = MODULE) -> Recipe:
    """Both are of use with charts alone; without the version of Kubernetes linked in, helm renders for 1.20."""
    _, _, minor = required(module, "k8s.io/client-go")  # v0.35 goes with Kubernetes 1.35
    linked = {
        "helm.sh/helm/v3/internal/version.version": required(module, "helm.sh/helm/v3")[0],
        "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor": "1",
        "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor": minor,
        "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor": "1",
        "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor": minor,
    }
    return recipe(CHARTS, module, CHART_PACKAGES, linked)


def observability(module: Path = MODULE) -> Recipe:
    """Prometheus and promtool, which find their targets in files: no client of any cloud is compiled."""
    plain = recipe(OBSERVABILITY, module, OBSERVABILITY_PACKAGES)
    return replace(plain, flags=("-tags", "remove_all_sd", *plain.flags))


SETS: Mapping[str, Callable[[], Recipe]] = MappingProxyType(
    {CONTROL_PLANE: Recipe.of, CHARTS: charts, OBSERVABILITY: observability}
)
"""By name."""
