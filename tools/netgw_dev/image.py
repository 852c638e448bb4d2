"""What a build of the image needs here, and the Debian base that it is tested on.

    python -m netgw_dev.image       says in one line what is missing, with status 1

The base is made once by debootstrap, in ~/.cache/netgw, for no registry is asked. Its Python is Debian's, at another
place than that of the official images: the Dockerfile has to know neither.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path.home() / ".cache" / "netgw" / "image"
SUITE, PYTHON = "bookworm", "3.11"
BASE = f"localhost/netgw-base:{SUITE}"
PACKAGES = ("python3", "python3-venv", "ca-certificates")
NEEDED = ("buildah", "debootstrap")

_CONTEXT = ("Dockerfile", ".dockerignore", "requirements.txt", "pyproject.toml", "README.md", "LICENSE", "operator")
# Every tag of a wheel that Debian's Python takes.
_GLIBC = ("1", "2010", "2014", *(f"_2_{minor}" for minor in (5, 12, 17, 24, 26, 27, 28, 31, 34, 36)))


def missing() -> str:
    """What keeps the image from being built here, in one line; "" when nothing does."""
    if sys.platform != "linux":
        return "the image is built on Linux alone"
    tools = [tool for tool in NEEDED if shutil.which(tool) is None]
    needs = [*([f"apt-get install --yes {' '.join(tools)}"] if tools else []), *([] if os.geteuid() == 0 else ["root"])]
    return f"the image is not tested, it needs: {', and '.join(needs)}" if needs else ""


def buildah(*args: str | Path) -> str:
    """What buildah printed, with a store of our own. Raises CalledProcessError."""
    store = ("--root", CACHE / "storage", "--runroot", CACHE / "run", "--storage-driver", "vfs")
    done = subprocess.run(["buildah", *store, *args], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def make_base() -> None:
    """The base, unless it is there."""
    if buildah("images", "--quiet", "--filter", f"reference={BASE}"):
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    root = CACHE / "root"
    shutil.rmtree(root, ignore_errors=True)
    subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, root],
        stdout=subprocess.DEVNULL,
        check=True,
    )
    for cache in ("var/cache/apt", "var/lib/apt/lists"):
        shutil.rmtree(root / cache, ignore_errors=True)
    archive = CACHE / "base.tar"  # the folder itself would be copied file by file
    subprocess.run(["tar", "--numeric-owner", "--create", "--file", archive, "--directory", root, "."], check=True)
    made = buildah("from", "scratch")
    buildah("add", "--quiet", made, archive, "/")
    buildah("commit", "--quiet", "--rm", made, BASE)
    shutil.rmtree(root)
    archive.unlink()


def fetch_wheels(folder: Path) -> None:
    """Those of requirements.txt for the base, from wherever pip is set up to take them; what is there is kept."""
    machine = os.uname().machine
    platforms = [word for tag in _GLIBC for word in ("--platform", f"manylinux{tag}_{machine}")]
    wheels = ["--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}"]
    abis = ["--abi", f"cp{PYTHON.replace('.', '')}", "--abi", "abi3", "--abi", "none"]
    source = ["--no-deps", "--require-hashes", "--requirement", str(ROOT / "requirements.txt"), "--dest", str(folder)]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    subprocess.run([*pip, *wheels, *abis, *platforms, *source], check=True)


def context(folder: Path) -> Path:
    """A folder with what the Dockerfile copies, and the wheels, so that the build itself needs no network."""
    for name in _CONTEXT:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(source, folder / name)
    fetch_wheels(folder / "wheels")
    return folder


def build(folder: Path, tag: str, arguments: Sequence[str] = ()) -> str:
    """The id of the image that the context in `folder` makes."""
    flags = [word for argument in (f"BASE={BASE}", *arguments) for word in ("--build-arg", argument)]
    how = ["--quiet", "--isolation", "chroot", "--timestamp", "0", "--no-cache", "--tag", tag]
    return buildah("build", *how, *flags, folder).splitlines()[-1]


if __name__ == "__main__":
    sys.exit(f"netgw: {missing()}" if missing() else 0)
