"""Programs that tests and the demo need: found, or built with Go from the module in tools/ that pins them.

The order of choice, for each program by itself: the folder that KUBEBUILDER_ASSETS names, our cache, a build. The cache
is `$XDG_CACHE_HOME/netgw/<set>/<key>/`; the key is a digest of go.sum, the build's flags and the platform. The sets
stand in `modules.py`.

`python -m netgw_dev.binaries [SET or NAME...]` prints one folder that holds all of them as its last line.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from netgw_dev.modules import CONTROL_PLANE, PACKAGES, SETS, Recipe
from netgw_dev.process import terminated_as_interrupted

__all__ = ["PACKAGES", "MissingBinaries", "Recipe", "cache_folder", "gather", "locate"]

PAUSES = (5.0, 20.0)
"""Seconds before Go is started again when it could not download something."""
_DOWNLOAD_FAILED = re.compile(r'(?:reading |Get ")https?://\S+: (?!4(?!29)\d\d )')
"""What Go says of a download that failed for a reason that may pass: no 404."""


class MissingBinaries(Exception):
    """Nothing of that name was found or could be built; the message is one line that says what to do."""


def cache_folder(recipe: Recipe, environ: Mapping[str, str] = os.environ) -> Path:
    """Where this recipe's programs are kept."""
    base = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".cache"
    return Path(base) / "netgw" / recipe.name / recipe.key


def locate(
    names: Sequence[str] = tuple(PACKAGES), *, environ: Mapping[str, str] = os.environ, recipe: Recipe | None = None
) -> dict[str, Path]:
    """Find every program of one recipe (default: the control plane), building what is missing. Progress goes to stderr.

    Raises MissingBinaries, with one line, when Go is missing or fails.
    """
    recipe = recipe or SETS[CONTROL_PLANE]()
    cache = cache_folder(recipe, environ)
    found = _present(names, _folders(cache, environ))
    if missing := [name for name in names if name not in found]:
        go = shutil.which("go", path=environ.get("PATH"))
        if go is None:
            raise MissingBinaries(_advice(missing, recipe))
        with _locked(cache, recipe.name):
            found = _present(names, _folders(cache, environ))  # somebody else may have built them meanwhile
            if missing := [name for name in names if name not in found]:
                _build(missing, recipe, go, cache, environ)
        found = _present(names, _folders(cache, environ))
    return found


def gather(found: Mapping[str, Path], cache: Path) -> Path:
    """One folder that holds all of them: the one they share, else a folder of links inside the cache."""
    parents = {path.parent for path in found.values()}
    if len(parents) == 1:
        return parents.pop()
    digest = hashlib.sha256("\n".join(str(path) for path in found.values()).encode()).hexdigest()[:12]
    folder = cache / f"links-{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in found.items():
        with contextlib.suppress(FileExistsError):
            (folder / name).symlink_to(path)
    return folder


def _folders(cache: Path, environ: Mapping[str, str]) -> list[Path]:
    assets = environ.get("KUBEBUILDER_ASSETS")
    return [Path(assets).expanduser().absolute(), cache] if assets else [cache]


def _present(names: Sequence[str], folders: Sequence[Path]) -> dict[str, Path]:
    """Of each name the first that can be run; folders given first win."""
    found: dict[str, Path] = {}
    for folder, name in itertools.product(folders, names):
        path = folder / name
        if name not in found and path.is_file() and os.access(path, os.X_OK):
            found[name] = path
    return found


def _advice(missing: Sequence[str], recipe: Recipe) -> str:
    found = re.search(r"^go (\d+\.\d+)", (recipe.module / "go.mod").read_text(), re.MULTILINE)
    version = found[1] if found else "a recent version"
    return (
        f"No {', '.join(missing)}: install Go {version} or newer (https://go.dev/dl), which builds them once, "
        "or set KUBEBUILDER_ASSETS to a folder that has them."
    )


@contextlib.contextmanager
def _locked(cache: Path, name: str) -> Iterator[None]:
    """Let one run build at a time; the lock goes with its holder, however that ends."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"Waiting for another build of {name} …", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(names: Sequence[str], recipe: Recipe, go: str, cache: Path, environ: Mapping[str, str]) -> None:
    """Build into a temporary folder beside the target and rename, so that an interrupted build leaves nothing half."""
    for leftover in cache.glob("building-*"):  # of a build that was killed: we hold the lock
        shutil.rmtree(leftover, ignore_errors=True)
    console = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
    console.print(f"Building {recipe.name} once, some minutes of work, into {cache}")
    with tempfile.TemporaryDirectory(prefix="building-", dir=cache) as work:
        for name in names:
            target = Path(work) / name
            command = recipe.command(go, recipe.packages[name], target)
            with _progress(console, name):
                status = _run(command, recipe.module, recipe.environment(environ), console)
            if status:
                raise MissingBinaries(f"Go could not build {name} (exit status {status}); it says why above.")
            target.rename(cache / name)


def _run(command: Sequence[str], module: Path, environ: Mapping[str, str], console: Console) -> int:
    """The status of the build, after as many attempts as downloads deserve. What went wrong is shown."""
    pauses = iter(PAUSES)
    while True:
        built = subprocess.run(command, cwd=module, env=environ, stderr=subprocess.PIPE, text=True, check=False)
        if not built.returncode:
            return 0
        console.print(built.stderr)
        pause = next(pauses, None)
        if pause is None or not _DOWNLOAD_FAILED.search(built.stderr):
            return built.returncode
        console.print(f"A download failed: once more in {pause:g} s")
        time.sleep(pause)


@contextlib.contextmanager
def _progress(console: Console, name: str) -> Iterator[None]:
    """One line with the time that passes on a terminal, a first and a last line elsewhere."""
    started = time.monotonic()
    if console.is_terminal:
        columns = (SpinnerColumn(finished_text="✓"), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=console) as progress:
            task = progress.add_task(name, total=1)
            yield
            progress.advance(task)
    else:
        console.print(f"  {name} …")
        yield
        console.print(f"  {name} done in {time.monotonic() - started:.0f} s")


def main(words: Sequence[str]) -> None:
    """Print one folder with the programs of these names and sets (default: all there are), building what is missing."""
    try:
        with terminated_as_interrupted():
            found: dict[str, Path] = {}
            for name, recipe in ((name, of()) for name, of in SETS.items()):
                if wanted := [program for program in recipe.packages if not words or {program, name} & set(words)]:
                    found |= locate(wanted, recipe=recipe)
            if missing := [word for word in words if word not in {*found, *SETS}]:
                sys.exit(
                    f"Nothing is named {', '.join(missing)}; there are {', '.join(SETS)} and the programs in them."
                )
            print(gather(found, cache_folder(SETS[CONTROL_PLANE]())))
    except MissingBinaries as missing_binaries:
        sys.exit(str(missing_binaries))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main(sys.argv[1:])
