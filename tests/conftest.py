"""Fixtures that every folder may use. A test that does not name `cluster` never starts one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.cluster import Cluster, open_cluster


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The operator of the scenarios lives to the end of the run and manages whatever it finds: others come before."""
    items.sort(key=lambda item: "tests/e2e/" in item.nodeid)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A real API server with our CRDs, as admin; one per run."""
    with open_cluster() as opened:
        yield opened
