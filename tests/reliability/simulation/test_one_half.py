"""Histories of even portions: whatever happens, in the end the cloud is as the specs say, and stays so."""

from __future__ import annotations

import pytest

from support.figures import Figures
from support.simulation.many import PORTIONS, hold


@pytest.mark.parametrize("portion", range(0, PORTIONS, 2))
def test_histories_hold(portion: int, figures: Figures) -> None:
    hold(portion, figures)
