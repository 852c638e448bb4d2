from __future__ import annotations

import pytest

from support.simulated_cloud import Cloud


@pytest.fixture
def cloud() -> Cloud:
    """Today's API; every transition is over by the next request."""
    return Cloud()
