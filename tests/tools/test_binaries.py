"""Where the programs of the control plane come from, with a stand-in for Go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netgw_dev.binaries import MissingBinaries, Recipe, cache_folder, gather, locate

GO_MOD = "module example.test/tools\n\ngo 1.25.0\n\nrequire (\n\tk8s.io/kubernetes v1.35.4 // indirect\n)\n"
# Writes its own arguments into what -o names.
GO = '#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\necho "CGO_ENABLED=$CGO_ENABLED $3" > "$2"\nchmod +x "$2"\n'
BROKEN_GO = '#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\necho half > "$2"\necho "no such module" >&2\nexit 1\n'
# As Go 1.25 said it of a proxy's 503; the counter lies beside it.
UNLUCKY_GO = """#!/bin/sh
echo . >> "$0.runs"
if [ $(wc -l < "$0.runs") -lt 3 ]; then
  echo "example.test/etcd@v1: reading https://proxy.example.test/etcd/@v/v1.zip: %s" >&2
  exit 1
fi
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    module = tmp_path / "module"
    module.mkdir()
    (module / "go.mod").write_text(GO_MOD)
    (module / "go.sum").write_text("a sum\n")
    return Recipe.of(module)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "bin").mkdir()
    return {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "LC_ALL": "C"}


def program(folder: Path, name: str, text: str = "#!/bin/sh\n") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return path


def without_go(environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return {**environ, "PATH": str(tmp_path / "bin")}


def test_assets_come_before_the_cache(tmp_path: Path, recipe: Recipe, environ: dict[str, str]) -> None:
    wanted = program(tmp_path / "assets", "etcd")
    program(cache_folder(recipe, environ), "etcd")
    environ["KUBEBUILDER_ASSETS"] = str(tmp_path / "assets")
    assert locate(["etcd"], environ=environ, recipe=recipe) == {"etcd": wanted}


def test_missing_asset_is_taken_from_the_cache(tmp_path: Path, recipe: Recipe, environ: dict[str, str]) -> None:
    etcd = program(tmp_path / "assets", "etcd")
    kubectl = program(cache_folder(recipe, environ), "kubectl")
    environ["KUBEBUILDER_ASSETS"] = str(tmp_path / "assets")
    found = locate(["etcd", "kubectl"], environ=environ, recipe=recipe)
    assert found == {"etcd": etcd, "kubectl": kubectl}


def test_cache_needs_no_go(tmp_path: Path, recipe: Recipe, environ: dict[str, str]) -> None:
    etcd = program(cache_folder(recipe, environ), "etcd")
    assert locate(["etcd"], environ=without_go(environ, tmp_path), recipe=recipe) == {"etcd": etcd}


def test_file_that_cannot_be_run_is_not_taken(tmp_path: Path, recipe: Recipe, environ: dict[str, str]) -> None:
    program(cache_folder(recipe, environ), "etcd").chmod(0o644)
    with pytest.raises(MissingBinaries):
        locate(["etcd"], environ=without_go(environ, tmp_path), recipe=recipe)


def test_one_line_says_what_to_install(tmp_path: Path, recipe: Recipe, environ: dict[str, str]) -> None:
    program(cache_folder(recipe, environ), "kubectl")
    with pytest.raises(MissingBinaries) as caught:
        locate(["etcd", "kubectl"], environ=without_go(environ, tmp_path), recipe=recipe)
    message = str(caught.value)
    assert message.startswith("No etcd: install Go 1.25 or newer")
    assert "KUBEBUILDER_ASSETS" in message
    assert "\n" not in message


def test_only_what_is_missing_is_built(
    tmp_path: Path, recipe: Recipe, environ: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    cache = cache_folder(recipe, environ)
    program(cache, "kubectl", "old")
    program(tmp_path / "bin", "go", GO)
    found = locate(["etcd", "kubectl"], environ=environ, recipe=recipe)
    assert found == {"etcd": cache / "etcd", "kubectl": cache / "kubectl"}
    assert found["etcd"].read_text() == "CGO_ENABLED=0 go.etcd.io/etcd/server/v3\n"
    assert found["kubectl"].read_text() == "old"
    told = capfd.readouterr()
    assert told.out == ""
    assert "etcd done in 0 s" in told.err
    assert "kubectl" not in told.err


def test_failed_build_leaves_nothing_and_shows_why(
    tmp_path: Path, recipe: Recipe, environ: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    program(tmp_path / "bin", "go", BROKEN_GO)
    with pytest.raises(MissingBinaries, match="could not build etcd"):
        locate(["etcd"], environ=environ, recipe=recipe)
    assert "no such module" in capfd.readouterr().err
    assert os.listdir(cache_folder(recipe, environ)) == [".lock"]  # noqa: PTH208


def test_a_download_that_failed_is_tried_again(
    tmp_path: Path,
    recipe: Recipe,
    environ: dict[str, str],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("netgw_dev.binaries.PAUSES", (0.0, 0.0))
    program(tmp_path / "bin", "go", UNLUCKY_GO % "503 Service Unavailable" + GO)
    assert locate(["etcd"], environ=environ, recipe=recipe)
    assert capfd.readouterr().err.count("A download failed: once more") == 2


def test_what_is_not_there_is_asked_for_once(
    tmp_path: Path, recipe: Recipe, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netgw_dev.binaries.PAUSES", (0.0, 0.0))
    go = program(tmp_path / "bin", "go", UNLUCKY_GO % "404 Not Found" + GO)
    with pytest.raises(MissingBinaries):
        locate(["etcd"], environ=environ, recipe=recipe)
    assert go.with_name("go.runs").read_text() == ".\n"


def test_remains_of_a_killed_build_are_removed(tmp_path: Path, recipe: Recipe, environ: dict[str, str]) -> None:
    cache = cache_folder(recipe, environ)
    program(cache / "building-x1", "etcd", "half")
    program(tmp_path / "bin", "go", GO)
    locate(["etcd"], environ=environ, recipe=recipe)
    assert sorted(path.name for path in cache.iterdir()) == [".lock", "etcd"]


def test_cache_follows_sums_flags_and_platform(recipe: Recipe) -> None:
    keys = {recipe.key, Recipe(recipe.module, (*recipe.flags, "-v"), recipe.goos, recipe.goarch).key}
    keys.add(Recipe(recipe.module, recipe.flags, recipe.goos, "riscv64").key)
    (recipe.module / "go.sum").write_text("another sum\n")
    keys.add(recipe.key)
    assert len(keys) == 4


def test_version_comes_from_the_module(recipe: Recipe) -> None:
    version = "k8s.io/component-base/version"
    for variable in (f"{version}.gitVersion=v1.35.4", f"{version}.gitMajor=1", f"{version}.gitMinor=35"):
        assert f"-X {variable}" in recipe.flags[-1]


def test_one_folder_holds_all(tmp_path: Path) -> None:
    together = {name: program(tmp_path / "a", name) for name in ("etcd", "kubectl")}
    assert gather(together, tmp_path / "cache") == tmp_path / "a"
    apart = {**together, "kubectl": program(tmp_path / "b", "kubectl")}
    folder = gather(apart, tmp_path / "cache")
    assert gather(apart, tmp_path / "cache") == folder
    assert {path.name: path.resolve() for path in folder.iterdir()} == apart
