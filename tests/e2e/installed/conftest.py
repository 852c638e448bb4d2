"""One API server with the chart on it, and one simulated cloud, for the tests of this folder."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from support.installed import Installation, installation
from support.operator import Simulator


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    if os.environ.get("NETGW_TEST_KUBECONFIG"):
        pytest.skip("installs, changes and audits a release of its own: not on a cluster that was given")
    with installation(tmp_path_factory.mktemp("installed")) as opened:
        yield opened


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """Whoever asks is let in."""
    opened = Simulator(tmp_path_factory.mktemp("installed-cloud") / "cloud")
    yield opened
    opened.stop()
