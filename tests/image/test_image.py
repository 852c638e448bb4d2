"""The image is built on a plain Debian, run as its user, and has what it should and nothing that builds."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from netgw import __version__
from netgw_dev import image

TAG = "localhost/netgw:test"
BUILDERS = ("gcc", "cc", "g++", "make", "ld", "pip", "pip3")


ARGUMENTS = (f"VERSION={__version__}", "REVISION=abc")


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    image.make_base()
    folder = image.context(tmp_path_factory.mktemp("context"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def built(context: Path) -> str:
    """The id of the image."""
    return image.build(context, TAG, ARGUMENTS)


@pytest.fixture(scope="module")
def container(built: str) -> Iterator[str]:
    """One of the image that was just built."""
    made = image.buildah("from", "--pull-never", built)
    yield made
    image.buildah("rm", made)


def run(container: str, *command: str) -> str:
    return image.buildah("run", "--isolation", "chroot", container, "--", *command)


def test_it_runs_as_its_user(container: str) -> None:
    """By the name that PATH finds, with its bytecode and without a write."""
    assert run(container, "netgw", "version") == __version__
    assert run(container, "id", "-u") == "65532"


def test_its_user_can_change_nothing(container: str) -> None:
    assert run(container, "sh", "-c", "find / -xdev -writable -type f -not -path '/proc/*' 2>/dev/null || true") == ""


def test_a_wrong_setting_ends_it_with_one_line(container: str) -> None:
    said = run(container, "sh", "-c", "NETGW_WORKERS=0 netgw run 2>&1 || echo $?")
    assert said.splitlines() == ["netgw: NETGW_WORKERS is '0'; expected a whole number from 1 to 256", "1"]


def test_nothing_in_it_builds_or_installs(container: str) -> None:
    found = run(container, "sh", "-c", f"for tool in {' '.join(BUILDERS)}; do command -v $tool || true; done")
    assert found == ""
    packages = run(container, "sh", "-c", "ls /opt/netgw/lib/python3*/site-packages")
    assert not {"pip", "setuptools", "pytest"} & set(packages.split())


def test_labels_and_user_say_what_it_is(container: str) -> None:
    config = json.loads(image.buildah("inspect", "--type", "image", TAG))["OCIv1"]["config"]
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == ["/opt/netgw/bin/netgw"]
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in config["Labels"].items()}
    assert labels["version"] == __version__
    assert labels["revision"] == "abc"
    assert labels["licenses"] == "Apache-2.0"


def test_a_second_build_is_the_same_bytes(built: str, context: Path, tmp_path: Path) -> None:
    """Of the same source, although every file was copied anew, at another time."""
    again = shutil.copytree(context, tmp_path / "again", copy_function=shutil.copyfile)
    assert image.build(again, "localhost/netgw:again", ARGUMENTS) == built


def test_what_is_missing_is_one_line() -> None:
    argv = [sys.executable, "-m", "netgw_dev.image"]
    where = {"cwd": image.ROOT / "tools", "env": {"PATH": "/nonexistent"}}
    done = subprocess.run(argv, **where, capture_output=True, text=True, check=False)  # type: ignore[call-overload]
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "apt-get install --yes buildah debootstrap" in done.stderr
