"""Fixtures that every folder may use. A test that does not name `cluster` never starts one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.cluster import Cluster, open_cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A real API server with our CRDs, as admin; one per run."""
    with open_cluster() as opened:
        yield opened
