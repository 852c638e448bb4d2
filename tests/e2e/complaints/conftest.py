"""What users of comparable operators complain of, one file for each complaint that is closed, by its number.

| complaint                                             | closed by                                          |
|-------------------------------------------------------|----------------------------------------------------|
| 1, 2, 3, 4, 5, 7, 9, 10, 11, 12                       | the file of that number                            |
| 15: one account per cluster, too much power, leaks    | tests/e2e/accounts; the checker, after every story |
| 6, 8, 13, 14: export, alerts, Argo CD, preview        | come with the tools and the package                |
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.cluster import Cluster


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[str]:
    """For the objects of one module, beside those of scenarios."""
    with cluster.namespace() as name:
        yield name
