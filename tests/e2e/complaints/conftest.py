"""A namespace for the objects of one module, beside those of scenarios."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.cluster import Cluster


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[str]:
    with cluster.namespace() as name:
        yield name
